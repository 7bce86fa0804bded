"""Reads a store without leaving a trace beside it."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import stat
import tempfile
from pathlib import Path

from ..errors import CuratorError
from . import STORE_FOLDER

_SUFFIXES = ("-wal", "-shm", "-journal")
_SUPER = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"


class StoreError(CuratorError):
    """The library's file is damaged, of a newer version, not ours, or cannot be written."""


def check_beside(path: Path, writing: bool = False) -> None:
    """Refuses what may lie in the place of a store's file or beside it and would make SQLite change other files.

    That is a link, which it follows; whatever is no file, for which it may wait; and a rollback journal that names a second one, because
    it removes the file of that name, whatever it is. Only transactions over several files at once make such journals, and this program
    has none. What is to be written to must have no second name either: see :func:`linked_files`.

    Raises:
        StoreError: There is such a thing.
    """
    place = path.parent
    if place.name == STORE_FOLDER and os.path.lexists(place):
        real, expected = os.path.realpath(place), Path(os.path.realpath(place.parent), place.name)
        if os.path.normcase(real) != os.path.normcase(expected):
            raise StoreError(
                f"{place} is a link to {real}; expected a folder. Folders may come from strangers, so such a link is not followed. If you "
                f"made it yourself, name the store (with the command: --store {real})"
            )
    for each in (path, *(_beside(path, suffix) for suffix in _SUFFIXES)):
        try:
            mode = each.lstat().st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(mode):
            kind = "link" if stat.S_ISLNK(mode) else "folder" if stat.S_ISDIR(mode) else "pipe or a device"
            raise StoreError(
                f"{each} is a {kind}; expected a file of this program. It is not used, since it may have come along with the folder. Move "
                "it away and try again, or name another place (with the command: --store DIR): no picture is touched by that."
            )
    linked = [each.name for each in linked_files(path)] if writing else []
    if linked:
        raise StoreError(
            f"{place}: {' and '.join(linked)} {'has' if len(linked) == 1 else 'have'} a second name somewhere (a hard link), as in a "
            "backup that was made with 'cp -al' or the like; expected a file of this folder alone, for what is written here would change "
            "the backup too. Copy it to a new file and put that in its place: "
            + "; ".join(_own_copy(path.with_name(name)) for name in linked)
            + ". Lists, reports and dry runs work without that."
        )
    journal = _beside(path, "-journal")
    try:
        with journal.open("rb") as file:
            file.seek(-len(_SUPER), 2)
            found = file.read()
    except OSError:
        return
    if found == _SUPER:
        raise StoreError(
            f"{journal}: this file would make SQLite remove another one, and no program of ours wrote it; expected none like it. "
            "Move it away and try again."
        )


def linked_files(path: Path) -> list[Path]:
    """Which files of a store have further names, hard links.

    Two programs that write under two names do not see each other's log, so that SQLite's file is damaged; and one of them alone
    changes what the other takes for its own.
    """
    found = []
    for each in (path, *(_beside(path, suffix) for suffix in _SUFFIXES)):
        try:
            facts = each.lstat()
        except OSError:
            continue
        if stat.S_ISREG(facts.st_mode) and facts.st_nlink > 1:
            found.append(each)
    return found


class View:
    """A way to read an SQLite file as it is; ``newest`` is the version that needs no copy.

    Where nobody writes to it, it is read as a file that never changes; where a process does, by the shared memory that process made.
    A copy in the system's folder for temporary files is read instead where a process left something that was not yet brought into
    the file, where the file is of an older version, and where it is missing.

    Attributes:
        address: For ``sqlite3.connect`` with ``uri=True``.
        fixed: Whether the connection must not change anything.
    """

    def __init__(self, path: Path, newest: int) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.fixed = True
        log, memory = _beside(path, "-wal"), _beside(path, "-shm")
        rest = _beside(path, "-journal")
        busy = log.exists() and memory.exists()
        if path.is_file() and not _holds_anything(rest) and (busy or not _holds_anything(log)):
            self.address = f"{path.absolute().as_uri()}?mode=ro{'' if busy else '&immutable=1'}"
            if self._is_current(newest):
                return
        self._folder = tempfile.TemporaryDirectory(prefix="imagereward-")
        copy = Path(self._folder.name, path.name)
        try:
            for suffix in ("", "-wal", "-journal"):
                if _beside(path, suffix).is_file():
                    shutil.copyfile(_beside(path, suffix), _beside(copy, suffix))
        except BaseException:
            self.close()
            raise
        self.address, self.fixed = copy.absolute().as_uri(), False

    def _is_current(self, newest: int) -> bool:
        """Whether it can be read where it is, and needs no migration."""
        try:
            connection = sqlite3.connect(self.address, uri=True)
            try:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            finally:
                connection.close()
        except sqlite3.Error:
            return False
        return bool(version >= newest)

    def close(self) -> None:
        """Removes the copy, if there is one. The connections have to be closed before."""
        if self._folder is not None:
            self._folder.cleanup()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _holds_anything(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _own_copy(path: Path) -> str:
    """The command that makes a file of its own of one with several names."""
    own = path.with_name(f"{path.name}.own")
    if os.name == "nt":
        return f'copy "{path}" "{own}" && move /Y "{own}" "{path}"'
    return f"cp {shlex.quote(str(path))} {shlex.quote(str(own))} && mv {shlex.quote(str(own))} {shlex.quote(str(path))}"
