"""The changes steps are made of, in either direction, each written to the journal before it happens.

Every change brings a record from the start of its direction to the end. Where it raises, the files are as they were before.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from . import files
from .files import Mark, Refused
from .journal import Journal
from .reader import JournalError
from .records import Record
from .shape import check_edit, edited_format
from .steps import State
from .waits import Entry, Named, Wait, Work, Written

_Marks = TypeVar("_Marks")


@dataclass(frozen=True)
class Direction:
    """Which states a change goes through; see :data:`~.steps.State`."""

    start: State
    writing: State
    about: State
    end: State


FORWARD = Direction("planned", "doing", "ready", "done")
BACK = Direction("done", "undoing", "restoring", "undone")


def direction_of(state: State) -> Direction:
    """The direction of a half-done record."""
    return FORWARD if state in ("doing", "ready") else BACK


class Change:
    """A change under way. Its methods are generators: what they yield has to be on the disk before they go on.

    ``folders`` have to be made first; ``companions``, records of files that will follow, are written down with the first entry.
    """

    def __init__(
        self,
        journal: Journal,
        record: Record,
        direction: Direction,
        folders: Iterable[Path] = (),
        companions: Iterable[Record] = (),
    ) -> None:
        self.journal, self.record, self.direction = journal, record, direction
        self._folders, self._companions = tuple(folders), tuple(companions)

    def _enter(self, state: State) -> Work:
        self.record.state = state
        yield Entry((self.record, *self._companions), self._folders)
        # After the wait, for others may have changed what leads where.
        self.journal.custody.admit(self.record)
        for folder in self._folders:
            try:
                folder.mkdir(exist_ok=True)
            except FileExistsError as error:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
        if self._folders:
            try:
                self.journal.keep_out(self._folders[:1])
            except JournalError as error:
                raise Refused(str(error)) from error
        self._folders = self._companions = ()

    def _end(self) -> None:
        self.record.state, self.record.reason, self.record.temporary = self.direction.end, "", None
        self.journal.later(self.record)

    def _show(self, temporary: Path, made: Path) -> Work:
        """Gives a file that is written under a hidden name its own."""
        try:
            yield from self._enter(self.direction.about)
            files.rename_new(temporary, made)
        except BaseException:
            files.discard(temporary)
            raise
        yield Named(made.parent)

    def place(
        self, made: Path, write: Callable[[Path], Generator[None, None, tuple[Mark | None, Mark]]]
    ) -> Work:
        """Makes a new file: written under a hidden name, by ``write`` as by :func:`files.copy_steadily`, then given its own.

        Raises:
            FileExistsError: The name is taken by now.
        """
        record, temporary = self.record, files.temporary_in(made.parent)
        record.made, record.temporary = made, temporary
        yield from self._enter(self.direction.writing)
        before, after = yield from _onto_the_disk(temporary, write(temporary))
        record.before, record.after = before or record.before, after
        yield from self._show(temporary, made)
        self._end()

    def rewrite(
        self, path: Path, transform: Callable[[BinaryIO, BinaryIO], None], wanted: Mark | None
    ) -> Work:
        """Gives a file, not a symbolic link, other content in one instant.

        ``wanted`` is what must come out of it; None where it is not known yet.

        Raises:
            Refused: Something else comes out, or the file changed meanwhile.
        """
        record, temporary = self.record, files.temporary_in(path.parent)
        edited = edited_format(path) if record.kind == "edit" else ""
        record.made, record.temporary = path, temporary
        yield from self._enter(self.direction.writing)
        before, after = yield from _onto_the_disk(temporary, files.copy_steadily(path, temporary, transform))
        try:
            if edited:
                check_edit(path, temporary, edited)
            if wanted is None:
                record.before, record.after = before, after
            elif wanted.digest != after.digest:
                raise Refused("the bytes of before do not come out again; the file was left as it is")
            else:
                os.utime(temporary, ns=(wanted.modified_ns, wanted.modified_ns))
            yield from self._enter(self.direction.about)
            if files.mark_of(path) != Mark(before.size, before.modified_ns):
                raise Refused(f"{path} changed while it was read; something is still writing it")
            files.replace(temporary, path)
        except BaseException:
            files.discard(temporary)
            raise
        yield Named(path.parent)
        self._end()

    def name(self, made: Path, give: Callable[[], None]) -> Work:
        """Gives a file one more name by a single call of the system that fails where the name is taken."""
        self.record.made = made
        yield from self._enter(self.direction.about)
        give()
        yield Named(made.parent)
        self._end()

    def remove(self, path: Path, check: Callable[[], None]) -> Work:
        """Removes a file of ours. Right before it goes, ``check`` raises where it is not superfluous."""
        yield from self._enter(self.direction.about)
        check()
        files.remove(path)
        self._end()

    def transfer(self, source: Path, target: Path, text: str | None = None) -> Work:
        """Moves a file, across file systems too; ``text`` is, for a symbolic link, where it shall point from its new place.

        Raises:
            FileExistsError: The name is taken by now.
        """
        record = self.record
        record.temporary = None
        yield from self._enter(self.direction.about)
        if text is not None:
            os.symlink(text, target)  # noqa: PTH211
            if files.same_entry(source, target):  # else somebody put a file there in this instant
                files.drop_name(source, target)
        else:
            try:
                both = files.link_new(source, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                yield from self._carry_across(source, target)
            else:
                yield Named(target.parent)
                if both:
                    files.drop_old(source, target)
        yield Named(target.parent if text is not None else source.parent)
        self._end()

    def _carry_across(self, source: Path, target: Path) -> Work:
        record, temporary = self.record, files.temporary_in(target.parent)
        record.temporary = temporary
        yield from self._enter(self.direction.writing)
        before, after = yield from _onto_the_disk(temporary, files.copy_steadily(source, temporary))
        if self.direction is FORWARD:
            record.before, record.after = before, after
        yield from self._show(temporary, target)
        files.leave(source, target, before)


def _onto_the_disk(
    temporary: Path, writing: Generator[None, None, _Marks]
) -> Generator[Wait, bool | None, _Marks]:
    """Writes a hidden file, brings it onto the disk and reads it back."""
    next(writing)
    try:
        yield Written(temporary)
    except BaseException as error:
        writing.throw(error)  # which removes the hidden file
        raise
    try:
        next(writing)
    except StopIteration as end:
        return end.value
    raise AssertionError("writing a file waits for the disk once")


def skip(journal: Journal, record: Record, made: Path, reason: str) -> None:
    """Notes that a step needs nothing."""
    record.state, record.made, record.reason = "skipped", made, reason
    journal.later(record)


def missing_folders(folder: Path) -> list[Path]:
    """The folders that have to be made for ``folder``, outer ones first.

    Raises:
        Refused: A part of the path is a file.
    """
    missing: list[Path] = []
    while not folder.is_dir():
        if files.exists(folder):
            raise Refused(f"{folder} is a file; expected a folder there. Choose another folder")
        missing.append(folder)
        if folder == folder.parent:
            raise Refused(f"the drive of {missing[0]} is not there")
        folder = folder.parent
    return missing[::-1]


def remove_folders(journal: Journal, run: int) -> None:
    """Removes folders that were made for a run, where they are empty. Going on with it makes them anew."""
    for folder in journal.folders(run):
        with suppress(OSError):
            folder.rmdir()
    half_done = "state IN ('doing', 'ready', 'undoing', 'restoring')"  # left for when a drive is back
    if not journal.run(run).done and not journal.count(run, half_done):
        journal.forget_folders(run)


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
