"""New files, each handed on once it has stopped changing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60.0
"""Seconds after its last change that an unreadable file is still taken for half-written."""


@dataclass
class _Arrival:
    """The state of a file, since when it has been in it (seconds of the clock), and whether it could not be read in it."""

    size: int
    modified_ns: int
    since: float
    unreadable: bool = False


class Arrivals:
    """Waits for files until they are whole: ``quiet`` seconds of a ``clock`` that never goes back without change of size or time."""

    def __init__(self, quiet: float, clock: Callable[[], float]) -> None:
        self.quiet, self.clock = quiet, clock
        self._waiting: dict[Path, _Arrival] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def paths(self) -> Collection[Path]:
        """Files that are waited for."""
        return self._waiting.keys()

    def note(self, path: Path) -> None:
        """A file has appeared, or something has happened to it: its time starts anew."""
        self._waiting.pop(path, None)
        self._look(path)

    def unreadable(self, path: Path) -> None:
        """A file that was handed on could not be read: it is waited for until it changes, and given up after ``PATIENCE``."""
        self._look(path)
        if path in self._waiting:
            self._waiting[path].unreadable = True

    def _look(self, path: Path) -> None:
        """Compares the file with what it looked like; one that is gone is forgotten."""
        try:
            status = os.stat(path)  # noqa: PTH116 (may be called for thousands of files every second)
        except OSError:
            self._waiting.pop(path, None)
            return
        known = self._waiting.get(path)
        if known is None or (known.size, known.modified_ns) != (status.st_size, status.st_mtime_ns):
            self._waiting[path] = _Arrival(status.st_size, status.st_mtime_ns, self.clock())

    def whole(self) -> list[Path]:
        """Files that have not changed for long enough; they are no longer waited for.

        An empty file is one whose writing has not begun. It is given up, like an unreadable one, after ``PATIENCE``.
        """
        found = []
        for path in list(self._waiting):
            self._look(path)
            arrival = self._waiting.get(path)
            if arrival is None:
                continue
            age = self.clock() - arrival.since
            if arrival.unreadable or not arrival.size:
                if age >= PATIENCE:
                    del self._waiting[path]
            elif age >= self.quiet:
                del self._waiting[path]
                found.append(path)
        return found
