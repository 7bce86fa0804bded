"""Paths and numbers as they are stored in SQLite, and read back."""

from __future__ import annotations

import hashlib
import ntpath
import os
import posixpath
import re
import sqlite3
from pathlib import Path
from typing import Union

from ..plain import well_formed

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


class StrangeValueError(Exception):
    """A store holds what no version of this program writes into one. It may have come along with a folder, from anybody."""


class NoText(bytes):
    """A text in a store that is none: SQLite keeps whatever bytes it is given."""


_OF_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def folder_from(stored: object) -> Path:
    """The folder of which the path was stored, perhaps by another system: a disk may be used with two.

    Raises:
        StrangeValueError: It is no whole path, or one that climbs.
    """
    text = from_name(stored) if isinstance(stored, (str, bytes)) else ""
    ways = ntpath if _OF_WINDOWS.match(text) else posixpath
    if "\x00" in text or not ways.isabs(text) or ways.normpath(text) != text:
        raise StrangeValueError(f"{text[:200]!r} is no path of a folder")
    return Path(text)


def is_below(path: str | Path, folder: str | Path) -> bool:
    """Whether a path is that of a folder, or lies below it, as names say."""
    inner, outer = os.path.normcase(path), os.path.normcase(folder)
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)


def check_below(path: Path, folder: Path | None) -> None:
    """Refuses a folder that a store counts to another one in which it does not lie.

    Raises:
        StrangeValueError: ``path`` is neither ``folder`` nor inside of it; never for None, which stands for all.
    """
    if folder is not None and not is_below(path, folder):
        raise StrangeValueError(f"{str(path)[:200]!r} is said to lie in {folder}")


def file_from(folder: Path, stored: object) -> Path:
    """The file in ``folder`` of which the name was stored.

    Raises:
        StrangeValueError: It is no plain name, so that the file would lie elsewhere.
    """
    text = from_name(stored) if isinstance(stored, (str, bytes)) else ""
    here = folder.is_absolute()  # else it is of another system, which has other names as well
    drive, plain = os.path.splitdrive(text) if here else ("", text)
    parted = os.path.split(plain)[0] if here else "/" in plain
    if drive or parted or text in ("", ".", "..") or "\x00" in text:
        raise StrangeValueError(f"{text[:200]!r} is no name of a file")
    return folder / text if here else Path(f"{folder}/{text}")


def absolute(path: str | os.PathLike[str]) -> Path:
    """The path from the root on, without ``..``; links are left as they are, since texts may lie beside them."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


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
    text = well_formed(text)
    for number, stored in connection.execute("SELECT id, text FROM texts WHERE hash = ?", (text_hash(text),)):
        if stored == text:
            return int(number)
    return None


def intern(connection: sqlite3.Connection, text: str) -> int:
    """The number of a text, which is stored if it is new."""
    number = find_text(connection, text)
    if number is not None:
        return number
    text = well_formed(text)
    row = (text_hash(text), text)
    return int(connection.execute("INSERT INTO texts (hash, text) VALUES (?, ?)", row).lastrowid or 0)


def shown_name(path: Path, root: Path) -> str:
    """A file as seen from ``root`` where it lies below it, else its path."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
