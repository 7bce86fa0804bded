"""Locks a folder, so that one process at a time acts in it, whatever store it uses.

Two commands with stores of their own keep out of each other's way, a WebUI and a command as well, also where one works in a folder and
the other in one inside of it.

On Linux and macOS the folder itself is locked, and all those above it are held shared, so that nothing is written anywhere and a folder
that can only be read is locked as well. Folders are known by the numbers the system has for them, and those above it are looked for by
every mount that leads there. Where a system or a file system cannot do that (Windows, some network shares), programs of one user on one
machine find each other by files in the system's folder for temporary files. Programs on two machines exclude each other by the journal
alone, which is locked as well, as long as they use the same store.

Nobody waits for a lock for more than a moment, so that no two can wait for each other.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ...errors import WeightsError
from ...files.locks import StrangeLockError, exclusive

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PATIENCE = 1.0
"""Seconds for which the folders above are tried: the system's own tidying holds one for a moment now and then."""
_MOST = 64
"""Folders that are locked one by one; of further ones those around them. Each takes an open file, of which some systems allow 256."""
_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")

Key = tuple[int, int] | str
"""By what a folder is known: the system's numbers for it, or its path where it has none."""


class BusyError(WeightsError):
    """Somebody else acts in a folder; ``folder`` is that, or one around it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"another program is working in {folder} just now; wait until it is done and try again"
        )
        self.folder = folder


@contextmanager
def only_actor(folders: Iterable[Path]) -> Iterator[Held]:
    """A context in which nobody else who asks the same way acts in these folders, in those inside of them, or in those around them.

    Raises:
        BusyError: Somebody does; then none of them is locked.
    """
    with ExitStack() as stack:
        held = Held(stack)
        held.add(folders)
        yield held


class Held:
    """The folders in which one actor acts, until ``stack`` gives the locks back."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._open: dict[Key, int] = {}
        self._own: set[Key] = set()
        self._notes: set[str] = set()

    def add(self, folders: Iterable[Path]) -> None:
        """Locks further folders. One that is not there yet is held by those above it, and can be added once it is made.

        Raises:
            BusyError: Somebody else acts there.
        """
        places = {(place := _Place(folder)).key: place for folder in folders}
        for place in sorted(places.values(), key=lambda each: (len(each.folder.parts), str(each.folder))):
            if len(self._own) >= _MOST and place.folder.parent != place.folder:
                place = _Place(place.folder.parent)
            if self._own.isdisjoint((place.key, *place.above)):
                self._lock(place)

    def _lock(self, place: _Place) -> None:
        by_folders = fcntl is not None
        if by_folders:
            for key, folder in place.above.items():
                if key not in self._open and (handle := self._opened(key, folder)) is not None:
                    by_folders &= _flock(handle, fcntl.LOCK_SH, folder, _PATIENCE)
        there = place.folder.is_dir()
        if there and fcntl is not None:
            handle = self._open.get(place.key) or self._opened(place.key, place.folder)
            if handle is not None and _flock(handle, fcntl.LOCK_EX, place.folder, 0):
                self._own.add(place.key)
                return
        if there or not by_folders:
            _lock_by_file(place, self._stack, self._notes, there)
        if there:
            self._own.add(place.key)

    def _opened(self, key: Key, folder: Path) -> int | None:
        try:
            handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        except OSError:  # one that may be passed through, but not be read
            return None
        self._stack.callback(_give_back, handle)
        self._open[key] = handle
        return handle


def _give_back(handle: int) -> None:
    # By name: a process that the host has started meanwhile may hold the file open for longer.
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


class _Place:
    """A folder with what it is known by, and all those above it, by whichever path: outer ones first."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.key = _key(self.folder)
        above = [each for way in ways_to(self.folder) for each in reversed(way.parents)]
        self.above = {_key(each): each for each in above}

    def overlaps(self, other: _Place) -> bool:
        """Whether one is the other, or lies in it."""
        return self.key == other.key or self.key in other.above or other.key in self.above


def _key(folder: Path) -> Key:
    try:
        facts = folder.stat()
    except OSError:
        return os.path.normcase(folder)
    return (facts.st_dev, facts.st_ino) if facts.st_ino else os.path.normcase(folder)


def _flock(handle: int, kind: int, folder: Path, patience: float) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
                return False
            if time.monotonic() >= until:
                raise BusyError(folder) from error
            time.sleep(0.05)


def _lock_by_file(place: _Place, held: ExitStack, own: set[str], there: bool) -> None:
    """Locks a file that names the folder, after a look at those that others hold; for a folder that is not ``there``, only looks.

    ``own`` are the files of this actor, which it need not keep out of; this one is added.
    """
    user = os.getuid() if hasattr(os, "getuid") else ""
    notes = Path(tempfile.gettempdir(), f"imagereward-locks-{user}".rstrip("-"))
    notes.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and notes.lstat().st_uid != user:
        raise StrangeLockError(
            f"{notes} belongs to another user; remove it, so that programs can lock folders there"
        )
    until = time.monotonic() + 30

    def wait() -> None:
        if time.monotonic() > until:
            raise BusyError(place.folder)

    with exclusive(notes / "all", wait):
        for note in notes.glob("*.folder"):
            if note.name in own:
                continue
            with suppress(OSError):
                other = _Place(Path(os.fsdecode(note.read_bytes())))
                if _is_held(note):
                    if place.overlaps(other):
                        raise BusyError(other.folder)
                else:
                    note.unlink()
                    note.with_name(f".{note.name}.lock").unlink(missing_ok=True)
        if not there:
            return
        name = f"{hashlib.sha256(os.fsencode(os.path.normcase(place.folder))).hexdigest()[:32]}.folder"
        held.enter_context(exclusive(notes / name))
        (notes / name).write_bytes(os.fsencode(place.folder))
        own.add(name)


def _is_held(note: Path) -> bool:
    try:
        with exclusive(note):
            return False
    except WeightsError:
        return True


def ways_to(folder: Path) -> list[Path]:
    """The paths of a folder, links resolved: its own and those by other mounts of the same file system, each led to that very folder."""
    found = [folder]
    mounts = _mounts()
    # The last one: a later mount in the same place hides the earlier.
    own = max(
        (mount for mount in mounts if _below(folder, mount[1])),
        key=lambda mount: len(mount[1].parts),
        default=None,
    )
    if own is None:
        return found
    device, place, start = own
    inside = start / folder.relative_to(place)
    for other, where, root in mounts:
        if other == device and _below(inside, root):
            path = where / inside.relative_to(root)
            if path not in found and _same(path, folder):
                found.append(path)
    return found


def _below(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def _mounts() -> list[tuple[str, Path, Path]]:
    """Device, place and the folder of the file system that is shown there, of every mount, the last first; empty on other systems."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for line in reversed(lines):
        parts = os.fsdecode(line).split(" ")
        if len(parts) > 4:
            root, place = (Path(_ESCAPED.sub(lambda each: chr(int(each[1], 8)), text)) for text in parts[3:5])
            found.append((parts[2], place, root))
    return found
