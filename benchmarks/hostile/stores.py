"""Stores that are not what they seem: links, pipes, tables in another form."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from .journal import bring, done, person, trick


@trick
def computed_columns(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    journal = bring(folder, version=3)
    with sqlite3.connect(journal) as connection:
        (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'steps'").fetchone()
        indexes = connection.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = 'steps' AND type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        connection.execute("DROP TABLE steps")
        connection.execute(sql.replace("made,", "made AS (CASE state WHEN 'doing' THEN 'b.png' END),"))
        for (index,) in indexes:
            connection.execute(index)
        connection.execute(
            "INSERT INTO steps (run, kind, source, target, state, temporary) VALUES (1, 'copy', 'a.png', 'b.png', 'doing', ?)",
            (str(letter),),
        )
    connection.close()
    return "a column that is computed from others whenever it is read"


@trick
def store_that_is_a_link(folder: Path, outside: Path) -> str:
    person(folder, outside)
    bring(outside, done(outside), version=3)
    (outside / ".imagereward").rename(outside / "store")
    (folder / ".imagereward").symlink_to(outside / "store", target_is_directory=True)
    return "a store that is a link to that of another folder"


@trick
def journal_that_is_a_link(folder: Path, outside: Path) -> str:
    person(folder, outside)
    journal = bring(folder, done(folder), version=3)
    mine = journal.rename(outside / "mine.sqlite3")
    journal.symlink_to(mine)
    return "a journal that is a link to one elsewhere"


@trick
def log_that_is_a_link(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    journal = bring(folder, done(folder))
    for name in (journal.name, "library.sqlite3"):
        for suffix in ("-wal", "-shm", "-journal"):
            journal.with_name(name + suffix).symlink_to(letter)
    return "logs of SQLite that are links to a document"


@trick
def journal_that_is_a_pipe(folder: Path, outside: Path) -> str:
    person(folder, outside)
    journal = bring(folder, done(folder))
    journal.unlink()
    os.mkfifo(journal)
    return "a journal that is a pipe, for which whoever opens it waits"
