"""Many at the same time, on SQLite and on a real PostgreSQL: nothing is lost, and nothing is given twice."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest
from sqlalchemy import select

from imagereward_lab.annotation.records import AnnotationError
from imagereward_lab.annotation.store.answers import final_answers
from imagereward_lab.annotation.store.audit import trail
from imagereward_lab.annotation.store.database import StoreError
from imagereward_lab.annotation.store.tables import ASSIGNMENTS, INSPECTIONS
from tests.support.lab.annotation import Clock, add, answer_to, make_project, new_tasks, open_service
from tests.support.lab.postgres import database, postgres  # noqa: F401


def at_once(actions):
    """Runs all actions in threads of their own, and raises what any of them raised."""
    errors = []

    def guarded(action):
        try:
            action()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


class Crowd:
    """People who are given tasks, leave drafts, skip, close their browsers and answer, each by a seed of their own."""

    def __init__(self, services, clock):
        self.services, self.clock = services, clock
        self.confirmed = set()
        self.given = []

    def work(self, service, person, seed):
        rng, misses = random.Random(seed), 0
        while misses < 40:
            found = service.next(person)
            if found.task is None:
                if found.reason == "done":
                    return
                misses += 1
                self.clock.minutes(rng.choice((1, 5)))
                continue
            task = found.task
            what = rng.random()
            try:
                if what < 0.1:
                    self.clock.minutes(rng.choice((1, 20, 40)))  # the browser was closed, or the person slept
                    continue
                if what < 0.3:
                    service.save_draft(person, task.id, {"images": {}})
                if what > 0.95:
                    service.skip(person, task.id, "not well")
                elif service.submit(person, task.id, answer_to(task)) == []:
                    self.confirmed.add((person.id, task.id))
            except AnnotationError as error:
                assert error.code in ("task_taken", "no_skips_left", "task_skipped", "task_done"), error


def check_all(service, people, confirmed):
    """The promises: seats are held once and not beyond what is asked, and all that was confirmed is there."""
    rows = service.project.database.read(lambda c: c.execute(select(ASSIGNMENTS)).all())
    assert len({(row.task_id, row.person_id) for row in rows}) == len(rows)
    seats = Counter((row.task_id, row.seat) for row in rows if row.seat is not None)
    assert set(seats.values()) <= {1} and all(1 <= seat <= people for _, seat in seats)
    done = Counter(row.task_id for row in rows if row.state == "done")
    assert all(count <= people for count in done.values())
    answers = service.project.database.read(final_answers)
    assert {(each.person.id, each.task.id) for each in answers} == confirmed
    # Whoever was given a task, by the trail, had not had it before, or had lost it in between.
    having = set()
    for event in service.project.database.read(lambda c: list(trail(c))):
        key = (event.person, event.subject)
        if event.action in ("given", "given again"):
            assert key not in having
            having.add(key)
        elif event.action == "lapsed":
            having.discard((event.detail["of"], event.subject))
    return done


def test_a_crowd_answers_everything_once(tmp_path, database):  # noqa: F811
    clock = Clock()
    people, number = 2, 7
    folder = make_project(
        tmp_path, new_tasks(number, people=people), database=database, people=people, skips=1
    )
    # Two services on one store are two processes of a server.
    services = [open_service(folder, clock) for _ in range(2)]
    crowd = Crowd(services, clock)
    somebody = [add(services[0], f"person {index}")[0] for index in range(5)]
    jobs = [
        (person, seed) for seed, person in enumerate([*somebody, *somebody[:3]])
    ]  # three have two windows
    at_once(
        [
            lambda person=person, seed=seed: crowd.work(services[seed % 2], person, seed)
            for person, seed in jobs
        ]
    )
    done = check_all(services[0], people, crowd.confirmed)
    assert sum(done.values()) == people * number  # five people, one skip each: somebody is left for each task
    for each in services:
        each.close()


def test_one_task_is_raced_for(tmp_path, database):  # noqa: F811
    service = open_service(make_project(tmp_path, new_tasks(1, people=3), database=database, people=3))
    somebody = [add(service, f"person {index}")[0] for index in range(8)]
    found = {}
    barrier = threading.Barrier(len(somebody))

    def ask(person):
        barrier.wait()
        found[person.id] = service.next(person)

    at_once([lambda person=person: ask(person) for person in somebody])
    assert sum(each.task is not None for each in found.values()) == 3
    assert {each.reason for each in found.values() if each.task is None} == {"wait"}
    service.close()


def test_inspectors_race_for_answers(tmp_path, database):  # noqa: F811
    service = open_service(make_project(tmp_path, new_tasks(6), database=database))
    ann, _ = add(service, "ann")
    for _ in range(6):
        task = service.next(ann).task
        service.submit(ann, task.id, answer_to(task))
    inspectors = [add(service, f"inspector {index}", "inspector")[0] for index in range(4)]
    judged = []

    def inspect(person):
        while (found := service.inspect_next(person)) is not None:
            service.judge(person, found.answer, "valid")
            judged.append(found.answer)

    at_once([lambda person=person: inspect(person) for person in inspectors])
    assert len(judged) == len(set(judged)) == 6
    rows = service.project.database.read(lambda c: c.execute(select(INSPECTIONS)).all())
    assert {row.verdict for row in rows} == {"valid"}
    service.close()


def test_the_trail_and_the_answers_cannot_be_changed_even_by_hand(tmp_path, database):  # noqa: F811
    service = open_service(make_project(tmp_path, new_tasks(1), database=database))
    ann, _ = add(service, "ann")
    task = service.next(ann).task
    service.submit(ann, task.id, answer_to(task))
    for statement in ("UPDATE audit SET action = 'x'", "DELETE FROM audit", "DELETE FROM answers"):
        with pytest.raises(StoreError, match="are only added"):
            service.project.database.write(lambda c: c.exec_driver_sql(statement))
    assert len(service.project.database.read(final_answers)) == 1
    service.close()
