"""What can be done with a project: one function for each action of a page. Routes over HTTP only translate to these."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from sqlalchemy import Connection

from imagereward_core.errors import ImageError
from imagereward_core.images.suffixes import is_picture_name

from ..data.images.names import ImageFolder
from .project.folder import Project
from .protocol.faults import Fault
from .protocol.keys import QUICK, STAGES
from .protocol.modes import faults_of
from .quality.status import admit, statuses
from .quick.session import QuickSession
from .records import (
    AnnotationError,
    GoneError,
    ImageFile,
    Inspection,
    Next,
    NotAllowedError,
    OwnAnswer,
    Person,
    PersonStatus,
    Progress,
    ProjectFacts,
    Question,
    Results,
)
from .store import answers, inspections, people, turns
from .store.audit import note as note_event
from .store.progress import progress_of
from .store.results import results_of
from .store.tasks import image_name, stored_task

T = TypeVar("T")


class Service:
    """A project that is open. Safe to call from several threads, and from several processes on one store.

    Errors of all actions: ``NotAllowedError`` where the person may not do it, ``GoneError`` where the task is no longer theirs. What
    ``submit`` does not take is told by faults, not by an error.

    Args:
        project: Folder of the project, as ``imagereward annotate new`` made it.
        clock: Unix time in seconds, by which leases end.
        images: Folder of the pictures, where it is another one on this computer.
        data: The user's own folder for this program, which vouches for libraries, where stars are kept.
    """

    def __init__(
        self,
        project: Path,
        clock: Callable[[], float] = time.time,
        images: Path | None = None,
        data: Path | None = None,
    ) -> None:
        self.project = Project(project, images)
        self.clock = clock
        try:
            self.quick = QuickSession(self.project, data)
        except BaseException:
            self.project.close()
            raise

    @property
    def facts(self) -> ProjectFacts:
        """What the project is."""
        options = self.project.options
        # The quick mode of a folder of pictures is known by that folder, not by the one it is hidden in.
        named = self.project.folder if self.project.library is None else self.project.images
        return ProjectFacts(
            title=named.name or str(named),
            mode=options.mode,
            people=options.people,
            skips=options.skips,
            threshold=options.threshold / 100,
            seed=options.seed,
            settings=options.plain(),
        )

    def me(self, token: str) -> Person | None:
        """The person whose token it is; None for nobody, and for people who were removed."""
        return self._read(lambda connection: people.by_token(connection, token))

    def local_person(self) -> Person:
        """The one who works alone on this computer: a researcher named ``me``, made when first asked for.

        The server gives it to whoever has the server's own token on a local address, and to nobody else. Where somebody else is named so,
        or was removed, it is ``me 2``, and so on: they keep their role, and the project its researcher.
        """
        known = self._read(people.own)
        return known or self._write(lambda connection: people.make_own(connection, self.clock()))

    def next(self, person: Person) -> Next:
        """What this person is to do next: the task they have already, else a new one, which is theirs until its lease ends."""
        return self._write(
            lambda connection: turns.next_task(connection, person, self.clock(), self.project.terms)
        )

    def save_draft(self, person: Person, task: int, document: Any) -> float:
        """Keeps what is done so far and lengthens the lease; drafts may be unfinished or wrong.

        Returns the lease's end as Unix time in seconds; 0 where somebody else has got the task meanwhile (the draft is kept all the same).
        """
        return self._write(
            lambda connection: answers.save_draft(
                connection, person, task, document, self.clock(), self.project.terms
            )
        )

    def check(self, person: Person, task: int, document: Any, stage: str = "") -> list[Fault]:
        """What ``submit`` would say, or what is wrong with one stage of the protocol alone (``prompt``, ``images``, ``ranking``)."""
        if stage and stage not in STAGES:
            raise AnnotationError(
                "bad_stage", f"found the stage {stage!r}; expected one of {', '.join(STAGES)}"
            )

        def checked(connection: Connection) -> list[Fault]:
            if turns.assignment(connection, person.id, task) is None:
                raise GoneError("not_yours", "this task was not given to you; ask for the next one")
            stored = stored_task(connection, task)
            shown = [picture.id for picture in stored.shown(person.id, self.project.options.seed)]
            return faults_of(stored.mode, document, stored.prompt, shown, stage)

        return self._read(checked)

    def submit(self, person: Person, task: int, document: Any, seconds: float | None = None) -> list[Fault]:
        """Takes an answer where nothing is wrong with it, else returns the faults and keeps nothing.

        The same answer sent twice counts once. Another answer to a task that this person has answered is a new version; the old one stays.

        Args:
            person: Who answers.
            task: Which task.
            document: The answer.
            seconds: How long it took, as the page measured it.
        """

        def taken(connection: Connection) -> list[Fault]:
            now, terms = self.clock(), self.project.terms
            faults = answers.submit(connection, person, task, document, seconds, now, terms)
            if not faults and stored_task(connection, task).test:
                admit(connection, self.project.options, terms, now)
            return faults

        return self._write(taken)

    def skip(self, person: Person, task: int, reason: str) -> Progress:
        """Gives the task to somebody else for good. Raises ``NotAllowedError`` where the quota is used up, or in the test."""

        def skipped(connection: Connection) -> Progress:
            terms = self.project.terms
            answers.skip(connection, person, task, reason, self.clock(), terms)
            return progress_of(connection, person, terms)

        return self._write(skipped)

    def answered(self, person: Person, most: int = 50) -> list[OwnAnswer]:
        """This person's own last answers, the newest first: to go back to."""
        return self._read(lambda connection: answers.answered(connection, person, most))

    def again(self, person: Person, task: int) -> Next:
        """A task that this person has answered, with the answer as its draft; ``submit`` makes a new version of it.

        A change that was begun and not submitted is the draft, until it is submitted or given up by ``forget_change``.
        """
        return self._read(lambda connection: answers.again(connection, person, task, self.project.terms))

    def forget_change(self, person: Person, task: int) -> None:
        """Leaves an own answer as it is."""
        self._write(lambda connection: answers.forget_change(connection, person, task))

    def progress(self, person: Person) -> Progress:
        """How far this person is."""

        def found(connection: Connection) -> Progress:
            known = progress_of(connection, person, self.project.terms)
            if self.project.options.mode != QUICK:
                return known
            return replace(known, done=self.quick.done_by(connection, person))

        return self._read(found)

    def inspect_next(self, person: Person) -> Inspection | None:
        """An answer that nobody has judged, of somebody else; None where there is none now. Two inspectors never get the same one."""

        def found(connection: Connection) -> Inspection | None:
            terms = self.project.terms
            each = inspections.next_inspection(connection, person, self.clock(), terms)
            if each is None:
                return None
            stored = stored_task(connection, each.task)
            task = stored.task(each.author, terms.seed)
            shown = [picture.id for picture in task.images]
            return Inspection(
                answer=each.answer,
                task=task,
                document=each.document,
                seconds=each.seconds,
                faults=tuple(faults_of(stored.mode, each.document, stored.prompt, shown)),
                left=each.left,
            )

        return self._write(found)

    def judge(self, person: Person, answer: int, verdict: str, note: str = "") -> None:
        """Calls an answer ``valid`` or ``invalid``. A task whose answer is invalid is asked of somebody else."""
        self._write(
            lambda connection: inspections.judge(
                connection, person, answer, verdict, note, self.clock(), self.project.terms
            )
        )

    def question(self, person: Person) -> Question | None:
        """The next question of quick mode, the one that tells most; it stays until it is answered. None where nothing is left to ask."""
        return self._write(lambda connection: self.quick.question(connection, person, self.clock()))

    def answer(self, person: Person, question: int, choice: str | None, seconds: float | None = None) -> None:
        """Answers a question: the id of the better picture, or None for a tie. The same answer sent twice counts once."""
        self._write(
            lambda connection: self.quick.answer(connection, person, question, choice, seconds, self.clock())
        )

    def pass_question(self, person: Person, question: int) -> None:
        """Skips a question of quick mode: it says nothing about its pictures, and is not asked of this person again."""
        self._write(lambda connection: self.quick.pass_over(connection, person, question, self.clock()))

    def undo_answer(self, person: Person) -> Question | None:
        """Takes this person's last answer in quick mode back and asks it again; the answer stays in the audit trail."""

        def undone(connection: Connection) -> Question | None:
            now = self.clock()
            if not self.quick.take_back(connection, person, now):
                return None
            return self.quick.question(connection, person, now)

        return self._write(undone)

    def set_stars(self, person: Person, image: str, stars: int | None) -> None:
        """Sets the stars (0 to 5; None for none) of a picture in its library. Only in quick mode; the protocol's ratings never do."""
        if self.project.options.mode != QUICK:
            raise NotAllowedError("no_stars", "stars are given in quick mode alone")
        if stars is not None and (isinstance(stars, bool) or stars not in range(6)):
            raise AnnotationError("bad_stars", f"found {stars!r} stars; expected 0 to 5, or none")

        def noted(connection: Connection) -> str:
            people.locked(connection, person.id)
            name = image_name(connection, image)
            if name is None:
                raise GoneError("no_such_image", "there is no such picture; reload the page")
            note_event(connection, self.clock(), person.id, "gave stars to", f"image {image}", stars=stars)
            return name

        self.quick.set_stars(self._write(noted), stars)

    def people(self, person: Person) -> tuple[PersonStatus, ...]:
        """Everybody with progress and agreement. For researchers."""
        if not person.researches:
            raise NotAllowedError("no_researcher", "only researchers see what others do")
        return self._read(lambda connection: statuses(connection, self.project.terms))

    def add_person(self, person: Person, name: str, role: str) -> tuple[Person, str]:
        """Adds somebody; also returns their token, of which nothing but a hash is kept. For researchers.

        Annotators are candidates first where the project has a test.
        """
        if not person.researches:
            raise NotAllowedError("no_researcher", "only researchers add people")
        state = people.starting_state(role, bool(self.project.options.test))
        token = people.new_token()
        added = self._write(lambda connection: people.add(connection, name, role, state, token, self.clock()))
        return added, token

    def remove_person(self, person: Person, other: int) -> None:
        """Takes somebody's token away for good; what they answered stays. For researchers, and not of oneself."""
        if not person.researches:
            raise NotAllowedError("no_researcher", "only researchers remove people")
        if person.id == other:
            raise NotAllowedError("oneself", "nobody removes themselves; another researcher may")

        def removed(connection: Connection) -> None:
            found = people.locked(connection, other)
            people.set_state(connection, found, people.REMOVED, self.clock(), {"by": person.id})

        self._write(removed)

    def results(self, person: Person) -> Results:
        """What there is so far. For researchers; in quick mode for everybody."""
        if not person.researches and self.project.options.mode != QUICK:
            raise NotAllowedError("no_researcher", "only researchers see the results")

        def found(connection: Connection) -> Results:
            return replace(
                results_of(connection),
                ranks=self.quick.ranks(connection),
                comparisons=self.quick.count(connection),
            )

        return self._read(found)

    def ranks_text(self, person: Person, form: str) -> str:
        """The ranks of quick mode as a file, ``csv`` or ``json``."""
        return self._read(lambda connection: self.quick.text(connection, form))

    def image_file(self, image: str) -> ImageFile | None:
        """Where the picture of an id lies; None for an id that the project does not have."""
        name = self._read(lambda connection: image_name(connection, image))
        if name is None or not is_picture_name(PurePosixPath(name).name):
            return None
        try:
            # Asked anew each time: a link that has come since must not lead out of the folder either.
            ImageFolder(self.project.images).path(name)
        except ImageError:
            return None
        return ImageFile(root=self.project.images, name=name)

    def folders(self) -> tuple[Path, ...]:
        """Folders in which the pictures lie."""
        return (self.project.images,)

    def questions(self, person: Person) -> tuple[Question, ...]:
        """The question this person is at and the one after it: a page shows the second while the answer to the first is on its way."""
        return self._write(lambda connection: self.quick.questions(connection, person, self.clock(), 2))

    def close(self) -> None:
        """Lets go of the store."""
        self.quick.close()
        self.project.close()

    def _read(self, action: Callable[[Connection], T]) -> T:
        return self.project.database.read(action)

    def _write(self, action: Callable[[Connection], T]) -> T:
        return self.project.database.write(action)
