"""Scores pictures in pieces: memory stays flat, a bad picture costs no other, and Ctrl-C loses little."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..errors import Cancelled
from ..metadata.prompt_finder import FoundPrompt, picture_remarks
from ..scores import Scores
from .console import Console
from .inputs import Input
from .prompts import PromptFinder

if TYPE_CHECKING:
    from ..scorers.engine import Memory
    from ..scorers.panel import Panel

_FIRST, _LEAST, _MOST = 32, 16, 512
_SECONDS = 5.0
"""How long a piece should take: what a stop can lose at most."""


@dataclass(frozen=True)
class Scored:
    """The result of a run: the pictures that were reached, their prompts and scores, in the same order.

    Attributes:
        beside: Scores by other scorers, to be shown beside them.
        disputed: Pictures that scorers place very differently, with the reason.
        remarks: What a blend's numbers rest on, and how far the scorers agree, one sentence each.
        warnings: What must be known about the scorers themselves; these stand among the remarks too.
        stopped: Whether the person stopped the run before its end.
    """

    inputs: tuple[Input, ...]
    prompts: tuple[FoundPrompt, ...]
    scores: Scores
    beside: tuple[Scores, ...] = ()
    disputed: Mapping[int, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    stopped: bool = False


class StopSwitch:
    """While it lasts, the first of these signals (Ctrl-C) asks for a clean stop, with a ``promise``, and the second stops at once."""

    def __init__(
        self,
        console: Console,
        promise: str = "What has been scored so far will be printed",
        signals: Sequence[str] = ("SIGINT",),
    ) -> None:
        self.console, self.promise, self.event = console, promise, threading.Event()
        self._numbers = [getattr(signal, name) for name in signals if hasattr(signal, name)]
        self._before: dict[signal.Signals, Any] = {}

    def asked(self) -> bool:
        """Whether a stop was asked for."""
        return self.event.is_set()

    def __enter__(self) -> StopSwitch:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in self._numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.asked():
            raise KeyboardInterrupt
        self.event.set()
        self.console.complain(f"Stopping. {self.promise}; press Ctrl-C again to stop at once.")


class Steps:
    """Joins the scorer's own progress within a piece to progress over all pictures."""

    def __init__(self) -> None:
        self.before = 0
        self.report: Any = lambda done: None

    def progress(self, done: int, total: int) -> None:
        """For the runtime: how many pictures of the current piece are done."""
        self.report(self.before + done)


def in_pieces(
    number: int, console: Console, stop: StopSwitch, steps: Steps, score: Callable[[int, int], None]
) -> int:
    """Has ``number`` pictures scored piece by piece, until a person stops it; returns how many are done.

    The pieces grow until one takes about five seconds.

    Args:
        number: How many there are.
        console: Where progress is shown.
        stop: Asked before each piece; the runtime asks it too.
        steps: Of the runtime that scores.
        score: Scores the pictures from its first number up to, but without, its second.
    """
    done, size = 0, _FIRST
    with stop, console.count(number, "pictures") as steps.report:
        while done < number and not stop.asked():
            end = min(done + size, number)
            began = time.monotonic()
            steps.before = done
            try:
                score(done, end)
            except Cancelled:
                break
            rate = (end - done) / max(time.monotonic() - began, 1e-3)
            done = end
            steps.report(done)
            size = max(_LEAST, min(_MOST, 2 * size, round(rate * _SECONDS)))
    return done


def score_all(
    panel: Panel,
    inputs: Sequence[Input],
    find_prompt: PromptFinder,
    console: Console,
    stop: StopSwitch,
    steps: Steps,
) -> Scored:
    """Scores ``inputs`` in pieces, which grow until one takes about five seconds; Cancelled where not even the first one was done."""
    prompts: list[FoundPrompt] = []
    parts: list[list[Scores]] = []
    memory: Memory = {}

    def score(start: int, end: int) -> None:
        piece = inputs[start:end]
        asked = [
            FoundPrompt(problem=each.problem) if each.problem else find_prompt(each.path) for each in piece
        ]
        parts.append(_score_piece(panel, piece, asked, memory))
        prompts.extend(asked)

    stopped = in_pieces(len(inputs), console, stop, steps, score) < len(inputs)
    if not parts:
        raise Cancelled("stopped before the first pictures were scored")
    result = panel.judge([Scores.join(each) for each in zip(*parts)])
    seen = picture_remarks(
        each.picture_note for index, each in enumerate(prompts) if index not in result.main.failures
    )
    warnings = (*result.warnings, *seen)
    agreement = [pair.sentence() for pair in result.agreement]
    return Scored(
        inputs=tuple(inputs[: len(prompts)]),
        prompts=tuple(prompts),
        scores=result.main,
        beside=result.beside,
        disputed={each.index: each.reason for each in result.disagreements},
        remarks=tuple(filter(None, (result.basis, *warnings, *agreement))),
        warnings=warnings,
        stopped=stopped,
    )


def _score_piece(
    panel: Panel, piece: Sequence[Input], prompts: Sequence[FoundPrompt], memory: Memory
) -> list[Scores]:
    """Scores of all pictures of a piece by every scorer; what is no file to read is not shown to the scorers."""
    fit = [place for place, each in enumerate(piece) if not each.problem]
    pictures, texts = [piece[place].path for place in fit], [prompts[place].given for place in fit]
    seen = [prompt.seen for prompt in prompts]
    problems = {place: each.problem for place, each in enumerate(piece) if each.problem}
    return [some.spread(fit, seen, problems) for some in panel.score(pictures, texts, memory)]
