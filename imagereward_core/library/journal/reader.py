"""The journal for reading: runs, steps, the records that the modules beside this one ask for, and the folders in which runs act."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ...errors import CuratorError
from ...files.sqlite import Database
from ...files.values import absolute
from .custody import Custody, LeadsOut
from .files import Refused
from .records import SELECT, Record, one_page
from .roots import Root, read_path
from .runs import latest_standing, read_runs, unsettled_runs
from .schema import APPLICATION_ID, MIGRATIONS
from .steps import GIVING, RunInfo, State, StepInfo
from .trust import Seal

FILE_NAME = "journal.sqlite3"

_STANDING = (
    "state IN ('done', 'ready', 'restoring')"  # the last two may be waiting to be written as done or undone
)
_PAGE = 256


class JournalError(CuratorError):
    """The journal is in use, cannot be written, or knows no such run."""


_Reader = TypeVar("_Reader", bound="JournalReader")


class JournalReader:
    """The journal of one store, for reading; see :class:`~.journal.Journal`."""

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
        self.custody = Custody(self._database, root, seal)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def __enter__(self: _Reader) -> _Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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

    def records(self, where: str, values: tuple[Any, ...], backwards: bool = False) -> Iterator[Record]:
        """Records that fulfil a condition, by number; read in pages, so that they may be changed meanwhile.

        The condition is asked of what is written; a record that waits to be written is given as it will be.
        """
        compare, order, last = ("<=", "DESC", (1 << 63) - 1) if backwards else (">", "ASC", 0)
        while True:
            waiting = self._later  # another one by the time these are written
            with self._database.reading() as connection:
                found = connection.execute(
                    f"{SELECT} WHERE {where} AND id {compare} ? ORDER BY id {order} LIMIT {_PAGE}",
                    (*values, last),
                )
                rows = one_page(found)
                more = len(rows) == _PAGE or found.fetchone() is not None
                found.close()
            for row in rows:
                yield waiting.get(row[0]) or self.custody.read(row)
            if not more:
                return
            compare, last = compare[0], rows[-1][0]

    def companions(self, record: Record, state: State) -> list[Record]:
        """The text files that travel with the picture of a step, those in a state; only where a picture gets a name do any travel."""
        if record.parent is not None or record.kind not in GIVING:
            return []
        return list(self.records("parent = ? AND state = ?", (record.id, state)))

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

    def folders(self, run: int) -> list[Path]:
        """Folders made for a run that may be removed, inner ones first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT path, signature FROM folders WHERE run = ?", (run,)).fetchall()
        found = (self.custody.removable(run, *row) for row in rows)
        return sorted((path for path in found if path is not None), key=lambda path: -len(path.parts))

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


def folders_of(journal: JournalReader, run: int | None) -> list[Path]:
    """Every folder in which a run acts (None: no run), with those of half-done runs, which are settled first."""
    settled = journal.unsettled()
    runs = [*settled, run] if run is not None and run not in settled else settled
    return [*folders_about(journal, run), *folders_outside(journal, runs)]


def folders_about(journal: JournalReader, run: int | None) -> list[Path]:
    """The folders that a run is about, or all runs that have a step half done; as far as they are known."""
    if journal.root.folder is not None:
        return [journal.root.folder]
    with journal.custody.database.reading() as connection:
        runs = journal.unsettled() if run is None else [run]
        found = [
            connection.execute("SELECT folder FROM runs WHERE id = ?", (each,)).fetchone() for each in runs
        ]
    paths = [read_path(row[0], None) for row in found if row is not None and row[0] is not None]
    return [path for path, flaw in paths if not flaw]


def folders_outside(journal: JournalReader, runs: Iterable[int]) -> list[Path]:
    """The folders outside in which steps of these runs may act, links resolved; none for which nothing but the journal vouches."""
    found: dict[str, None] = {}
    for run in runs:
        with journal.custody.database.reading() as connection:
            # One step of each set of folders: thousands go to the same.
            rows = connection.execute(
                "SELECT min(id) FROM steps WHERE run = ? AND outside IS NOT NULL GROUP BY outside", (run,)
            ).fetchall()
        for row in rows:
            for record in journal.records("id = ?", row):
                found.update(dict.fromkeys(journal.custody.vouched(record)))
    return [Path(folder) for folder in found]
