"""The inspectors' queue: each answer is looked at once, by somebody who did not give it; what is invalid goes to somebody else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from ..protocol.keys import VERDICTS
from ..records import AnnotationError, GoneError, NotAllowedError, Person
from .answers import MOST_REASON, is_newest
from .audit import note as note_event
from .people import locked
from .tables import ANSWERS, ASSIGNMENTS, INSPECTIONS, TASKS
from .tasks import lock_task
from .turns import DONE, INVALID, Terms, settle


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """An answer that an inspector is to judge."""

    answer: int
    task: int
    author: int
    document: dict[str, Any]
    seconds: float | None
    left: int


def next_inspection(connection: Connection, person: Person, now: float, terms: Terms) -> Inspected | None:
    """The answer that this inspector has already, else one that nobody judged and nobody is looking at.

    Raises:
        NotAllowedError: They are no inspector.
    """
    _inspector(connection, person)
    passed: list[int] = []
    while True:
        row = connection.execute(
            _waiting(person, now, terms)
            .where(ANSWERS.c.id.not_in(passed))
            # One's own comes first, then the oldest.
            .order_by((INSPECTIONS.c.inspector_id == person.id).is_(True).desc(), ANSWERS.c.id)
            .limit(1)
        ).one_or_none()
        if row is None:
            return None
        lock_task(connection, row.task_id)
        if _take(connection, person, row.id, now, terms):
            count = select(func.count()).select_from(_waiting(person, now, terms).subquery())
            return Inspected(
                answer=row.id,
                task=row.task_id,
                author=row.person_id,
                document=json.loads(row.document),
                seconds=row.seconds,
                left=connection.execute(count).scalar_one(),
            )
        passed.append(row.id)


def judge(
    connection: Connection, person: Person, answer: int, verdict: str, text: str, now: float, terms: Terms
) -> None:
    """Keeps a verdict; the task of an invalid answer is open for somebody else.

    Raises:
        AnnotationError: The verdict is none.
        GoneError: There is no such answer, it has a newer version, or somebody else judged it or looks at it.
        NotAllowedError: They are no inspector, or it is their own.
    """
    if verdict not in VERDICTS:
        raise AnnotationError("bad_verdict", f"found the verdict {verdict!r}; expected valid or invalid")
    _inspector(connection, person)
    row = connection.execute(
        select(ANSWERS, ASSIGNMENTS.c.task_id, ASSIGNMENTS.c.person_id)
        .join(ASSIGNMENTS, ASSIGNMENTS.c.id == ANSWERS.c.assignment_id)
        .where(ANSWERS.c.id == answer)
    ).one_or_none()
    if row is None:
        raise GoneError("no_such_answer", f"there is no answer {answer}; ask for the next one")
    if row.person_id == person.id:
        raise NotAllowedError("own_answer", "nobody judges their own answers")
    lock_task(connection, row.task_id)
    known = connection.execute(select(INSPECTIONS).where(INSPECTIONS.c.answer_id == answer)).one_or_none()
    if known is not None and known.verdict:
        if (known.inspector_id, known.verdict) == (person.id, verdict):
            return  # the same once more: the confirmation was lost on its way
        raise GoneError("judged", "this answer is judged already; ask for the next one")
    if not connection.execute(_waiting(person, now, terms).where(ANSWERS.c.id == answer)).all():
        raise GoneError(
            "not_waiting", "this answer was changed, or another inspector looks at it; ask for the next one"
        )
    _take(connection, person, answer, now, terms)
    connection.execute(
        update(INSPECTIONS)
        .where(INSPECTIONS.c.answer_id == answer)
        .values(verdict=verdict, note=text[:MOST_REASON], judged=now)
    )
    if verdict == "invalid":
        connection.execute(
            update(ASSIGNMENTS).where(ASSIGNMENTS.c.id == row.assignment_id).values(state=INVALID, seat=None)
        )
        settle(connection, row.task_id)
    note_event(connection, now, person.id, f"called {verdict}", f"answer {answer}", note=text[:MOST_REASON])


def invalid(connection: Connection, person: int | None = None) -> int:
    """Answers that were called invalid: of somebody, or of all."""
    query = select(func.count()).where(ASSIGNMENTS.c.state == INVALID)
    if person is not None:
        query = query.where(ASSIGNMENTS.c.person_id == person)
    return connection.execute(query).scalar_one()


def _inspector(connection: Connection, person: Person) -> None:
    if not locked(connection, person.id).inspects:
        raise NotAllowedError("no_inspector", "only inspectors and researchers judge answers")


def _waiting(person: Person, now: float, terms: Terms) -> Any:
    """Answers of others that count, have no verdict, and that no other inspector is looking at."""
    return (
        select(
            ANSWERS.c.id,
            ANSWERS.c.document,
            ANSWERS.c.seconds,
            ASSIGNMENTS.c.task_id,
            ASSIGNMENTS.c.person_id,
        )
        .join(ASSIGNMENTS, ASSIGNMENTS.c.id == ANSWERS.c.assignment_id)
        .join(TASKS, TASKS.c.id == ASSIGNMENTS.c.task_id)
        .outerjoin(INSPECTIONS, INSPECTIONS.c.answer_id == ANSWERS.c.id)
        .where(
            ASSIGNMENTS.c.state == DONE,
            is_newest(),
            ~TASKS.c.test,
            ASSIGNMENTS.c.person_id != person.id,
            or_(
                INSPECTIONS.c.answer_id.is_(None),
                (INSPECTIONS.c.verdict == "")
                & or_(INSPECTIONS.c.inspector_id == person.id, ~terms.lasts(INSPECTIONS.c.lease_ends, now)),
            ),
        )
    )


def _take(connection: Connection, person: Person, answer: int, now: float, terms: Terms) -> bool:
    """Whether the answer is this inspector's to look at now; its task is locked, so that this sees what others have done."""
    known: Row[Any] | None = connection.execute(
        select(INSPECTIONS).where(INSPECTIONS.c.answer_id == answer)
    ).one_or_none()
    ends = now + terms.lease
    if known is None:
        connection.execute(
            INSPECTIONS.insert().values(
                answer_id=answer, inspector_id=person.id, lease_ends=ends, verdict="", note="", judged=None
            )
        )
        return True
    if known.verdict or (known.inspector_id != person.id and terms.lasts(known.lease_ends, now)):
        return False
    connection.execute(
        update(INSPECTIONS)
        .where(INSPECTIONS.c.answer_id == answer)
        .values(inspector_id=person.id, lease_ends=ends)
    )
    return True
