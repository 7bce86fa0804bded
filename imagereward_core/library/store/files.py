"""Folders and files in the library: what is known of them, and how that is written."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Literal, NamedTuple

from ...files.values import file_from, folder_from, intern, signed, to_name
from ...plain import well_formed
from .records import Generated


class State(IntEnum):
    """How far the version of a file on the disk is known."""

    NEW = 0
    """Seen, not read yet."""
    READ = 1
    """Read, and it need not be read again before it changes."""
    AGAIN = 2
    """To be read again by every scan: the reason for its failure may pass, or it had just been changed when it was read."""


class Known(NamedTuple):
    """One file as the library knows it, with SQLite's 0 and 1 for no and yes.

    Attributes:
        size, modified_ns: Of the version that was read.
        beside: Mark of the texts beside it when they were read.
        asked: Where its prompt was looked for.
        prompt, fixed: Number of the prompt that scorers are shown, and whether that is one given for all pictures.
        ranked: How many of the scorers asked about have come to it.
    """

    file: int
    size: int
    modified_ns: int
    beside: int
    asked: str
    state: int
    gone: int
    failed: int
    prompt: int
    fixed: int
    ranked: int


@dataclass(frozen=True)
class Content:
    """What a file holds: the hash of its decoded pixels, its sides in pixels, and its perceptual hash, 64 bits unsigned."""

    hash: bytes
    width: int
    height: int
    fingerprint: int


def folder_number(connection: sqlite3.Connection, path: Path) -> int:
    """The number of a folder, which is stored with all folders above it if it is new."""
    found = find_folder(connection, path)
    if found is not None:
        return found
    parent = None if path.parent == path else folder_number(connection, path.parent)
    row = (parent, to_name(path))
    return int(connection.execute("INSERT INTO folders (parent, path) VALUES (?, ?)", row).lastrowid or 0)


def find_folder(connection: sqlite3.Connection, path: Path) -> int | None:
    """The number of a folder; None for one the library has never seen."""
    row = connection.execute("SELECT id FROM folders WHERE path = ?", (to_name(path),)).fetchone()
    if row is None and os.name == "nt":  # one folder has many spellings there
        row = connection.execute(
            "SELECT id FROM folders WHERE path = ? COLLATE NOCASE", (to_name(path),)
        ).fetchone()
    return None if row is None else int(row[0])


def folder_path(connection: sqlite3.Connection, folder: int) -> Path:
    """Where a folder lies."""
    return folder_from(connection.execute("SELECT path FROM folders WHERE id = ?", (folder,)).fetchone()[0])


BELOW = """WITH RECURSIVE below(id) AS (
    SELECT ? UNION SELECT folders.id FROM folders JOIN below ON folders.parent = below.id
) """
"""Begins a statement that speaks of a folder and all folders in it; takes the folder's number."""


def known_file(
    connection: sqlite3.Connection, folder: int, name: str, scorers: tuple[int, ...]
) -> Known | None:
    """A file as it is known, and how many of ``scorers`` have come to it; None for a new one."""
    marks = ",".join("?" * len(scorers))
    row = connection.execute(
        "SELECT id, size, modified, beside, asked, state, gone, problem <> '', prompt, fixed, "
        f"(SELECT count(*) FROM ranking WHERE scorer IN ({marks}) AND file = files.id) "
        "FROM files WHERE folder = ? AND name = ?",
        (*scorers, folder, to_name(name)),
    ).fetchone()
    return None if row is None else Known(*row)


def find_file(connection: sqlite3.Connection, path: Path) -> int | None:
    """The number of a file; None for one the library does not know, or that is gone."""
    return next(iter(find_files(connection, [path])), None)


def find_files(connection: sqlite3.Connection, paths: Iterable[Path], gone: bool = False) -> list[int]:
    """The numbers of files, in the order given; those the library does not know are left out, and by default those that are gone."""
    alike = " COLLATE NOCASE" if os.name == "nt" else ""
    sql = f"SELECT id FROM files WHERE folder = ? AND name = ?{alike}{'' if gone else ' AND gone = 0'}"
    folders: dict[Path, int | None] = {}
    found: list[int] = []
    for path in paths:
        parent = path.parent
        if parent not in folders:
            folders[parent] = find_folder(connection, parent)
        found += (
            file for (file,) in connection.execute(sql, (folders[parent], to_name(path.name))).fetchmany(1)
        )
    return found


def files_alike(connection: sqlite3.Connection, files: Sequence[int]) -> list[int]:
    """The numbers of files that hold the same pixels as one of ``files``, which stand first."""
    sql = "SELECT id FROM files WHERE picture = (SELECT picture FROM files WHERE id = ?) AND gone = 0"
    others = (number for file in files for (number,) in connection.execute(sql, (file,)))
    return list(dict.fromkeys((*files, *others)))


