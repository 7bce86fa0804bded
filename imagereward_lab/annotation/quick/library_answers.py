"""Answers of a folder's own quick mode: kept beside its library, where the WebUI's tab and others find them, and theirs are found here.

The project's store has who is asked what; what was said is in :mod:`imagereward_core.library.answers` alone. A question names its answer
(``source``), so that one that is sent twice, also after the server was killed between the two stores, counts once. Answers of projects of
an earlier version, which kept them themselves, are put there too.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from imagereward_core.library.answers import ACROSS, AnswerStore, StoredAnswer
from imagereward_core.library.library import Library
from imagereward_core.library.shared_answers import looked, places_beside, withdraw
from imagereward_core.library.store.records import Query
from imagereward_core.ranking import Comparison

from ..project.folder import Project
from ..protocol.keys import ROLES
from ..records import GoneError, Person
from ..store.people import LOCAL, locked, own
from ..store.tables import PEOPLE, PROJECT, QUESTIONS
from ..store.tasks import StoredTask
from . import questions
from .questions import ANSWERED, PASSED, Said, SaidBy

DOOR = "page"
_NAME = "answers"
"""Under which key the project's store keeps the name by which its questions are known beside the library."""


@dataclass
class _Pictures:
    """The tasks' pictures that the library knows, each content of a task once.

    Attributes:
        tasks: By number.
        content: Of a task and a picture's id.
        ids: By task and content.
        prompts: Of the pictures, by id.
        task: The task that a prompt belongs to, however it is written.
    """

    tasks: Sequence[StoredTask] = ()
    content: dict[int, dict[str, str]] = field(default_factory=dict)
    ids: dict[int, dict[str, str]] = field(default_factory=dict)
    prompts: dict[str, str | None] = field(default_factory=dict)
    task: dict[str | None, int] = field(default_factory=dict)

    @classmethod
    def of(cls, tasks: Sequence[StoredTask], known: Mapping[str, tuple[str, str]], across: bool) -> _Pictures:
        """Those of tasks, with the content and the prompt of the pictures of the library by their names."""
        found = cls(tasks)
        for task in tasks:
            content, ids = found.content.setdefault(task.id, {}), found.ids.setdefault(task.id, {})
            for image, name in zip(task.ids, task.names):
                pixels, prompt = known.get(name, ("", ""))
                if pixels and pixels not in ids:
                    ids[pixels], content[image] = image, pixels
                    found.prompts[image] = ACROSS if across else prompt
                    found.task.setdefault(found.prompts[image], task.id)
        return found


@dataclass
class _Held:
    """The answers of one place that hold, as far as they were read."""

    last: int = 0
    answers: dict[int, StoredAnswer] = field(default_factory=dict)

    def read(self, store: AnswerStore) -> _Held:
        """Reads what is new, and forgets what was undone."""
        for each in store.since(self.last):
            self.answers[each.number] = each
            self.last = each.number
        for number in store.withdrawn():
            self.answers.pop(number, None)
        return self


