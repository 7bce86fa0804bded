"""Steps and runs, and their results, as plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import EllipsisType
from typing import Literal, get_args

from ...metadata.writing.splice import Splice

Kind = Literal["copy", "hardlink", "symlink", "move", "edit", "put"]
KINDS: tuple[str, ...] = get_args(Kind)
GIVING = ("copy", "hardlink", "symlink", "move")
"""Kinds of steps that give a picture a name; its text files travel with it."""

State = Literal["planned", "doing", "ready", "done", "skipped", "failed", "undoing", "restoring", "undone"]
"""Where a step stands.

``doing`` and ``undoing``: something is being written under a hidden name, nothing else has changed. ``ready`` and ``restoring``: the
one change that others can see is about to happen, or has happened. The rest are at an end. ``done`` may be undone, ``planned`` may
still be done.
"""

RunState = Literal["planned", "interrupted", "done", "partly undone", "undone"]

Progress = Callable[[int, int], None]
"""Called with the number of steps of a run that are behind us, and of all."""

Cancelled = Callable[[], bool]
"""Asked between two groups of steps; true stops before the next one."""


@dataclass(frozen=True)
class Step:
    """One thing to be done with one file.

    Attributes:
        kind: ``"copy"``, ``"hardlink"``, ``"symlink"`` and ``"move"`` give ``source`` the name ``target``, or the next free one of
            ``target (2)``, ``target (3)`` where another file has it. ``"edit"`` changes bytes of ``target``; ``"put"`` gives
            ``target`` a content, whether or not it was there.
        source: The file to start from. For ``"edit"`` and ``"put"`` it is not read; give ``target`` again.
        splices: For ``"edit"``: the bytes to replace.
        content: For ``"put"``: the whole new content.
        made_from: For ``"put"``: what the content was made from, None for a file that was not there. Where the file holds something
            else when its turn comes, it is left as it is. ``...``: whatever it holds.
    """

    kind: Kind
    source: Path
    target: Path
    splices: tuple[Splice, ...] = ()
    content: bytes = b""
    made_from: bytes | EllipsisType | None = ...

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"the kind of a step is {self.kind!r}; expected one of {', '.join(KINDS)}")
        if self.splices and self.kind != "edit":
            raise ValueError(f"a step of kind {self.kind} has splices; only an edit has")
        if (self.content or self.made_from is not ...) and self.kind != "put":
            raise ValueError(f"a step of kind {self.kind} has content; only a put has")


@dataclass(frozen=True)
class StepInfo:
    """A step as the journal knows it.

    Attributes:
        made: The file it made or changed: ``step.target`` or a free name near it; None where nothing was made.
        reason: Why it failed, was skipped, or was not undone; else empty.
        companion: Whether it is a text file that travels with the picture of an earlier step.
    """

    step: Step
    state: State
    made: Path | None = None
    reason: str = ""
    companion: bool = False


@dataclass(frozen=True)
class RunInfo:
    """One run of the journal, counted without companions.

    Attributes:
        when: When it was begun, as ISO 8601 in UTC.
        state: ``"planned"`` (nothing done yet), ``"interrupted"`` (some steps still to do), ``"done"``, ``"partly undone"``, ``"undone"``.
        done: How many are done now.
        failed: How many could not be done.
        undone: How many were taken back, or given up before their turn.
    """

    id: int
    when: str
    title: str
    state: RunState
    steps: int
    done: int
    failed: int
    undone: int = 0


@dataclass
class RunResult:
    """The result of one call of ``execute`` or ``undo``.

    Attributes:
        done: Steps done, or undone, by this call.
        skipped: Steps that needed nothing: what they ask for is so already.
        failed: Steps that could not be done, or undone, with the reason. Their files are as they were.
        left: Steps not come to, because somebody cancelled.
        retimed: Of ``done``, the moves taken back of files whose time of change is another than when they were moved, though not their
            size: as in a copy of a folder, or where somebody wrote to them.
    """

    run: int
    done: int = 0
    skipped: int = 0
    failed: list[tuple[Step, str]] = field(default_factory=list)
    left: int = 0
    retimed: int = 0


@dataclass(frozen=True)
class Recovery:
    """The half-done steps of one run, after they were settled.

    Attributes:
        finished: Steps that had taken place and are now noted as such.
        taken_back: Steps of which nothing remains; ``execute`` does them, or ``undo`` undoes them, when asked again.
        problems: Steps that could not be settled, with the reason. Nothing was removed.
    """

    run: RunInfo
    finished: int = 0
    taken_back: int = 0
    problems: tuple[tuple[Step, str], ...] = ()
