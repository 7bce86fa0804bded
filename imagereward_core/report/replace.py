"""Writes files complete or not at all, and only where nothing of somebody else's is lost."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..files.whole import naming, written_whole
from .output_files import OutputFileError, refusal

_OPEN_FILE = re.compile(r"/(dev/fd|proc/[^/]+/(task/[^/]+/)?fd)/\d+")
_MOST_LINKS = 40


@contextmanager
def replacing(target: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """A file to be written that takes the place of ``target`` at the end; see :func:`~..files.whole.written_whole`.

    A device, a pipe, or an open file such as ``/dev/stdout`` is never replaced: what was written is added to it at the end. ``overwrite``
    allows to replace a file that this program did not write; a picture never is.

    Raises:
        OutputFileError: There is a file already that must stay.
        OSError: The file cannot be put there; the error names ``target``.
    """
    if is_stream(target):
        with tempfile.TemporaryDirectory(prefix="imagereward-") as folder:
            whole = Path(folder) / "results"
            yield whole
            _pour(whole, target)
        return
    reason = refusal(target, overwrite)
    if reason:
        raise OutputFileError(reason)
    with written_whole(target) as temporary:
        yield temporary


def _pour(whole: Path, target: str | os.PathLike[str]) -> None:
    """Writes a file's bytes to a stream; to the end of one that is a file, which may hold what somebody else has written there."""
    try:
        with whole.open("rb") as reading, open(os.open(target, os.O_WRONLY | os.O_APPEND), "wb") as writing:  # noqa: PTH123
            shutil.copyfileobj(reading, writing)
    except OSError as error:
        raise naming(error, target) from error


def is_stream(target: str | os.PathLike[str]) -> bool:
    """Whether a name stands for something that is written to and never replaced: a pipe, a device, an open file of a process."""
    try:
        mode = os.stat(target).st_mode  # noqa: PTH116
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or _is_open_file(target)


def _is_open_file(target: str | os.PathLike[str]) -> bool:
    """Whether a name leads, perhaps over links such as ``/dev/stdout``, to a file by the number under which a process has it open."""
    path = os.path.abspath(target)  # noqa: PTH100
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split(path)
        path = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
        if _OPEN_FILE.fullmatch(path):
            return True
        try:
            path = os.path.join(os.path.dirname(path), os.readlink(path))  # noqa: PTH115, PTH118, PTH120
        except (OSError, ValueError):
            return False
    return False
