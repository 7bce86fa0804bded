"""The origin of a library: made by this user on this computer, or come along with a folder, so that its numbers may be anybody's.

A library is signed with the key in the user's own data folder (see :mod:`.journal.trust`) when it is made, for the folder in its place or
renamed. One without such a signature was made elsewhere, by a version before, or is a copy; what it says is taken as it stands, and
every door says so.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files.command_words import place_words
from ..files.sqlite import Database
from ..files.values import from_name, to_name
from .journal.roots import Anchor
from .journal.trust import Seal

_WHAT = "imagereward library 1"
_MOST = 8
_HELD = ("pictures", "scores", "files")


@dataclass(frozen=True)
class Origin:
    """Who made the library ``database`` that belongs to the folder ``beside``.

    Without the user's own folder for this program (``data``) nothing can be known. ``root`` is the folder of pictures, to name in texts.
    """

    database: Database
    beside: Path
    data: Path | None = None
    root: Path | None = None

    def is_own(self) -> bool:
        """Whether the user's data folder vouches for the library; true also where there is no such folder."""
        if self.data is None:
            return True
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT id, place, device, inode, signature FROM origin LIMIT ?", (_MOST,)
            ).fetchall()
        seal, here = Seal(self.data), Anchor.of(self.beside)
        return any(_is_signed(row, seal, here) for row in rows)

    def claim(self, *, anew: bool = False) -> None:
        """Makes the library the user's own from now on, because a person says so.

        With ``anew`` all numbers in it are forgotten first, so that the next scan scores every picture. Stars and decisions stay.

        Raises:
            StoreError: It cannot be written.
        """
        with self.database.writing() as connection:
            if anew:
                # Not the scorers: a scan that runs meanwhile knows its own by its number.
                for table in ("ranking", "scores"):
                    connection.execute(f"DELETE FROM {table}")
            self._sign(connection)

    def claim_new(self) -> None:
        """Signs a library that holds nothing yet: whatever will be in it is the user's own."""
        if self.data is None or self.database.read_only:
            return
        with self.database.reading() as connection:
            if _holds_anything(connection):
                return
        if not self.is_own():
            with self.database.writing() as connection:
                if not _holds_anything(connection):
                    self._sign(connection)

    def remark(self, how: str = "") -> str:
        """A remark for whoever uses the numbers of a library that was made elsewhere; empty for one's own, and where it holds none.

        ``how`` says how to have the pictures scored anew, or to take the numbers as one's own; by default with the command.
        """
        if self.is_own():
            return ""
        with self.database.reading() as connection:
            if not _holds_anything(connection):
                return ""
        if not how:
            folder = place_words(self.root or self.beside.parent, self.beside)
            how = f"'imagereward curate {folder} ...' with --rescore scores anew, with --trust-scores takes them as yours"
        return (
            f"the store in {self.beside} was made elsewhere (on another computer, by another host or an earlier version, or it is a copy); "
            f"its scores and stars are taken as they stand, and may be anybody's. If it is not from you: {how}, and this is not said again."
        )

    def _sign(self, connection: sqlite3.Connection) -> None:
        if self.data is None:
            return
        here = Anchor.of(self.beside)
        # A few, since the command and a host have data folders of their own.
        connection.execute(
            "DELETE FROM origin WHERE rowid NOT IN (SELECT rowid FROM origin ORDER BY rowid DESC LIMIT ?)",
            (_MOST - 1,),
        )
        signed = (secrets.token_bytes(16), to_name(Path(here.path)), here.device, here.inode)
        signature = Seal(self.data).sign([_WHAT, *signed])
        connection.execute(
            "INSERT INTO origin (id, place, device, inode, signature) VALUES (?, ?, ?, ?, ?)",
            (*signed, signature),
        )


def _is_signed(row: Sequence[Any], seal: Seal, here: Anchor) -> bool:
    """Whether a row, which anybody may have written, was signed with this key for this folder."""
    *signed, signature = row
    _, place, device, inode = signed
    if not (isinstance(place, (str, bytes)) and isinstance(device, str) and isinstance(inode, str)):
        return False
    then = Anchor(from_name(place), device, inode)
    # In its place too: some drives number their folders anew each time they are plugged in.
    return (then.is_same(here) or then.in_place_of(here)) and seal.knows(signature, [_WHAT, *signed])


def _holds_anything(connection: sqlite3.Connection) -> bool:
    return any(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in _HELD)
