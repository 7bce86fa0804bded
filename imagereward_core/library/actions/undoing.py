"""Taking a run back, last step first. A file that changed since is left as it is, with the reason."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from ...images.metadata.writing.splice import copy_applied, reversed_splices
from . import files
from .changes import BACK, Change, remove_folders
from .files import Refused
from .journal import Journal, JournalError
from .reasons import reason_of
from .records import Record
from .recovering import settle_all
from .steps import Cancelled, Progress, RunResult


def undo(
    journal: Journal,
    run: int | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> RunResult:
    """Takes a run back: the last one of which something stands, or the one given.

    What the run made is removed only where it holds exactly the bytes it was given and the original is still there with them;
    everything else stays, with a reason. Steps of the run that were never come to will not be done any more. Calling it again goes on
    with what could not be undone.

    Raises:
        JournalError: Another program is acting on this journal, there is no such run, or nothing to undo.
        CuratorError: The journal cannot be written.
    """
    with journal.acting():
        settle_all(journal)
        info = journal.last_done() if run is None else journal.run(run)
        if info is None:
            raise JournalError(
                "there is nothing to undo: no run of this journal has done anything that still stands"
            )
        result = RunResult(info.id)
        journal.abandon(info.id, "the run was undone before its turn")
        total = left = journal.count(info.id, "state = 'done'")
        for record in journal.records("run = ? AND state = 'done'", (info.id,), backwards=True):
            if record.parent is not None:
                # It goes with its picture, unless that was undone by a process that then ended.
                if journal.count(info.id, f"id = {record.parent} AND state = 'undone'"):
                    _take_back(journal, record, result)
                continue
            if cancelled is not None and cancelled():
                break
            if _take_back(journal, record, result):
                for companion in list(journal.records("parent = ? AND state = 'done'", (record.id,))):
                    _take_back(journal, companion, result)
            left -= 1
            if progress is not None:
                progress(total - left, total)
        result.left = left
        journal.write()
        remove_folders(journal, info.id)
    return result


def _take_back(journal: Journal, record: Record, result: RunResult) -> bool:
    """Undoes one step; whether it is undone now."""
    assert record.made is not None, "a done step made something"
    try:
        _undo(journal, record, record.made)
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
        return True
    record.state, record.reason, record.temporary = "done", reason, None
    journal.later(record)
    result.failed.append((record.step, reason))
    return False


def _undo(journal: Journal, record: Record, made: Path) -> None:
    _check_untouched(journal, record, made)
    if record.kind == "move":
        _move_back(journal, record, made)
    elif not files.exists(made):
        if record.kind == "edit" or (record.before is not None and record.kind == "put"):
            raise Refused(f"{made} is no longer there")
        record.state, record.reason = "undone", "was no longer there"
        journal.later(record)
    elif record.kind == "edit":
        splices = reversed_splices(record.splices)
        _check_unchanged(record, made)

        def cut_out(reading: BinaryIO, writing: BinaryIO) -> None:
            copy_applied(reading, writing, splices)

        Change(journal, record, BACK).rewrite(made, cut_out, record.before)
    elif record.kind == "put" and record.before is not None:
        former = record.former or b""
        _check_unchanged(record, made)

        def put_back(reading: BinaryIO, writing: BinaryIO) -> None:
            reading.read()
            writing.write(former)

        Change(journal, record, BACK).rewrite(made, put_back, record.before)
    else:
        _check_superfluous(journal, record, made)
        Change(journal, record, BACK).remove(made)


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
    linked = record.kind == "hardlink" and files.same_content(made, source)
    if not linked:
        if made.is_symlink() or not made.is_file():
            raise Refused(f"{made} is another file now; it is left as it is")
        if record.kind == "copy":
            _check_unchanged(record, made)
        if not files.same_content(source, made):
            _check_untouched(journal, record, source)
            raise Refused(
                f"the original {source} is gone or changed, so {made} may be the last of its kind; it is left as it is"
            )


def _move_back(journal: Journal, record: Record, made: Path) -> None:
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
    elif not made.is_file() or not files.mark_of(made).looks_like(record.after):
        raise Refused(f"{made} changed since it was moved; it is left as it is")
    source.parent.mkdir(parents=True, exist_ok=True)
    if files.spells_alike(made, source):
        Change(journal, record, BACK).name(made, lambda: os.rename(made, source))  # noqa: PTH104
        return
    if files.exists(source):
        raise Refused(f"there is another file named {source} now; move it away and undo again")
    try:
        Change(journal, record, BACK).transfer(made, source, text)
    except FileExistsError as error:
        raise Refused(
            f"another file named {source} has just been made; move it away and undo again"
        ) from error
