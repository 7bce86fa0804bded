"""A library: folders of pictures with their prompts, scores and stars, kept in one place and read in any order."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..files.sqlite import Database
from ..files.values import absolute
from .scan.options import ScanOptions
from .scan.progress import ScanProgress, ScanResult
from .store import pages, sources
from .store.files import files_alike, find_files, has_said, write_said
from .store.records import Query, Row, ScorerKey
from .store.relocation import copy_file, move_file
from .store.rows import rows_of
from .store.schema import APPLICATION_ID, MIGRATIONS
from .store.scores import all_values, find_scorer, has_values, scorer_keys

if TYPE_CHECKING:
    from ..scorers.panel import Panel, PanelResult
    from ..scores import FloatArray
    from .journal import Journal
    from .origin import Origin

FILE_NAME = "library.sqlite3"
_AT_ONCE = 1000


@dataclass(frozen=True)
class ScoredFiles:
    """Rows, by path or as asked for, with value, cut and problem by the scorer that decides, and the panel's judgement in their order."""

    rows: list[Row]
    result: PanelResult


def _database(place: Path, read_only: bool = False) -> Database:
    """The store's file in the folder ``place``."""
    return Database(place / FILE_NAME, application=APPLICATION_ID, migrations=MIGRATIONS, read_only=read_only)


