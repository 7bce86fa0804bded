"""Why the system refused something, in words a person can act on."""

from __future__ import annotations

import errno
from pathlib import Path

_WINDOWS_NEEDS_RIGHTS = 1314
_WINDOWS_IN_USE = (32, 33)

_TEXTS = {
    errno.ENOSPC: "the disk of {folder} is full; free some room and do it again",
    errno.EROFS: "{folder} is on a file system that can only be read",
    errno.EACCES: "{folder} or the file may not be changed by this user; check their permissions",
    errno.EPERM: "{folder} or the file may not be changed by this user; check their permissions",
    errno.ENAMETOOLONG: "the name is too long for the file system of {folder}; choose a shorter folder",
    errno.EINVAL: "the file system of {folder} does not allow this name",
    errno.ENOTDIR: "a part of {folder} is a file; expected folders only",
    errno.EMLINK: "the file system of {folder} allows no more links to this file",
    errno.EIO: "the disk reported an error; check it before anything else",
    errno.ELOOP: "symbolic links lead in a circle",
    errno.EMFILE: "too many files are open; close other programs",
}
_DISK_QUOTA = getattr(errno, "EDQUOT", None)


def is_full(error: OSError) -> bool:
    """Whether there is no room on the disk, or none for this user."""
    return error.errno is not None and error.errno in (errno.ENOSPC, _DISK_QUOTA)


def reason_of(error: OSError, kind: str, made: Path) -> str:
    """One sentence on why a step failed.

    Args:
        error: What the system said.
        kind: The kind of step.
        made: The file that was to be made or changed.
    """
    winerror = getattr(error, "winerror", None)
    code = errno.ENOSPC if is_full(error) else error.errno
    if winerror == _WINDOWS_NEEDS_RIGHTS:
        return "Windows makes symbolic links only in its developer mode; use hard links or copies"
    if winerror in _WINDOWS_IN_USE:
        return "another program has the file open; close it and do it again"
    if kind == "hardlink" and code in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP):
        return "hard links work only within one file system that has them, and only for files one may write; use copies or symbolic links"
    if code == errno.ENOENT:
        return f"{error.filename or made} is no longer there"
    if code in _TEXTS:
        return _TEXTS[code].format(folder=made.parent) + f" ({error.strerror})"
    return f"the system refused it: {error}"
