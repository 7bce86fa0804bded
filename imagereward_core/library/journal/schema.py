"""The journal's tables. Paths inside the root are stored from there on, others as the library stores them; see :mod:`.roots`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x4952636A
"""Marks an SQLite file as a journal of ours."""

_FIRST = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        begun TEXT NOT NULL,
        title TEXT NOT NULL
    )""",
    """CREATE TABLE steps (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES runs(id),
        parent INTEGER REFERENCES steps(id),  -- the picture's step, for a text file that travels with it
        kind TEXT NOT NULL,
        source NOT NULL,
        target NOT NULL,                      -- the name asked for
        splices BLOB,                         -- of an edit
        content BLOB,                         -- of a put
        state TEXT NOT NULL,
        made,                                 -- the file made or changed
        temporary,                            -- the hidden name being written
        former BLOB,                          -- what a put replaced, or the text of a symbolic link that was moved
        before_size INTEGER,                  -- what was there: of the source, or of the file that was changed
        before_modified INTEGER,
        before_digest TEXT,
        after_size INTEGER,                   -- what we made
        after_modified INTEGER,
        after_digest TEXT,
        reason TEXT NOT NULL DEFAULT ''
    )""",
    "CREATE INDEX steps_by_run ON steps(run, state)",
    "CREATE INDEX steps_by_parent ON steps(parent, state) WHERE parent IS NOT NULL",
    "CREATE INDEX steps_by_source ON steps(source)",
    "CREATE INDEX steps_by_target ON steps(run, target)",
    "CREATE INDEX steps_by_made ON steps(made) WHERE made IS NOT NULL",
    """CREATE INDEX unsettled_steps ON steps(run)
        WHERE state IN ('doing', 'ready', 'undoing', 'restoring')""",
    """CREATE TABLE folders (                -- made for a run, and removed with it where they are empty again
        run INTEGER NOT NULL REFERENCES runs(id),
        path NOT NULL,
        PRIMARY KEY (run, path)
    ) WITHOUT ROWID""",
)


def _first(connection: sqlite3.Connection) -> None:
    for statement in _FIRST:
        connection.execute(statement)


def _second(connection: sqlite3.Connection) -> None:
    """Opening takes no longer with a million steps than with a few."""
    connection.execute(
        "CREATE INDEX waiting_companions ON steps(run) WHERE parent IS NOT NULL AND state = 'planned'"
    )


_THIRD = (
    # What relative paths of the run start from, by what that folder is known again, and which folder others keep out of meanwhile.
    # NULL in runs of the versions before, whose paths are all absolute.
    "ALTER TABLE runs ADD COLUMN base TEXT",
    "ALTER TABLE runs ADD COLUMN anchor",
    "ALTER TABLE runs ADD COLUMN device TEXT",
    "ALTER TABLE runs ADD COLUMN inode TEXT",
    "ALTER TABLE runs ADD COLUMN folder",
    # Folders outside of the root in which files of the step lie, as JSON, and the signature that vouches for the whole row then.
    "ALTER TABLE steps ADD COLUMN outside TEXT",
    "ALTER TABLE steps ADD COLUMN signature BLOB",
    "ALTER TABLE folders ADD COLUMN signature BLOB",
    "CREATE TABLE identity (id BLOB NOT NULL)",
    "INSERT INTO identity VALUES (randomblob(16))",
)


def _third(connection: sqlite3.Connection) -> None:
    """Paths from the root on, and signatures for those that lead out. The rows of before are rewritten when somebody first acts."""
    for statement in _THIRD:
        connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first, _second, _third)
"""Step ``n`` makes version ``n + 1`` out of version ``n``; version 0 is an empty file."""
