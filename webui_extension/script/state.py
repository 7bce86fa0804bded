"""The state of a job while it runs. Nothing here touches the host."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

from .arguments import Settings

if TYPE_CHECKING:
    from imagereward_core.scores import Scores
    from imagereward_core.weights.card import ScorerCard

KEPT, REJECTED = "kept", "rejected"
SMALL = 32
"""Pixels on the longer side of the copy that stands for a picture in memory."""

Reader = Literal["page", "program", "files", "plot", "script"]
"""The reader of a run's result: the page, a program over the API, one that asks for no pictures and so has only the files, the X/Y/Z
plot, or another script, which finds pictures by their place."""


@dataclass(eq=False)
class HeldSave:
    """A save that the host asked for, made once the picture has its score; ``context`` are fields of p that file-name patterns read."""

    save: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    context: dict[str, Any]


@dataclass(eq=False)
class Picture:
    """One finished picture.

    Attributes:
        holder: Has the picture as ``image``; the host's own object, since other scripts may still put another picture there.
        prompt: Its own prompt, after styles and wildcards, as written.
        unfinished: Made by an interrupted batch; never scored.
        value: The number that decides; NaN where there is none.
        scores: Every number by scorer, the deciding one first.
        percentile: Against the scorer's reference scores; NaN where there are none.
        cut: The part of the prompt that the scorer did not see.
        verdict: ``kept``, ``rejected`` or empty where nothing was to be selected, or it could not be scored.
        fields: What goes into its infotext.
        before: Its infotext as the host wrote it.
        result: What the host's function returned when it was saved.
        folder: The output folder that the host named for it.
        files: Where it was saved, and its sidecar.
        companions: Files of its own beside it, such as its mask or its first pass: each the file and its text file.
        reduced: Whether only a small copy of it is left in memory; it lies on the disk, and is not shown.
        of_round: Whether a further run of "generate until" made it.
    """

    holder: Any
    prompt: str
    negative: str = ""
    seed: Any = None
    subseed: Any = None
    unfinished: bool = False
    value: float = math.nan
    scores: dict[str, float] = field(default_factory=dict)
    percentile: float = math.nan
    failure: str = ""
    cut: str = ""
    verdict: str = ""
    reason: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    before: str | None = None
    held: HeldSave | None = None
    result: Any = ("", None)
    folder: str = ""
    files: list[str] = field(default_factory=list)
    companions: list[list[str]] = field(default_factory=list)
    unsaved: bool = False
    first_pass: bool = False
    reduced: bool = False
    of_round: bool = False

    @property
    def image(self) -> Any:
        """The Pillow picture; None once it was let go."""
        return self.holder.image

    def let_go(self) -> None:
        """Frees the memory of a picture that will not be shown; a small copy keeps the place of one that has a file."""
        small = self.image.copy() if self.files else None
        if small is not None:
            small.thumbnail((SMALL, SMALL))
        self.holder, self.reduced = SimpleNamespace(image=small), True

    @property
    def scored(self) -> bool:
        """Whether it has a number."""
        return not math.isnan(self.value)


@dataclass(eq=False)
class Job:
    """Everything that one press of Generate makes: a run of the host, and those that "generate until" adds.

    Attributes:
        scores: The scorer's numbers of those that were scored, batch after batch.
        scored: The pictures these belong to.
        gated: First passes that were not upscaled.
        notes: Lines for the user, each once.
        failure: Why the script stopped meddling; empty while all is well.
        basis: For a blend, what its numbers rest on.
        unsaved: Whether the page's user saves pictures by hand alone, so that one that is not shown would be lost.
    """

    settings: Settings
    pictures: list[Picture] = field(default_factory=list)
    scores: list[Scores] = field(default_factory=list)
    scored: list[Picture] = field(default_factory=list)
    gated: list[Picture] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failure: str = ""
    card: ScorerCard | None = None
    basis: str = ""
    folders: list[str] = field(default_factory=list)
    unsaved: bool = False
    started: float = field(default_factory=lambda: time.monotonic())

    def note(self, line: str) -> None:
        """Remembers a line for the user."""
        if line and line not in self.notes:
            self.notes.append(line)

    @property
    def shows_rejects(self) -> bool:
        """Whether rejected pictures are shown behind the others."""
        return self.settings.show_rejects or self.unsaved

    @property
    def kept(self) -> list[Picture]:
        """The scored pictures that passed, or all scored ones where nothing is to be selected."""
        return [picture for picture in self.scored if picture.verdict != REJECTED]

    @property
    def generated(self) -> int:
        """How many pictures were made, first passes that went no further included."""
        return len(self.pictures) + len(self.gated)


@dataclass(eq=False)
class Run:
    """One call of the host's loop.

    Attributes:
        template: A copy of p from before the run; None where nothing will be repeated.
        prompts: Of the batch at hand, before anybody writes into the host's list.
        batch: The host's object with the rows of the batch at hand, which other scripts may still take some from.
        made: All pictures of this run and first passes that were put away, in the order of their files.
        driver: The title of the script that drives the run, such as "SD upscale"; empty where none does, and for the X/Y/Z plot.
        cell: In a plot, which cell this is; -1 elsewhere.
        is_upscale: Whether the page asked for one picture to be upscaled, so that nothing may be cut or reordered.
        placeholder: Whether the batch at hand is a first pass of which nothing passed.
        companions: By row of the batch at hand, the list that its picture has or will have.
        copies: How many copies from before the second pass were saved, by their suffix.
        survivors: Rows of the batch at hand that were upscaled; None for all.
        complete: Whether the host's loop came to its end.
        step: What the host called its job when the run began, such as "2 out of 5" for a file of a folder.
    """

    p: Any
    job: Job
    is_round: bool = False
    template: Any = None
    prompts: list[str] = field(default_factory=list)
    batch: Any = None
    finish: Callable[[Run], Any] = lambda run: None
    pending: list[Picture] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    made: list[Picture] = field(default_factory=list)
    reader: Reader = "page"
    driver: str = ""
    sorts: bool = False
    cell: int = -1
    is_upscale: bool = False
    placeholder: bool = False
    companions: dict[int, list[list[str]]] = field(default_factory=dict)
    copies: dict[str, int] = field(default_factory=dict)
    survivors: list[int] | None = None
    rounds: list[Run] = field(default_factory=list)
    complete: bool = False
    step: str = ""

    @property
    def settings(self) -> Settings:
        """What the user chose."""
        return self.job.settings

    @property
    def selects(self) -> bool:
        """Whether pictures of this run can be rejected."""
        return self.settings.selects and not self.is_bound

    @property
    def is_bound(self) -> bool:
        """Whether number and order of the pictures must stay as the host makes them, and no further ones be made."""
        return self.is_upscale or bool(self.driver)


def order(pictures: Sequence[Picture], by_score: bool) -> list[Picture]:
    """Best first, pictures without a number last; ties, or all, in the order they were made."""
    if not by_score:
        return list(pictures)
    return sorted(pictures, key=lambda picture: math.inf if math.isnan(picture.value) else -picture.value)
