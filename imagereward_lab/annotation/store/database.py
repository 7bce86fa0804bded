"""One database, SQLite or PostgreSQL: opened, brought to the newest version, read by many, written in whole transactions."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from imagereward_core.errors import CuratorError

from .migrations import APPLICATION_ID, NewerError, migrate

T = TypeVar("T")

BUSY_SECONDS = 30.0
"""How long somebody waits for others who write."""
_RETRIED = ("40001", "40P01", "55P03")
"""PostgreSQL's codes of transactions that lost against another one and may be done again."""
_CONNECTIONS = 40


class StoreError(CuratorError):
    """The store of a project cannot be used; the text says why and what to do."""


def sqlite_url(path: Path) -> URL:
    """The URL of an SQLite file."""
    return URL.create("sqlite+pysqlite", database=str(path))


def database_url(text: str) -> URL:
    """The URL that somebody typed.

    Raises:
        StoreError: It is none, or of another kind of database.
    """
    expected = "expected one such as postgresql://user@host/database"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"found {text[:80]!r}, which is no URL of a database; {expected}") from error
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise StoreError(f"found a URL of {url.drivername!r}; {expected}. For SQLite leave it out")


class Database:
    """An open database. Safe to use from many threads; several processes may use one database.

    Args:
        url: SQLite by file or PostgreSQL.
        create: Whether it may be empty still; else a project must be in it.

    Raises:
        StoreError: It cannot be opened, holds something else, or is of a newer version.
    """

    def __init__(self, url: URL, *, create: bool = False) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        # Writers of one process take turns by a lock, which is fair; SQLite itself lets the unlucky wait without end.
        self._turn = threading.Lock()
        if self.is_sqlite and not create and not Path(url.database or "").is_file():
            raise StoreError(f"{self.name}: there is no such file; expected the store of a project")
        try:
            self.engine = _engine(url, self.is_sqlite)
        except (ImportError, NoSuchModuleError) as error:
            raise StoreError(
                f"{self.name}: a package is missing ({error}). Install it with: pip install 'imagereward-curator[postgres]'"
            ) from error
        try:
            self.write(lambda connection: self._open(connection, create))
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """What messages call it; never with a password."""
        return str(self.url.database) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    def _open(self, connection: Connection, create: bool) -> None:
        if self.is_sqlite:
            tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
            (application,) = connection.exec_driver_sql("PRAGMA application_id").one()
            if tables and application != APPLICATION_ID:
                raise StoreError(
                    f"{self.name}: this SQLite file is of another program; expected the store of a project, as 'imagereward annotate new' "
                    "makes it"
                )
        try:
            found = migrate(connection)
        except NewerError as error:
            raise StoreError(
                f"{self.name}: the store is of version {error.found}; expected at most {error.known}. It was written by a newer version of "
                "this program: update it"
            ) from error
        if not found and not create:
            raise StoreError(
                f"{self.name}: found no project; expected one, as 'imagereward annotate new' makes it"
            )

    def write(self, action: Callable[[Connection], T]) -> T:
        """Runs an action in a transaction of its own: all it writes is kept, or nothing if it raises.

        Where it lost against another transaction it is run again from the start, so it must change nothing but the database.

        Raises:
            StoreError: The database cannot be written, or others wrote for longer than ``BUSY_SECONDS``.
        """
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                if not self.is_sqlite:
                    with self.engine.begin() as connection:
                        return action(connection)
                with self._turn, self.engine.connect() as connection, connection.begin():
                    return action(connection)
            except DBAPIError as error:
                if not _may_repeat(error) or time.monotonic() > until:
                    raise self._unusable("written", error) from error
                time.sleep(random.uniform(0.005, 0.05))
            except SQLAlchemyError as error:
                raise self._unusable("written", error) from error

    def read(self, action: Callable[[Connection], T]) -> T:
        """Runs an action that only reads, on one state of the database.

        Raises:
            StoreError: It cannot be read.
        """
        try:
            with self.engine.connect().execution_options(reading=True) as connection, connection.begin():
                if not self.is_sqlite:
                    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                return action(connection)
        except SQLAlchemyError as error:
            raise self._unusable("read", error) from error

    def _unusable(self, verb: str, error: SQLAlchemyError) -> StoreError:
        cause = error.orig if isinstance(error, DBAPIError) else error
        what = "a database that can be reached"
        if self.is_sqlite:
            what = "room on the disk and an undamaged file that can be written"
            folder = Path(self.name).absolute().parent
            if not os.access(
                folder, os.W_OK
            ):  # looking needs it too: beside the file SQLite keeps who reads it
                what = f"a folder that can be written to, and {folder} can only be read. Copy the project to another place"
        return StoreError(
            f"{self.name}: the store cannot be {verb} ({str(cause).strip()[:300]}); expected {what}. What was confirmed before is kept"
        )

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()


def _engine(url: URL, is_sqlite: bool) -> Engine:
    if not is_sqlite:
        return create_engine(url, pool_size=_CONNECTIONS, pool_pre_ping=True, pool_timeout=BUSY_SECONDS)
    engine = create_engine(
        url,
        pool_size=_CONNECTIONS,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver thinks
        cursor = connection.cursor()
        for pragma in (
            "trusted_schema = OFF",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        # Who will write says so at once: a transaction that reads first could lose against another one in its midst.
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _may_repeat(error: DBAPIError) -> bool:
    """Whether a transaction failed only because of others at the same time, or because its connection was cut before it was sent."""
    code = getattr(error.orig, "sqlstate", None)
    text = str(error.orig)
    return code in _RETRIED or "database is locked" in text or "database table is locked" in text
