"""Journals with values, tables and files that no run of ours writes, and that SQLite or a reader could stumble over."""

from __future__ import annotations

import os
import sqlite3
import struct
import zlib
from functools import lru_cache
from pathlib import Path

from .journal import Row, bring, done, person, trick


@trick
def values_of_other_kinds(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    path = str(letter)
    rows: list[Row] = [
        {"state": "doing", "source": 1, "target": 2.5, "made": b"\x00\xff", "temporary": path},
        {"state": "doing", "made": "x\x00y", "temporary": path},
        {"state": "doing", "made": "", "temporary": path},
        {"kind": "delete", "state": "doing", "made": path, "temporary": path},
        {"kind": 7, "state": "done", "made": path},
        {"state": "done", "made": None},
        {"state": "ready", "made": None},
        {"state": "done", "made": f"{folder}/{'n' * 300}.png"},
        {"state": "done", "made": f"{folder}/{'long/' * 2000}a.png"},
        {"state": "done", "made": f"{outside}/../{outside.name}/a.png"},
        {"state": "done", "made": "C:\\Users\\me\\a.png", "target": "C:\\Users\\me\\a.png"},
        {"state": "done", "made": "\\\\server\\share\\a.png", "target": "\\\\server\\share\\a.png"},
        {"state": "done", "made": "\\\\.\\PhysicalDrive0", "target": "\\\\.\\PhysicalDrive0"},
        {
            "state": "done",
            "made": "a.png",
            "before_size": "many",
            "before_modified": "now",
            "before_digest": 3,
        },
        {"kind": "put", "state": "done", "made": path, "target": path, "content": "text", "former": 5},
        {"kind": "edit", "state": "done", "made": "a.png", "splices": b"no zlib"},
        {"kind": "edit", "state": "done", "made": "a.png", "splices": zlib.compress(b"[[-5, '', '']]")},
        {"kind": "edit", "state": "done", "made": "a.png", "splices": zlib.compress(b"[" * 100_000)},
    ]
    bring(folder, *rows)
    return "values that no step has"


@trick
def bomb_of_splices(folder: Path, outside: Path) -> str:
    person(folder, outside)
    bring(folder, {"kind": "edit", "made": str(folder / "a.png"), "splices": _bomb()})
    return "an edit of 256 MiB in a few hundred kilobytes"


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    packing = zlib.compressobj(9)
    block = b" " * (1 << 20)
    return b"".join(packing.compress(block) for _ in range(256)) + packing.flush()


@trick
def text_files_in_a_circle(folder: Path, outside: Path) -> str:
    person(folder, outside)
    bring(
        folder,
        {"state": "planned", "parent": 2},
        {"state": "planned", "parent": 1},
        {"state": "planned", "parent": 3},
    )
    return "text files that travel with one another"


@trick
def text_file_of_no_step_at_all(folder: Path, outside: Path) -> str:
    person(folder, outside)
    text = str(folder / "a.txt")
    row = {"kind": "put", "state": "planned", "source": text, "target": text, "content": b"x"}
    bring(folder, {**row, "parent": "no number"}, {**row, "parent": "1 OR 1"})
    return "text files that travel with what is no number, and would become part of a statement"


@trick
def trigger(folder: Path, outside: Path) -> str:
    person(folder, outside)
    journal = bring(folder, done(folder))
    with sqlite3.connect(journal) as connection:
        connection.execute(
            "CREATE TRIGGER t AFTER UPDATE ON steps BEGIN UPDATE steps SET made = '/' WHERE id <> new.id; END"
        )
    connection.close()
    return "a journal that changes rows by itself"


@trick
def lock_that_leads_out(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    bring(folder, {"state": "doing", "made": str(folder / "b.png")})
    (folder / ".imagereward" / ".journal.sqlite3.lock").symlink_to(letter)
    return "a lock that is a link to a document, which taking the lock would empty"


@trick
def rollback_journal_that_names_a_file(folder: Path, outside: Path) -> str:
    letter = person(folder, outside)
    journal = bring(folder, {"state": "doing", "made": str(folder / "b.png")})
    for file in (journal, journal.with_name("library.sqlite3")):
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.close()
        _rollback(file, letter)
    return "a rollback journal of SQLite that names a document as the one above it"


def _rollback(database: Path, named: Path) -> None:
    """A rollback journal without pages; SQLite removes the file it names once it has played it back."""
    name = os.fsencode(named)
    pages = database.stat().st_size // 4096
    header = struct.pack(">8sIIIII", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 0, 1, pages, 512, 4096).ljust(
        512, b"\0"
    )
    page = 0x40000000 // 4096 + 1  # never a page of ours
    end = struct.pack(">I", page) + name + struct.pack(">II", len(name), sum(name)) + header[:8]
    database.with_name(f"{database.name}-journal").write_bytes(header + end)
