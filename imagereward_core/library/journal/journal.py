"""What was done with which file, written down before it happens."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import CuratorError, WeightsError
from ...files.locks import StrangeLockError, exclusive
from ...files.sqlite import Database
from ...files.values import absolute
from .custody import Custody, LeadsOut
from .exclusion import BusyError, Held, only_actor
from .files import Refused, mark_of
from .reach import folders_of
from .records import ADVANCE, INSERT, SELECT, Record, mark_of_bytes, one_page
from .roots import Root
from .runs import latest_standing, next_number, read_runs, unsettled_runs
from .schema import APPLICATION_ID, MIGRATIONS
from .steps import Recovery, RunInfo, Step, StepInfo
from .trust import Seal

FILE_NAME = "journal.sqlite3"

_STANDING = (
    "state IN ('done', 'ready', 'restoring')"  # the last two may be waiting to be written as done or undone
)
_PAGE = 256


class JournalError(CuratorError):
    """The journal is in use, cannot be written, or knows no such run."""


class Journal:
    """The journal of one store; :func:`~.opening.open_journal` opens it for acting.

    Reading may go on in any thread; of all processes and threads one acts at a time.
    """

    def __init__(self, place: Path, root: Root, seal: Seal, *, read_only: bool = False) -> None:
        self.path, self.root = absolute(place) / FILE_NAME, root
        self._database = Database(
            self.path,
            application=APPLICATION_ID,
            migrations=MIGRATIONS,
            synchronous="FULL",
            what="journal",
            read_only=read_only,
            exact=True,
        )
        self._later: dict[int, Record] = {}
        self._actor = 0
        self._held: Held | None = None
        self.recovered: list[Recovery] = []
        self.custody = Custody(self._database, root, seal)

    @classmethod
    def look(cls, place: Path, *, root: Path | None = None, data: Path | None = None) -> Journal:
        """The journal in the folder ``place``, for looking alone: nothing is settled, and no file is made or changed.

        One that is missing is shown as empty.

        Raises:
            CuratorError: The file is damaged, or of a newer version.
        """
        return cls(place, Root(place, root), Seal(data), read_only=True)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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

    def runs(self) -> list[RunInfo]:
        """All runs, earliest first."""
        return self._runs("", ())

    def run(self, number: int) -> RunInfo:
        """One run.

        Raises:
            JournalError: There is no such run.
        """
        for info in self._runs("WHERE runs.id = ?", (number,)):
            return info
        raise JournalError(f"the journal knows no run {number}; look at the list of runs")

    def undone(self) -> dict[int, int]:
        """For every run of which something was taken back, how many steps; many times faster than all about all runs."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT run, count(*) FROM steps INDEXED BY steps_by_run WHERE state = 'undone' GROUP BY run"
            ).fetchall()
        return dict(rows)

    def last_done(self, before: int = 0) -> RunInfo | None:
        """The latest run of the folder that was named of which something is done and not undone; None where there is none."""
        while True:
            with self._database.reading() as connection:
                run = latest_standing(connection, before)
            # A run about another folder is none of this one's. A store that many share holds thousands of them.
            if run is None or self.custody.concerns(run):
                return None if run is None else self.run(run)
            before = run

    def _runs(self, where: str, values: tuple[Any, ...]) -> list[RunInfo]:
        with self._database.reading() as connection:
            return read_runs(connection, where, values)

    def steps(self, run: int) -> Iterator[StepInfo]:
        """The steps of a run in their order, each followed at the end by the text files that travelled."""
        for record in self.records("run = ?", (run,)):
            yield record.info

    # What follows is for the modules beside this one.

    def records(self, where: str, values: tuple[Any, ...], backwards: bool = False) -> Iterator[Record]:
        """Records that fulfil a condition, by number; read in pages, so that they may be changed meanwhile.

        The condition is asked of what is written; a record that waits to be written is given as it will be.
        """
        compare, order, last = ("<=", "DESC", (1 << 63) - 1) if backwards else (">", "ASC", 0)
        while True:
            waiting = dict(self._later)
            with self._database.reading() as connection:
                found = connection.execute(
                    f"{SELECT} WHERE {where} AND id {compare} ? ORDER BY id {order} LIMIT {_PAGE}",
                    (*values, last),
                )
                rows = one_page(found)
                found.close()
            for row in rows:
                yield waiting.get(row[0]) or self.custody.read(row)
            if not rows:
                return
            compare, last = compare[0], rows[-1][0]

    def unsettled(self) -> list[int]:
        """Runs that a process left with a step half done, text files that have not followed their picture, or emptied folders."""
        with self._database.reading() as connection:
            runs = unsettled_runs(connection)
        # Those of another folder, which may have the same store, are none of this one's.
        return [run for run in runs if not self.custody.run(run).flaw]

    def count(self, run: int, where: str, *values: Any) -> int:
        """How many steps of a run, without companions, fulfil a condition."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT count(*) FROM steps WHERE run = ? AND parent IS NULL AND {where}", (run, *values)
            ).fetchone()
        return int(row[0])

    def later(self, record: Record) -> None:
        """Writes a record down together with whatever is written next. Until then the one before stands, which can be settled too."""
        self._later[record.id] = record

    def not_yet(self, record: Record) -> None:
        """Takes back what :meth:`later` was told of a record."""
        self._later.pop(record.id, None)

    def write(self, *records: Record, folders: Iterable[Path] = ()) -> None:
        """Writes records down, onto the disk, before this returns. New ones are given their number.

        Args:
            records: The records.
            folders: Folders about to be made for the run of the first one.

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

    def folders(self, run: int) -> list[Path]:
        """Folders made for a run that may be removed, inner ones first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT path, signature FROM folders WHERE run = ?", (run,)).fetchall()
        found = (self.custody.removable(run, *row) for row in rows)
        return sorted((path for path in found if path is not None), key=lambda path: -len(path.parts))

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

    def done_before(self, record: Record) -> Iterator[Record]:
        """Done steps of the same kind from the same file to the same name, latest first."""
        found = self.records(
            f"kind = ? AND source = ? AND target = ? AND id <> ? AND {_STANDING}",
            (record.kind, self.root.stored(record.source), self.root.stored(record.target), record.id),
            backwards=True,
        )
        return (earlier for earlier in found if earlier.state == "done" and self._counts(earlier))

    def touching(self, path: Path, record: Record) -> Iterator[Record]:
        """Steps after ``record``, done and not undone, that start from a file or made it."""
        name = self.root.stored(path)
        # A text file is given its number late, but has its turn with its picture.
        turn = record.parent or record.id
        # Two questions, because SQLite would answer one with an "or" without its indexes where there are millions of steps.
        for column in ("source", "made"):
            for later in self.records(
                f"{column} = ? AND coalesce(parent, id) > ? AND {_STANDING}", (name, turn)
            ):
                if later.state == "done" and self._counts(later):
                    yield later

    def _counts(self, record: Record) -> bool:
        """Whether a step says something about files of this folder: not one of another folder, and none that no run of ours wrote.

        One that leads out counts whether it is vouched for or not: what it made may still stand, and a person may yet confirm it.
        """
        try:
            self.custody.admit(record)
        except LeadsOut:
            return True
        except Refused:
            return False
        return True

    def giving(self, record: Record, names: Sequence[Path]) -> Record | None:
        """The earlier step of the same run that was to give a file one of these names, the latest of several; else None."""
        found = self.records(
            f"run = ? AND target IN ({', '.join('?' * len(names))}) AND kind NOT IN ('edit', 'put') AND parent IS NULL AND id < ?",
            (record.run, *map(self.custody.stored(record.run), names), record.id),
            backwards=True,
        )
        return next(found, None)
