"""Groups of steps that wait for the disk together: as many as a moment allows, none of which works with files of another."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from ...metadata.companions import alike
from .records import Record

MOST_STEPS = 512
"""In one group, and looked at to choose one."""
MOST_BYTES = 64 * 1024 * 1024
"""Under hidden names at once, unless one file alone is larger."""

_FIRST_STEPS = 32
_SHORT_SECONDS, _LONG_SECONDS = 0.25, 1.0
_LONG_NAME = 150
_NUMBERS = re.compile(r"( \(\d+\))+(?=\.|$)")

Key = tuple[object, ...]


class Groups:
    """Records in groups that are independent of each other within, in an order in which none overtakes one that it depends on.

    The next group is chosen when the one before is done. It is the larger, the faster that went, so that progress is shown and a request
    to stop is heard about twice a second on a slow disk too. A few hundred records are read ahead.
    """

    def __init__(self, records: Iterator[Record]) -> None:
        self._records = records
        self._waiting: list[Record] = []
        self._most = min(_FIRST_STEPS, MOST_STEPS)

    def __iter__(self) -> Iterator[list[Record]]:
        while True:
            for record in self._records:
                self._waiting.append(record)
                if len(self._waiting) >= MOST_STEPS:
                    break
            if not self._waiting:
                return
            group = self._choose()
            began = time.perf_counter()
            yield group
            seconds = time.perf_counter() - began
            if seconds < _SHORT_SECONDS and len(group) == self._most:
                self._most = min(2 * self._most, MOST_STEPS)
            elif seconds > _LONG_SECONDS:
                self._most = max(self._most // 2, 1)

    def _choose(self) -> list[Record]:
        group: list[Record] = []
        left: list[Record] = []
        taken: set[Key] = set()
        folders = _Folders()
        room = MOST_BYTES
        for number, record in enumerate(self._waiting):
            if len(group) == self._most:
                left += self._waiting[number:]
                break
            # One that is left behind keeps its files: what follows it and needs them is left behind too.
            keys = folders.keys_of(record)
            if room >= 0 and taken.isdisjoint(keys):
                size = folders.bytes_of(record)
                if not group or size <= room:
                    group.append(record)
                    room -= size
                else:
                    left.append(record)
                    room = -1
            else:
                left.append(record)
            taken |= keys
        self._waiting = left
        return group


class _Folders:
    """What the files of a step are known by while a group is chosen, whichever way their names are spelled."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Key]] = {}

    def keys_of(self, record: Record) -> set[Key]:
        """Two steps that share none work with different files, those included that travel with a picture or bear its name."""
        keys: set[Key] = set()
        for path in {os.fspath(path) for path in (record.source, record.target, record.made) if path}:
            keys.update(self._keys(path))
            if os.path.islink(path):  # noqa: PTH114 - many times faster than for a Path, here and below
                keys.update(self._keys(os.path.realpath(path)))
        return keys

    def _keys(self, path: str) -> Iterator[Key]:
        parent, name = os.path.split(path)
        folder, name = self._folder(parent)[1], _plain(name)
        stem = name.rpartition(".")[0] or name
        yield folder, name
        yield folder, stem
        yield folder, stem.removesuffix(".swarm")  # a.swarm.json is of a.png and of a.swarm.png
        if len(os.fsencode(name)) > _LONG_NAME:  # of which the next free one may be cut
            yield folder, name[: _LONG_NAME // 4], "long"

    def _folder(self, folder: str) -> tuple[int, Key]:
        """Its device; and what it is known by: the folder itself, or the next one above that is there and the names below it."""
        asked, below = folder, []
        while (known := self._known.get(folder)) is None:
            try:
                facts = os.stat(folder)  # noqa: PTH116
                known = self._known[folder] = facts.st_dev, (facts.st_dev, facts.st_ino)
                break
            # ValueError: a zero byte, from a journal that somebody else has written.
            except (OSError, ValueError):
                parent, name = os.path.split(folder)
                if parent == folder:
                    known = 0, (folder,)
                    break
                below.append(_plain(name))
                folder = parent
        device, above = known
        known = self._known[asked] = device, (*above, *reversed(below))
        return known

    def _device(self, path: Path) -> int:
        return self._folder(os.fspath(path.parent))[0]

    def bytes_of(self, record: Record) -> int:
        """How much a step writes under hidden names, about."""
        if record.flaw or record.kind in ("hardlink", "symlink"):
            return 0
        if record.kind == "put":
            return max(len(record.content), len(record.former or b""))
        if record.kind == "move" and self._device(record.source) == self._device(record.target):
            return 0
        for path in (record.made or record.source, record.source):
            try:
                return path.stat().st_size
            except OSError:
                continue
        return 0


def _plain(name: str) -> str:
    """A name as all its spellings have it, without the number that a free name gets."""
    return _NUMBERS.sub("", alike(name))
