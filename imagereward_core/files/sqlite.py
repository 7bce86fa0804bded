"""One SQLite file: opened, compared with what this program makes, migrated, read by many and written by one at a time."""

from __future__ import annotations

import errno
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Literal

from .sqlite_view import StoreError, View, check_beside
from .values import NoText, StrangeValueError

Migration = Callable[[sqlite3.Connection], None]
"""Makes the next version of a file out of the one before."""

Objects = dict[tuple[str, str], str]
"""The statement that made each table and index, by type and name."""

_STATISTICS = ("sqlite_stat1", "sqlite_stat4")
"""Tables of SQLite's own, which appear once somebody has had it analyse a file."""

BUSY_SECONDS = 30.0
"""How long a process waits while another one writes."""

_WRITER_CACHE_KIB = 65536
_READER_CACHE_KIB = 16384


class Database:
    """One SQLite file for any number of threads and processes.

    Every read borrows a connection of its own, so reading never waits for a write. Writes of this process take turns by a lock,
    those of several processes by SQLite's. A commit survives the end of the process at any instant (WAL), and at most the last
    commits, never the file, are lost with the machine's power.

    Args:
        path: The file; it and its folder are made where they are missing.
        application: The number that marks files of this kind.
        migrations: Step ``n`` makes version ``n + 1`` out of version ``n``; version 0 is an empty file.
        synchronous: ``FULL`` where a commit must survive the loss of power as well.
        what: What messages call the file.
        exact: Whether every table and index has to be as the migrations make it. Things that act by themselves, such as triggers, are
            refused in any case. Text that is none, which SQLite keeps all the same, is given as bytes then, so that it spoils its own row
            alone.
        read_only: Only to look: no file is made, changed or migrated, and neither it nor its folder need be writable. A file that is
            missing is as an empty one.

    Raises:
        StoreError: The file cannot be used; the text says why and what to do.
    """

    def __init__(
        self,
        path: Path,
        *,
        application: int,
        migrations: Sequence[Migration],
        synchronous: Literal["NORMAL", "FULL"] = "NORMAL",
        what: str = "library",
        read_only: bool = False,
        exact: bool = False,
    ) -> None:
        self.path, self.application, self.migrations = path, application, migrations
        self.synchronous, self.what, self.exact = synchronous, what, exact
        self._idle: list[sqlite3.Connection] = []
        self._turn = threading.RLock()
        self._closed = False
        self.read_only, self._migrating = read_only, False
        self._view: View | None = None
        try:
            check_beside(path, writing=not read_only)
            if read_only:
                self._view = View(path, len(migrations))
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect(_WRITER_CACHE_KIB, self._check_owner)
        except (OSError, sqlite3.Error) as error:
            self._let_go()
            if _is_full(error):
                raise StoreError(
                    f"{path}: the {self.what} cannot be opened ({error}); expected room on the disk. Free some, and do it again: no "
                    "picture was touched."
                ) from error
            raise StoreError(
                f"{path}: the {self.what}'s file cannot be opened ({error}); expected an SQLite file of this program in a folder that can "
                "be written. Name another place for it (with the command: --store DIR), or move the file away: no picture is touched by "
                "that."
            ) from error
        try:
            self._migrate()
            self._check_tables(exact)
        except BaseException:
            self._writer.close()
            self._let_go()
            raise

    def _let_go(self) -> None:
        if self._view is not None:
            self._view.close()

    def _connect(
        self, cache_kib: int, check: Callable[[sqlite3.Connection], None] | None = None
    ) -> sqlite3.Connection:
        fixed = self._view is not None and self._view.fixed
        connection = sqlite3.connect(
            self.path if self._view is None else self._view.address,
            uri=self._view is not None,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            if self.exact:
                connection.text_factory = _text
            connection.execute("PRAGMA trusted_schema = OFF")
            if check is not None:
                check(connection)  # before anything is changed
            if not fixed:
                _use_wal(connection)
            connection.execute(f"PRAGMA synchronous = {self.synchronous}")
            connection.execute(f"PRAGMA cache_size = -{cache_kib}")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
            connection.create_function("holds", 2, _holds, deterministic=True)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self) -> None:
        newest = len(self.migrations)
        try:
            version = self._version()
            if version < 0:
                raise StoreError(
                    f"{self.path}: the {self.what} says that it is of version {version}, which none is. {self._advice}"
                )
            if version == newest:
                return
            if version < newest:
                self._migrating = True
                with self.writing() as connection:
                    for step in self.migrations[
                        self._version() :
                    ]:  # read again: another process may have been first
                        step(connection)
                    connection.execute(f"PRAGMA user_version = {newest}")
                    connection.execute(f"PRAGMA application_id = {self.application}")
                self._migrating = False
                return
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path}: the {self.what}'s file cannot be brought to version {newest} ({error}); expected a file of this program "
                "on a disk with room. Make room, or move the file away and scan again."
            ) from error
        raise StoreError(
            f"{self.path}: the {self.what} is of version {version}; expected at most {newest}. It was written by a newer version of this "
            "program: update the program, or choose another place for the store."
        )

    def _version(self) -> int:
        """The version of the file; 0 for an empty one."""
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        return int(version)

    def _check_owner(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")  # both at one instant: another process may be making the file
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        connection.execute("COMMIT")
        if tables and application != self.application:
            raise StoreError(
                f"{self.path}: this SQLite file belongs to another program (its application id is {application:#x}); expected a "
                f"{self.what} of this one. Choose another place for the store."
            )

    def _check_tables(self, exact: bool) -> None:
        with self.reading() as connection:
            found = not_ours(connection, self.migrations, exact)
        if found:
            raise StoreError(
                f"{self.path}: the {self.what} holds {found}, which this program never makes; it is not used. {self._advice}"
            )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading, for the length of the block."""
        if self._closed:
            raise StoreError(f"{self.path}: the {self.what} is closed; open it again")
        connection: sqlite3.Connection | None = None
        try:
            connection = self._borrow()
            yield connection
        except sqlite3.DatabaseError as error:
            raise self._unusable("read", error) from error
        except StrangeValueError as error:
            raise self._strange(error) from error
        finally:
            if connection is not None and self._closed:
                connection.close()
            elif connection is not None:
                self._idle.append(connection)

    def _borrow(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:  # never asked beforehand: another thread may take the last one
            return self._connect(_READER_CACHE_KIB)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: what the block writes is kept as a whole, or not at all if it raises.

        Raises:
            StoreError: The disk is full or cannot be written, or another process wrote for longer than ``BUSY_SECONDS``.
        """
        with self._turn:
            if self._closed:
                raise StoreError(f"{self.path}: the {self.what} is closed; open it again")
            if self.read_only and not self._migrating:
                raise StoreError(f"{self.path}: the {self.what} was opened only to look; open it for writing")
            connection = self._writer
            if connection.in_transaction:  # a block within a block is part of it
                yield connection
                return
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.DatabaseError):
                    raise self._unusable("written", error) from error
                if isinstance(error, StrangeValueError):
                    raise self._strange(error) from error
                raise

    @property
    def _advice(self) -> str:
        return f"It may have come along with the folder. Move the file away to begin a new {self.what}: no picture is touched by that."

    def _strange(self, error: StrangeValueError) -> StoreError:
        return StoreError(
            f"{self.path}: the {self.what} is not used, because it holds what no version of this program writes ({error}). {self._advice}"
        )

    def _unusable(self, verb: str, error: sqlite3.DatabaseError) -> StoreError:
        return StoreError(
            f"{self.path}: the {self.what} cannot be {verb} ({error}); expected room on the disk, an undamaged file that can be written, "
            "and no other program that holds it. What was written before is kept."
        )

    def close(self) -> None:
        """Closes the file; a connection still lent out is closed when it comes back."""
        with self._turn:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()
            self._let_go()


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return NoText(data)


