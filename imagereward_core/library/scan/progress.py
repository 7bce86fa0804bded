"""Progress and result of a scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

STAGES = ("read", "decode", "infer", "write")


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