def add_file(connection: sqlite3.Connection, folder: int, name: str) -> int:
    """Stores a file that has not been read yet, and returns its number; that of a known one is returned as well."""
    connection.execute(
        "INSERT INTO files (folder, name, size, modified, beside, asked, state) VALUES (?, ?, -1, 0, 0, '', ?) "
        "ON CONFLICT (folder, name) DO NOTHING",
        (folder, to_name(name), State.NEW),
    )
    row = connection.execute("SELECT id FROM files WHERE folder = ? AND name = ?", (folder, to_name(name)))
    return int(row.fetchone()[0])


def picture_number(connection: sqlite3.Connection, content: Content) -> int:
    """The number of a content, which is stored if it is new."""
    row = connection.execute("SELECT id FROM pictures WHERE hash = ?", (content.hash,)).fetchone()
    if row is not None:
        return int(row[0])
    values = (content.hash, content.width, content.height, signed(content.fingerprint))
    insert = "INSERT INTO pictures (hash, width, height, fingerprint) VALUES (?, ?, ?, ?)"
    return int(connection.execute(insert, values).lastrowid or 0)


def write_version(
    connection: sqlite3.Connection,
    file: int,
    size: int,
    modified_ns: int,
    state: State,
    content: Content | None,
    problem: str = "",
) -> None:
    """Notes which version of a file was read and what it holds, or why it could not be decoded."""
    picture = None if content is None else picture_number(connection, content)
    connection.execute(
        "UPDATE files SET size = ?, modified = ?, state = ?, gone = 0, picture = ?, problem = ? WHERE id = ?",
        (size, modified_ns, state, picture, well_formed(problem), file),
    )


def write_generated(
    connection: sqlite3.Connection, file: int, beside: int, asked: str, generated: Generated
) -> None:
    """Notes how the picture of a file was made."""
    texts = (
        generated.prompt,
        generated.written,
        generated.negative,
        generated.origin,
        generated.generator,
        generated.model,
        json.dumps(list(generated.loras)) if generated.loras else "",
        generated.problem,
        generated.notes,
        generated.picture_note,
    )
    numbers = [intern(connection, text) for text in texts]
    connection.execute(
        "UPDATE files SET beside = ?, asked = ?, own = ?, written = ?, negative = ?, origin = ?, generator = ?, model = ?, loras = ?, "
        "missing = ?, notes = ?, picture_note = ?, seed = ? WHERE id = ?",
        (beside, asked, *numbers, well_formed(generated.seed), file),
    )


def show_prompt(connection: sqlite3.Connection, file: int, prompt: int | None) -> None:
    """Sets what scorers are shown: the prompt of this number, or with None the file's own; the file is there again."""
    connection.execute(
        "UPDATE files SET gone = 0, fixed = ?, prompt = coalesce(?, own) WHERE id = ?",
        (prompt is not None, prompt, file),
    )


def mark_gone(connection: sqlite3.Connection, files: Iterable[int]) -> None:
    """Notes that files are no longer there. What is known of them is kept, should they come back."""
    for file in files:
        connection.execute("UPDATE files SET gone = 1 WHERE id = ?", (file,))
        connection.execute(
            "DELETE FROM ranking WHERE scorer IN (SELECT id FROM scorers) AND file = ?", (file,)
        )


def file_path(connection: sqlite3.Connection, file: int) -> Path:
    """Where a file lies.

    Raises:
        LookupError: There is no file of this number.
    """
    row = connection.execute(
        "SELECT folders.path, files.name FROM files JOIN folders ON folders.id = files.folder WHERE files.id = ?",
        (file,),
    ).fetchone()
    if row is None:
        raise LookupError(f"the library has no file of number {file}")
    return file_from(folder_from(row[0]), row[1])


def files_of_folder(connection: sqlite3.Connection, folder: int) -> Iterator[int]:
    """The numbers of the files that the last scan found directly in a folder."""
    for (file,) in connection.execute("SELECT id FROM files WHERE folder = ? AND gone = 0", (folder,)):
        yield file


def write_said(
    connection: sqlite3.Connection,
    picture: Path | str,
    column: Literal["stars", "decision"],
    value: int | None,
) -> None:
    """Notes what a person gave or decided about the content of a file, or the content of a hash.

    Raises:
        LookupError: The library does not know it.
    """
    connection.execute(
        f"UPDATE pictures SET {column} = ? WHERE id = ?", (value, _content(connection, picture))
    )


def has_said(connection: sqlite3.Connection) -> bool:
    """Whether a person gave any content stars, or decided about one."""
    query = "SELECT 1 FROM pictures WHERE stars IS NOT NULL OR decision IS NOT NULL LIMIT 1"
    return connection.execute(query).fetchone() is not None


def _content(connection: sqlite3.Connection, picture: Path | str) -> int:
    """The number of the content of a file, or of that of a hash."""
    if isinstance(picture, Path):
        file = find_file(connection, picture)
        row = connection.execute("SELECT picture FROM files WHERE id = ?", (file,)).fetchone()
    else:
        try:
            content = bytes.fromhex(picture)
        except ValueError:
            content = b""
        row = connection.execute("SELECT id FROM pictures WHERE hash = ?", (content,)).fetchone()
    if row is None or row[0] is None:
        raise LookupError(
            f"{picture}: the library knows no such picture, or could not decode it; scan its folder first"
        )
    return int(row[0])
