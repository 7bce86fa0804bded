"""The server of annotation killed with SIGKILL while people work. Run as ``python -m benchmarks.annotation_kills``.

Twenty scripted annotators over HTTP, on SQLite and on a real PostgreSQL; the server is killed at random instants and started again. At
the end: every answer that was confirmed is there as it was sent, every task has exactly as many answers as people were asked and each by
another person, no task was given to more people than that, no confirmed draft was lost. Exits with 1 where anything did not hold.
"""

from __future__ import annotations

import argparse
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imagereward_lab.annotation.project.create import create
from imagereward_lab.annotation.project.options import ProjectOptions
from imagereward_lab.annotation.service import Service
from imagereward_lab.annotation.store.answers import final_answers
from imagereward_lab.annotation.store.tasks import NewImage, NewTask
from tests.support.lab.postgres import new_database, running

from .annotation_people import Diary, Line, annotate
from .scorers import save_results

ROOT = Path(__file__).resolve().parents[1]
_SERVE = (
    "import sys; from pathlib import Path; from imagereward_lab.annotation.pages.serve import serve_project; "
    "serve_project(Path(sys.argv[1]), port=int(sys.argv[2]), browser=False)"
)
"""What the server's process runs: no more than the command does, so that it comes up soon."""
PEOPLE_EACH = 3
"""People who are asked about each task."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is done.

    Attributes:
        annotators: People at work.
        tasks: Tasks, each of four pictures.
        kills: How often the server is killed.
        seed: Of the answers and of the instants.
    """

    annotators: int
    tasks: int
    kills: int
    seed: int = 0


class ServedProcess:
    """The server as a process of its own, always at the same port."""

    def __init__(self, project: Path) -> None:
        self.project = project
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; it listens a moment later."""
        command = [sys.executable, "-c", _SERVE, str(self.project), str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """Kills it at this instant."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


def make(folder: Path, plan: Plan, database: str) -> Path:
    """A project whose pictures nobody looks at."""
    (folder / "pictures").mkdir(parents=True)
    images = [NewImage(name=f"{place}.png", source="") for place in range(4)]
    tasks = [
        NewTask(
            key=f"t{number:05d}",
            mode="protocol",
            prompt=f"scene {number}",
            images=images,
            people=PEOPLE_EACH,
            test=False,
        )
        for number in range(plan.tasks)
    ]
    options = ProjectOptions(people=PEOPLE_EACH, lease_minutes=24 * 60.0)
    create(folder / "project", folder / "pictures", options, tasks, time.time(), database)
    return folder / "project"


def run(folder: Path, plan: Plan, database: str = "") -> dict[str, Any]:
    """Figures of one run; ``wrong`` lists what did not hold."""
    project = make(folder, plan, database)
    service = Service(project)
    owner = service.local_person()
    names = [f"annotator {number}" for number in range(plan.annotators)]
    lines = {}
    server = ServedProcess(project)
    for name in names:
        _, token = service.add_person(owner, name, "annotator")
        lines[name] = Line(server.port, token)
    service.close()
    began = time.monotonic()
    diaries = [Diary(name) for name in names]
    kills, starts, failures = _work(server, lines, diaries, plan)
    wrong = failures + [text for diary in diaries for text in diary.lost] + _check(project, diaries, plan)
    if kills < plan.kills:
        wrong.append(f"only {kills} of {plan.kills} kills happened before the work was done")
    return {
        "database": "PostgreSQL" if database else "SQLite",
        "annotators": plan.annotators,
        "kills": kills,
        "starts": starts,
        "answers_confirmed": sum(len(diary.confirmed) for diary in diaries),
        "drafts_looked_for": sum(diary.drafts for diary in diaries),
        "requests_sent_again": sum(line.again for line in lines.values()),
        "seconds": round(time.monotonic() - began, 1),
        "wrong": wrong,
    }


def _work(
    server: ServedProcess, lines: dict[str, Line], diaries: Sequence[Diary], plan: Plan
) -> tuple[int, int, list[str]]:
    """Lets all work while the server is killed; returns how often it was, how often it was started, and what failed."""
    rng = random.Random(plan.seed)
    failures: list[str] = []
    answers = threading.Semaphore(0)
    stop = threading.Event()

    def person(diary: Diary, seed: int) -> None:
        try:
            annotate(lines[diary.name], diary, seed, answers.release, stop)
        except Exception as error:  # whatever it is, the run has failed and says so
            failures.append(f"{diary.name}: {type(error).__name__}: {error}")
        finally:
            lines[diary.name].close()

    threads = [
        threading.Thread(target=person, args=(diary, 1000 * plan.seed + number), daemon=True)
        for number, diary in enumerate(diaries)
    ]
    server.start()
    kills, starts = 0, 1
    try:
        for thread in threads:
            thread.start()
        # Some answers between two kills, so that the server has come up, then an instant that no answer sets.
        least = max(1, plan.tasks * PEOPLE_EACH // (2 * max(1, plan.kills)))
        while kills < plan.kills and any(thread.is_alive() for thread in threads):
            for _ in range(rng.randint(1, least)):
                answers.acquire(timeout=30)
            time.sleep(rng.uniform(0, 0.1))
            server.kill()
            kills += 1
            server.start()
            starts += 1
        for thread in threads:
            thread.join(600)
        if any(thread.is_alive() for thread in threads):
            failures.append("somebody still waits")
    finally:
        stop.set()
        server.kill()
    return kills, starts, failures


def _check(project: Path, diaries: Sequence[Diary], plan: Plan) -> list[str]:
    """What does not hold of the store, against what people were told."""
    wrong = []
    service = Service(project)
    try:
        kept = service.project.database.read(final_answers)
    finally:
        service.close()
    by_person = {(answer.person.name, answer.task.id): answer.document for answer in kept}
    if len(by_person) != len(kept):
        wrong.append("somebody has two answers to one task")
    for diary in diaries:
        for task, document in diary.confirmed.items():
            if by_person.get((diary.name, task)) != document:
                wrong.append(
                    f"the confirmed answer of {diary.name} to task {task} is not there as it was sent"
                )
    answers = Counter(task for _, task in by_person)
    given = Counter(task for diary in diaries for task in diary.given)
    wrong += [
        f"task {task} has {answers[task]} answers; expected {PEOPLE_EACH}"
        for task in range(1, plan.tasks + 1)
        if answers[task] != PEOPLE_EACH
    ]
    wrong += [
        f"task {task} was given to {number} people" for task, number in given.items() if number > PEOPLE_EACH
    ]
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs both databases and saves the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--annotators", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    plan = Plan(annotators=given.annotators, tasks=given.tasks, kills=given.kills, seed=given.seed)
    runs = []
    with tempfile.TemporaryDirectory() as temporary:
        runs.append(run(Path(temporary) / "sqlite", plan))
        print(runs[-1])
        try:
            with running() as socket_folder:
                runs.append(run(Path(temporary) / "postgres", plan, new_database(socket_folder)))
                print(runs[-1])
        except pytest.skip.Exception as reason:
            print(f"without PostgreSQL: {reason}")
    what = (
        "Scripted annotators over HTTP; the server is killed with SIGKILL and started again at the same port"
    )
    save_results("annotation_kills", {"what": what, "people_for_each_task": PEOPLE_EACH, "runs": runs})
    return 1 if any(each["wrong"] for each in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
