"""One actor at a time in a folder, whatever store it uses.

Two commands with stores of their own keep out of each other's way, a WebUI and a command as well, also where one works in a folder and
the other in one inside of it.

On Linux and macOS the folder itself is locked, and all those above it are held shared, so that nothing is written anywhere and a folder
that can only be read is locked as well. Where a system or a file system cannot do that (Windows, some network shares), programs of one
user on one machine find each other by files in the system's folder for temporary files. Programs on two machines exclude each other by
the journal alone, which is locked as well, as long as they use the same store.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ...errors import WeightsError
from ...weights.locks import exclusive

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PATIENCE = 1.0
"""Seconds for which the folders above are tried: the system's own tidying holds one for a moment now and then."""


@contextmanager
def only_actor(folders: Sequence[Path]) -> Iterator[None]:
    """A context in which nobody else who asks the same way acts in these folders, in those inside of them, or in those around them.

    Raises:
        WeightsError: Somebody does.
    """
    with ExitStack() as held:
        for folder in dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders):
            if not (fcntl is not None and _lock_folders(folder, held)):
                _lock_by_file(folder, held)
        yield


def _busy(folder: Path) -> WeightsError:
    return WeightsError(
        f"another program is working in {folder} just now; wait until it is done and try again"
    )


def _lock_folders(folder: Path, held: ExitStack) -> bool:
    """Locks a folder and holds those above it; false where it cannot be locked on its file system."""
    for above in reversed(folder.parents):
        handle = _opened(above, held)
        if handle is not None:
            _flock(handle, fcntl.LOCK_SH, above, _PATIENCE)
    handle = _opened(folder, held)
    return handle is not None and _flock(handle, fcntl.LOCK_EX, folder, 0)


def _opened(folder: Path, held: ExitStack) -> int | None:
    try:
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:  # one that may be passed through, but not be read
        return None
    held.callback(os.close, handle)
    return handle


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
                raise _busy(folder) from error
            time.sleep(0.05)


def _lock_by_file(folder: Path, held: ExitStack, place: Path | None = None) -> None:
    """Locks a file that names the folder, after a look at those that others hold.

    Args:
        folder: The folder, links resolved.
        held: Gives the lock back.
        place: Where these files lie.
    """
    own = os.getuid() if hasattr(os, "getuid") else ""
    place = place or Path(tempfile.gettempdir(), f"imagereward-locks-{own}".rstrip("-"))
    place.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and place.lstat().st_uid != own:
        raise WeightsError(
            f"{place} belongs to another user; remove it, so that programs can lock folders there"
        )
    until = time.monotonic() + 30

    def wait() -> None:
        if time.monotonic() > until:
            raise _busy(folder)

    with exclusive(place / "all", wait):
        for note in place.glob("*.folder"):
            with suppress(OSError):
                other = Path(os.fsdecode(note.read_bytes()))
                if _is_held(note):
                    if _overlap(folder, other):
                        raise _busy(other)
                else:
                    note.unlink()
                    note.with_name(f".{note.name}.lock").unlink(missing_ok=True)
        name = f"{hashlib.sha256(os.fsencode(os.path.normcase(folder))).hexdigest()[:32]}.folder"
        held.enter_context(exclusive(place / name))
        (place / name).write_bytes(os.fsencode(folder))


def _is_held(note: Path) -> bool:
    try:
        with exclusive(note):
            return False
    except WeightsError:
        return True


def _overlap(one: Path, other: Path) -> bool:
    first, second = (Path(os.path.normcase(path)) for path in (one, other))
    return first == second or first in second.parents or second in first.parents
