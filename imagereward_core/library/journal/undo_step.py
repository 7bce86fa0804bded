"""Takes one step back. Every check comes before the first change, and what is in doubt stays."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from ...metadata.writing.splice import copy_applied, reversed_splices
from . import files
from .changes import BACK, Change
from .files import Refused
from .journal import Journal
from .presence import check_reachable
from .reasons import is_full, reason_of
from .records import Record
from .steps import RunResult
from .waits import Turn, Wait, Work


def take_back(journal: Journal, record: Record, result: RunResult) -> Work:
    """Undoes one step, and after it those of the files that travelled with it."""
    try:
        journal.custody.admit(record)
    except Refused as error:  # left untouched in the journal as well
        result.failed.append((record.step, str(error)))
        return
    assert record.made is not None, "a done step made something"
    companions = journal.companions(record, "done")
    retimed = False
    try:
        retimed = (
            record.kind == "move"
            and record.former is None
            and not files.mark_of(record.made).looks_like(record.after)
        )
    except OSError:
        pass  # what is wrong with the file is said below
    try:
        try:
            yield from _undo(journal, record, record.made, companions)
        except OSError as error:
            # What the others of its group write for the moment may be what it lacks.
            if not is_full(error) or not (yield Turn()):
                raise
            record.state, record.temporary = "done", None
            yield from _undo(journal, record, record.made, companions)
    except Refused as error:
        reason = str(error)
    except OSError as error:
        reason = reason_of(error, record.kind, record.made)
    else:
        if record.parent is None:
            if record.reason:
                result.skipped += 1
            else:
                result.done += 1
                result.retimed += retimed
        for companion in companions:
            yield from take_back(journal, companion, result)
        return
    record.state, record.reason, record.temporary = "done", reason, None
    journal.later(record)
    for companion in companions:
        companion.state = "done"
        journal.later(companion)
    result.failed.append((record.step, reason))


def gave_way(journal: Journal, copy: Record) -> Generator[Wait, bool | None, bool]:
    """Takes a copy of a text file back, so that the file itself can have its place; whether it could be done. Else all is as it was."""
    assert copy.made is not None, "a done step made something"
    try:
        yield from _undo(journal, copy, copy.made, [])
    except (Refused, OSError):
        copy.state, copy.temporary = "done", None
        journal.later(copy)
        return False
    return True


def _undo(journal: Journal, record: Record, made: Path, companions: list[Record]) -> Work:
    for companion in companions:
        # Written down with the first entry of the picture's own step: their turn comes when that is over.
        companion.state = "undoing"
    change = Change(journal, record, BACK, companions=companions)
    check_reachable(journal, record)
    _check_untouched(journal, record, made)
    if record.kind == "move":
        yield from _move_back(journal, record, made, change)
    elif not files.exists(made):
        if record.kind == "edit" or (record.replaces and record.kind == "put"):
            raise Refused(f"{made} is no longer there")
        record.state, record.reason = "undone", "was no longer there"
        journal.later(record)
    elif record.kind == "edit":
        splices = reversed_splices(record.splices)
        _check_unchanged(record, made)

        def cut_out(reading: BinaryIO, writing: BinaryIO) -> None:
            copy_applied(reading, writing, splices)

        yield from change.rewrite(made, cut_out, record.before)
    elif record.kind == "put" and record.replaces:
        former = record.former or b""
        _check_unchanged(record, made)

        def put_back(reading: BinaryIO, writing: BinaryIO) -> None:
            reading.read()
            writing.write(former)

        yield from change.rewrite(made, put_back, record.before)
    else:
        looked = _look(record, made)
        _check_superfluous(journal, record, made)

        def check() -> None:
            if _look(record, made) != looked:
                raise Refused(f"{made} or {record.source} changed just now; it is left as it is")

        yield from change.remove(made, check)


def _look(record: Record, made: Path) -> tuple[tuple[int, ...] | None, ...]:
    """By what it is seen, right before a file is removed, that nothing changed since it was read and compared."""
    return tuple(map(files.version_of, (made, record.source)))


def _check_untouched(journal: Journal, record: Record, path: Path) -> None:
    """Refuses where a later step worked with the file: that one comes first."""
    for later in journal.touching(path, record):
        if later.run == record.run:
            raise Refused(f"a later step of this run with {path} could not be undone")
        raise Refused(f"run {later.run} worked with {path} later; undo that run first")


def _check_unchanged(record: Record, made: Path) -> None:
    if not files.holds(made, record.after):
        raise Refused(f"{made} changed since; it is left as it is")


def _check_superfluous(journal: Journal, record: Record, made: Path) -> None:
    """Refuses to remove what holds anything that is not elsewhere."""
    source = record.source
    if record.kind == "symlink":
        if not made.is_symlink() or os.fsencode(os.readlink(made)) != record.former:  # noqa: PTH115
            raise Refused(f"{made} is another file now; it is left as it is")
        return
    if record.kind == "put":
        _check_unchanged(record, made)
        return
    if made.is_symlink() or not made.is_file():
        raise Refused(f"{made} is another file now; it is left as it is")
    if record.kind == "copy":
        _check_unchanged(record, made)
    if files.one_name(source, made):
        raise Refused(
            f"{source} and {made} lead to one and the same file, which is the last of its kind; it stays"
        )
    # Programs that look for duplicates may have made the original a symbolic link to its copy.
    if os.path.realpath(source) == os.path.realpath(made) or not files.can_spare(made, source):
        _check_untouched(journal, record, source)
        raise Refused(
            f"the original {source} is gone or changed, so {made} may be the last of its kind; it is left as it is"
        )


def _is_moved(journal: Journal, record: Record, made: Path) -> bool:
    """Whether a file can be the one that was moved.

    Times are lost where a folder is copied, packed or brought to another kind of disk. Where the bytes were read when it was moved,
    they decide. Else, in a folder that is a copy of the one it was moved in, the size does: what is moved back keeps its bytes and its
    time and replaces nothing, so that the worst result is a file under its old name that somebody has written to. Reading
    every picture for a checksum before a move that renames it would cost a hundred times the move. Another time is reported.
    """
    mark = files.mark_of(made)
    if mark.looks_like(record.after) or files.holds(made, record.after):
        return True
    then, now = journal.custody.run(record.run).anchor, journal.root.anchor
    copied = then is not None and now is not None and not then.is_same(now)
    return copied and record.after is not None and not record.after.digest and mark.size == record.after.size


def _move_back(journal: Journal, record: Record, made: Path, change: Change) -> Work:
    source = record.source
    if not files.exists(made):
        if files.exists(source) and files.mark_of(source).looks_like(record.after):
            record.state, record.reason = "undone", "was moved back already"
            journal.later(record)
            return
        raise Refused(f"{made} is no longer there")
    text = None
    if record.former is not None:
        text = os.fsdecode(record.former)
        if not made.is_symlink():
            raise Refused(f"{made} is another file now; it is left as it is")
    elif not made.is_file() or not _is_moved(journal, record, made):
        raise Refused(f"{made} changed since it was moved; it is left as it is")
    source.parent.mkdir(parents=True, exist_ok=True)
    if files.spells_alike(made, source):
        yield from change.name(made, lambda: os.rename(made, source))  # noqa: PTH104
        return
    if files.exists(source):
        raise Refused(f"there is another file named {source} now; move it away and undo again")
    try:
        yield from change.transfer(made, source, text)
    except FileExistsError as error:
        raise Refused(
            f"another file named {source} has just been made; move it away and undo again"
        ) from error
