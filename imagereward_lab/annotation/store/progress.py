"""How far people are."""

from __future__ import annotations

import statistics

from sqlalchemy import Connection, func, select

from ..protocol.keys import QUICK
from ..records import Person, Progress
from .answers import is_newest, skipped
from .inspections import invalid
from .people import CANDIDATE
from .tables import ANSWERS, ASSIGNMENTS, QUESTIONS, TASKS
from .turns import DONE, Terms, left_for

_LAST = 50
"""Answers that the time of the next ones is estimated from: people get quicker."""


def progress_of(connection: Connection, person: Person, terms: Terms) -> Progress:
    """How far somebody is."""
    mine = (ASSIGNMENTS.c.person_id == person.id) & (ASSIGNMENTS.c.state == DONE)
    joined = select(func.count()).select_from(ASSIGNMENTS.join(TASKS, TASKS.c.id == ASSIGNMENTS.c.task_id))
    test_done = connection.execute(joined.where(mine, TASKS.c.test)).scalar_one()
    test_total = connection.execute(select(func.count()).select_from(TASKS).where(TASKS.c.test)).scalar_one()
    done = connection.execute(joined.where(mine)).scalar_one()
    gone = skipped(connection, person.id)
    seconds_each = _seconds_each(connection, person.id)
    testing = person.state == CANDIDATE
    # Who takes the test sees how much of that is left; what comes after is not theirs yet.
    left = test_total - test_done if testing else left_for(connection, person.id)
    return Progress(
        done=done + _comparisons(connection, person.id),
        left=left,
        skipped=gone,
        skips_left=max(0, terms.skips - gone),
        invalid=invalid(connection, person.id),
        seconds_each=seconds_each,
        seconds_left=None if seconds_each is None else seconds_each * left,
        testing=testing,
        test_done=test_done,
        test_total=test_total,
    )


def _comparisons(connection: Connection, person: int) -> int:
    return connection.execute(
        select(func.count()).where(QUESTIONS.c.person_id == person, QUESTIONS.c.state == "answered")
    ).scalar_one()


def _seconds_each(connection: Connection, person: int) -> float | None:
    times = connection.execute(
        select(ANSWERS.c.seconds)
        .join(ASSIGNMENTS, ASSIGNMENTS.c.id == ANSWERS.c.assignment_id)
        .where(ASSIGNMENTS.c.person_id == person, ANSWERS.c.seconds.is_not(None), is_newest())
        .order_by(ANSWERS.c.id.desc())
        .limit(_LAST)
    ).scalars()
    known = list(times)
    return statistics.median(known) if known else None


def totals(connection: Connection) -> tuple[int, int]:
    """Tasks, and answers that are asked for in all; neither counts the test or quick mode."""
    row = connection.execute(
        select(func.count(), func.coalesce(func.sum(TASKS.c.people), 0)).where(
            ~TASKS.c.test, TASKS.c.mode != QUICK
        )
    ).one()
    return int(row[0]), int(row[1])