def _is_full(error: OSError | sqlite3.Error) -> bool:
    """Whether a disk, or somebody's share of it, has no room left."""
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    return error.errno in full if isinstance(error, OSError) else "disk is full" in str(error)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Makes readers and the writer independent of each other; a file system without shared memory keeps its own way.

    Where another program opens the same new file at this instant, SQLite does not wait for it, whatever the time-out says.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _holds(text: object, part: str) -> bool:
    """Whether ``text`` holds ``part`` (already case-folded), in any letter case of any alphabet."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return isinstance(text, str) and part in text.casefold()


def not_ours(
    connection: sqlite3.Connection, migrations: Sequence[Callable[[sqlite3.Connection], None]], exact: bool
) -> str:
    """Differences of a file, of the newest version, from what the migrations make of an empty one; empty where there are none.

    Triggers, views and virtual tables do things by themselves. So can a table of ours in another form: with columns that are computed,
    rules by which a row replaces another, or expressions in an index. Forms are compared where ``exact`` is asked for.
    """
    found = _objects(connection)
    for kind, name in found:
        if kind not in ("table", "index") or found[kind, name].upper().startswith("CREATE VIRTUAL"):
            return f"the {kind} {name[:40]!r}"
    if exact:
        expected = _expected(tuple(migrations))
        for kind, name in sorted(found.keys() | expected.keys()):
            if (kind, name) not in found:
                return f"no {kind} {name[:40]!r}"
            if (kind, name) not in expected and not (kind == "table" and name in _STATISTICS):
                return f"the {kind} {name[:40]!r}"
            if found[kind, name] != expected.get((kind, name), found[kind, name]):
                return f"the {kind} {name[:40]!r} in another form"
    return ""


def _objects(connection: sqlite3.Connection) -> Objects:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return {(str(kind), str(name)): f"{_plain(sql)} {table}".strip() for kind, name, table, sql in rows}


def _plain(sql: object) -> str:
    """A statement without comments and in one line, as versions before may have written it."""
    without = re.sub(r"--[^\n]*", "", str(sql or ""))
    return re.sub(r"[ \t\n\f\r]+", " ", without)  # what SQLite takes for space, and nothing else


@lru_cache(maxsize=8)
def _expected(migrations: tuple[Callable[[sqlite3.Connection], None], ...]) -> Objects:
    with closing(sqlite3.connect(":memory:")) as connection:
        for migrate in migrations:
            migrate(connection)
        return _objects(connection)
