"""Steps that change the content of a file: an edit of its bytes, or a whole new content."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ...images.suffixes import PICTURE_SUFFIXES
from ...metadata.companions import alike
from ...metadata.writing.splice import Splice, copy_applied, reversed_splices
from . import files
from .changes import FORWARD, Change, missing_folders, skip
from .files import Mark, Refused
from .journal import Journal
from .records import Record, is_still, mark_of_bytes
from .waits import Work

_MOST_FORMER_BYTES = 64 * 1024 * 1024


def edit(journal: Journal, record: Record) -> Work:
    """Replaces bytes of a file. The file gets a new inode: other hard links to it keep what they hold.

    A hard link may be somebody's backup, so it is never changed behind their back. To have the edit under both names, edit first and
    link afterwards, or edit both.
    """
    path = _real(_meant(journal, record))
    now = _check_writable(path)
    for earlier in journal.done_before(record):
        if earlier.made == path and earlier.splices == record.splices and now.looks_like(earlier.after):
            skip(journal, record, path, "was done by an earlier run")
            return
    fits, applied = _compare(path, record.splices)
    insertions = all(not splice.old for splice in record.splices)
    if applied and (not fits or insertions):
        skip(journal, record, path, "is so already")
        return
    if record.before is not None and not record.before.looks_like(now):
        raise Refused(f"{path} changed since the edit was planned; plan it again")

    def transform(reading: BinaryIO, writing: BinaryIO) -> None:
        copy_applied(reading, writing, record.splices)

    yield from Change(journal, record, FORWARD).rewrite(path, transform, None)


def put(journal: Journal, record: Record) -> Work:
    """Gives a file a content; what it held before is kept in the journal."""
    path = _meant(journal, record)
    planned, record.former = record.before, None
    # That nothing was there is kept: a process that goes on with the step after this one was killed has to know it too.
    record.before = None if record.replaces else planned
    is_so = files.holds(path, mark_of_bytes(record.content))
    if planned is not None and not is_so and not is_still(path, planned):
        raise Refused(f"{path} changed since its new content was planned; plan it again")
    if planned is not None and not _has_picture(path):
        raise Refused(f"the picture of {path} is no longer there, so nothing is written beside it")
    if not files.exists(path):
        change = Change(journal, record, FORWARD, missing_folders(path.parent))
        try:
            yield from change.place(path, lambda temporary: files.write_new(temporary, record.content))
        except FileExistsError as error:
            raise Refused(f"{path} has just been made by another program; do it again") from error
        return
    path = _real(path)
    size = _check_writable(path).size
    if size > _MOST_FORMER_BYTES:
        raise Refused(f"{path} has {size} bytes; expected a text file of at most 64 MiB")

    def transform(reading: BinaryIO, writing: BinaryIO) -> None:
        record.former = reading.read()
        writing.write(record.content)

    if is_so:
        skip(journal, record, path, "is so already")
        return
    yield from Change(journal, record, FORWARD).rewrite(path, transform, None)


def _meant(journal: Journal, record: Record) -> Path:
    """The file of an edit or a put: its target, or what an earlier step of the run made under another name instead of it."""
    target = record.target
    if record.kind == "edit":
        names = [target]
    else:
        names = [target.with_name(name) for name in _pictures(target)]
    giving = journal.giving(record, names)
    if giving is None:
        return target
    if giving.state not in ("done", "skipped") or giving.made is None:
        raise Refused(f"{giving.target} was not made by this run, so nothing was written to it")
    made = giving.made
    if record.kind == "edit":
        return made
    if target.stem == giving.target.name:
        return made.with_name(made.name + target.suffix)
    return made.with_name(made.stem + target.suffix)


def _pictures(text: Path) -> list[str]:
    """Names of the pictures a text file may belong to: of its name without the last suffix, or of its own stem."""
    return [
        text.stem,
        *(text.stem + case(suffix) for suffix in PICTURE_SUFFIXES for case in (str.lower, str.upper)),
    ]


def _has_picture(text: Path) -> bool:
    """Whether a picture a text file may belong to is there."""
    if any(map(files.exists, map(text.with_name, _pictures(text)))):
        return True
    with suppress(OSError):  # spelled in a way that is not tried above
        return any(
            alike(Path(name).stem) == alike(text.stem) and Path(name).suffix.lower() in PICTURE_SUFFIXES
            for name in os.listdir(text.parent)  # noqa: PTH208 - names only
        )
    return False


def _real(path: Path) -> Path:
    """The file itself, where the name is a symbolic link: the link stays."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _check_writable(path: Path) -> Mark:
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise Refused(f"{path} is no file; expected one to write to")
    if not facts.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise Refused(f"{path} is read-only; allow writing to it and do it again")
    return Mark(facts.st_size, facts.st_mtime_ns)


def _compare(path: Path, splices: tuple[Splice, ...]) -> tuple[bool, bool]:
    """Whether the file is as the splices expect it, and whether it is as they leave it."""
    with path.open("rb") as file:
        return _has(file, splices), _has(file, reversed_splices(splices))


def _has(file: BinaryIO, splices: tuple[Splice, ...]) -> bool:
    for splice in splices:
        file.seek(splice.offset)
        if file.read(len(splice.old)) != splice.old:
            return False
    return True
