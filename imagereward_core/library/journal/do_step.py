"""Does one step: copies, links or moves a picture, with the text files that travel with it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ...errors import ImageError
from ...metadata.companions import SideFile
from . import files
from .changes import FORWARD, Change, missing_folders, skip
from .content import edit, put
from .files import Mark, Refused
from .journal import Journal
from .names import free_names
from .reasons import check_leaving, is_full, reason_of
from .records import Record
from .sidecars import companions_of, others_share, would_mix
from .steps import Kind, RunResult
from .undo_step import gave_way
from .waits import Turn, Work


def carry_out(journal: Journal, record: Record, result: RunResult) -> Work:
    """Does one step, and after it those of the files that travel with it."""
    kinds: dict[str, Callable[[Journal, Record], Work]] = {"edit": edit, "put": put}
    work = kinds.get(record.kind, _give_name)
    try:
        journal.custody.admit(record)
    except Refused as error:  # left untouched in the journal as well
        result.failed.append((record.step, str(error)))
        return
    planned = record.before
    try:
        try:
            yield from work(journal, record)
        except OSError as error:
            # What the others of its group write for the moment may be what it lacks.
            if not is_full(error) or not (yield Turn()):
                raise
            journal.forget_companions(record)
            record.state, record.made, record.temporary, record.before = "planned", None, None, planned
            yield from work(journal, record)
    except (Refused, ImageError) as error:
        _fail(journal, record, str(error), result)
    except OSError as error:
        _fail(journal, record, reason_of(error, record.kind, record.made or record.target), result)
        if record.parent is not None and is_full(error):
            # It follows its picture once there is room: whoever opens the journal next settles that.
            record.state, record.made, record.before = "planned", None, planned
    else:
        if record.parent is None:
            result.done += record.state == "done"
            result.skipped += record.state == "skipped"
            for companion in journal.companions(record, "planned"):
                yield from carry_out(journal, companion, result)


def _fail(journal: Journal, record: Record, reason: str, result: RunResult) -> None:
    record.state, record.reason, record.temporary = "failed", reason, None
    journal.forget_companions(record)
    journal.later(record)
    result.failed.append((record.step, reason))


def _give_name(journal: Journal, record: Record) -> Work:
    """Copy, link or move."""
    earlier = _already(journal, record)
    if earlier is not None:
        skip(journal, record, earlier, "was done by an earlier run")
        return
    source = record.source
    if not stat.S_ISREG(source.stat().st_mode):
        raise Refused(
            f"{source} is no file; expected a picture. Folders are taken apart into their files first"
        )
    if record.parent is not None:
        yield from _follow(journal, record)
        return
    companions = companions_of(source)
    for made in free_names(record.target):
        if made.name != record.target.name:
            yield Turn()  # the others of its group were chosen so that the name asked for is nobody else's, not this one
        if files.exists(made):
            if _is_there(record, made):
                skip(journal, record, made, "is there already")
                return
            if record.kind == "move" and files.spells_alike(source, made):
                yield from _respell(journal, record, made)
                return
        elif not would_mix(made, companions):
            try:
                yield from _make(journal, record, made, companions)
                return
            except FileExistsError:  # somebody took the name just now
                journal.forget_companions(record)


def _follow(journal: Journal, record: Record) -> Work:
    """The step of a file that travels with a picture: its name follows from the picture's."""
    made = record.target
    if files.exists(made):
        if not files.same_content(record.source, made):
            raise Refused(f"{made} is another file; {record.source.name} was left where it is")
        # A picture of this run that needed it too has left a copy there. The last one takes the file itself along.
        copy = next(_copies_of_run(journal, record), None) if record.kind == "move" else None
        if copy is None or not (yield from gave_way(journal, copy)):
            skip(journal, record, made, "is there already")
            return
    yield from _make(journal, record, made, [])


