"""Questions of quick mode in the store: asked, answered, passed over, taken back.

What is kept of a folder's own quick mode lies beside its library instead, see :mod:`.library_answers`; :class:`Kept` is what both can do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Row, func, select, update

from imagereward_core.ranking import Comparison

from ..protocol.keys import QUICK
from ..records import GoneError, Person
from ..store.audit import note
from ..store.people import locked
from ..store.tables import PEOPLE, QUESTIONS, TASKS
from ..store.tasks import StoredTask, all_tasks

OPEN, ANSWERED, PASSED = "open", "answered", "passed"


@dataclass(frozen=True)
class Said:
    """What was said about one task.

    Attributes:
        comparisons: Answers of everybody, the latest last.
        skips: Pictures that this person passed over together.
    """

    comparisons: tuple[Comparison[str], ...]
    skips: tuple[tuple[str, ...], ...]


SaidBy = tuple[StoredTask, str, str, Comparison[str], float | None]
"""An answer: the task, name and role of who answered, what was said, and how long it took in seconds."""


class Kept(Protocol):
    """Where answers to questions are kept: this module, for projects that keep their own, or a library."""

    def refresh(self, connection: Connection, tasks: Sequence[StoredTask]) -> None:
        """Has what follows know the tasks, and what was answered elsewhere meanwhile."""

    def ids(self, task: StoredTask) -> tuple[str, ...]:
        """The pictures of a task that can be asked about."""

    def waiting(self, connection: Connection, person: int) -> list[Row[Any]]:
        """The questions that somebody was asked and has not dealt with, the oldest first."""

    def answer(
        self,
        connection: Connection,
        person: Person,
        question: int,
        winner: str | None,
        seconds: float | None,
        now: float,
    ) -> None:
        """Keeps an answer."""

    def pass_over(self, connection: Connection, person: Person, question: int, now: float) -> None:
        """Notes that somebody does not answer a question."""

    def take_back(self, connection: Connection, person: Person, now: float) -> bool:
        """Opens the question that somebody dealt with last again."""

    def said(self, connection: Connection, task: StoredTask, person: Person | None) -> Said:
        """What everybody answered about a task, and what this person passed over."""

    def counts(self, connection: Connection) -> dict[int, int]:
        """How many questions were answered of each task that has some."""

    def done_by(self, connection: Connection, person: Person) -> int:
        """How many questions somebody answered."""

    def said_by(self, connection: Connection) -> Iterator[SaidBy]:
        """Every answer, by task, in the order of answers."""

    def close(self) -> None:
        """Lets go of what is open."""


def refresh(connection: Connection, tasks: Sequence[StoredTask]) -> None:
    """Nothing is kept in memory."""


def ids(task: StoredTask) -> tuple[str, ...]:
    """All pictures of a task."""
    return task.ids


def close() -> None:
    """Nothing is open but the project's store."""


def waiting(connection: Connection, person: int) -> list[Row[Any]]:
    """The questions that somebody was asked and has not dealt with, the oldest first."""
    rows = select(QUESTIONS).where(QUESTIONS.c.person_id == person, QUESTIONS.c.state == OPEN)
    return list(connection.execute(rows.order_by(QUESTIONS.c.asked, QUESTIONS.c.id)))


def ask(connection: Connection, person: int, task: int, images: Sequence[str], now: float) -> Row[Any]:
    """Keeps a new question, so that it stays the same however often the page is loaded."""
    return connection.execute(
        QUESTIONS.insert()
        .values(
            person_id=person,
            task_id=task,
            images=json.dumps(list(images)),
            state=OPEN,
            asked=now,
        )
        .returning(QUESTIONS)
    ).one()


def answer(
    connection: Connection,
    person: Person,
    question: int,
    winner: str | None,
    seconds: float | None,
    now: float,
) -> None:
    """Keeps an answer; the same one once more changes nothing.

    Raises:
        GoneError: The question is not this person's, is answered otherwise or passed over, or the winner was not shown.
    """
    row = mine(connection, person, question)
    if is_open_for(row, ANSWERED, winner):
        close_answered(connection, person, question, winner, seconds, now)


def is_open_for(row: Row[Any], state: str, winner: str | None = None) -> bool:
    """Whether a question waits for this answer, or, ``PASSED``, to be passed over; false where that is what was said of it already.

    Raises:
        GoneError: Something else was said of it, or the winner was not shown.
    """
    if row.state == state and row.winner == winner:
        return False
    if row.state != OPEN:
        raise GoneError(
            f"question_{row.state}", "this question is dealt with already; go on with the next one"
        )
    if winner is not None and winner not in json.loads(row.images):
        raise GoneError("not_shown", "the picture was not part of this question; reload the page")
    return True


def close_answered(
    connection: Connection,
    person: Person,
    question: int,
    winner: str | None,
    seconds: float | None,
    now: float,
) -> None:
    """Notes an answer with its question."""
    connection.execute(
        update(QUESTIONS)
        .where(QUESTIONS.c.id == question)
        .values(state=ANSWERED, winner=winner, seconds=seconds, answered=now)
    )
    note(connection, now, person.id, "chose", f"question {question}", winner=winner)


