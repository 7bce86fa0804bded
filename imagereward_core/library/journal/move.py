"""Moves a single file outside of any run, such as one that a generator has just written, by the same steps."""

from __future__ import annotations

import errno
from pathlib import Path

from . import files
from .files import Mark


def move_new(source: Path, target: Path) -> None:
    """Moves a file to a name that nobody may have yet, across file systems too.

    There, its bytes are copied, brought onto the disk, read back and compared before the old name goes. Where the process ends in
    between, the file has both names, or its old one and a hidden file is left.

    Raises:
        FileExistsError: The name is taken.
        Refused: The file changed meanwhile, or the disk gave back other bytes. Everything is as it was.
        OSError: It cannot be done. Everything is as it was.
    """
    try:
        files.rename_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _carry(source, target)


def _carry(source: Path, target: Path) -> None:
    before = _copy(source, target)
    files.sync_folder(target.parent)
    files.leave(source, target, before)


def _copy(source: Path, target: Path) -> Mark:
    """Puts a verified copy under the new name; returns the mark of what was read."""
    temporary = files.temporary_in(target.parent)
    copying = files.copy_steadily(source, temporary)
    next(copying)
    try:
        files.sync_file(temporary)
    except BaseException as error:
        copying.throw(error)  # which removes the hidden file
        raise
    try:
        next(copying)
    except StopIteration as end:
        before, _ = end.value
    try:
        files.rename_new(temporary, target)
    except BaseException:
        files.discard(temporary)
        raise
    mark: Mark = before
    return mark
