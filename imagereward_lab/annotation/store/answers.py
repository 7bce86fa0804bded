"""Drafts, answers and their versions, and tasks that are skipped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, select, update

from ..protocol.faults import Fault
from ..protocol.modes import faults_of
from ..records import AnnotationError, GoneError, Next, NotAllowedError, OwnAnswer, Person
from .audit import note
from .people import locked
from .tables import ANSWERS, ASSIGNMENTS, DRAFTS, INSPECTIONS, PEOPLE, TASKS
from .tasks import StoredTask, all_tasks, stored_task
from .turns import DONE, INVALID, LAPSED, OPEN, SKIPPED, Terms, assignment, put, settle, take_seat

MOST_DOCUMENT = 2**18
"""Characters of one answer as JSON; what is longer is none that a page made."""
MOST_REASON = 1000
MOST_SECONDS = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer that counts: the last version, not called invalid.

    Attributes:
        id: Of the answer.
        task: The task.
        person: Whose it is.
        document: The answer.
        seconds: How long it took; None where that is not known.
        submitted: Unix time in seconds.
        verdict: An inspector's, ``valid``; empty where nobody has judged it.
    """

    id: int
    task: StoredTask
    person: Person
    document: Mapping[str, Any]
    seconds: float | None
    submitted: float
    verdict: str = ""


