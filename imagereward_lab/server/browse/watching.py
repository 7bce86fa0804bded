"""Scores what is new in the folder while the page is open: what is there first, then what arrives, by the watch's own code."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError
from imagereward_core.library.curate.options import CurateOptions
from imagereward_core.library.store.records import Query
from imagereward_core.library.watch.folder_events import WatchError
from imagereward_core.library.watch.watcher import Watcher, WatchSettings

if TYPE_CHECKING:
    from imagereward_core.library.scan.progress import ScanProgress
    from imagereward_core.library.watch.watcher import Pass
    from imagereward_core.scorers.panel import Panel

    from .desk import Desk

_SHARE = 5
"""While a folder is scored, its pages are brought up to date so seldom that this takes one part in so many of the time."""
_LOOK = 3.0
"""Seconds between two looks at whether another program has written to the library."""
_LIST = 10.0
"""Seconds between two looks at the folder while nothing can be scored."""


class Scorer:
    """Work in a thread of its own. ``load`` makes the scorers ready; it may take long and raise CuratorError, and None only looks.

    ``settings`` say how arrivals are waited for. What cannot be scored is listed all the same, so that it can be looked at.
    """

    def __init__(
        self, desk: Desk, load: Callable[[], Panel | None], settings: WatchSettings | None = None
    ) -> None:
        self.desk, self.load, self.settings = desk, load, settings or WatchSettings()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._state: dict[str, Any] = {"stage": "none"}

    def begin(self) -> None:
        """Starts."""
        self._thread = threading.Thread(target=self._run, name="imagereward-scorer", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stops; what is scored is kept."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    @property
    def state(self) -> dict[str, Any]:
        """For pages: ``stage`` is none, loading, scoring, watching, following (another program scores) or failed, and what goes with it."""
        return self._state

    def _tell(self, stage: str, **told: Any) -> None:
        self._state = {"stage": stage, **told}
        self.desk.events.tell("scoring", self._state)

    def _run(self) -> None:
        every: float | None = self.settings.poll or _LIST
        try:
            self._tell("loading")
            panel = self.load()
            if panel is not None:
                self._score(panel)
                self._watch(panel)
                return
        except WatchError as error:  # somebody watches already, or nothing can tell of changes
            self._tell("following", problem=str(error))
            every = None
        except (CuratorError, ImportError) as error:
            self._tell("failed", problem=str(error))
        except Exception as error:
            self._tell("failed", problem=f"scoring failed here: {type(error).__name__}: {error}")
        else:
            self._tell("none")
            # A folder of which nothing is known would be an empty page.
            unknown = not self.desk.library.count(Query(folder=self.desk.folder))
            every = math.inf if unknown and not self.desk.library.database.read_only else None
        self._follow(every)

    def _score(self, panel: Panel) -> None:
        """What is there: found first, so that it can be seen, then scored."""
        desk, due = self.desk, 0.0

        def told(progress: ScanProgress) -> None:
            nonlocal due
            self._tell(
                "scoring", done=progress.done, total=progress.total, seconds_left=progress.seconds_left
            )
            if progress.done and time.monotonic() >= due:
                due = self._refreshed()

        result = desk.library.scan(
            [desk.folder], panel, options=desk.scan, progress=told, cancelled=self._stop.is_set
        )
        if result.done or result.scored:
            desk.refresh()
        self._tell("watching", scored=result.scored, failed=result.failed)

    def _refreshed(self) -> float:
        """When the pages may be brought up to date again, after they have been."""
        began = time.monotonic()
        self.desk.refresh()
        spent = time.monotonic() - began
        return time.monotonic() + max(1.0, (_SHARE - 1) * spent)

    def _watch(self, panel: Panel) -> None:
        def report(done: Pass) -> None:
            self._tell("watching", scored=done.scan.scored, failed=done.scan.failed)
            self.desk.refresh()

        # Everything stays where it is: a person curates, from the page.
        options = CurateOptions(action="stay", scan=self.desk.scan)
        watcher = Watcher(
            self.desk.library,
            panel,
            self.desk.folder,
            options,
            self.settings,
            report=report,
            complain=lambda text: self._tell("watching", problem=text),
        )
        watcher.run(self._stop)

    def _follow(self, every: float | None) -> None:
        """Brings the pages up to date whenever the library is written to.

        Every so many seconds what is new in the folder is put there first, without scores: None for never, infinity for once.
        """
        desk, due = self.desk, math.inf if every is None else 0.0
        with contextlib.suppress(OSError):
            before = self._written()
            while not self._stop.is_set():
                if time.monotonic() >= due:
                    with contextlib.suppress(CuratorError):  # the page says already why nothing is scored
                        desk.library.scan([desk.folder], None, options=desk.scan, cancelled=self._stop.is_set)
                    due = time.monotonic() + (every or 0.0)
                if (now := self._written()) != before:
                    before = now
                    with contextlib.suppress(CuratorError):  # what cannot be read now is shown as it was
                        desk.look_again()
                        desk.refresh()
                self._stop.wait(min(_LOOK, every or _LOOK))

    def _written(self) -> list[tuple[int, int]]:
        store = self.desk.library.database.path
        files = [store, store.with_name(f"{store.name}-wal")]
        return [
            (state.st_mtime_ns, state.st_size) for path in files if path.exists() for state in [path.stat()]
        ]
