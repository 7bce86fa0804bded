"""The tables of a library, and the migrations of older files.

Numbers belong to contents, not to files: ``scores`` is keyed by the hash of the decoded pixels, the scorer and the prompt, so
that a file that was moved, renamed or given other metadata finds its numbers again. ``ranking`` repeats them by file, in the
orders pages are read in; it can be made anew from ``files`` and ``scores`` at any time.

Paths and names are TEXT, or BLOB (the file system's own bytes) where they cannot be written as UTF-8.
"""

from __future__ import annotations

import sqlite3

from ...files.sqlite import Migration

APPLICATION_ID = 0x49526376
"""Marks an SQLite file as ours."""

_FIRST = """
CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES folders(id),
    path NOT NULL UNIQUE
);
CREATE INDEX folders_by_parent ON folders(parent);

CREATE TABLE texts (               -- every text once; number 0 is the empty one
    id INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX texts_by_hash ON texts(hash);
INSERT INTO texts VALUES (0, 0, '');

CREATE TABLE scorers (
    id INTEGER PRIMARY KEY,
    scorer TEXT NOT NULL,
    revision TEXT NOT NULL,
    preprocessing TEXT NOT NULL,
    reads_prompt INTEGER NOT NULL,
    UNIQUE (scorer, revision, preprocessing)
);

CREATE TABLE pictures (            -- what files hold
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,     -- of the decoded pixels
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    fingerprint INTEGER,           -- perceptual hash, 64 bits as a signed number
    stars INTEGER                  -- by a person, 0 to 5; written by nothing else
);

CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES folders(id),
    name NOT NULL,
    size INTEGER NOT NULL,         -- of the version that was read
    modified INTEGER NOT NULL,     -- of the version that was read, in nanoseconds
    beside INTEGER NOT NULL,       -- what the texts beside it looked like when they were read
    asked TEXT NOT NULL,           -- where its prompt was looked for
    state INTEGER NOT NULL,        -- see State in files.py
    gone INTEGER NOT NULL DEFAULT 0,
    picture INTEGER REFERENCES pictures(id),
    problem TEXT NOT NULL DEFAULT '',           -- why it could not be decoded
    prompt INTEGER NOT NULL DEFAULT 0,          -- what scorers are shown: its own prompt, or the one given for all
    fixed INTEGER NOT NULL DEFAULT 0,           -- 1 where that is the one given for all
    own INTEGER NOT NULL DEFAULT 0,             -- its own prompt as scorers would be shown it
    written INTEGER NOT NULL DEFAULT 0,         -- from here on numbers of texts
    negative INTEGER NOT NULL DEFAULT 0,
    origin INTEGER NOT NULL DEFAULT 0,
    generator INTEGER NOT NULL DEFAULT 0,
    model INTEGER NOT NULL DEFAULT 0,
    loras INTEGER NOT NULL DEFAULT 0,           -- as JSON
    missing INTEGER NOT NULL DEFAULT 0,         -- why it has no prompt of its own
    seed TEXT NOT NULL DEFAULT '',
    UNIQUE (folder, name)
);
CREATE INDEX files_by_time ON files(modified, id) WHERE gone = 0;
CREATE INDEX files_by_folder_and_time ON files(folder, modified, id) WHERE gone = 0;
CREATE INDEX files_by_picture ON files(picture);
CREATE INDEX files_by_prompt ON files(prompt, name) WHERE gone = 0;
CREATE INDEX files_with_problem ON files(folder) WHERE gone = 0 AND problem <> '';

CREATE TABLE scores (
    picture INTEGER NOT NULL REFERENCES pictures(id),
    scorer INTEGER NOT NULL REFERENCES scorers(id),
    prompt INTEGER NOT NULL REFERENCES texts(id),   -- 0 for scorers that read none
    value REAL,
    cut INTEGER NOT NULL DEFAULT 0,                 -- text: the part of the prompt that did not fit
    problem TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (picture, scorer, prompt)
) WITHOUT ROWID;

CREATE TABLE ranking (
    scorer INTEGER NOT NULL,
    file INTEGER NOT NULL,
    folder INTEGER NOT NULL,
    prompt INTEGER NOT NULL,       -- of the file, also for scorers that read none
    negated REAL,                  -- the score times -1, so that the best comes first; NULL for none
    cut INTEGER NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (scorer, file)
) WITHOUT ROWID;
CREATE INDEX ranking_of_all ON ranking(scorer, negated, file);
CREATE INDEX ranking_by_folder ON ranking(scorer, folder, negated, file);
CREATE INDEX ranking_by_prompt ON ranking(scorer, prompt, negated, file);
"""


def _first(connection: sqlite3.Connection) -> None:
    for statement in _FIRST.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _decisions(connection: sqlite3.Connection) -> None:
    """What a person decided about a content: 1 to keep it, 0 to reject it, NULL to leave it to rules; written by nothing else."""
    connection.execute("ALTER TABLE pictures ADD COLUMN decision INTEGER")


def _notes(connection: sqlite3.Connection) -> None:
    """What had to be decided while the prompt was read, and how scorers see the picture: numbers of texts."""
    for column in ("notes", "picture_note"):
        connection.execute(f"ALTER TABLE files ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")


def _origin(connection: sqlite3.Connection) -> None:
    """Who made it: each row a number, the folder it lies in, and the signature of a user's data folder over both; see ``origin.py``."""
    connection.execute(
        "CREATE TABLE origin (id BLOB NOT NULL, place, device TEXT, inode TEXT, signature BLOB)"
    )


MIGRATIONS: tuple[Migration, ...] = (_first, _decisions, _notes, _origin)
"""Step ``n`` makes version ``n + 1`` out of version ``n``; version 0 is an empty file."""
