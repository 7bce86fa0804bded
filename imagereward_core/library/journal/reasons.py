"""Reasons why the system refused something, in words a person can act on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from .files import Refused

_WINDOWS_NEEDS_RIGHTS = 1314
_WINDOWS_IN_USE = (32, 33)

_TEXTS = {
    errno.ENOSPC: "the disk of {folder} is full; free some room and do it again",
    errno.EROFS: "{folder} is on a file system that can only be read",
    errno.EACCES: "{folder} or a file in it may not be changed by this user; check their permissions",
    errno.EPERM: "{folder} or a file in it may not be changed by this user; check their permissions",
    errno.ENAMETOOLONG: "the name is too long for the file system of {folder}; choose a shorter folder",
    errno.EINVAL: "the file system of {folder} does not allow this name",
    errno.ENOTDIR: "a part of {folder} is a file; expected folders only",
    errno.EMLINK: "the file system of {folder} allows no more links to this file",
    errno.EIO: "the disk reported an error; check it before anything else",
    errno.ELOOP: "symbolic links lead in a circle",
    errno.EMFILE: "too many files are open; close other programs",
}
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_DISK_QUOTA = getattr(errno, "EDQUOT", None)


def is_full(error: OSError) -> bool:
    """Whether there is no room on the disk, or none for this user."""
    return error.errno is not None and error.errno in (errno.ENOSPC, _DISK_QUOTA)


def reason_of(error: OSError, kind: str, made: Path) -> str:
    """One sentence on why a step of a kind failed, by what the system said; ``made`` is the file that was to be made or changed."""
    winerror = getattr(error, "winerror", None)
    code = errno.ENOSPC if is_full(error) else error.errno
    named = _named(error)
    if winerror == _WINDOWS_NEEDS_RIGHTS:
        return "Windows makes symbolic links only in its developer mode; use hard links or copies"
    if winerror in _WINDOWS_IN_USE:
        return "another program has the file open; close it and do it again"
    if kind == "hardlink" and code in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP):
        return "hard links work only within one file system that has them, and only for files one may write; use copies or symbolic links"
    if code == errno.ENOENT:
        return f"{error.filename or made} is no longer there"
    if code in _FORBIDDEN and (unreadable := next((path for path in named if _is_unreadable(path)), None)):
        return f"{unreadable} may not be read by this user; check its permissions ({error.strerror})"
    if code in _TEXTS:
        folder = _refusing([*named, made]) if code in _FORBIDDEN else made.parent
        return f"{_TEXTS[code].format(folder=folder)} ({error.strerror})"
    return f"the system refused it: {error}"


def check_leaving(path: Path) -> None:
    """Says before a file is brought elsewhere what would be said when it is to go from where it is.

    Raises:
        Refused: Its folder can only be read.
    """
    folder = path.parent
    if os.access(folder, os.W_OK):
        return
    read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
    reason = _TEXTS[errno.EROFS if read_only else errno.EACCES].format(folder=folder)
    raise Refused(f"{reason}. Nothing can be moved out of it; it can be copied")


def _named(error: OSError) -> list[Path]:
    """The files that the system named, the one to be made first."""
    given = (error.filename2, error.filename)
    names = [os.fsdecode(name) for name in given if isinstance(name, (str, bytes, os.PathLike))]
    return [path for path in map(Path, names) if path.is_absolute()]


def _is_unreadable(path: Path) -> bool:
    return os.path.lexists(path) and not os.access(path, os.R_OK)


def _refusing(paths: list[Path]) -> Path:
    """Of the folders of files, or the next ones above that are there, the one in which nothing may be changed.

    Where the system does not say which, that of the first.
    """
    folders = [
        next((folder for folder in path.parents if os.path.isdir(folder)), path.parent)  # noqa: PTH112 - raises nothing
        for path in paths
    ]
    return next((folder for folder in folders if not os.access(folder, os.W_OK)), folders[0])
