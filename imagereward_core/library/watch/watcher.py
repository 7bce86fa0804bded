"""Watches a folder: scores and sorts what arrives while a generator, whichever it is, goes on making pictures."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import CuratorError, WeightsError
from ...files.locks import exclusive
from ...files.regular import is_folder
from ...files.values import absolute
from ..curate.carry_out import Carried, carry_out
from ..curate.options import CurateOptions
from ..curate.plan import Curation, plan_curation
from ..curate.summary import rule_words
from .arrivals import Arrivals
from .folder_events import WatchError, WatchLimitError, folder_events

if TYPE_CHECKING:
    from ...scorers.panel import Panel
    from ..library import Library
    from ..scan.progress import ScanResult

_TICK = 0.25
_AGAIN = 5.0
_POLL = 10.0
"""Seconds between two looks where the system watches no more folders."""


@dataclass(frozen=True)
class WatchSettings:
    """When a watch looks and acts.

    Attributes:
        quiet: Seconds without a change after which a file is taken for whole.
        gather: Seconds the first of a batch waits for others at most.
        batch: Pictures that are dealt with at once without waiting for more.
        sweep: Seconds after which the whole folder is looked through, in case the system has kept something to itself.
        poll: Seconds between two looks at the folder, without the system's events; 0 for events.
    """

    quiet: float = 2.0
    gather: float = 5.0
    batch: int = 64
    sweep: float = 600.0
    poll: float = 0.0


@dataclass(frozen=True)
class Pass:
    """The result of one look at the folder: what the scan came to, the plan, and what was done."""

    scan: ScanResult
    curation: Curation
    carried: Carried


class Watcher:
    """Watches a folder until it is stopped. What came while nobody watched is dealt with at the start.

    Every picture that arrives is judged together with all others the library knows in the folder, as far as the rule compares them, so
    that in the end each lies where one run of ``curate`` over everything would have put it when it came. Files that did not arrive just
    now are dealt with at the start and whenever the whole folder is looked through; if they are to be sorted anew, each time. What
    somebody takes back with ``undo`` meanwhile is left alone until the watch is started anew.

    ``report`` is told what each look came to, where it came to something, and ``complain`` in words what went wrong; the watch goes on.
    """

    def __init__(
        self,
        library: Library,
        panel: Panel,
        folder: Path,
        options: CurateOptions,
        settings: WatchSettings | None = None,
        report: Callable[[Pass], None] = lambda _: None,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.library, self.panel, self.folder = library, panel, absolute(folder)
        self.options, self.settings = options, settings or WatchSettings()
        self.report, self.complain = report, complain
        self.destinations = options.destinations(self.folder)
        self.arrivals = Arrivals(self.settings.quiet, time.monotonic)
        self._told: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._batch: dict[Path, None] = {}
        self._batch_since = 0.0
        self._rest_until = 0.0
        self._taken_back: set[Path] = set()
        self._undone: dict[int, int] | None = None
        self._polling = self.settings.poll
        self._store: tuple[int, int] | None = None

    def run(self, stop: threading.Event) -> None:
        """Watches until ``stop`` is set; what is being done with one file is finished first.

        Raises:
            WatchError: The folder cannot be watched, or somebody watches it already.
        """
        place = self.library.database.path.parent / "watch"
        try:
            with exclusive(place):
                self._store = self._store_now()
                while not stop.is_set():
                    if not self._there():
                        self.complain(f"{self.folder} is not there; waiting for it")
                        while not (stop.wait(_AGAIN) or self._there()):
                            pass
                    elif self._session(stop):
                        stop.wait(_AGAIN)
        except WeightsError as error:
            raise WatchError(
                f"{self.folder} is being watched already, with the same store; stop the other watch first"
            ) from error

    def _there(self) -> bool:
        """Whether the folder is there. While it is not, nothing is made in its place: with its return its store is to return as well.

        Raises:
            WatchError: A folder is there, and the store it was watched with is not.
        """
        if not is_folder(self.folder):
            return False
        if self._store is not None and self._store_now() != self._store:
            if not is_folder(self.folder):  # it has just gone
                return False
            raise WatchError(
                f"{self.folder} is there again, and the store in it, {self.library.database.path}, is another or none. Nothing has been "
                "written. Start the watch anew to go on with what is there now"
            )
        return True

    def _store_now(self) -> tuple[int, int] | None:
        """Which file the store is; None where there is none."""
        try:
            status = self.library.database.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _session(self, stop: threading.Event) -> bool:
        """Watches until stopped, or until the folder or the system's events are gone (true)."""
        with self._events() as alive:
            due = 0.0
            while not stop.is_set():
                now = time.monotonic()
                if not alive() or not self._there():
                    return True
                if now >= due:
                    if self._look(None, stop):
                        due = time.monotonic() + (self._polling or self.settings.sweep)
                    else:
                        due = time.monotonic() + _AGAIN
                self._take_in(stop)
                self._deal(stop)
        return False

    @contextmanager
    def _events(self) -> Iterator[Callable[[], bool]]:
        with ExitStack() as stack:
            alive: Callable[[], bool] = lambda: True  # noqa: E731
            if not self._polling:
                try:
                    alive = stack.enter_context(folder_events(self.folder, self._told.put))
                except WatchLimitError as error:
                    self._polling = _POLL
                    self.complain(
                        f"{error}. Until it is started anew, this watch looks every {_POLL:g} seconds"
                    )
            yield alive

    def _take_in(self, stop: threading.Event) -> None:
        """Waits a moment for events of the system, and notes them."""
        try:
            path = self._told.get(timeout=_TICK)
            while True:
                if not self.destinations.home(path).name:
                    self._batch.pop(path, None)
                    self.arrivals.note(path)
                path = self._told.get_nowait()
        except queue.Empty:
            pass
        if len(self.arrivals):
            for path in self.arrivals.whole():
                if not self._batch:
                    self._batch_since = time.monotonic()
                self._batch[path] = None

    def _deal(self, stop: threading.Event) -> None:
        """Deals with what is whole, once enough has gathered or has waited long enough."""
        now = time.monotonic()
        if not self._batch or now < self._rest_until or stop.is_set():
            return
        waited = now - self._batch_since >= self.settings.gather
        if not (waited or len(self._batch) >= self.settings.batch or not len(self.arrivals)):
            return
        if self._look(list(self._batch), stop):
            self._batch.clear()
        else:
            self._rest_until = time.monotonic() + _AGAIN

    def _look(self, batch: Sequence[Path] | None, stop: threading.Event) -> bool:
        """Scans and sorts what has arrived, or everything; false where it has to be done again."""
        began = time.monotonic()
        if not self._there():
            return False
        files = None if batch is None else tuple(batch)
        try:
            scan = self.library.scan(
                [self.folder],
                self.panel,
                options=replace(self.options.scan, files=files),
                cancelled=stop.is_set,
            )
            if scan.stopped:
                return False
            curation = self._plan(batch)
            carried = carry_out(
                self.library, curation, title=f"watch, {rule_words(self.options)}", cancelled=stop.is_set
            )
        except (CuratorError, OSError) as error:
            self.complain(str(error))
            return False
        self._wait_for_more(curation)
        if scan.scored or scan.failed or carried.run or carried.failed:
            self.report(Pass(scan, curation, carried))
        # Reading a large library takes its time; half of it is left to the generator.
        self._rest_until = time.monotonic() + min(30.0, time.monotonic() - began)
        return True

    def _plan(self, batch: Sequence[Path] | None) -> Curation:
        if not self._there():  # opening the journal would make a folder anew
            raise WatchError(f"{self.folder} is not there")
        fresh = time.time_ns() - int(self.settings.quiet * 1e9)
        hold = frozenset({*self.arrivals.paths, *self._left_alone()})
        options = replace(self.options, fresh_ns=fresh, hold=hold)
        # What is sorted anew may have to make room for what arrives.
        only = None if options.resort else batch
        return plan_curation(self.library, self.panel, self.folder, options, only)

    def _wait_for_more(self, curation: Curation) -> None:
        """Pictures that were too fresh, or could not be read and may be half-written, are waited for."""
        now = time.time_ns()
        for row, placing in zip(curation.rows, curation.placings, strict=True):
            if placing.fate == "fresh" and row.path not in self._taken_back:
                if row.path not in self.arrivals.paths:
                    self.arrivals.note(row.path)
            elif placing.fate == "unscored" and not row.content and now - row.modified_ns < 60e9:
                self.arrivals.unreadable(row.path)

    def _left_alone(self) -> set[Path]:
        """Files that somebody has taken back since the watch began."""
        with self.library.journal(looking=True) as journal:
            undone = journal.undone()
            if self._undone is None:
                self._undone = undone
            for run, number in undone.items():
                if number > self._undone.get(run, 0):
                    self._taken_back |= {
                        info.step.source
                        for info in journal.steps(run)
                        if info.state == "undone" and info.step.kind not in ("edit", "put")
                    }
            self._undone = undone
        return self._taken_back
