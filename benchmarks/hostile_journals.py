"""Folders that bring a journal of a stranger's making, one function for each trick.

``make(folder, outside)`` of every entry in ``TRICKS`` fills an empty ``folder`` with a picture and a store, and ``outside`` with files of a
person, none of which, in either place, may be changed, read into the other place or removed by whatever is done with the folder. It returns
what the trick is. Used by the tests and by the benchmark of hostile input.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imagereward_core.library.actions.schema import APPLICATION_ID, MIGRATIONS
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


def _files(folder: Path, outside: Path) -> Path:
    """The picture, and a person's letter; returns that."""
    folder.mkdir(parents=True, exist_ok=True)
    outside.mkdir(parents=True, exist_ok=True)
    (folder / "a.png").write_bytes(PICTURE)
    (outside / "a.png").write_bytes(PICTURE)
    letter = outside / "letter.txt"
    letter.write_bytes(b"dear all")
    return letter


def _done(folder: Path) -> Row:
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


@trick
def hidden_file_is_any_file(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    bring(folder, {"state": "doing", "made": str(folder / "b.png"), "temporary": str(letter)})
    return "a copy cut off whose hidden file is a document"


@trick
def hidden_file_is_a_picture_of_the_folder(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    bring(folder, {"state": "doing", "made": str(folder / "b.png"), "temporary": str(folder / "a.png")})
    return "a copy cut off whose hidden file is a picture beside it"


@trick
def hidden_file_of_another_folder(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    (outside / HIDDEN).write_bytes(b"what another program of ours is writing")
    bring(folder, {"state": "doing", "made": str(folder / "b.png"), "temporary": str(outside / HIDDEN)})
    return "a copy cut off whose hidden file is in use elsewhere"


@trick
def hidden_file_in_another_folder_inside(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    (folder / "sub").mkdir()
    (folder / "sub" / HIDDEN).write_bytes(b"the last copy of a picture that was being moved")
    bring(
        folder, {"state": "doing", "made": str(folder / "b.png"), "temporary": str(folder / "sub" / HIDDEN)}
    )
    return "a copy cut off whose hidden file is not beside it"


@trick
def hidden_file_by_climbing(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    climbing = Path(os.path.relpath(letter, folder)).as_posix()
    bring(folder, {"state": "doing", "made": "b.png", "temporary": climbing}, version=3)
    return "a hidden file named from the folder on, upwards"


@trick
def hidden_file_in_the_working_folder(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    bring(
        folder,
        {
            "state": "doing",
            "source": "a.png",
            "target": "letter.txt",
            "made": "x.png",
            "temporary": "letter.txt",
        },
    )
    return "relative paths, which began at the working folder"


@trick
def text_file_put_anywhere(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    start = outside / ".profile"
    start.write_bytes(b"# mine\n")
    path = str(start)
    bring(
        folder,
        _done(folder),
        {
            "kind": "put",
            "state": "planned",
            "parent": 1,
            "source": path,
            "target": path,
            "content": b"evil\n",
        },
    )
    return "a picture that is done, with a start file of the shell to be written after it"


@trick
def new_xmp_put_outside(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    path = str(outside / "a.png.xmp")
    bring(
        folder,
        _done(folder),
        {"kind": "put", "state": "planned", "parent": 1, "source": path, "target": path, "content": b"<x/>"},
    )
    return "a text file of a suffix of ours, put outside"


@trick
def module_moved_out(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    (folder / "evil.py").write_bytes(b"print()")
    row = {"kind": "move", "state": "planned", "parent": 1, "source": str(folder / "evil.py")}
    bring(folder, _done(folder), {**row, "target": str(outside / "custom_nodes.py")})
    return "a module that travels with a picture into a folder of programs"


@trick
def module_moved_inside(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    (folder / "a.txt").write_bytes(b"import os")
    row = {"kind": "copy", "state": "planned", "parent": 1, "source": str(folder / "a.txt")}
    bring(folder, _done(folder), {**row, "target": str(folder / "kept" / "run.py")})
    return "a text file that travels with a picture and becomes a module"


@trick
def module_put_inside(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    path = str(folder / "kept" / "a.py")
    bring(
        folder,
        _done(folder),
        {"kind": "put", "state": "planned", "parent": 1, "source": path, "target": path, "content": b"evil"},
    )
    return "a module written beside a picture"


@trick
def secret_copied_in(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    row = {"state": "planned", "parent": 1, "source": str(letter), "target": str(folder / "kept" / "a.txt")}
    bring(folder, _done(folder), row)
    return "a document copied into a folder that others can read"


@trick
def secret_copied_in_through_a_link(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    (folder / "a.txt").symlink_to(letter)
    row = {"state": "planned", "parent": 1, "source": "a.txt", "target": "kept/a.txt"}
    picture = {**_done(folder), "source": "a.png", "target": "kept/a.png", "made": "kept/a.png"}
    bring(folder, picture, row, version=3)
    return "a text file beside a picture that is a link to a document"


@trick
def picture_edited_outside(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    path = str(outside / "a.png")
    row = {"kind": "edit", "state": "planned", "parent": 1, "source": path, "target": path}
    bring(folder, _done(folder), {**row, "splices": splices((20, b"", b"evil"))})
    return "an edit of a picture outside that follows a picture that is done"


@trick
def edit_of_a_program_undone(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    path = folder / "run.py"
    path.write_bytes(b"print('evil')")
    row = {"kind": "edit", "source": str(path), "target": str(path), "made": str(path)}
    bring(
        folder,
        {**row, "splices": splices((0, b"rm -rf", b"print")), **seen("after", path.read_bytes(), path),
         **seen("before", b"rm -rf('evil')", path)},
    )  # fmt: skip
    return "an edit of what is no picture, to be taken back"


@trick
def edit_that_makes_another_kind_of_file(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    path, before = folder / "a.png", b"MZ" + PICTURE[2:]
    row = {"kind": "edit", "source": str(path), "target": str(path), "made": str(path)}
    bring(
        folder,
        {**row, "splices": splices((0, before[:2], PICTURE[:2])), **seen("after", PICTURE, path), **seen("before", before, path)},
    )  # fmt: skip
    return "an edit whose undoing makes a program of a picture"


@trick
def put_undone_outside(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    row = {
        "kind": "put",
        "source": str(letter),
        "target": str(letter),
        "made": str(letter),
        "former": b"evil",
    }
    bring(folder, {**row, **seen("after", b"dear all", letter), **seen("before", b"evil", letter)})
    return "a text file outside that is to get back what it never held"


@trick
def move_undone_from_outside(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    row = {"kind": "move", "source": str(folder / "b.txt"), "target": str(letter), "made": str(letter)}
    bring(folder, {**row, **seen("before", b"dear all", letter), **seen("after", b"dear all", letter)})
    return "a document that is to be moved back into the folder"


@trick
def copy_undone_outside(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    copy = outside / "a.png"
    row = {"target": str(copy), "made": str(copy), **seen("before", PICTURE, copy)}
    bring(folder, {**row, **seen("after", PICTURE, copy)})
    return "a picture outside that is said to be a copy"


@trick
def made_up_signature(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    copy = outside / "a.png"
    row = {"target": str(copy), "made": str(copy), **seen("before", PICTURE, copy)}
    signed = {"outside": json.dumps([os.path.realpath(outside)]), "signature": bytes(32)}
    bring(folder, {**row, **seen("after", PICTURE, copy), **signed}, version=3)
    return "a picture outside that is said to be a copy, with a signature of no key"


@trick
def two_names_outside(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    second = outside / "second.txt"
    os.link(letter, second)
    row = {
        "kind": "move",
        "state": "ready",
        "source": str(letter),
        "target": str(second),
        "made": str(second),
    }
    bring(folder, row)
    return "a move cut off of a document with two names"


@trick
def folder_that_leads_out(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    (outside / HIDDEN).write_bytes(b"in use")
    (folder / "link").symlink_to(outside, target_is_directory=True)
    bring(
        folder,
        {"state": "doing", "source": "a.png", "target": "link/b.png", "made": "link/b.png", "temporary": f"link/{HIDDEN}"},
        {"kind": "put", "source": "link/letter.txt", "target": "link/letter.txt", "made": "link/letter.txt",
         "former": b"evil", **seen("after", b"dear all", letter), **seen("before", b"evil", letter)},
        version=3,
    )  # fmt: skip
    return "a folder inside that is a link out of it"


@trick
def text_file_that_leads_out(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    (folder / "a.txt").symlink_to(letter)
    row = {"kind": "put", "source": "a.txt", "target": "a.txt", "made": "a.txt", "former": b"evil"}
    bring(folder, {**row, **seen("after", b"dear all", letter), **seen("before", b"evil", letter)}, version=3)
    return "a text file inside that is a link out of it"


@trick
def folder_removed_outside(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    (outside / "empty").mkdir()
    bring(folder, {"state": "undone"}, folders=(str(outside / "empty"),))
    return "an empty folder outside that is said to have been made for a run"


@trick
def values_of_other_kinds(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
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
    _files(folder, outside)
    packing = zlib.compressobj(9)
    block = b" " * (1 << 20)
    bomb = b"".join(packing.compress(block) for _ in range(1024)) + packing.flush()
    bring(folder, {"kind": "edit", "made": str(folder / "a.png"), "splices": bomb})
    return "an edit of a gigabyte in a megabyte"


@trick
def text_files_in_a_circle(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    bring(
        folder,
        {"state": "planned", "parent": 2},
        {"state": "planned", "parent": 1},
        {"state": "planned", "parent": 3},
    )
    return "text files that travel with one another"


@trick
def trigger(folder: Path, outside: Path) -> str:
    _files(folder, outside)
    journal = bring(folder, _done(folder))
    with sqlite3.connect(journal) as connection:
        connection.execute(
            "CREATE TRIGGER t AFTER UPDATE ON steps BEGIN UPDATE steps SET made = '/' WHERE id <> new.id; END"
        )
    connection.close()
    return "a journal that changes rows by itself"


@trick
def lock_that_leads_out(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
    bring(folder, {"state": "doing", "made": str(folder / "b.png")})
    (folder / ".imagereward" / ".journal.sqlite3.lock").symlink_to(letter)
    return "a lock that is a link to a document, which taking the lock would empty"


@trick
def rollback_journal_that_names_a_file(folder: Path, outside: Path) -> str:
    letter = _files(folder, outside)
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
