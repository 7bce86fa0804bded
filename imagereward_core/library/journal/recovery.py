"""Settles the half-done steps of a killed process: each is finished or taken back, and only hidden files of ours are removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import files
from .changes import BACK, FORWARD, direction_of, remove_folders
from .do_step import carry_out
from .files import Refused
from .journal import Journal
from .presence import check_reachable
from .reader import JournalError
from .reasons import reason_of
from .records import Record
from .roots import Root
from .steps import Recovery, RunResult, Step
from .trust import Seal
from .undo_step import take_back
from .waits import Work, work_together


def recover(journal: Journal) -> list[Recovery]:
    """Settles every half-done step; one entry for each run that had any. :func:`~.recovery.open_journal` does it by itself.

    Steps not begun stay planned: whether to go on with a run (``execute``) or take it back (``undo``) is for a person to say.

    Raises:
        JournalError: Another program is acting on this journal; then nothing is half done but what it does.
        CuratorError: The journal cannot be written.
    """
    with journal.acting():
        return settle_all(journal)


@dataclass
class _Count:
    finished: int = 0
    taken_back: int = 0
    problems: list[tuple[Step, str]] = field(default_factory=list)


def settle_all(journal: Journal) -> list[Recovery]:
    """As :func:`recover`, for a caller that is acting already."""
    journal.write()
    found = []
    for run in journal.unsettled():
        doubt = journal.custody.run(run).doubt
        if doubt:
            first = next(journal.records("run = ?", (run,)), None)
            problem = () if first is None else ((first.step, f"{doubt}. {journal.custody.advice}"),)
            found.append(Recovery(journal.run(run), problems=problem))
            continue
        count = _Count()
        following: list[Record] = []
        for record in journal.records(
            "run = ? AND state IN ('doing', 'ready', 'undoing', 'restoring')", (run,)
        ):
            leaving = record.parent is not None and direction_of(record.state) is BACK
            _settle(journal, record, count)
            if leaving and record.state == "done":
                # Written down when its picture is, and whether it follows: a process killed before that leaves it to the next.
                journal.not_yet(record)
                following.append(record)
        journal.write()
        for record in following:
            if journal.count(run, "id = ? AND state = 'undone'", record.parent):
                _go_on(journal, record, take_back, count)
            else:
                journal.later(record)
        _bring_companions(journal, run, count)
        journal.write()
        remove_folders(journal, run)
        found.append(Recovery(journal.run(run), count.finished, count.taken_back, tuple(count.problems)))
    return found


def _settle(journal: Journal, record: Record, count: _Count) -> None:
    try:
        journal.custody.admit(record)
        check_reachable(journal, record)
    except Refused as error:  # left untouched in the journal as well
        count.problems.append((record.step, str(error)))
        return
    direction = direction_of(record.state)
    begun = record.state == direction.writing
    try:
        if begun and record.kind != "move":
            _drop(record.temporary)
            took_place = False
        else:
            took_place = _took_place(record, begun)
    except Refused as error:
        _set_aside(record, str(error), count)
    except OSError as error:
        _set_aside(record, reason_of(error, record.kind, record.made or record.target), count)
    else:
        record.state = direction.end if took_place else direction.start
        record.reason = ""
        count.finished += took_place
        count.taken_back += not took_place
    record.temporary = None
    if record.state in ("planned", "failed"):
        journal.forget_companions(record)
    journal.later(record)


def _set_aside(record: Record, reason: str, count: _Count) -> None:
    record.state = "failed" if direction_of(record.state) is FORWARD else "done"
    record.reason = f"a process that did it was ended: {reason}"
    count.problems.append((record.step, record.reason))


def _took_place(record: Record, begun: bool) -> bool:
    """Whether the change a record was about to make has been made; completes it where only tidying up was left."""
    forward = direction_of(record.state) is FORWARD
    made = record.made
    assert made is not None, "a change names its file before it is made"
    if record.kind == "move":
        ways = (record.source, made) if forward else (made, record.source)
        return _moved(*ways, record.temporary, begun)
    if record.kind == "edit" or (record.kind == "put" and record.replaces):
        return _rewritten(record, made, forward)
    if not forward:
        return not files.exists(made)
    if record.kind == "hardlink":
        return files.same_entry(made, Path(os.path.realpath(record.source)))
    if record.kind == "symlink":
        return made.is_symlink() and os.fsencode(os.readlink(made)) == record.former  # noqa: PTH115
    return _placed(record, made)


def _drop(temporary: Path | None) -> None:
    if temporary is not None:
        files.discard(temporary)


def _placed(record: Record, made: Path) -> bool:
    temporary = record.temporary
    if temporary is not None and files.exists(temporary):
        placed = files.same_entry(temporary, made)
        files.discard(temporary)
        return placed
    return files.holds(made, record.after)


def _rewritten(record: Record, path: Path, forward: bool) -> bool:
    _drop(record.temporary)
    old, new = (record.before, record.after) if forward else (record.after, record.before)
    if files.holds(path, new):
        return True
    if files.holds(path, old):
        return False
    raise Refused(f"{path} is neither as it was nor as it should become; it is left as it is")


def _moved(source: Path, target: Path, temporary: Path | None, begun: bool) -> bool:
    """Whether a file has moved. Where it has two names, or two copies with the same bytes, the move is completed."""
    if temporary is not None and files.exists(temporary):
        if files.same_entry(temporary, target):
            files.discard(temporary)
        elif files.exists(source):
            files.discard(temporary)
            return False
        elif begun:
            raise Refused(f"{source} is gone; what was read of it is in {temporary}")
        else:
            try:
                files.rename_new(temporary, target)
            except OSError as error:
                raise Refused(f"{source} is gone; all of it is in {temporary} ({error})") from error
            return True
    if files.spells_alike(source, target):
        return target.name in os.listdir(target.parent)  # noqa: PTH208
    if not files.exists(source):
        if files.exists(target):
            return True
        raise Refused(f"neither {source} nor {target} is there")
    if files.two_names(source, target):
        files.drop_name(source, target)
        return True
    if temporary is not None and not begun and files.exists(target):
        if not files.can_spare(source, target):
            raise Refused(f"{source} changed while it was moved; what it was before is in {target}")
        files.drop_name(source, target)
        return True
    return False


def _bring_companions(journal: Journal, run: int, count: _Count) -> None:
    """Lets text files follow a picture whose own step is done."""
    for record in list(journal.records("run = ? AND parent IS NOT NULL AND state = 'planned'", (run,))):
        if not journal.count(run, "id = ? AND state IN ('done', 'undone')", record.parent):
            journal.forget_companions(
                Record(run, "copy", record.source, record.target, id=record.parent or 0)
            )
            continue
        if journal.count(run, "id = ? AND state = 'undone'", record.parent):
            continue
        _go_on(journal, record, carry_out, count)


def _go_on(
    journal: Journal, record: Record, work: Callable[[Journal, Record, RunResult], Work], count: _Count
) -> None:
    result = RunResult(record.run)
    work_together(journal, [work(journal, record, result)])
    count.finished += not result.failed
    count.problems += result.failed


def open_journal(place: Path, *, root: Path | None = None, data: Path | None = None) -> Journal:
    """The journal in the folder ``place``, which is made where it is missing, for acting.

    What an earlier process left half done is settled and stands in ``recovered``; not so while another process acts on it.

    Args:
        place: The folder of the store.
        root: The folder that steps are about: those inside it are acted on wherever it lies by now. By default the one in which a
            store of the usual name (``.imagereward``) lies. A store of another name without it has none.
        data: The user's own folder for this program. With a key that lies there, steps that lead out of the root are signed, and
            only such ones are acted on later. None for a key that this object alone has.

    Raises:
        CuratorError: The file is damaged, of a newer version, or cannot be written.
    """
    journal = Journal(place, Root(place, root), Seal(data))
    try:
        journal.custody.adopt()
        if journal.unsettled():
            try:
                journal.recovered = recover(journal)
            except JournalError:
                pass  # another process is at work; what looks half done is what it does
    except BaseException:
        journal.close()
        raise
    return journal