def _copies_of_run(journal: Journal, record: Record) -> Iterator[Record]:
    """Copies of a text file that its own run has made under the name that it is to get."""
    found = journal.done_before(replace(record, kind="copy"))
    return (copy for copy in found if copy.run == record.run and copy.parent is not None)


def _is_there(record: Record, made: Path) -> bool:
    """Whether a file that has the name is what the step would make."""
    if record.kind == "symlink":
        return made.is_symlink() and os.path.realpath(made) == os.path.realpath(record.source)
    if record.kind == "move":
        return record.source.name == made.name and files.one_name(record.source, made)
    return files.same_content(record.source, made)


def _already(journal: Journal, record: Record) -> Path | None:
    """The file an earlier run made by the same step, where it still stands: unchanged but for edits of ours."""
    for earlier in journal.done_before(record):
        made = earlier.made
        if made is None or not files.exists(made):
            continue
        if record.kind == "move":
            if not files.exists(record.source):
                return made
        elif record.kind in ("copy", "hardlink") and record.source.is_file() and made.is_file():
            source_mark = known_mark(journal, record.source, earlier.before, earlier)
            made_mark = known_mark(journal, made, earlier.after, earlier)
            if files.mark_of(record.source).looks_like(source_mark) and files.mark_of(made).looks_like(
                made_mark
            ):
                return made
    return None


def known_mark(journal: Journal, path: Path, mark: Mark | None, step: Record) -> Mark | None:
    """The state of a file after the edits of ours that followed a step."""
    for record in journal.touching(path, step):
        changed = record.kind in ("edit", "put") and record.made == path and record.state == "done"
        if changed and record.before is not None and record.before.looks_like(mark):
            mark = record.after
    return mark


def _make(journal: Journal, record: Record, made: Path, companions: list[SideFile]) -> Work:
    source = record.source
    change = Change(
        journal,
        record,
        FORWARD,
        missing_folders(made.parent),
        [_companion_record(record, companion, made) for companion in companions],
    )
    record.before = record.after = files.mark_of(source)
    if record.kind == "copy":
        yield from change.place(made, lambda temporary: files.copy_steadily(source, temporary))
    elif record.kind == "hardlink":
        # Of the picture itself, should the source be a symbolic link to it.
        real = os.path.realpath(source)
        yield from change.name(made, lambda: os.link(real, made))
    elif record.kind == "symlink":
        text = _pointing(source, made.parent)
        record.former = os.fsencode(text)
        yield from change.name(made, lambda: os.symlink(text, made))  # noqa: PTH211
    else:
        check_leaving(source)
        record.made = made
        text = None
        if source.is_symlink():
            former = os.readlink(source)  # noqa: PTH115 - as text, exactly
            record.former = os.fsencode(former)
            text = former if Path(former).is_absolute() else _pointing(source.parent / former, made.parent)
        yield from change.transfer(source, made, text)


def _companion_record(record: Record, companion: SideFile, made: Path) -> Record:
    # A text file that another picture needs too stays with that one.
    shared = record.kind == "move" and others_share(record.source, companion)
    kind: Kind = "copy" if shared else record.kind
    return Record(record.run, kind, companion.path, companion.beside(made), parent=record.id)


def _pointing(source: Path, folder: Path) -> str:
    """The text of a symbolic link in ``folder``: relative where both lie below a common folder, so that the whole may be moved."""
    start, goal = Path(os.path.realpath(folder)), Path(os.path.realpath(source.parent), source.name)
    try:
        common = os.path.commonpath([start, goal])
    except ValueError:  # two drives of Windows
        return str(goal)
    return str(goal) if common == start.anchor else os.path.relpath(goal, start)


def _respell(journal: Journal, record: Record, made: Path) -> Work:
    """A move that changes nothing but letter case, where case does not count."""
    record.before = record.after = files.mark_of(record.source)
    change = Change(journal, record, FORWARD)
    yield from change.name(made, lambda: os.rename(record.source, made))  # noqa: PTH104