def text_of(document: Any) -> str:
    """A document as it is kept: JSON in ASCII with sorted keys, so that equal answers are equal texts.

    Raises:
        AnnotationError: It is too long, or nothing that JSON can say.
    """
    try:
        text = json.dumps(document, sort_keys=True, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise AnnotationError("bad_document", f"the answer is not JSON ({error}); reload the page") from error
    if len(text) > MOST_DOCUMENT:
        raise AnnotationError(
            "long_document", f"the answer has {len(text):,} characters; expected at most {MOST_DOCUMENT:,}"
        )
    return text


def save_draft(
    connection: Connection, person: Person, task: int, document: Any, now: float, terms: Terms
) -> float:
    """Keeps what is done so far, and lengthens the lease; returns its end.

    A task that is answered has no lease: the draft is that of a change, and the answer counts until it is submitted.

    Raises:
        GoneError: The task is not this person's, or it is skipped or called invalid.
    """
    text = text_of(document)
    locked(connection, person.id)
    row = _mine(connection, person, task)
    if row.state == DONE:
        _keep_draft(connection, row.id, text, now)
        return now + terms.lease
    if row.state not in (OPEN, LAPSED):
        raise _gone(row.state)
    fits, seat = take_seat(connection, person.id, task, now, terms)
    _keep_draft(connection, row.id, text, now)  # also of who came too late: the work is theirs
    if not fits:
        return 0.0
    put(connection, person.id, task, seat, now, terms)
    return now + terms.lease


def submit(
    connection: Connection,
    person: Person,
    task: int,
    document: Any,
    seconds: float | None,
    now: float,
    terms: Terms,
) -> list[Fault]:
    """Takes an answer, or returns what is wrong with it and keeps nothing.

    Raises:
        GoneError: The task is not this person's, or somebody else has got it since the lease ended.
    """
    text = text_of(document)
    locked(connection, person.id)
    row = _mine(connection, person, task)
    if row.state in (SKIPPED, INVALID):
        raise _gone(row.state)
    last = _last(connection, row.id)
    if row.state == DONE and last is not None and last.document == text:
        return []  # the same once more: the confirmation was lost on its way
    stored = stored_task(connection, task)
    shown = [picture.id for picture in stored.shown(person.id, terms.seed)]
    faults = faults_of(stored.mode, document, stored.prompt, shown)
    if faults:
        return faults
    fits, seat = take_seat(connection, person.id, task, now, terms)
    if not fits:
        raise _gone("taken")
    version = 1 if last is None else last.version + 1
    number = connection.execute(
        ANSWERS.insert()
        .values(
            assignment_id=row.id,
            version=version,
            document=text,
            seconds=_seconds(seconds),
            submitted=now,
        )
        .returning(ANSWERS.c.id)
    ).scalar_one()
    connection.execute(update(ASSIGNMENTS).where(ASSIGNMENTS.c.id == row.id).values(state=DONE, seat=seat))
    connection.execute(delete(DRAFTS).where(DRAFTS.c.assignment_id == row.id))
    settle(connection, task)
    note(connection, now, person.id, "answered", f"task {task}", answer=number, version=version)
    return []


def skip(connection: Connection, person: Person, task: int, reason: str, now: float, terms: Terms) -> None:
    """Leaves a task to others for good.

    Raises:
        GoneError: The task is not this person's, or it is answered.
        NotAllowedError: The quota is used up, or it belongs to the test.
    """
    locked(connection, person.id)
    row = _mine(connection, person, task)
    if row.state == SKIPPED:
        return
    if row.state not in (OPEN, LAPSED):
        raise _gone(row.state)
    if connection.execute(select(TASKS.c.test).where(TASKS.c.id == task)).scalar_one():
        raise NotAllowedError("skip_in_test", "tasks of the test cannot be skipped")
    if skipped(connection, person.id) >= terms.skips:
        raise NotAllowedError(
            "no_skips_left",
            f"all {terms.skips} tasks that you may skip are skipped; answer this one as well as you can",
            skips=terms.skips,
        )
    take_seat(connection, person.id, task, now, terms)  # for its lock
    connection.execute(update(ASSIGNMENTS).where(ASSIGNMENTS.c.id == row.id).values(state=SKIPPED, seat=None))
    settle(connection, task)
    note(connection, now, person.id, "skipped", f"task {task}", reason=reason[:MOST_REASON])


def skipped(connection: Connection, person: int) -> int:
    """Tasks that somebody skipped."""
    return connection.execute(
        select(func.count()).where(ASSIGNMENTS.c.person_id == person, ASSIGNMENTS.c.state == SKIPPED)
    ).scalar_one()


def answered(connection: Connection, person: Person, most: int) -> list[OwnAnswer]:
    """Somebody's own last answers that count, the newest first."""
    at = func.max(ANSWERS.c.submitted)
    rows = connection.execute(
        select(
            ASSIGNMENTS.c.task_id,
            TASKS.c.prompt,
            at.label("at"),
            func.max(ANSWERS.c.version).label("versions"),
        )
        .join(ANSWERS, ANSWERS.c.assignment_id == ASSIGNMENTS.c.id)
        .join(TASKS, TASKS.c.id == ASSIGNMENTS.c.task_id)
        .where(ASSIGNMENTS.c.person_id == person.id, ASSIGNMENTS.c.state == DONE)
        .group_by(ASSIGNMENTS.c.task_id, TASKS.c.prompt)
        .order_by(at.desc(), ASSIGNMENTS.c.task_id.desc())
        .limit(most)
    )
    return [OwnAnswer(task=row.task_id, prompt=row.prompt, at=row.at, versions=row.versions) for row in rows]


def again(connection: Connection, person: Person, task: int, terms: Terms) -> Next:
    """A task that somebody has answered, with the answer as its draft, or with a change of it that is not submitted yet.

    Raises:
        GoneError: They have not answered it, or the answer does not count any more.
    """
    row = _mine(connection, person, task)
    last = _last(connection, row.id)
    if row.state != DONE or last is None:
        raise _gone(row.state)
    changed = connection.execute(
        select(DRAFTS.c.document).where(DRAFTS.c.assignment_id == row.id)
    ).scalar_one_or_none()
    stored = stored_task(connection, task)
    return Next(task=stored.task(person.id, terms.seed, draft=json.loads(changed or last.document)))


def forget_change(connection: Connection, person: Person, task: int) -> None:
    """Leaves an answer as it is: the draft of a change is given up."""
    locked(connection, person.id)
    row = _mine(connection, person, task)
    if row.state == DONE:
        connection.execute(delete(DRAFTS).where(DRAFTS.c.assignment_id == row.id))


def final_answers(connection: Connection) -> list[Answered]:
    """All answers that count, by task and then by person."""
    tasks = {task.id: task for task in all_tasks(connection)}
    rows = connection.execute(
        select(
            ANSWERS,
            ASSIGNMENTS.c.task_id,
            PEOPLE.c.id.label("person"),
            PEOPLE.c.name,
            PEOPLE.c.role,
            PEOPLE.c.state,
            INSPECTIONS.c.verdict,
        )
        .join(ASSIGNMENTS, ASSIGNMENTS.c.id == ANSWERS.c.assignment_id)
        .join(PEOPLE, PEOPLE.c.id == ASSIGNMENTS.c.person_id)
        .join(TASKS, TASKS.c.id == ASSIGNMENTS.c.task_id)
        .outerjoin(INSPECTIONS, INSPECTIONS.c.answer_id == ANSWERS.c.id)
        .where(ASSIGNMENTS.c.state == DONE, is_newest())
        .order_by(TASKS.c.position, PEOPLE.c.id)
    )
    return [
        Answered(
            id=row.id,
            task=tasks[row.task_id],
            person=Person(id=row.person, name=row.name, role=row.role, state=row.state),
            document=json.loads(row.document),
            seconds=row.seconds,
            submitted=row.submitted,
            verdict=row.verdict or "",
        )
        for row in rows
    ]


def is_newest() -> Any:
    """The condition that an answer is the last version of its own."""
    later = ANSWERS.alias()
    return ~exists().where(
        later.c.assignment_id == ANSWERS.c.assignment_id, later.c.version > ANSWERS.c.version
    )


def last_document(connection: Connection, person: int, task: int) -> str | None:
    """The last version of somebody's answer, as it is kept, also of one that was called invalid; None where there is none."""
    return connection.execute(
        select(ANSWERS.c.document)
        .join(ASSIGNMENTS, ASSIGNMENTS.c.id == ANSWERS.c.assignment_id)
        .where(ASSIGNMENTS.c.person_id == person, ASSIGNMENTS.c.task_id == task)
        .order_by(ANSWERS.c.version.desc())
        .limit(1)
    ).scalar_one_or_none()


def put_answer(
    connection: Connection,
    person: int,
    task: int,
    seat: int | None,
    text: str,
    seconds: float | None,
    now: float,
) -> None:
    """Keeps an answer that was given elsewhere.

    Raises:
        GoneError: This person is at the task, or has skipped it.
    """
    row = assignment(connection, person, task)
    if row is not None:
        raise GoneError("not_free", f"this person was given the task here, and it is {row.state}; that stays")
    number = connection.execute(
        ASSIGNMENTS.insert()
        .values(
            task_id=task,
            person_id=person,
            state=DONE,
            seat=seat,
            lease_ends=now,
            created=now,
            note="",
        )
        .returning(ASSIGNMENTS.c.id)
    ).scalar_one()
    answer = connection.execute(
        ANSWERS.insert()
        .values(assignment_id=number, version=1, document=text, seconds=_seconds(seconds), submitted=now)
        .returning(ANSWERS.c.id)
    ).scalar_one()
    note(connection, now, person, "imported", f"task {task}", answer=answer, version=1)


def _last(connection: Connection, number: int) -> Row[Any] | None:
    return connection.execute(
        select(ANSWERS).where(ANSWERS.c.assignment_id == number).order_by(ANSWERS.c.version.desc()).limit(1)
    ).one_or_none()


def _mine(connection: Connection, person: Person, task: int) -> Row[Any]:
    row = assignment(connection, person.id, task)
    if row is None:
        raise GoneError("not_yours", "this task was not given to you; ask for the next one")
    return row


def _keep_draft(connection: Connection, number: int, text: str, now: float) -> None:
    kept = connection.execute(
        update(DRAFTS).where(DRAFTS.c.assignment_id == number).values(document=text, saved=now)
    )
    if not kept.rowcount:
        connection.execute(DRAFTS.insert().values(assignment_id=number, document=text, saved=now))


def _seconds(value: float | None) -> float | None:
    """A time as a page measured it, or None where it is none: computers sleep, and clocks are put back."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= MOST_SECONDS else None


def _gone(state: str) -> GoneError:
    texts = {
        "taken": "the time for this task ended, and somebody else has it now; your work is kept, in case it comes back to you",
        LAPSED: "the time for this task ended, and somebody else has it now; your work is kept, in case it comes back to you",
        DONE: "this task is answered already",
        SKIPPED: "you have skipped this task; somebody else gets it",
        INVALID: "an inspector called the answer invalid; somebody else gets the task",
        OPEN: "this task is not answered yet",
    }
    return GoneError(f"task_{state}", texts[state])
