"""The journal: steps on files, written down before they happen."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from ...errors import CuratorError, WeightsError
from ...files.locks import StrangeLockError, exclusive
from ...files.values import absolute
from .exclusion import BusyError, Held, only_actor
from .files import mark_of
from .reader import JournalError, JournalReader, folders_of
from .records import ADVANCE, INSERT, Record, mark_of_bytes
from .roots import Root
from .runs import next_number
from .steps import Recovery, Step
from .trust import Seal


class Journal(JournalReader):
    """The journal of one store; :func:`~.recovery.open_journal` opens it for acting.

    Reading may go on in any thread; of all processes and threads one acts at a time.
    """

    def __init__(self, place: Path, root: Root, seal: Seal, *, read_only: bool = False) -> None:
        super().__init__(place, root, seal, read_only=read_only)
        self._actor = 0
        self._held: Held | None = None
        self.recovered: list[Recovery] = []

    @classmethod
    def look(cls, place: Path, *, root: Path | None = None, data: Path | None = None) -> Journal:
        """The journal in the folder ``place``, for looking alone: nothing is settled, and no file is made or changed.

        One that is missing is shown as empty.

        Raises:
            CuratorError: The file is damaged, or of a newer version.
        """
        return cls(place, Root(place, root), Seal(data), read_only=True)

    @contextmanager
    def acting(self, run: int | None = None, folder: Path | None = None) -> Iterator[None]:
        """A context in which nobody else acts on this journal, or on the folder it is about; the system ends it when the process dies.

        Within such a context the same thread may ask for it again, and gets what it does not have yet.

        Args:
            run: Whose folder it is, where the journal is about none. None for all that have a step half done.
            folder: Where the journal is about none: the folder itself, before there is a run.

        Raises:
            JournalError: Somebody else is acting on it.
        """
        folders = folders_of(self, run) if folder is None else [self.root.folder or absolute(folder)]
        if self._actor == threading.get_ident():
            self.keep_out(folders)
            yield
            return
        try:
            with exclusive(self.path), only_actor(folders) as self._held:
                self._actor = threading.get_ident()
                try:
                    yield
                except BaseException:
                    with suppress(CuratorError):
                        self.write()
                    raise
                finally:
                    self._actor, self._held = 0, None
                self.write()
        except StrangeLockError as error:
            raise JournalError(str(error)) from error
        except BusyError as error:
            raise self._in_use(error.folder) from error
        except WeightsError as error:
            raise self._in_use(self.root.folder or self.path.parent) from error

    def keep_out(self, folders: Iterable[Path]) -> None:
        """Lets nobody else act in further folders as long as this process is acting.

        Raises:
            JournalError: Somebody else is acting there.
        """
        try:
            if self._held is not None:
                self._held.add(folders)
        except BusyError as error:
            raise self._in_use(error.folder) from error

    def _in_use(self, folder: Path) -> JournalError:
        return JournalError(
            f"another program is working with {folder} just now; expected to be the only one that acts on these files. "
            "Wait until it is done and try again."
        )

    def begin(
        self, title: str, steps: Iterable[Step], folder: Path | None = None, *, follow_links: bool = False
    ) -> int:
        """Writes a run down, without doing anything yet; returns its number.

        Relative paths are taken from the working folder of this moment. The size and time of every file to be edited are noted: an
        edit planned for another version of it will be refused.

        Args:
            title: What to call it for people.
            steps: What to do, in this order. They may be a million: they are not kept in memory.
            folder: The folder they are about, by default the journal's. Others keep out of it while they are done, where the journal is
                about none.
            follow_links: Whether steps may lead out of that folder because a link in it does. By default what lies behind such a link
                is read where it is a picture, and left as it is.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        within = self.root.folder if folder is None else absolute(folder)
        about = self.custody.new_run(within if folder is not None else self.root.named)
        with self._database.writing() as connection:
            values = (next_number(connection, "runs"), now, title.encode("utf-8", "replace").decode("utf-8"))
            columns = "id, begun, title, base, anchor, device, inode, folder"
            insert = f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            number = connection.execute(insert, (*values, *about)).lastrowid
            run = int(number or 0)
            self.custody.begun(run, about, None if follow_links else within)
            for step in steps:
                record = Record(
                    run, step.kind, absolute(step.source), absolute(step.target), step.splices, step.content
                )
                if step.kind == "edit":
                    query = "SELECT 1 FROM steps WHERE run = ? AND target = ?"
                    if (
                        connection.execute(query, (run, self.custody.stored(run)(record.target))).fetchone()
                        is None
                    ):
                        with suppress(OSError):
                            record.before = mark_of(record.target)
                if step.made_from is not ...:
                    record.before = mark_of_bytes(step.made_from)
                self._insert(connection, record)
        return run

    def _insert(self, connection: sqlite3.Connection, record: Record) -> int:
        """Adds a row; returns its number."""
        values = self.custody.values(self.custody.own(record))
        return int(connection.execute(INSERT, (next_number(connection, "steps"), *values)).lastrowid or 0)

    def later(self, record: Record) -> None:
        """Writes a record down together with whatever is written next. Until then the one before stands, which can be settled too."""
        self._later[record.id] = record

    def not_yet(self, record: Record) -> None:
        """Takes back what was noted with :meth:`later` about a record."""
        self._later.pop(record.id, None)

    def write(self, *records: Record, folders: Iterable[Path] = ()) -> None:
        """Writes records down, onto the disk, before this returns, with folders about to be made for the run of the first one.

        New ones are given their number.

        Raises:
            CuratorError: The disk is full or cannot be written.
        """
        waiting, self._later = self._later, {}
        everything = [*waiting.values(), *records]
        if not everything:
            return
        with self._database.writing() as connection:
            for record in everything:
                if record.id:
                    connection.execute(ADVANCE, (*self.custody.progress(record), record.id))
                else:
                    record.id = self._insert(connection, record)
            connection.executemany(
                "INSERT OR IGNORE INTO folders (run, path, signature) VALUES (?, ?, ?)",
                [self.custody.folder_row(records[0].run, folder) for folder in folders],
            )

    def forget_companions(self, record: Record) -> None:
        """Drops companions of a step that was not done; they are looked for anew."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM steps WHERE parent = ? AND state = 'planned'", (record.id,))

    def forget_folders(self, run: int) -> None:
        """Notes that the folders made for a run are no longer its concern."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM folders WHERE run = ?", (run,))

    def abandon(self, run: int, reason: str) -> None:
        """Notes that what is still planned of a run will not be done."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE steps SET state = 'undone', reason = ? WHERE run = ? AND state = 'planned'",
                (reason, run),
            )
