"""Typed records that the service takes and gives: what pages show, and nothing that people may not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagereward_core.errors import CuratorError

from .protocol.faults import Fault


class AnnotationError(CuratorError):
    """Something that was asked of a project cannot be done.

    Attributes:
        code: A key for programs, which pages translate.
        values: What stands in the sentence, by name.
    """

    def __init__(self, code: str, message: str, **values: Any) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


class NotAllowedError(AnnotationError):
    """The person's role, or state, does not allow it (HTTP 403)."""


class GoneError(AnnotationError):
    """The task is no longer this person's, or what was asked for is not there (HTTP 409)."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who answers.

    Attributes:
        id: Number in the store.
        name: As given by whoever added them.
        role: A key of ``ROLES``.
        state: ``candidate`` (is to take the test first), ``active``, ``refused`` (agreed too little in the test), ``removed``.
    """

    id: int
    name: str
    role: str
    state: str

    @property
    def inspects(self) -> bool:
        """Whether they may judge answers of others."""
        return self.role in ("inspector", "researcher")

    @property
    def researches(self) -> bool:
        """Whether they may see everybody's progress and agreement, and the results."""
        return self.role == "researcher"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of a task. Its id says nothing of its name, of what made it or of who picked it."""

    id: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing that is asked of one person.

    Attributes:
        id: Of the task; the same for everybody it is asked of.
        mode: A key of ``MODES``.
        prompt: What the pictures were made for.
        translation: The prompt in another language; empty where there is none.
        images: In the order in which this person is shown them.
        draft: What was saved of the answer so far; None for nothing.
        test: Whether it belongs to the test before admission.
        lease_ends: Unix time in seconds at which somebody else may get the task, unless something is saved before.
        note: An inspector's words, where this person is asked once more; empty otherwise.
    """

    id: int
    mode: str
    prompt: str
    translation: str
    images: tuple[Picture, ...]
    draft: Mapping[str, Any] | None
    test: bool
    lease_ends: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Next:
    """What to do next: a task, or the reason why there is none.

    Attributes:
        task: None where there is none.
        reason: Where there is none: ``done`` (nothing is left for this person), ``wait`` (others are at what is left), ``judging`` (the
            test is done, and there is nobody yet to compare it with), ``refused`` (agreed too little in the test), ``quick`` (this project
            asks questions; see ``Service.question``).
    """

    task: Task | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class OwnAnswer:
    """An answer that somebody gave, for themselves to go back to.

    Attributes:
        task: Id of the task.
        prompt: What its pictures were made for.
        at: When its last version was given, as Unix time in seconds.
        versions: How many there are; the last one counts, the others stay.
    """

    task: int
    prompt: str
    at: float
    versions: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far one person is.

    Attributes:
        done: Tasks answered, those of the test included.
        left: Tasks that this person could still be given now or later; an upper bound, as others take from the same.
        skipped: Tasks skipped.
        skips_left: How many more may be skipped.
        invalid: Answers that an inspector called invalid.
        seconds_each: Middle (median) time of an answer in seconds; None before the first.
        seconds_left: Estimate for all that is left; None before the first answer.
        testing: Whether this person is at the test before admission.
        test_done: Tasks of the test that are answered.
        test_total: Tasks of the test.
    """

    done: int
    left: int
    skipped: int
    skips_left: int
    invalid: int
    seconds_each: float | None
    seconds_left: float | None
    testing: bool
    test_done: int
    test_total: int


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far a person chooses alike with others, on pairs of pictures about which both have a choice.

    Attributes:
        share: 0..1; None without pairs.
        pairs: How many pairs.
    """

    share: float | None
    pairs: int


@dataclass(frozen=True, kw_only=True)
class PersonStatus:
    """A person as researchers see them.

    Attributes:
        researchers: Agreement with the researchers, everyone of them alone.
        ensemble: Agreement with the majority of all others, this person not counted.
        test_researchers: The same, in the test before admission alone.
        test_ensemble: The same.
    """

    person: Person
    progress: Progress
    researchers: Agreement
    ensemble: Agreement
    test_researchers: Agreement
    test_ensemble: Agreement


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """An answer for an inspector to judge. Whose it is stays hidden.

    Attributes:
        answer: Id of the answer.
        task: The task as it was shown; ``draft`` is None.
        document: The answer.
        seconds: How long it took; None where that is not known.
        faults: What the validators say today; empty for answers of this version.
        left: Answers that wait to be judged, this one included.
    """

    answer: int
    task: Task
    document: Mapping[str, Any]
    seconds: float | None
    faults: tuple[Fault, ...]
    left: int


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question of quick mode.

    Attributes:
        id: Of the question; an answer names it, so that an answer sent twice counts once.
        prompt: What the pictures were made for; empty across prompts.
        translation: The prompt in another language; empty where there is none.
        images: Two to four, in the order shown.
        stars: The library's stars by id of the picture: 0 to 5, None where there are none.
        across_prompts: Whether pictures of different prompts are compared, which says little.
        done: Questions answered so far by this person.
        expected: How many there will about be in all, for the progress bar.
    """

    id: int
    prompt: str
    translation: str
    images: tuple[Picture, ...]
    stars: Mapping[str, int | None]
    across_prompts: bool
    done: int
    expected: int


@dataclass(frozen=True, kw_only=True)
class Rank:
    """A picture's place by the answers of quick mode.

    Attributes:
        image: Its id.
        name: Its name in the project, for whoever may see results.
        prompt: Its prompt.
        rank: 1 is the best of its prompt, or of all across prompts.
        strength: In the Bradley-Terry model: natural logarithm of the odds, mean 0 within what is ranked together.
        low: Lower end of the interval of 95 %.
        high: Its upper end.
        asked: Questions it was in.
    """

    image: str
    name: str
    prompt: str
    rank: int
    strength: float
    low: float
    high: float
    asked: int


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a project has so far.

    Attributes:
        tasks: Tasks of the project.
        wanted: Answers asked for in all, the test not counted.
        answers: Answers that count: the last version of each, those called invalid left out.
        inspected: Of these, how many an inspector called valid.
        invalid: Answers that an inspector called invalid.
        skipped: Tasks skipped, counted by person.
        comparisons: Answers to questions of quick mode.
        ranks: Of quick mode, the best first within each prompt.
    """

    tasks: int
    wanted: int
    answers: int
    inspected: int
    invalid: int
    skipped: int
    comparisons: int
    ranks: tuple[Rank, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """Where a picture lies, for the server alone.

    Attributes:
        root: One of the project's folders.
        name: Relative to it, with ``/``.
    """

    root: Path
    name: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.root / self.name


@dataclass(frozen=True, kw_only=True)
class ProjectFacts:
    """What pages show about a project.

    Attributes:
        title: Its name.
        mode: A key of ``MODES``.
        people: How many people are asked about each task.
        skips: Tasks that everybody may skip.
        threshold: Agreement in the test that admits, 0..1.
        seed: Of all draws.
        settings: Everything else that it was made with.
    """

    title: str
    mode: str
    people: int
    skips: int
    threshold: float
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
