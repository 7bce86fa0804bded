"""What the system refused, as a sentence that names the file and says what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ..files.regular import NotAFileError, nearest_existing

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_TEXTS = {
    errno.ENOENT: "there is no such file or folder; check the name",
    errno.EEXIST: "there is a file of this name already; name another place",
    errno.ENOTDIR: "a part of this path is a file; expected folders. Name another place",
    errno.EISDIR: "found a folder; expected a file",
    errno.EROFS: "the disk can only be read; name a place that can be written to",
    errno.EACCES: "this user may not read or write it; check its permissions, or name another place",
    errno.EPERM: "this user may not read or write it; check its permissions, or name another place",
    errno.ENAMETOOLONG: "the name is too long; give a shorter one",
    errno.ELOOP: "symbolic links lead in a circle; name the file itself",
    errno.EMFILE: "too many files are open; close other programs and do it again",
    errno.EIO: "the disk reported an error; check it before anything else",
    **dict.fromkeys(_FULL, "the disk is full; free some room and do it again"),
}


def sentence(error: OSError) -> str:
    """The error as a person is told it; the system's own words where there are no better ones.

    >>> sentence(FileNotFoundError(errno.ENOENT, "No such file or directory", "prompts.csv"))
    'prompts.csv: there is no such file or folder; check the name'
    """
    if not error.filename:
        if error.errno in _FULL:
            return f"the disk is full, so that not everything was printed or written; free some room and do it again: {error}"
        return str(error)
    name = os.fsdecode(error.filename) if not isinstance(error.filename, int) else str(error.filename)
    known = "" if isinstance(error, NotAFileError) else _TEXTS.get(error.errno or 0, "")
    return f"{name}: {known or error.strerror or error}"


def why_no_folder(path: Path) -> str:
    """Why nothing can be written into a folder, which need not be there yet; empty where all speaks for it."""
    try:
        there = nearest_existing(path)
        if not there.is_dir():
            return f"{there} is a file"
        if not os.access(there, os.W_OK | os.X_OK):
            return f"nothing may be put into {there}"
    except (OSError, ValueError) as error:  # a name that is too long, a part that may not be looked into
        return sentence(error) if isinstance(error, OSError) else str(error)
    return ""
