"""Values on their way into SQLite and out of it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Union

Name = Union[str, bytes]
"""A path or a name as it is stored: text, or the file system's bytes where they are no UTF-8."""

_SIGN = 1 << 63


def to_name(path: str | os.PathLike[str]) -> Name:
    """How a path, or one name of it, is stored."""
    text = os.fspath(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def from_name(stored: Name) -> str:
    """The path or name that was stored."""
    return os.fsdecode(stored) if isinstance(stored, bytes) else stored


def absolute(path: str | os.PathLike[str]) -> Path:
    """The path from the root on, without ``..``; links are left as they are, since texts may lie beside them."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


def plain_text(text: str) -> str:
    """The text without what UTF-8 cannot hold: halves of surrogate pairs, which damaged JSON contains."""
    return text.encode("utf-8", "replace").decode("utf-8")


def signed(number: int | None) -> int | None:
    """64 bits as SQLite keeps them."""
    return number if number is None or number < _SIGN else number - 2 * _SIGN


def unsigned(number: int | None) -> int | None:
    """64 bits as we use them."""
    return number if number is None or number >= 0 else number + 2 * _SIGN


def text_hash(text: str) -> int:
    """A signed 64-bit number by which a text is found again."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "big", signed=True)


def find_text(connection: sqlite3.Connection, text: str) -> int | None:
    """The number of a text; 0 is the empty one, None one the library has never seen."""
    if not text:
        return 0
    text = plain_text(text)
    for number, stored in connection.execute("SELECT id, text FROM texts WHERE hash = ?", (text_hash(text),)):
        if stored == text:
            return int(number)
    return None


def intern(connection: sqlite3.Connection, text: str) -> int:
    """The number of a text, which is stored if it is new."""
    number = find_text(connection, text)
    if number is not None:
        return number
    text = plain_text(text)
    row = (text_hash(text), text)
    return int(connection.execute("INSERT INTO texts (hash, text) VALUES (?, ?)", row).lastrowid or 0)