def close_passed(connection: Connection, person: Person, question: int, now: float) -> None:
    """Notes with a question that it was passed over."""
    connection.execute(update(QUESTIONS).where(QUESTIONS.c.id == question).values(state=PASSED, answered=now))
    note(connection, now, person.id, "passed over", f"question {question}")


def pass_over(connection: Connection, person: Person, question: int, now: float) -> None:
    """Notes that somebody does not answer a question.

    Raises:
        GoneError: The question is not this person's, or answered.
    """
    if is_open_for(mine(connection, person, question), PASSED):
        close_passed(connection, person, question, now)


def take_back(connection: Connection, person: Person, now: float) -> bool:
    """Opens the question that somebody dealt with last again; false where there is none. What was said stays in the trail."""
    locked(connection, person.id)
    row = connection.execute(
        select(QUESTIONS)
        .where(QUESTIONS.c.person_id == person.id, QUESTIONS.c.state.in_((ANSWERED, PASSED)))
        .order_by(QUESTIONS.c.answered.desc(), QUESTIONS.c.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return False
    reopen(connection, person, row, now)
    return True


def reopen(connection: Connection, person: Person, row: Row[Any], now: float) -> None:
    """Has a question wait again. What was said stays in the trail."""
    connection.execute(
        update(QUESTIONS)
        .where(QUESTIONS.c.id == row.id)
        .values(state=OPEN, winner=None, seconds=None, answered=None)
    )
    note(connection, now, person.id, "took back", f"question {row.id}", state=row.state, winner=row.winner)


def said(connection: Connection, task: StoredTask, person: Person | None) -> Said:
    """What everybody answered about a task, and what this person passed over."""
    rows = connection.execute(
        select(QUESTIONS)
        .where(QUESTIONS.c.task_id == task.id, QUESTIONS.c.state.in_((ANSWERED, PASSED)))
        .order_by(QUESTIONS.c.answered, QUESTIONS.c.id)
    ).all()
    own = None if person is None else person.id
    return Said(
        tuple(Comparison(tuple(json.loads(row.images)), row.winner) for row in rows if row.state == ANSWERED),
        tuple(tuple(json.loads(row.images)) for row in rows if row.state == PASSED and row.person_id == own),
    )


def counts(connection: Connection) -> dict[int, int]:
    """How many questions were answered of each task that has some."""
    rows = connection.execute(
        select(QUESTIONS.c.task_id, func.count().label("number"))
        .where(QUESTIONS.c.state == ANSWERED)
        .group_by(QUESTIONS.c.task_id)
    )
    return {row.task_id: row.number for row in rows}


def done_by(connection: Connection, person: Person) -> int:
    """How many questions somebody answered."""
    return connection.execute(
        select(func.count()).where(QUESTIONS.c.person_id == person.id, QUESTIONS.c.state == ANSWERED)
    ).scalar_one()


def mine(connection: Connection, person: Person, question: int) -> Row[Any]:
    """A question that was put to somebody, whose turns are locked for the rest of the transaction.

    Raises:
        GoneError: It was put to somebody else.
    """
    locked(connection, person.id)
    row = connection.execute(
        select(QUESTIONS).where(QUESTIONS.c.id == question, QUESTIONS.c.person_id == person.id)
    ).one_or_none()
    if row is None:
        raise GoneError("not_yours", "this question was not put to you; ask for the next one")
    return row


def answered_pairs(connection: Connection) -> set[tuple[int, int]]:
    """Who has answered questions about which task, as (person, task)."""
    rows = connection.execute(
        select(QUESTIONS.c.person_id, QUESTIONS.c.task_id).where(QUESTIONS.c.state == ANSWERED).distinct()
    )
    return {(row.person_id, row.task_id) for row in rows}


def import_answers(
    connection: Connection,
    person: Person,
    task: int,
    images: Sequence[str],
    comparisons: Sequence[Comparison[int]],
    seconds: float | None,
    now: float,
) -> int:
    """Keeps answers that were given elsewhere, and returns how many."""
    for each in comparisons:
        connection.execute(
            QUESTIONS.insert().values(
                person_id=person.id,
                task_id=task,
                images=json.dumps([images[place] for place in each.images]),
                state=ANSWERED,
                winner=None if each.winner is None else images[each.winner],
                seconds=seconds,
                asked=now,
                answered=now,
            )
        )
    if comparisons:
        note(connection, now, person.id, "imported", f"task {task}", comparisons=len(comparisons))
    return len(comparisons)


def said_by(connection: Connection) -> Iterator[SaidBy]:
    """Every answer: the task, name and role of who answered, what was said, and how long it took; by task, in the order of answers."""
    tasks = {task.id: task for task in all_tasks(connection) if task.mode == QUICK}
    if not tasks:
        return
    rows = connection.execute(
        select(QUESTIONS, PEOPLE.c.name, PEOPLE.c.role)
        .join(PEOPLE, PEOPLE.c.id == QUESTIONS.c.person_id)
        .join(TASKS, TASKS.c.id == QUESTIONS.c.task_id)
        .where(QUESTIONS.c.state == ANSWERED)
        .order_by(TASKS.c.position, QUESTIONS.c.answered, QUESTIONS.c.id)
    )
    for row in rows:
        comparison = Comparison(tuple(json.loads(row.images)), row.winner)
        yield tasks[row.task_id], row.name, row.role, comparison, row.seconds
