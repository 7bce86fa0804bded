"""A store with a journal of a stranger's making, written into a folder."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imagereward_core.library.journal.schema import APPLICATION_ID, MIGRATIONS
from imagereward_core.library.library import Library

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(1000)
HIDDEN = ".imagereward-0123456789abcdef.tmp"
Trick = Callable[[Path, Path], str]
TRICKS: dict[str, Trick] = {}
Row = Mapping[str, Any]


def trick(make: Trick) -> Trick:
    """Adds a trick to the list, under the name of its function."""
    TRICKS[make.__name__] = make
    return make


def bring(folder: Path, *rows: Row, version: int = 2, folders: tuple[object, ...] = ()) -> Path:
    """Writes a store with a journal into a folder.

    Args:
        folder: The folder.
        rows: Its steps, numbered from 1; what is not given is as in a copy that is done.
        version: Of the journal's format.
        folders: Folders that the run is said to have made.

    Returns:
        The journal.
    """
    place = folder / ".imagereward"
    Library.open(place).close()
    journal = place / "journal.sqlite3"
    connection = sqlite3.connect(journal)
    for migrate in MIGRATIONS[:version]:
        migrate(connection)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    about: dict[str, Any] = {"id": 1, "begun": "2026-01-01T00:00:00+00:00", "title": "kept"}
    if version > 2:
        about.update(base="store", anchor=str(folder), device="1", inode="1", folder=str(folder))
    _insert(connection, "runs", about)
    picture = str(folder / "a.png")
    for row in rows:
        _insert(
            connection,
            "steps",
            {"run": 1, "kind": "copy", "state": "done", "source": picture, "target": picture, **row},
        )
    for each in folders:
        _insert(connection, "folders", {"run": 1, "path": each})
    connection.commit()
    connection.close()
    return journal


def _insert(connection: sqlite3.Connection, table: str, values: Row) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def seen(name: str, data: bytes, path: Path) -> Row:
    """Columns that say what a file holds: ``before`` or ``after``."""
    return {
        f"{name}_size": len(data),
        f"{name}_modified": path.stat().st_mtime_ns if path.exists() else 0,
        f"{name}_digest": hashlib.sha256(data).hexdigest(),
    }


def splices(*parts: tuple[int, bytes, bytes]) -> bytes:
    """Splices as an edit stores them."""
    return zlib.compress(json.dumps([(at, old.hex(), new.hex()) for at, old, new in parts]).encode())


def person(folder: Path, outside: Path) -> Path:
    """The picture, and a person's letter; returns that."""
    folder.mkdir(parents=True, exist_ok=True)
    outside.mkdir(parents=True, exist_ok=True)
    (folder / "a.png").write_bytes(PICTURE)
    (outside / "a.png").write_bytes(PICTURE)
    letter = outside / "letter.txt"
    letter.write_bytes(b"dear all")
    return letter


def done(folder: Path) -> Row:
    """A picture that was copied, for text files to follow."""
    (folder / "kept").mkdir(exist_ok=True)
    (folder / "kept" / "a.png").write_bytes(PICTURE)
    made = folder / "kept" / "a.png"
    return {
        "target": str(made),
        "made": str(made),
        **seen("before", PICTURE, made),
        **seen("after", PICTURE, made),
    }
