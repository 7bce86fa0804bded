"""Simulated people answer like real ones: through the server of a project, or in the table of a blind task.

Run as ``python -m imagereward_lab.people.answer``. Nothing is known to them but what a person sees: prompts and pictures.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imagereward_core.errors import CuratorError
from imagereward_core.files.whole import written_whole
from imagereward_core.scorers.factory import create_scorer

from .onlooker import Judge, Onlooker, PeopleError, document, read_people

_WAIT = 120.0
_TABLE = "answers.csv"


class Visitor:
    """Somebody at the pages of a project, who asks its server as these do.

    Args:
        server: Its address, such as ``http://127.0.0.1:8000``.
        token: Theirs.
    """

    def __init__(self, server: str, token: str) -> None:
        self.server, self.token = server.partition("/annotation")[0].rstrip("/"), token

    def ask(self, path: str, body: Any = None) -> Any:
        """What the server answers."""
        return json.loads(self._get(f"api/{path}", None if body is None else json.dumps(body).encode()))

    def picture(self, image: str) -> Image.Image:
        """A picture as it is shown large."""
        with Image.open(io.BytesIO(self._get(f"pictures/large/{image}"))) as picture:
            return picture.convert("RGB")

    def _get(self, path: str, body: bytes | None = None) -> bytes:
        address = f"{self.server}/annotation/{path}"
        if not address.startswith(("http://", "https://")):
            raise PeopleError(
                f"{self.server} is no address of a server; expected one such as http://127.0.0.1:8000"
            )
        headers = {
            "authorization": f"Bearer {self.token}",
            "content-type": "application/json",
            "origin": self.server,
        }
        try:
            with urllib.request.urlopen(
                urllib.request.Request(address, data=body, headers=headers), timeout=_WAIT
            ) as answer:
                found: bytes = answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise PeopleError(
                f"{address} does not answer ({error}); is the project served, and is the token right?"
            ) from error
        return found


def visit(visitor: Visitor, person: Onlooker, judge: Judge, seed: int) -> int:
    """Answers all tasks that the server has for somebody; returns how many.

    Raises:
        PeopleError: The server refuses an answer, or has nothing because it does not take the person.
    """
    number = 0
    given = visitor.ask("next")
    while (task := given["task"]) is not None:
        images = [each["id"] for each in task["images"]]
        ranks = person.ranks([visitor.picture(each) for each in images], task["prompt"], judge, seed)
        answer = {"document": document(task["mode"], images, ranks), "seconds": 30}
        given = visitor.ask(f"tasks/{task['id']}/submit", answer)
        if given["faults"]:
            raise PeopleError(
                f"the server does not take the answer to task {task['id']}: {given['faults'][0]}"
            )
        number += 1
    return number


def fill_in(task: Path, people: Sequence[Onlooker], judge: Judge, seed: int) -> str:
    """The table of a blind task with the ranks of everybody, one below another.

    Raises:
        PeopleError: The task cannot be read.
    """
    try:
        with (task / _TABLE).open(encoding="utf-8", newline="") as file:
            rows = [(row["prompt"], row["image"]) for row in csv.DictReader(file)]
        asked: dict[str, dict[str, Image.Image]] = {}
        for prompt, image in rows:
            with Image.open(task / Path(image).name) as picture:
                asked.setdefault(prompt, {})[image] = picture.convert("RGB")
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise PeopleError(
            f"{task} cannot be read as a blind task ({error}); expected the folder that compare-models --export-task has written"
        ) from error
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("prompt", "image", "rank", "annotator"))
    for person in people:
        for prompt, pictures in asked.items():
            ranks = person.ranks(list(pictures.values()), prompt, judge, seed)
            writer.writerows(
                (prompt, *each, person.annotator.name) for each in zip(pictures, ranks, strict=True)
            )
    return text.getvalue()


def judge_of(scorer: str) -> Judge:
    """The eye for quality that a scorer has, on the processor."""
    made = create_scorer(scorer)

    def judge(pictures: Sequence[Image.Image], prompts: Sequence[str]) -> np.ndarray:
        return np.asarray(made.score(list(pictures), list(prompts)).values, dtype=np.float64)

    return judge


def main(arguments: Sequence[str] | None = None) -> int:
    """Lets people answer; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m imagereward_lab.people.answer", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--people", type=Path, required=True, metavar="FILE", help="who they are, as JSON")
    parser.add_argument(
        "--who", action="append", required=True, metavar="NAME", help="who answers; with --task several times"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of their errors (default: 0)")
    parser.add_argument(
        "--server", metavar="ADDRESS", help="of a project: answer all its tasks, with --token"
    )
    parser.add_argument("--token", default="", help="of the one person who answers there")
    parser.add_argument(
        "--task", type=Path, metavar="DIR", help="a blind task: fill in its table, with --output"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where the filled-in table goes")
    args = parser.parse_args(arguments)
    if (args.server is None) == (args.task is None) or (args.task is not None) != (args.output is not None):
        parser.error("expected --server with --token, or --task with --output")
    try:
        scorer, known = read_people(args.people)
        if missing := [name for name in args.who if name not in known]:
            raise PeopleError(
                f"{args.people} knows nobody called {missing[0]!r}; expected one of {', '.join(known)}"
            )
        people = [known[name] for name in args.who]
        judge = judge_of(scorer)
        if args.task is not None:
            filled = fill_in(args.task, people, judge, args.seed)
            with written_whole(args.output) as temporary:
                temporary.write_text(filled, encoding="utf-8", newline="")
            return 0
        if len(people) != 1:
            parser.error("expected one --who with --server: a token is one person's")
        number = visit(Visitor(args.server, args.token), people[0], judge, args.seed)
    except (CuratorError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the message of a program
        return 4
    print(f"{people[0].annotator.name} has answered {number} tasks")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