class Library:
    """Pictures known by their content, so that a file that is moved, renamed or given other metadata keeps its scores and stars.

    May be used from any number of threads, and by several processes at once. A context manager.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, Library.open(Path(folder, ".imagereward"), root=Path(folder)) as library:
    ...     list(library.rows(Query(folder=Path(folder))))
    []

    Args:
        database: The open store.
        root: The folder that its journal is about; None for the one the store lies in.
        data: The user's own folder for this program, which vouches for steps that lead out of that folder.
        beside: The folder of the journal, where the store is a copy for this time; None for that of the store.
    """

    def __init__(
        self,
        database: Database,
        root: Path | None = None,
        data: Path | None = None,
        beside: Path | None = None,
    ) -> None:
        self.database, self.root, self.data = database, root, data
        self.beside = beside or database.path.parent

    @classmethod
    def open(
        cls, place: Path, *, root: Path | None = None, data: Path | None = None, beside: Path | None = None
    ) -> Library:
        """Opens the library in the folder ``place``, which is made where it is missing; the others are as for the class.

        Raises:
            StoreError: It is damaged, of a newer version, or cannot be written.
        """
        library = cls(_database(absolute(place)), root, data, beside)
        try:
            library.origin.claim_new()
        except BaseException:
            library.close()
            raise
        return library

    @classmethod
    def look(cls, place: Path, *, root: Path | None = None, data: Path | None = None) -> Library:
        """Opens the library in the folder ``place`` for looking alone: nothing is written, and nothing need be writable.

        Raises:
            StoreError: It is damaged, or of a newer version.
        """
        return cls(_database(absolute(place), read_only=True), root, data)

    def looked_at_again(self) -> Library:
        """The library that this one looks at as it is now: what is only looked at may be seen as it was then."""
        return self.look(self.database.path.parent, root=self.root, data=self.data)

    @property
    def origin(self) -> Origin:
        """Who made it."""
        from .origin import Origin

        return Origin(self.database, self.beside, self.data, self.root)

    def journal(self, *, looking: bool = False) -> Journal:
        """The journal beside the library. Unless it is only looked at, what an earlier process left half done is settled.

        Raises:
            CuratorError: It is damaged, of a newer version, or cannot be written.
        """
        from .journal import Journal, open_journal

        opened = Journal.look if looking else open_journal
        return opened(self.beside, root=self.root, data=self.data)

    def close(self) -> None:
        """Closes the store."""
        self.database.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def scan(
        self,
        roots: Sequence[Path],
        panel: Panel | None,
        *,
        options: ScanOptions | None = None,
        progress: Callable[[ScanProgress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        turn: Callable[[int], AbstractContextManager[None]] | None = None,
    ) -> ScanResult:
        """Brings the library up to date with folders, and scores what is new with every single scorer of a panel.

        A file is decoded once and only when it is new or changed; a content is scored once by each scorer, and by those that
        read prompts once with each prompt. Everything reported as done is in the store: a scan may be ended at any instant, and
        the next one goes on from there. A file that cannot be read is a row with a reason, and is tried again once it changes.

        Args:
            roots: Folders.
            panel: The scorers; None only to index.
            options: Which files, and where their prompts come from.
            progress: Told now and then how far the scan is.
            cancelled: Asked now and then whether to stop.
            turn: Entered with the number of pictures whenever the model works: for hosts in which others use the device too.

        Raises:
            PromptError: The prompt for all pictures holds no words.
            StoreError: The store cannot be written.
        """
        from .scan.scan import scan

        return scan(self.database, roots, panel, options or ScanOptions(), progress, cancelled, turn)

    def keys(self) -> list[ScorerKey]:
        """Whose numbers the library holds, in the order they first scored."""
        with self.database.reading() as connection:
            return scorer_keys(connection)

    def is_judged(self) -> bool:
        """Whether it holds a score, or stars or a decision of a person's."""
        with self.database.reading() as connection:
            return has_values(connection) or has_said(connection)

    def count(self, query: Query) -> int:
        """How many files fit."""
        with self.database.reading() as connection:
            wanted = self._resolved(connection, query)
            return 0 if wanted is None else pages.count(connection, wanted)

    def page(self, query: Query, limit: int = 100, after: Row | None = None, offset: int = 0) -> list[Row]:
        """At most ``limit`` files behind the row ``after`` in the order of the query, ``offset`` of them left out.

        The cost does not grow with the place of ``after``, and a little with the offset.
        """
        with self.database.reading() as connection:
            wanted = self._resolved(connection, query)
            if wanted is None:
                return []
            files = pages.file_numbers(connection, wanted, after, limit, offset)
            return list(rows_of(connection, wanted.scorer, files, wanted.query.folder))

    @staticmethod
    def _resolved(connection: sqlite3.Connection, query: Query) -> sources.Wanted | None:
        folder = None if query.folder is None else absolute(query.folder)
        return sources.resolve(connection, replace(query, folder=folder))

    def rows(self, query: Query) -> Iterator[Row]:
        """All files that fit, in order and in constant memory. What a scan changes meanwhile may or may not show."""
        after: Row | None = None
        while page := self.page(query, _AT_ONCE, after):
            yield from page
            after = page[-1]

    def scored(
        self,
        panel: Panel,
        folder: Path | Sequence[Path] | None = None,
        paths: Sequence[Path] | None = None,
        choose: Callable[[Sequence[Row]], Sequence[int]] | None = None,
    ) -> ScoredFiles:
        """A panel's judgement of the numbers stored for files, as if it had just scored them all; for blends, of their members' numbers.

        Files are those of ``paths`` that are known, else those in a folder and below it, or in these folders one after the other.
        ``choose``, given all these rows with the numbers of the panel's first scorer, says by their places which are judged.
        """
        from .stored_scores import judge

        folders = [folder] if folder is None or isinstance(folder, Path) else folder

        def read(key: ScorerKey) -> list[Row]:
            if paths is not None:
                return self.find(paths, key)
            return [row for each in folders for row in self.rows(Query(key=key, folder=each, order="name"))]

        return ScoredFiles(*judge(read, panel, choose))

    def find(self, paths: Sequence[Path], key: ScorerKey | None = None) -> list[Row]:
        """The rows of files, in the order given; unknown files are left out."""
        with self.database.reading() as connection:
            scorer = 0 if key is None else find_scorer(connection, key) or 0
            return list(rows_of(connection, scorer, find_files(connection, map(absolute, paths))))

    def alike(self, rows: Sequence[Row]) -> list[Row]:
        """The rows, without numbers, of all files with the same pixels as one of these, themselves among them."""
        with self.database.reading() as connection:
            return list(rows_of(connection, 0, files_alike(connection, [row.file for row in rows])))

    def history(self, key: ScorerKey, besides: Collection[str] = ()) -> FloatArray:
        """Every number a scorer has given to contents of this library, float64 [N], in no order.

        Left out are those of ``besides``: contents, as in :attr:`Row.content`, that are to be compared with the others.
        """
        import numpy as np

        with self.database.reading() as connection:
            return np.fromiter(all_values(connection, key, besides), dtype=np.float64)

    def set_stars(self, picture: Path | str, stars: int | None) -> None:
        """Notes what a person gave a picture; all files with the same content have the same stars.

        Args:
            picture: The path of a file, or the hash of a content as in :attr:`Row.content`.
            stars: 0..5; None takes them away.

        Raises:
            ValueError: Another number.
            LookupError: The library does not know the picture, or could not decode it.
        """
        if stars is not None and stars not in range(6):
            raise ValueError(f"stars is {stars!r}; expected a whole number from 0 to 5, or None")
        with self.database.writing() as connection:
            write_said(connection, _absolute(picture), "stars", stars)

    def decide(self, picture: Path | str, kept: bool | None) -> None:
        """Notes that a person wants a picture kept or rejected, whatever its score; None leaves it to rules again.

        Otherwise as :meth:`set_stars`.
        """
        with self.database.writing() as connection:
            write_said(connection, _absolute(picture), "decision", kept)

    def moved(self, source: Path, target: Path) -> None:
        """A file was moved: its row moves with it, so that no scan need read it again. Unknown files are left to the next scan."""
        with self.database.writing() as connection:
            move_file(connection, absolute(source), absolute(target))

    def copied(self, source: Path, target: Path) -> None:
        """A file was copied: the copy gets a row of its own with the same numbers."""
        with self.database.writing() as connection:
            copy_file(connection, absolute(source), absolute(target))


def _absolute(picture: Path | str) -> Path | str:
    return absolute(picture) if isinstance(picture, Path) else picture