class LibraryAnswers:
    """What :class:`.questions.Kept` is for a project whose answers are those of a library.

    Args:
        project: One with ``library``.

    Raises:
        StoreError: The file of answers cannot be used.
    """

    def __init__(self, project: Project) -> None:
        assert project.library is not None
        self.project, self.place = project, project.library
        self.own = AnswerStore.open(self.place)
        self._pictures, self._folders = _Pictures(), {project.images}
        self._held: dict[Path | None, _Held] = {None: _Held()}
        self._name = project.database.write(_named)
        self._taken_over = False
        self._home = LOCAL

    def close(self) -> None:
        """Closes the file."""
        self.own.close()

    def refresh(self, connection: Connection, tasks: Sequence[StoredTask]) -> None:
        """Has what follows know the tasks, and what was answered elsewhere meanwhile."""
        root, home = self.project.images, own(connection)
        self._home = LOCAL if home is None else home.name
        if tasks is not self._pictures.tasks:
            across = self.project.options.across_prompts
            self._pictures = _Pictures.of(tasks, _known(self.place, root), across)
            self._folders = {(root / name).parent for task in tasks for name in task.names} | {root}
        beside = places_beside(self.place, self._folders)
        if not self._taken_over:
            self._take_over(connection, beside)
            self._taken_over = True
        self._held = {place: self._held.get(place, _Held()) for place in (None, *beside)}
        self._held[None].read(self.own)
        for place in beside:
            self._held[place] = looked(place, self._held[place].read, _Held())

    def _take_over(self, connection: Connection, beside: Sequence[Path]) -> None:
        """Puts answers that the project itself kept beside the library; those of pictures that are not there wait until they are.

        Those that lie beside another library, which was the project's before, are found there.
        """
        nothing: set[str] = set()
        there = self.own.sources().union(*(looked(place, AnswerStore.sources, nothing) for place in beside))
        rows = connection.execute(
            select(QUESTIONS, PEOPLE.c.name)
            .join(PEOPLE, PEOPLE.c.id == QUESTIONS.c.person_id)
            .where(QUESTIONS.c.state.in_((ANSWERED, PASSED)))
            .order_by(QUESTIONS.c.answered, QUESTIONS.c.id)
        )
        for row in rows:
            contents = self._contents(row)
            if self._source(row.id) not in there and contents is not None:
                self._put(row, contents, row.name, row.state, row.winner, row.answered)

    def ids(self, task: StoredTask) -> tuple[str, ...]:
        """The pictures of a task that can be asked about: those of the library that are there, equal ones once."""
        known = self._pictures.content.get(task.id, {})
        return tuple(image for image in task.ids if image in known)

    def waiting(self, connection: Connection, person: int) -> list[Row[Any]]:
        """The questions that somebody was asked and has not dealt with, the oldest first."""
        rows = questions.waiting(connection, person)
        answered = {each.source for each in self._held[None].answers.values()}
        # One with an answer was answered when the server was killed; one with a picture that is gone cannot be shown.
        return [
            row for row in rows if self._source(row.id) not in answered and self._contents(row) is not None
        ]

    def answer(
        self,
        connection: Connection,
        person: Person,
        question: int,
        winner: str | None,
        seconds: float | None,
        now: float,
    ) -> None:
        """Keeps an answer; the same one once more changes nothing.

        Raises:
            GoneError: As :func:`.questions.answer`, or a picture is gone.
        """
        row = questions.mine(connection, person, question)
        if questions.is_open_for(row, ANSWERED, winner) and self._keep(row, person, ANSWERED, winner, now):
            questions.close_answered(connection, person, question, winner, seconds, now)

    def pass_over(self, connection: Connection, person: Person, question: int, now: float) -> None:
        """Notes that somebody does not answer a question; errors as of :meth:`answer`."""
        row = questions.mine(connection, person, question)
        if questions.is_open_for(row, PASSED) and self._keep(row, person, PASSED, None, now):
            questions.close_passed(connection, person, question, now)

    def _keep(self, row: Row[Any], person: Person, state: str, winner: str | None, now: float) -> bool:
        contents = self._contents(row)
        if contents is None:
            raise GoneError("not_shown", "a picture of this question is not there any more; reload the page")
        number = self._put(row, contents, person.name, state, winner, now)
        held = self.own.by_source(self._source(row.id))
        chosen = None if winner is None else contents[winner]
        if held is None or held.number != number or (held.winner, held.skipped) != (chosen, state == PASSED):
            raise GoneError(
                f"question_{ANSWERED}", "this question is dealt with already; go on with the next one"
            )
        return True

    def _put(
        self,
        row: Row[Any],
        contents: Mapping[str, str],
        name: str,
        state: str,
        winner: str | None,
        at: float,
    ) -> int:
        images = [contents[image] for image in json.loads(row.images)]
        prompt = self._pictures.prompts[json.loads(row.images)[0]]
        how: dict[str, Any] = {
            "person": self._person(name),
            "door": DOOR,
            "source": self._source(row.id),
            "at": at,
        }
        if state == PASSED:
            return self.own.add_skip(prompt, images, **how)
        return self.own.add(prompt, images, None if winner is None else contents[winner], **how)

    def take_back(self, connection: Connection, person: Person, now: float) -> bool:
        """Undoes what somebody said last about these pictures, wherever that was, and has its question wait again.

        Of what is said here and elsewhere at the same moment that which is here later counts as the last.
        """
        locked(connection, person.id)
        mine = [
            (each.at, place, each)
            for place, held in self._held.items()
            for each in held.answers.values()
            if each.person == self._person(person.name) and self._about(each) is not None
        ]
        for _, place, each in sorted(mine, key=lambda said: said[0], reverse=True):
            if not withdraw(self.own, place, each.number):
                continue  # somebody else was quicker
            self._held[place].answers.pop(each.number, None)
            self._ask_again(connection, person, each, now)
            return True
        return False

    def _ask_again(self, connection: Connection, person: Person, each: StoredAnswer, now: float) -> None:
        waits = questions.waiting(connection, person.id)
        rows = connection.execute(select(QUESTIONS).where(QUESTIONS.c.person_id == person.id))
        row = next((row for row in rows if each.source and self._source(row.id) == each.source), None)
        task = self._about(each)
        assert task is not None
        if row is None:  # it was asked elsewhere
            first = min([now, *(row.asked for row in waits)])
            images = [self._pictures.ids[task][content] for content in each.images]
            row = questions.ask(connection, person.id, task, images, first - 1)
        questions.reopen(connection, person, row, now)

    def said(self, connection: Connection, task: StoredTask, person: Person | None) -> Said:
        """What everybody answered about a task, and what this person passed over."""
        ids = self._pictures.ids.get(task.id, {})
        held = self._of_tasks().get(task.id, [])
        name = None if person is None else self._person(person.name)
        return Said(
            tuple(found for each in held if (found := _compared(each, ids)) is not None),
            tuple(
                tuple(ids[image] for image in each.images if image in ids)
                for each in held
                if each.skipped and each.person == name
            ),
        )

    def counts(self, connection: Connection) -> dict[int, int]:
        """How many questions were answered of each task that has some."""
        return {
            task: sum(_compared(each, self._pictures.ids[task]) is not None for each in held)
            for task, held in self._of_tasks().items()
        }

    def done_by(self, connection: Connection, person: Person) -> int:
        """How many questions about these pictures somebody answered, wherever that was."""
        name = self._person(person.name)
        return sum(
            each.person == name and _compared(each, self._pictures.ids[task]) is not None
            for task, held in self._of_tasks().items()
            for each in held
        )

    def said_by(self, connection: Connection) -> Iterator[SaidBy]:
        """Every answer, by task, in the order of answers. How long one took is known of those that were given here."""
        seconds = {
            self._source(row.id): row.seconds
            for row in connection.execute(select(QUESTIONS.c.id, QUESTIONS.c.seconds))
        }
        roles = {row.name: row.role for row in connection.execute(select(PEOPLE.c.name, PEOPLE.c.role))}
        held = self._of_tasks()
        for task in self._pictures.tasks:
            for each in held.get(task.id, []):
                comparison = _compared(each, self._pictures.ids[task.id])
                if comparison is not None:
                    name = each.person or self._home
                    yield task, name, roles.get(name, ROLES[0]), comparison, seconds.get(each.source)

    def _of_tasks(self) -> dict[int, list[StoredAnswer]]:
        """Answers by the task that they are about, in the order in which they were given."""
        found: dict[int, list[StoredAnswer]] = {}
        every = [each for held in self._held.values() for each in held.answers.values()]
        for each in sorted(every, key=lambda answer: answer.at):
            task = self._pictures.task.get(each.prompt)
            if task is not None:
                found.setdefault(task, []).append(each)
        return found

    def _about(self, each: StoredAnswer) -> int | None:
        """The task whose pictures an answer is about, all of them."""
        task = self._pictures.task.get(each.prompt)
        return task if task is not None and self._pictures.ids[task].keys() >= set(each.images) else None

    def _contents(self, row: Row[Any]) -> dict[str, str] | None:
        """The contents of a question's pictures by their ids; None where one is not there any more."""
        known = self._pictures.content.get(row.task_id, {})
        images = json.loads(row.images)
        return {image: known[image] for image in images} if all(image in known for image in images) else None

    def _person(self, name: str) -> str:
        """A person's name beside the library, where whoever works at this computer has none."""
        return "" if name == self._home else name

    def _source(self, question: int) -> str:
        return f"{self._name}/{question}"


