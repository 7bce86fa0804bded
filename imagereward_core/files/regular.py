"""Opens regular files only, so that a pipe or a device in their place makes no program wait for ever."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotAFileError(OSError):
    """A path leads to something that is no regular file; ``strerror`` says to what."""


def kind_of(mode: int) -> str:
    """The kind of file in the mode of a ``stat``, in words; empty for a regular file."""
    if stat.S_ISREG(mode):
        return ""
    return next((words for is_kind, words in _KINDS if is_kind(mode)), "something that is no file")


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """A regular file, opened for reading its bytes. Nothing else is opened, or waited for.

    Devices are not even opened, since that alone can do something. Where a file is replaced by a pipe between the look and the opening,
    the opening does not wait, and what was opened is looked at again.

    Raises:
        NotAFileError: It is a folder, a pipe, a socket or a device.
        OSError: It is not there, or may not be read.
        ValueError: The path holds a zero byte.
    """
    _check(os.stat(path).st_mode, path)  # noqa: PTH116 (Path("") would be the current folder)
    handle = os.open(path, _FLAGS)
    try:
        _check(os.fstat(handle).st_mode, path)
        return open(handle, "rb")  # noqa: PTH123
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: str | os.PathLike[str], most: int | None = None) -> bytes:
    """The bytes of a regular file, at most ``most`` of them.

    Raises:
        NotAFileError, OSError, ValueError: As for :func:`open_regular`.
    """
    with open_regular(path) as stream:
        return stream.read() if most is None else stream.read(most)


def is_regular(path: str | os.PathLike[str]) -> bool:
    """Whether there is a regular file; False also where that cannot be found out."""
    return os.path.isfile(path)  # noqa: PTH113 (Path.is_file raises where a folder may not be looked into)


def nearest_existing(path: Path) -> Path:
    """The path itself, or the nearest folder above that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether there is a folder; False also where that cannot be found out."""
    return os.path.isdir(path)  # noqa: PTH112 (as above)


def _check(mode: int, path: str | os.PathLike[str]) -> None:
    kind = kind_of(mode)
    if kind:
        raise NotAFileError(errno.EINVAL, f"found {kind}; expected a file", str(Path(path)))
