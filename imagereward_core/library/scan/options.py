"""Options, progress and result of a scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...settings import check, setting

if TYPE_CHECKING:
    from ...metadata.prompt_finder import PromptSource
    from ...metadata.sidecar import Readable

STAGES = ("read", "decode", "infer", "write")


@dataclass(frozen=True)
class ScanOptions:
    """Which files a scan looks at, and where their prompts come from.

    Attributes:
        include: Patterns of files to look at; without any, all pictures. ``*``, ``?`` and ``[...]`` as in a shell, in any letter case.
            A pattern without a slash speaks of the name of a file, one with slashes of its path below the scanned folder, where
            ``*`` stands for slashes as well.
        exclude: Patterns of files and folders to pass over, in the same way.
        skip: Folders to pass over with all that is in them, such as those that kept pictures are copied to.
        follow_links: Whether links to folders are followed, each folder once. Links to pictures always are pictures.
        unscored_only: Whether pictures that have stars, or any number of the same scorer, are left alone.
        prompt: A prompt for all pictures; None for each picture's own.
        retry: Whether pictures that could not be decoded are tried again although their files have not changed.
        files: Only these of the files that the other options allow; None for all. Files that are gone are not noticed then.
        readable: Says which files, pictures and those beside them, may be read; all by default.
    """

    recursive: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    skip: tuple[Path, ...] = ()
    follow_links: bool = False
    unscored_only: bool = False
    prompt: str | None = None
    prompt_from: PromptSource = setting(
        "auto",
        "Where each picture's own prompt is read from: a text file beside it (sidecar), its metadata, or the first of the two that has one "
        "(auto)",
        choices=("auto", "sidecar", "metadata"),
    )
    raw_prompt: bool = setting(
        False, "Give the scorer prompts as written, with LoRA tags, weights and the like left in"
    )
    retry: bool = False
    files: tuple[Path, ...] | None = None
    readable: Readable | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class ScanProgress:
    """How far a scan is.

    Attributes:
        found: Pictures found so far.
        known: Those of them about which there is nothing to do.
        done: Pictures dealt with, of ``total``; what counts here is in the store already.
        failed: Those of them that could not be decoded or have no score.
        total: Pictures to be dealt with; None while they are still being looked for.
        rate: Pictures a second, of those being looked for or of those being dealt with.
        seconds_left: None while it cannot be known.
        stages: Seconds spent so far reading, decoding, in the model, and writing. The first two are sums over several threads.
    """

    found: int = 0
    known: int = 0
    done: int = 0
    failed: int = 0
    total: int | None = None
    rate: float = 0.0
    seconds_left: float | None = None
    stages: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))


@dataclass(frozen=True)
class ScanResult:
    """The result of a scan, whose ``found``, ``known``, ``done``, ``failed`` and ``stages`` are as in :class:`ScanProgress`.

    Attributes:
        scored: Numbers the model made.
        gone: Files known from before that are no longer there.
        problems: Folders that could not be looked into, with the reason.
        stopped: Whether it was stopped before its end; the next scan goes on where it stopped.
    """

    found: int
    known: int
    done: int
    failed: int
    scored: int
    gone: int
    problems: tuple[tuple[Path, str], ...]
    stopped: bool
    seconds: float
    stages: Mapping[str, float]
