"""Updates rows of files that this program has moved or copied."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from .files import add_file, find_file, find_files, folder_number, mark_gone
from .scores import rank_file, scorers_of

_DISK = ("size", "modified")
_SAME = (
    "beside asked state picture problem prompt fixed own written negative origin generator model loras missing notes picture_note seed"
).split()


def move_file(connection: sqlite3.Connection, source: Path, target: Path) -> None:
    """The row of ``source`` becomes that of ``target``; what was known of a file there before is forgotten."""
    file = find_file(connection, source)
    if file is not None and source != target:
        _copy_row(connection, file, target, scorers_of(connection, file))
        mark_gone(connection, [file])


def copy_file(connection: sqlite3.Connection, source: Path, target: Path) -> None:
    """``target`` gets a row like that of ``source``, with its own size and time."""
    file = find_file(connection, source)
    if file is not None and source != target:
        _copy_row(connection, file, target, scorers_of(connection, file))


def recall_file(connection: sqlite3.Connection, source: Path, target: Path) -> None:
    """As :func:`move_file`, for a source that a scan may have found gone since."""
    for file in find_files(connection, [source], gone=True):
        everybody = [scorer for (scorer,) in connection.execute("SELECT id FROM scorers").fetchall()]
        _copy_row(connection, file, target, everybody)
        mark_gone(connection, [file])


def _copy_row(connection: sqlite3.Connection, file: int, target: Path, scorers: list[int]) -> None:
    copy = add_file(connection, folder_number(connection, target.parent), target.name)
    columns = ", ".join((*_DISK, *_SAME))
    connection.execute(
        f"UPDATE files SET ({columns}, gone) = (SELECT {columns}, 0 FROM files WHERE id = ?) WHERE id = ?",
        (file, copy),
    )
    try:
        status = os.stat(target)  # noqa: PTH116
        connection.execute(
            "UPDATE files SET size = ?, modified = ? WHERE id = ?", (status.st_size, status.st_mtime_ns, copy)
        )
    except OSError:  # not there yet, or no more: the next scan will see
        pass
    rank_file(connection, copy, scorers)
