"""What can be done with a project: one function for each action of a page. Routes over HTTP only translate to these."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .protocol.faults import Fault
from .records import (
    ImageFile,
    Inspection,
    Next,
    Person,
    PersonStatus,
    Progress,
    ProjectFacts,
    Question,
    Results,
)


class Service:
    """A project that is open. Safe to call from several threads, and from several processes on one store.

    Errors of all actions: ``NotAllowedError`` where the person may not do it, ``GoneError`` where the task is no longer theirs. What
    ``submit`` does not take is told by faults, not by an error.

    Args:
        project: Folder of the project, as ``imagereward annotate new`` made it.
        clock: Unix time in seconds, by which leases end.
    """

    def __init__(self, project: Path, clock: Callable[[], float] = time.time) -> None:
        raise NotImplementedError

    @property
    def facts(self) -> ProjectFacts:
        """What the project is."""
        raise NotImplementedError

    def me(self, token: str) -> Person | None:
        """The person whose token it is; None for nobody, and for people who were removed."""
        raise NotImplementedError

    def local_person(self) -> Person:
        """The one who works alone on this computer: a researcher named ``me``, made when first asked for.

        The server gives it to whoever has the server's own token on a local address, and to nobody else.
        """
        raise NotImplementedError

    def next(self, person: Person) -> Next:
        """What this person is to do next: the task they have already, else a new one, which is theirs until its lease ends."""
        raise NotImplementedError

    def save_draft(self, person: Person, task: int, document: Mapping[str, Any]) -> float:
        """Keeps what is done so far and lengthens the lease; returns its end as Unix time in seconds. Drafts may be unfinished or wrong."""
        raise NotImplementedError

    def check(self, person: Person, task: int, document: Any, stage: str = "") -> list[Fault]:
        """What ``submit`` would say, or what is wrong with one stage of the protocol alone (``prompt``, ``images``, ``ranking``)."""
        raise NotImplementedError

    def submit(self, person: Person, task: int, document: Any, seconds: float | None = None) -> list[Fault]:
        """Takes an answer where nothing is wrong with it, else returns the faults and keeps nothing.

        The same answer sent twice counts once. Another answer to a task that this person has answered is a new version; the old one stays.

        Args:
            person: Who answers.
            task: Which task.
            document: The answer.
            seconds: How long it took, as the page measured it.
        """
        raise NotImplementedError

    def skip(self, person: Person, task: int, reason: str) -> Progress:
        """Gives the task to somebody else for good. Raises ``NotAllowedError`` where the quota is used up, or in the test."""
        raise NotImplementedError

    def answered(self, person: Person, most: int = 50) -> list[tuple[int, float]]:
        """This person's own last answers, as (task, Unix time), the newest first: to go back to."""
        raise NotImplementedError

    def again(self, person: Person, task: int) -> Next:
        """A task that this person has answered, with the answer as its draft; ``submit`` makes a new version of it."""
        raise NotImplementedError

    def progress(self, person: Person) -> Progress:
        """How far this person is."""
        raise NotImplementedError

    def inspect_next(self, person: Person) -> Inspection | None:
        """An answer that nobody has judged, of somebody else; None where there is none now. Two inspectors never get the same one."""
        raise NotImplementedError

    def judge(self, person: Person, answer: int, verdict: str, note: str = "") -> None:
        """Calls an answer ``valid`` or ``invalid``. A task whose answer is invalid is asked of somebody else."""
        raise NotImplementedError

    def question(self, person: Person) -> Question | None:
        """The next question of quick mode, the one that tells most; it stays until it is answered. None where nothing is left to ask."""
        raise NotImplementedError

    def answer(self, person: Person, question: int, choice: str | None, seconds: float | None = None) -> None:
        """Answers a question: the id of the better picture, or None for a tie. The same answer sent twice counts once."""
        raise NotImplementedError

    def pass_question(self, person: Person, question: int) -> None:
        """Skips a question of quick mode: it says nothing about its pictures, and is not asked of this person again."""
        raise NotImplementedError

    def undo_answer(self, person: Person) -> Question | None:
        """Takes this person's last answer in quick mode back and asks it again; the answer stays in the audit trail."""
        raise NotImplementedError

    def set_stars(self, person: Person, image: str, stars: int | None) -> None:
        """Sets the stars (0 to 5; None for none) of a picture in its library. Only in quick mode; the protocol's ratings never do."""
        raise NotImplementedError

    def people(self, person: Person) -> tuple[PersonStatus, ...]:
        """Everybody with progress and agreement. For researchers."""
        raise NotImplementedError

    def results(self, person: Person) -> Results:
        """What there is so far. For researchers; in quick mode for everybody."""
        raise NotImplementedError

    def ranks_text(self, person: Person, form: str) -> str:
        """The ranks of quick mode as a file, ``csv`` or ``json``."""
        raise NotImplementedError

    def image_file(self, image: str) -> ImageFile | None:
        """Where the picture of an id lies; None for an id that the project does not have."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of the store."""
        raise NotImplementedError