def kept_by(project: Project) -> questions.Kept:
    """Where a project's answers to questions are kept.

    Raises:
        StoreError: The file of answers of its library cannot be used.
    """
    return questions if project.library is None else LibraryAnswers(project)


def _compared(each: StoredAnswer, ids: Mapping[str, str]) -> Comparison[str] | None:
    """What an answer says about the pictures that are there, by their ids; None where that is nothing."""
    said = None if each.skipped else Comparison(each.images, each.winner).among(ids)
    if said is None:
        return None
    return Comparison(
        tuple(ids[image] for image in said.images), None if said.winner is None else ids[said.winner]
    )


def _known(place: Path, root: Path) -> dict[str, tuple[str, str]]:
    """Content and prompt of the pictures of a folder that are there, by name."""
    with Library.look(place, root=root) as library:
        return {
            row.path.relative_to(root).as_posix(): (row.content, row.generated.prompt)
            for row in library.rows(Query(folder=root, order="name"))
            if row.content and row.path.is_file()
        }


def _named(connection: Connection) -> str:
    """The name by which the project's questions are known beside the library, drawn when it is first asked for."""
    row = connection.execute(select(PROJECT.c.value).where(PROJECT.c.key == _NAME)).scalar_one_or_none()
    if row is None:
        row = secrets.token_hex(16)
        connection.execute(PROJECT.insert().values(key=_NAME, value=row))
    return str(row)
