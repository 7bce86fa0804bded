"""Runs a scan from beginning to end, with its progress."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import Cancelled, CuratorError, PromptError
from ...files.sqlite import Database
from ...files.values import absolute, intern
from ...metadata.picture_prompt import READER
from ...metadata.prompt_finder import PromptFinder
from ...metadata.types import has_words
from ..store.scores import adopt, scorer_keys, scorer_number
from .keys import Voice, key_of
from .options import ScanOptions
from .pending import Asked, Register
from .progress import ScanProgress, ScanResult
from .work import Turn, Work

if TYPE_CHECKING:
    from ...scorers.engine import PictureScorer
    from ...scorers.panel import Panel

log = logging.getLogger(__name__)

_WINDOW_SECONDS = 20.0
"""Over how long a rate is taken: long enough to be steady, short enough to follow a change."""

Report = Callable[[ScanProgress], None]


def scan(
    database: Database,
    roots: Sequence[Path],
    panel: Panel | None,
    options: ScanOptions,
    progress: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
    turn: Turn | None = None,
) -> ScanResult:
    """Brings the library up to date with folders; see :meth:`imagereward_core.library.library.Library.scan`."""
    began = time.monotonic()
    stop = cancelled or (lambda: False)
    asked, voices = _asked(database, panel, options)
    register = Register(database, options, asked)
    work = Work(database, options, asked, voices, turn)
    meter = _Meter(register, work, progress)
    finished = register.run(
        [absolute(root) for root in roots], lambda: meter.tell(register.found, None), stop
    )
    if finished:
        total = len(register.pending)
        meter = _Meter(register, work, progress)
        meter.tell(0, total)
        try:
            finished = work.run(register.pending, lambda: meter.tell(work.tally.done, total), stop)
        except Cancelled:
            finished = False
    return ScanResult(
        found=register.found,
        known=register.found - len(register.pending),
        done=work.tally.done,
        failed=work.tally.failed,
        scored=work.tally.scored,
        gone=register.gone,
        problems=tuple(register.problems),
        stopped=not finished,
        seconds=time.monotonic() - began,
        stages=dict(work.tally.stages),
    )


def _asked(database: Database, panel: Panel | None, options: ScanOptions) -> tuple[Asked, list[Voice]]:
    """The aims of a scan, in the library's numbers."""
    scorers = panel.scorers if panel is not None else ()
    prompt = None
    if options.prompt is not None:
        prompt = PromptFinder(options.prompt, raw=options.raw_prompt)(Path()).seen
        if not has_words(prompt):
            raise PromptError(
                f"the prompt for all pictures is {options.prompt!r}, which holds no words; expected a description of the pictures"
            )
    former = {scorer: _former(database, scorer) for scorer in scorers}
    with database.writing() as connection:
        voices = []
        for scorer in scorers:
            reads_prompt = scorer.card.needs_prompt
            adopt(connection, key_of(scorer), former[scorer])
            voices.append(
                Voice(scorer_number(connection, key_of(scorer), reads_prompt), scorer, reads_prompt)
            )
        number = None if prompt is None else intern(connection, prompt)
    mark = f"{options.prompt_from}{'/raw' if options.raw_prompt else ''}/{READER}"
    return Asked(tuple(voice.number for voice in voices), mark, number), voices


def _former(database: Database, scorer: PictureScorer) -> tuple[tuple[str, str], ...]:
    """Names that earlier versions gave the weights of a scorer that is new to a library with scores by others; else nothing is read."""
    with database.reading() as connection:
        keys = scorer_keys(connection)
    if not keys or key_of(scorer) in keys:
        return ()
    try:
        return scorer.former()
    except (OSError, CuratorError) as error:
        log.debug("what earlier versions called %s is unknown: %s", scorer.card.id, error)
        return ()


class _Meter:
    """Reports progress with the rate of the last seconds."""

    def __init__(self, register: Register, work: Work, report: Report | None) -> None:
        self.register, self.work, self.report = register, work, report
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def tell(self, count: int, total: int | None) -> None:
        """So many of a total, or of what nobody knows yet, have been dealt with."""
        if self.report is None:
            return
        now = time.monotonic()
        self._marks.append((now, count))
        while len(self._marks) > 2 and now - self._marks[1][0] > _WINDOW_SECONDS:
            self._marks.popleft()
        then, before = self._marks[0]
        rate = (count - before) / (now - then) if now > then else 0.0
        tally = self.work.tally
        self.report(
            ScanProgress(
                found=self.register.found,
                known=self.register.found - len(self.register.pending),
                done=tally.done,
                failed=tally.failed,
                total=total,
                rate=rate,
                seconds_left=(total - count) / rate if total is not None and rate > 0 else None,
                stages=dict(tally.stages),
            )
        )
