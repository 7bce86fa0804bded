"""Whose turn a task is: seats, leases, and what somebody is given next.

A task has as many seats as people are asked. Whoever is at it holds one until the lease ends and, once the answer is there, for good. The
database lets one row hold a seat and has one row for each person and task, so that no task is ever given twice to one person, nor to more
people than asked, whatever happens at the same time.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, func, or_, select, update

from ..protocol.keys import QUICK
from ..records import Next, Person
from .audit import note
from .people import ACTIVE, CANDIDATE, REFUSED, locked
from .tables import ASSIGNMENTS, DRAFTS, TASKS
from .tasks import lock_task, stored_task

CLOCKS_DIFFER = 24 * 3600.0
"""Seconds by which the clocks of a team's servers may differ."""
OPEN, LAPSED, DONE, SKIPPED, INVALID = "open", "lapsed", "done", "skipped", "invalid"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a project's leases and quotas are.

    Attributes:
        seed: Of the order in which pictures are shown.
        lease: Seconds that a task is somebody's without a sign of life.
        skips: Tasks that everybody may skip.
    """

    seed: int
    lease: float
    skips: int

    def lasts(self, ends: Any, now: float) -> Any:
        """Whether a lease that ends at ``ends``, a time or a column, lasts.

        One that ends later than any that begins today was given while the clock was wrong, and would keep its task from others for years.
        """
        return (ends > now) & (ends <= now + self.lease + CLOCKS_DIFFER)


def next_task(connection: Connection, person: Person, now: float, terms: Terms) -> Next:
    """What somebody is to do: the task they are at, else one they were at, else a new one."""
    me = locked(connection, person.id)
    if me.state == REFUSED:
        return Next(task=None, reason="refused")
    task = _resumed(connection, me, now, terms)
    if task is None and (me.state == CANDIDATE or me.researches):
        task = _of_test(connection, me, now, terms)
        if task is None and me.state == CANDIDATE:
            return Next(task=None, reason="judging")
    if task is None and me.state == ACTIVE:
        task = _new(connection, me, now, terms)
    if task is not None:
        return given(connection, me.id, task, terms)
    return Next(task=None, reason=_why_none(connection, me))


def given(connection: Connection, person: int, task: int, terms: Terms) -> Next:
    """A task that somebody has, with what is kept of its answer."""
    row = assignment(connection, person, task)
    assert row is not None
    draft = connection.execute(
        select(DRAFTS.c.document).where(DRAFTS.c.assignment_id == row.id)
    ).scalar_one_or_none()
    return Next(
        task=stored_task(connection, task).task(
            person,
            terms.seed,
            draft=None if draft is None else json.loads(draft),
            lease_ends=row.lease_ends,
            note=row.note,
        )
    )


def assignment(connection: Connection, person: int, task: int) -> Row[Any] | None:
    """The row of a person and a task; None where the task was never given to them."""
    return connection.execute(
        select(ASSIGNMENTS).where(ASSIGNMENTS.c.person_id == person, ASSIGNMENTS.c.task_id == task)
    ).one_or_none()


def take_seat(
    connection: Connection, person: int, task: int, now: float, terms: Terms
) -> tuple[bool, int | None]:
    """Whether somebody may be at a task, and the seat they get: None in the test, which has none.

    A seat whose lease has ended is taken from who holds it; what they did is kept.
    """
    lock_task(connection, task)  # what follows sees all that others did with the task before
    facts = connection.execute(select(TASKS.c.people, TASKS.c.test).where(TASKS.c.id == task)).one()
    if facts.test:
        return True, None
    held = connection.execute(
        select(ASSIGNMENTS).where(ASSIGNMENTS.c.task_id == task, ASSIGNMENTS.c.seat.is_not(None))
    ).all()
    for row in held:
        if row.person_id == person:
            return True, row.seat
    free = sorted(set(range(1, facts.people + 1)) - {row.seat for row in held})
    if free:
        return True, free[0]
    ended = [row for row in held if row.state == OPEN and not terms.lasts(row.lease_ends, now)]
    if not ended:
        return False, None
    loser = min(ended, key=lambda row: (row.lease_ends, row.id))
    connection.execute(
        update(ASSIGNMENTS).where(ASSIGNMENTS.c.id == loser.id).values(state=LAPSED, seat=None)
    )
    note(connection, now, None, "lapsed", f"task {task}", of=loser.person_id, seat=loser.seat)
    return True, loser.seat


def put(connection: Connection, person: int, task: int, seat: int | None, now: float, terms: Terms) -> None:
    """Gives a task to somebody, whose lease begins anew."""
    row = assignment(connection, person, task)
    values = {"state": OPEN, "seat": seat, "lease_ends": now + terms.lease}
    if row is None:
        connection.execute(
            ASSIGNMENTS.insert().values(task_id=task, person_id=person, created=now, note="", **values)
        )
        note(connection, now, person, "given", f"task {task}", seat=seat)
    else:
        connection.execute(update(ASSIGNMENTS).where(ASSIGNMENTS.c.id == row.id).values(**values))
        if row.state != OPEN:
            note(connection, now, person, "given again", f"task {task}", seat=seat)


def settle(connection: Connection, task: int) -> None:
    """Closes a task that as many have answered as are asked, and opens one that lacks an answer again."""
    done = (
        select(func.count())
        .where(ASSIGNMENTS.c.task_id == task, ASSIGNMENTS.c.state == DONE)
        .scalar_subquery()
    )
    connection.execute(
        update(TASKS).where(TASKS.c.id == task).values(open=or_(TASKS.c.test, done < TASKS.c.people))
    )


def _resumed(connection: Connection, me: Person, now: float, terms: Terms) -> int | None:
    """A task this person was at: the one still theirs, else one that lapsed and of which a seat is free again."""
    rows = connection.execute(
        select(ASSIGNMENTS)
        .where(ASSIGNMENTS.c.person_id == me.id, ASSIGNMENTS.c.state.in_((OPEN, LAPSED)))
        .order_by(ASSIGNMENTS.c.state.desc(), ASSIGNMENTS.c.id)  # "open" before "lapsed"
    ).all()
    for row in rows:
        fits, seat = take_seat(connection, me.id, row.task_id, now, terms)
        if fits:
            put(connection, me.id, row.task_id, seat, now, terms)
            return int(row.task_id)
    return None


def _of_test(connection: Connection, me: Person, now: float, terms: Terms) -> int | None:
    task = connection.execute(
        select(TASKS.c.id)
        .where(TASKS.c.test, ~_given_to(me.id, (OPEN, DONE, SKIPPED, INVALID)))
        .order_by(TASKS.c.position)
        .limit(1)
    ).scalar_one_or_none()
    if task is not None:
        put(connection, me.id, task, None, now, terms)
    return task


def _new(connection: Connection, me: Person, now: float, terms: Terms) -> int | None:
    passed: list[int] = []
    # Tasks that others are taking at this instant are passed over, and waited for only where there is nothing else.
    for patient in (False, True):
        while True:
            task = connection.execute(
                select(TASKS.c.id)
                .where(
                    TASKS.c.open,
                    ~TASKS.c.test,
                    TASKS.c.mode != QUICK,
                    TASKS.c.id.not_in(passed),
                    ~_given_to(me.id, (OPEN, DONE, SKIPPED, INVALID)),
                    _at_it(now, terms) < TASKS.c.people,
                )
                .order_by(TASKS.c.position)
                .limit(1)
                .with_for_update(of=TASKS, skip_locked=not patient)
            ).scalar_one_or_none()
            if task is None:
                break
            fits, seat = take_seat(connection, me.id, task, now, terms)
            if fits:
                put(connection, me.id, task, seat, now, terms)
                return task
            passed.append(task)
        if connection.dialect.name == "sqlite":
            break  # nobody else writes
    return None


def _given_to(person: int, states: Collection[str]) -> Any:
    return exists().where(
        ASSIGNMENTS.c.task_id == TASKS.c.id,
        ASSIGNMENTS.c.person_id == person,
        ASSIGNMENTS.c.state.in_(states),
    )


def _at_it(now: float, terms: Terms) -> Any:
    """How many have answered a task or are at it."""
    return (
        select(func.count())
        .where(
            ASSIGNMENTS.c.task_id == TASKS.c.id,
            or_(
                ASSIGNMENTS.c.state == DONE,
                and_(ASSIGNMENTS.c.state == OPEN, terms.lasts(ASSIGNMENTS.c.lease_ends, now)),
            ),
        )
        .correlate(TASKS)
        .scalar_subquery()
    )


def left_for(connection: Connection, person: int) -> int:
    """Tasks, the test not counted, that lack answers and that this person has neither answered nor given up."""
    return connection.execute(
        select(func.count())
        .select_from(TASKS)
        .where(
            TASKS.c.open,
            ~TASKS.c.test,
            TASKS.c.mode != QUICK,
            ~_given_to(person, (DONE, SKIPPED, INVALID)),
        )
    ).scalar_one()


def _why_none(connection: Connection, me: Person) -> str:
    quick = connection.execute(select(exists().where(TASKS.c.mode == QUICK))).scalar_one()
    if quick:
        return "quick"
    return "wait" if left_for(connection, me.id) else "done"
