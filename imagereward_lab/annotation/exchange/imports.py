"""Rankings of other programs, or of another project, into a project. What the validators refuse on a page is refused here too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection, select, update

from imagereward_core.plain import encodable

from ...data.form import shown
from ...data.images.names import packed, problem_of, relative
from ...data.notes import Notes
from ...data.prompts import prompt_key
from ...data.ranking import Ranking
from ..project.draw import key_of
from ..project.folder import Project
from ..protocol.keys import QUICK, ROLES
from ..protocol.modes import MODES, faults_of
from ..quick.questions import answered_pairs, import_answers
from ..records import AnnotationError, Person
from ..store import people
from ..store.answers import last_document, put_answer, text_of
from ..store.tables import ASSIGNMENTS, TASKS
from ..store.tasks import NewImage, NewTask, add_images, add_tasks, number_of, stored_task
from ..store.turns import settle
from .rankings import comparisons_of, document_of

NOBODY = "imported"
"""Who answered where a file does not say."""
_AT_ONCE = 200


@dataclass
class Imported:
    """What an import did.

    Attributes:
        added: Answers, or comparisons of quick mode, that are new.
        same: Answers that were there already, word for word.
        tasks: Tasks that were made for them.
        left_out: What was left out, and why.
    """

    added: int = 0
    same: int = 0
    tasks: int = 0
    left_out: Notes = field(default_factory=Notes)


class LeaveOutError(Exception):
    """Why one ranking is left out; the rest goes on."""


def import_rankings(
    project: Project,
    rankings: Iterable[Ranking],
    images: Path,
    now: float,
    *,
    fill: bool = False,
    annotator: str = NOBODY,
) -> Imported:
    """Puts rankings into a project as answers of their annotators. Nothing that is there is changed.

    Args:
        project: The project.
        rankings: What people said.
        images: Folder that the rankings' names count from.
        now: Unix time in seconds.
        fill: See :func:`.rankings.document_of`.
        annotator: Who answered, where a ranking does not say.
    """
    done = Imported()
    before = project.database.read(answered_pairs)
    some: list[Ranking] = []
    for ranking in rankings:
        some.append(ranking)
        if len(some) >= _AT_ONCE:
            _import(project, some, images, now, fill, annotator, done, before)
            some = []
    _import(project, some, images, now, fill, annotator, done, before)
    return done


def _import(
    project: Project,
    rankings: Sequence[Ranking],
    images: Path,
    now: float,
    fill: bool,
    annotator: str,
    done: Imported,
    before: set[tuple[int, int]],
) -> None:
    """One transaction; where it has to be run again it begins with what was done before it."""

    def action(connection: Connection) -> Imported:
        step = Imported()
        importer = _Importer(connection, project, images, now, fill, step, before)
        for ranking in rankings:
            where = ranking.id or ranking.prompt[:40]
            try:
                with connection.begin_nested():  # what is left out leaves no prompt and no person behind
                    importer.add(replace(ranking, annotator=ranking.annotator or annotator))
            except (LeaveOutError, AnnotationError) as error:
                step.left_out.add(where, str(error))
        return step

    if not rankings:
        return
    step = project.database.write(action)
    done.added += step.added
    done.same += step.same
    done.tasks += step.tasks
    for note in step.left_out:
        done.left_out.add(note.where, note.reason)


class _Importer:
    def __init__(
        self,
        connection: Connection,
        project: Project,
        images: Path,
        now: float,
        fill: bool,
        done: Imported,
        before: set[tuple[int, int]],
    ) -> None:
        self.connection, self.project, self.images = connection, project, images
        self.now, self.fill, self.done, self.before = now, fill, done, before
        self.mode, self.new = project.options.mode, 0

    def add(self, ranking: Ranking) -> None:
        """Puts a ranking in; what was done before it raises has to be taken back."""
        self.new = 0
        self._add(ranking)
        self.done.tasks += self.new

    def _add(self, ranking: Ranking) -> None:
        said = ranking.extra.get("mode", self.mode)
        if said != self.mode:
            raise LeaveOutError(f"found an answer of mode {str(said)[:40]!r}; this project asks {self.mode}")
        _storable(ranking)
        names = self._names(ranking)
        if len(set(names)) < len(names):
            raise LeaveOutError("found a picture twice; expected each once")
        if len(names) < 2:
            raise LeaveOutError("found one picture; expected at least two, of which one can be better")
        task = self._task(ranking, names)
        stored = stored_task(self.connection, task)
        ids = dict(zip(stored.names, stored.ids))
        if self.mode != QUICK and set(names) != set(ids):
            raise LeaveOutError("its pictures are not those of the task in this project")
        if not set(names) <= set(ids):
            raise LeaveOutError("some of its pictures are not in the task of this project")
        images = [ids[name] for name in names]
        person = self._person(ranking)
        if self.mode == QUICK:
            if (person.id, task) in self.before:
                raise LeaveOutError(
                    f"{person.name} has answered questions about these pictures already; that stays"
                )
            found = comparisons_of(ranking)
            self.done.added += import_answers(
                self.connection, person, task, images, found, ranking.seconds, self.now
            )
            return
        document = document_of(self.mode, ranking, images, fill=self.fill)
        faults = faults_of(self.mode, document, stored.prompt, stored.ids)
        if faults:
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise LeaveOutError(f"{faults[0].message}{more}")
        self._put(person, task, text_of(document), ranking.seconds)

    def _names(self, ranking: Ranking) -> list[str]:
        """Names as the project has them."""
        names = []
        for name in ranking.images:
            given = relative(self.images, name)
            if problem := problem_of(given):
                raise LeaveOutError(problem)
            if packed(given) is not None:
                raise LeaveOutError(
                    f"found {given!r} inside a larger file; expected a picture of its own. Unpack it"
                )
            whole = str(self.images.absolute() / given)
            mine = relative(self.project.images, whole)
            if mine == whole:
                raise LeaveOutError(
                    f"found {given!r}, which is not below the project's pictures in {self.project.images}; --images names the folder "
                    "that names in the rankings count from"
                )
            names.append(mine)
        return names

    def _task(self, ranking: Ranking, names: Sequence[str]) -> int:
        key = ranking.extra.get("task")
        if not isinstance(key, str) or not 0 < len(key) <= 100:
            key = key_of(ranking.prompt) if self.mode == QUICK else _key(ranking.prompt, names)
        sources = ranking.sources or ("",) * len(names)
        images = [NewImage(name=name, source=source) for name, source in zip(names, sources)]
        if (known := number_of(self.connection, key)) is not None:
            if self.mode == QUICK:  # a question shows a few of a prompt's pictures
                add_images(self.connection, known, images)
            return known
        mode = MODES[self.mode]
        if not (mode.least <= len(names) and (self.mode == QUICK or len(names) <= mode.most)):
            raise LeaveOutError(
                f"found {len(names)} pictures; expected {mode.least} to {mode.most} in mode {mode.name}"
            )
        new = NewTask(
            key=key,
            mode=self.mode,
            prompt=ranking.prompt,
            images=images,
            people=self.project.options.people,
            test=ranking.extra.get("test") is True,
        )
        add_tasks(self.connection, [new], self.now)
        self.new += 1
        number = number_of(self.connection, key)
        assert number is not None
        return number

    def _person(self, ranking: Ranking) -> Person:
        known = people.by_name(self.connection, ranking.annotator.strip())
        if known is not None:
            return known
        role = ranking.extra.get("role", ROLES[0])
        return people.add(
            self.connection,
            ranking.annotator,
            role if isinstance(role, str) else "",
            people.ACTIVE,
            None,
            self.now,
        )

    def _put(self, person: Person, task: int, text: str, seconds: float | None) -> None:
        before = last_document(self.connection, person.id, task)
        if before is not None:
            if before != text:
                raise LeaveOutError(
                    f"{person.name} has answered this task already, and otherwise; that stays"
                )
            self.done.same += 1
            return
        # Who has a seat without an answer yet keeps it: what is imported comes on top.
        seats = self.connection.execute(
            select(ASSIGNMENTS.c.seat).where(ASSIGNMENTS.c.task_id == task, ASSIGNMENTS.c.seat.is_not(None))
        ).scalars()
        taken = set(seats)
        facts = self.connection.execute(select(TASKS.c.people, TASKS.c.test).where(TASKS.c.id == task)).one()
        seat = None if facts.test else next(each for each in range(1, len(taken) + 2) if each not in taken)
        if seat is not None and seat > facts.people:
            self.connection.execute(update(TASKS).where(TASKS.c.id == task).values(people=seat))
        put_answer(self.connection, person.id, task, seat, text, seconds, self.now)
        settle(self.connection, task)
        self.done.added += 1


def _storable(ranking: Ranking) -> None:
    """Raises LeaveOutError where a text cannot be kept: half a character, or one that ends texts in databases."""
    task = ranking.extra.get("task")
    texts = {
        "prompt": [ranking.prompt],
        "annotator": [ranking.annotator],
        "images": ranking.images,
        "sources": ranking.sources,
        "task": [task] if isinstance(task, str) else [],
    }
    for name, some in texts.items():
        for text in some:
            if "\0" in text or encodable(text) != text:
                raise LeaveOutError(f"{name}: found {shown(text)}, which no database keeps; expected a text")


def _key(prompt: str, names: Sequence[str]) -> str:
    """The key of a task of which a file does not say any: from its prompt and its pictures."""
    content = "\n".join([prompt_key(prompt), *sorted(names)])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
