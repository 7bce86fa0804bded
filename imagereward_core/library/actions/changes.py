"""The changes steps are made of, in either direction, each written to the journal before it happens.

Every change brings a record from the start of its direction to the end. Where it raises, the files are as they were before.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from . import files
from .files import Mark, Refused
from .journal import Journal
from .records import Record
from .shape import check_edit
from .steps import State


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
    """A change under way.

    Args:
        journal: Where it is written down.
        record: The step; its state is kept up to date.
        direction: Whether the step is done or undone.
        folders: Folders that have to be made first.
        companions: Records of files that will follow; they are written down with the first entry.
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

    def _enter(self, state: State) -> None:
        self.record.state = state
        self.journal.custody.admit(self.record)
        self.journal.write(self.record, *self._companions, folders=self._folders)
        for folder in self._folders:
            try:
                folder.mkdir(exist_ok=True)
            except FileExistsError as error:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
        self._folders = self._companions = ()

    def _end(self) -> None:
        self.record.state, self.record.reason, self.record.temporary = self.direction.end, "", None
        self.journal.later(self.record)

    def _show(self, temporary: Path, made: Path) -> None:
        """Gives a file that is written under a hidden name its own."""
        try:
            self._enter(self.direction.about)
            files.rename_new(temporary, made)
        except BaseException:
            files.discard(temporary)
            raise
        files.sync_folder(made.parent)

    def place(self, made: Path, write: Callable[[Path], tuple[Mark | None, Mark]]) -> None:
        """Makes a new file: written under a hidden name, then given its own.

        Args:
            made: The file; nobody may have the name.
            write: Writes to the path it is given; returns the marks of what it read and of what it wrote.

        Raises:
            FileExistsError: The name is taken by now.
        """
        record, temporary = self.record, files.temporary_in(made.parent)
        record.made, record.temporary = made, temporary
        self._enter(self.direction.writing)
        before, after = write(temporary)
        record.before, record.after = before or record.before, after
        self._show(temporary, made)
        self._end()

    def rewrite(
        self, path: Path, transform: Callable[[BinaryIO, BinaryIO], None], wanted: Mark | None
    ) -> None:
        """Gives a file other content in one instant.

        Args:
            path: The file; not a symbolic link.
            transform: Reads the first and writes the second.
            wanted: What must come out of it; None where it is not known yet.

        Raises:
            Refused: Something else comes out, or the file changed meanwhile.
        """
        record, temporary = self.record, files.temporary_in(path.parent)
        if record.kind == "edit":
            check_edit(path, record)
        record.made, record.temporary = path, temporary
        self._enter(self.direction.writing)
        before, after = files.copy_steadily(path, temporary, transform)
        try:
            if wanted is None:
                record.before, record.after = before, after
            elif wanted.digest != after.digest:
                raise Refused("the bytes of before do not come out again; the file was left as it is")
            else:
                os.utime(temporary, ns=(wanted.modified_ns, wanted.modified_ns))
            self._enter(self.direction.about)
            if files.mark_of(path) != Mark(before.size, before.modified_ns):
                raise Refused(f"{path} changed while it was read; something is still writing it")
            files.replace(temporary, path)
        except BaseException:
            files.discard(temporary)
            raise
        self._end()

    def name(self, made: Path, give: Callable[[], None]) -> None:
        """Gives a file one more name by a single call of the system that fails where the name is taken."""
        self.record.made = made
        self._enter(self.direction.about)
        give()
        self._end()

    def remove(self, path: Path) -> None:
        """Removes a file that the caller has found to be ours and superfluous."""
        self._enter(self.direction.about)
        files.remove(path)
        self._end()

    def transfer(self, source: Path, target: Path, text: str | None = None) -> None:
        """Moves a file, across file systems too.

        Args:
            source: The file.
            target: Its new name; nobody may have it.
            text: For a symbolic link: where it shall point from its new place.

        Raises:
            FileExistsError: The name is taken by now.
        """
        record = self.record
        record.temporary = None
        self._enter(self.direction.about)
        if text is not None:
            os.symlink(text, target)  # noqa: PTH211
            if files.same_entry(source, target):  # else somebody put a file there in this instant
                files.drop_name(source, target)
        else:
            try:
                files.rename_new(source, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._carry_across(source, target)
        self._end()

    def _carry_across(self, source: Path, target: Path) -> None:
        record, temporary = self.record, files.temporary_in(target.parent)
        record.temporary = temporary
        self._enter(self.direction.writing)
        before, after = files.copy_steadily(source, temporary)
        if self.direction is FORWARD:
            record.before, record.after = before, after
        self._show(temporary, target)
        if files.mark_of(source) != Mark(before.size, before.modified_ns):
            files.remove(target)
            raise Refused(f"{source} changed while it was moved; something is still writing it")
        files.drop_name(source, target)


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
    """Removes folders that were made for a run that is undone, where they are empty again."""
    if journal.run(run).state != "undone":
        return
    for folder in journal.folders(run):
        with suppress(OSError):
            folder.rmdir()
    journal.forget_folders(run)
