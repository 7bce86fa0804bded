"""Checks each row of a journal before it is acted on: inside its folder, or signed by this user where it leads out."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...files.sqlite import Database
from ...files.values import Name, StrangeValueError, from_name, is_below, to_name
from .files import Refused
from .records import PROGRESS, SELECT, UPDATE, Record
from .roots import Anchor, Root, led_out, read_path
from .shape import check_shape
from .steps import StepInfo
from .trust import Seal

_MOST_REMEMBERED = 4096
_CHANGING = len(PROGRESS)


class LeadsOut(Refused):
    """A step acts outside of the folder, and nothing vouches for it."""


@dataclass(frozen=True)
class _Run:
    """What is known of a run.

    Attributes:
        folder: What its relative paths start from; None where that is not known.
        anchor: What it was about; None in runs of the versions before.
        stored: The same as stored, for signatures.
        relative: Whether its paths are stored from the folder on.
        flaw: Why it is not of the folder that is named; empty where it is.
        doubt: Why it may not be of the folder that is named, though that lies in its place; a person may say that it is.
    """

    folder: Path | None
    anchor: Anchor | None
    stored: tuple[Any, ...]
    relative: bool
    flaw: str = ""
    doubt: str = ""


class Custody:
    """Reads rows, says whether they may be acted on, and signs those that lead out."""

    def __init__(self, database: Database, root: Root, seal: Seal) -> None:
        self.database, self.root, self.seal = database, root, seal
        self._runs: dict[int, _Run] = {}
        self._linking: dict[int, Path | None] = {}
        self._real: dict[Path, str] = {}
        self._id = b""

    def new_run(self, folder: Path | None) -> tuple[Any, ...]:
        """Values for the columns of a run that is begun now: base, anchor, device, inode, folder."""
        anchor, about = self.root.anchor, folder or self.root.folder
        if about is not None and self.root.folder is not None and os.path.realpath(about) == anchor.path:
            about = self.root.folder
        stored = None if about is None else to_name(about)
        if about is not None and about != self.root.folder:
            stored = self.root.stored(about)
        return self.root.base, to_name(anchor.path), anchor.device, anchor.inode, stored

    def about(self, number: int) -> Path | None:
        """The folder that a run was begun for, where it lies now; None where that is not known."""
        known = self.run(number)
        if known.flaw:
            return known.folder
        with self.database.reading() as connection:
            row = connection.execute("SELECT folder FROM runs WHERE id = ?", (number,)).fetchone()
        if row is None or row[0] is None:
            return None
        about, flaw = read_path(row[0], known.folder)
        # A whole path is that of the root when the run was begun: it may have been renamed since.
        return known.folder if flaw or (known.relative and about == Path(from_name(row[0]))) else about

    def concerns(self, number: int) -> bool:
        """Whether a run was done in the folder that was named, or in one inside of it; so is one of which nothing is known."""
        if self.run(number).flaw:
            return False
        about, named = self.about(number), self.root.named
        return named is None or about is None or is_below(os.path.realpath(about), os.path.realpath(named))

    def begun(self, number: int, about: tuple[Any, ...], within: Path | None) -> None:
        """Remembers a run that is being written down, ``about`` being from :meth:`new_run`.

        ``within`` is the folder out of which no link may lead its steps; None where links may.
        """
        self._runs[number] = self._known(number, about[:4])
        self._linking[number] = within

    def run(self, number: int) -> _Run:
        """What is known of a run."""
        if number not in self._runs:
            with self.database.reading() as connection:
                row = connection.execute(
                    "SELECT base, anchor, device, inode FROM runs WHERE id = ?", (number,)
                ).fetchone()
            if len(self._runs) > _MOST_REMEMBERED:
                self._runs.clear()
            self._runs[number] = self._known(number, row or (None,) * 4)
        return self._runs[number]

    def _known(self, number: int, stored: tuple[Any, ...]) -> _Run:
        base, path, device, inode = stored
        if base is None:
            return _Run(self.root.folder, None, stored, False)
        if not (isinstance(path, (str, bytes)) and isinstance(device, str) and isinstance(inode, str)):
            return _Run(None, None, stored, False, f"run {number} of the journal is damaged")
        anchor = Anchor(from_name(path), device, inode)
        if base == "none":
            return _Run(self.root.folder, anchor, stored, False)
        if base == self.root.base == "store":
            return _Run(self.root.folder, anchor, stored, True)
        # The store lies elsewhere and may be that of many folders. That one of them is not in its place, on a drive that was unplugged,
        # is no reason to take the one that is named for it: only the system's own numbers show that it was renamed.
        about, _ = read_path(path, None)
        if base == self.root.base and anchor.is_same(self.root.anchor):
            return _Run(self.root.folder, anchor, stored, True)
        if base == self.root.base and anchor.in_place_of(self.root.anchor):
            doubt = (
                f"run {number} was done in {about}, and another folder lies there now: one that was restored or copied, or on another "
                "drive; it is left as it is"
            )
            return _Run(self.root.folder, anchor, stored, True, doubt=doubt)
        flaw = f"run {number} was done in {about}; name that folder"
        if not os.path.lexists(anchor.path):
            flaw += ", which is not there now: plug its drive in, or bring it back under this name"
        return _Run(about, anchor, stored, True, flaw)

    def read(self, row: tuple[Any, ...]) -> Record:
        """A record from ``id`` and ``COLUMNS``."""
        run = self.run(row[1])
        return Record.of(row, run.folder)

    def own(self, record: Record) -> Record:
        """The record, which this process has just made up: it may act where it was meant to.

        What is named outside of the folder was meant. Where only a link in the folder leads out, pictures are read, and nothing else:
        links may have come along with it.
        """
        outside = self._outside(record.paths)
        folder = self._within(record.run)
        if outside and folder is not None:
            reads = record.parent is None and record.kind in ("copy", "hardlink", "symlink")
            outside = self._outside(
                [
                    (path, follows)
                    for path, follows in record.paths
                    if (reads and path == record.source) or not self._linked(path, follows, folder)
                ],
            )
        record.vouched = outside
        return record

    def _within(self, run: int) -> Path | None:
        return self._linking.get(run, self.root.folder)

    def _linked(self, path: Path, follows: bool, folder: Path) -> bool:
        """Whether only a link leads a path out of a folder."""
        return is_below(path, folder) and not is_below(
            self._real_folder(path, follows), self._real_folder(folder / path.name, False)
        )

    def values(self, record: Record) -> tuple[Any, ...]:
        """Values for ``COLUMNS``, signed where the step leads out and may do so."""
        row = record.row(self.stored(record.run))
        outside = self._vouched_outside(record)
        if not outside:
            return (*row, None, None)
        row = (*row, json.dumps(outside))
        return (*row, self.seal.sign(self._parts(record.run, row)))

    def progress(self, record: Record) -> tuple[Any, ...]:
        """Values for ``ADVANCE``, signed as :meth:`values` signs them."""
        if self._vouched_outside(record):
            whole = self.values(record)
            return whole[len(whole) - _CHANGING :]
        return (*record.progress(self.stored(record.run)), None, None)

    def _vouched_outside(self, record: Record) -> tuple[str, ...]:
        """The folders outside in which it acts; none where it may not act in all of them. Most act in none and need no look."""
        vouched = self.vouched(record)
        outside = self._outside(record.paths) if vouched else ()
        return outside if set(outside) <= set(vouched) else ()

    def stored(self, run: int) -> Callable[[Path], Name]:
        """How paths of a run are stored."""
        return self.root.stored if self.run(run).relative else to_name

    def vouched(self, record: Record) -> tuple[str, ...]:
        """The folders outside of the root in which a record may act."""
        if record.vouched is None:
            record.vouched = ()
            if record.sealed and record.sealed[-1] is not None:
                *row, signature = record.sealed
                anchor = self.run(record.run).anchor
                if self._is_here(anchor) and self.seal.knows(signature, self._parts(record.run, row)):
                    record.vouched = tuple(json.loads(row[-1]))
        return record.vouched

    def _is_here(self, anchor: Anchor | None) -> bool:
        """Whether the folder that signatures of a run were made for is the one of now."""
        if anchor is None:
            return False
        # Without a folder all paths are whole: whichever way the store came to its place, they lead to the same files.
        anywhere = self.root.base == "none" and anchor.in_place_of(self.root.anchor)
        return anywhere or anchor.is_same(self.root.anchor)

    def _parts(self, run: int, row: Iterable[Any]) -> list[Any]:
        *decides, reason, outside = row  # the reason decides nothing
        del reason
        return [*self._about(run), *decides, outside]

    def _about(self, run: int) -> list[Any]:
        if not self._id:
            with self.database.reading() as connection:
                (found,) = connection.execute("SELECT id FROM identity").fetchone() or (None,)
                if not isinstance(found, bytes):
                    raise StrangeValueError("its own number is none")
                self._id = found
        return ["imagereward journal 3", self._id, *self.run(run).stored]

    def _outside(self, paths: Iterable[tuple[Path, bool]]) -> tuple[str, ...]:
        """As :meth:`Root.outside`, with folders remembered: for signing, never for deciding."""
        found = {self._real_folder(path, follows) for path, follows in paths}
        return tuple(sorted(folder for folder in found if not self.root.holds(folder)))

    def _real_folder(self, path: Path, follows: bool) -> str:
        if follows and path.is_symlink():
            return os.path.dirname(os.path.realpath(path))  # noqa: PTH120
        real = self._real.get(path.parent)
        if real is None:
            if len(self._real) > _MOST_REMEMBERED:
                self._real.clear()
            real = self._real[path.parent] = os.path.realpath(path.parent)
        return real

    def admit(self, record: Record) -> None:
        """Lets a record pass that may be acted on now; links are looked at as they are at this instant.

        Raises:
            LeadsOut: It acts outside of the folder, and nothing vouches for that.
            Refused: It is of another folder, or no step of ours.
        """
        run = self.run(record.run)
        if run.flaw:
            raise Refused(run.flaw)
        if run.doubt:
            raise LeadsOut(f"{record.made or record.target}: {run.doubt}. {self.advice}")
        check_shape(record, None if record.parent is None else self._parent(record.parent))
        vouched, paths = self.vouched(record), record.paths
        shares = {path.drive for path, _ in paths if path.drive.startswith("\\\\")}
        if shares and shares - {(self.root.folder or Path()).drive} and not vouched:
            raise self._leads_out(record)  # without asking the other machine for anything
        if not set(self.root.outside(paths)) <= set(vouched):
            raise self._leads_out(record)

    def _leads_out(self, record: Record) -> LeadsOut:
        folder = self._within(record.run)
        for path, follows in record.paths:
            real = "" if folder is None else led_out(path, folder, follows)
            if real and record.state in ("planned", "doing", "ready"):
                return LeadsOut(
                    f"{path}: a link leads out of {folder}, to {real}; a folder and the links in it may come from anybody, so what lies "
                    "there is left as it is. If the link is yours, give --follow-links, or name the folder it leads to"
                )
        ends = " and ".join(
            str(path) for path in dict.fromkeys((record.source, record.made or record.target))
        )
        return LeadsOut(
            f"{ends}: this leads out of {self.root.folder or 'what the store holds'}, and a journal alone is no proof that it was so "
            f"meant; it is left as it is. {self.advice}"
        )

    @property
    def advice(self) -> str:
        """Which command does it all the same."""
        folder, place = self.root.folder, self.database.path.parent
        named = f"imagereward undo {folder or 'FOLDER'}"
        if self.root.base != "store":
            named += f" --store {place}"
        return f"'{named}' shows such paths and asks"

    def _parent(self, number: object) -> Record | None:
        with self.database.reading() as connection:
            row = connection.execute(f"{SELECT} WHERE id = ?", (number,)).fetchone()
        return None if row is None else self.read(row)

    def folder_row(self, run: int, folder: Path) -> tuple[Any, ...]:
        """Values for a folder that is made for a run, signed where it lies outside."""
        stored = self.stored(run)(folder)
        if not self.root.outside([(folder, False)]):
            return run, stored, None
        return run, stored, self.seal.sign(self._folder_parts(run, stored, folder))

    def removable(self, run: int, stored: object, signature: object) -> Path | None:
        """A folder that was made for a run and may go once it is empty; None for one that may not."""
        known = self.run(run)
        folder, flaw = read_path(stored, known.folder)
        if flaw or known.flaw or known.doubt:
            return None
        if not self.root.outside([(folder, False)]):
            return folder
        if self._is_here(known.anchor) and self.seal.knows(
            signature, self._folder_parts(run, stored, folder)
        ):
            return folder
        return None

    def _folder_parts(self, run: int, stored: object, folder: Path) -> list[Any]:
        real = to_name(Path(os.path.realpath(folder.parent), folder.name))
        return [*self._about(run), run, "folder", stored, real]

    def vouch(self, run: int, records: Iterable[Record], shown: Iterable[StepInfo]) -> None:
        """Signs steps of a run that a person has seen and wants: as they were shown, and no others.

        The run counts as one of this folder from then on.
        """
        seen = {(info.step, info.made, info.state) for info in shown}
        chosen = []
        for record in records:
            if not record.flaw:
                if (record.info.step, record.info.made, record.info.state) in seen:
                    record.vouched = self._outside(record.paths)
                if self.vouched(record):
                    chosen.append(record)
        with self.database.writing() as connection:
            base, anchor, device, inode, _ = self.new_run(None)
            connection.execute(
                "UPDATE runs SET base = ?, anchor = ?, device = ?, inode = ? WHERE id = ?",
                (base, anchor, device, inode, run),
            )
            self.begun(run, (base, anchor, device, inode), self.root.folder)
            for record in chosen:
                connection.execute(UPDATE, (*self.values(record), record.id))

    def trust(self, run: int) -> None:
        """Takes a run for one of this folder, for as long as this object lives."""
        self._runs[run] = replace(self.run(run), doubt="")

    def adopt(self) -> None:
        """Stores the paths of runs of the versions before from the root on, where they lie inside of it."""
        folder = self.root.folder
        with self.database.reading() as connection:
            old = connection.execute("SELECT id FROM runs WHERE base IS NULL").fetchall()
        if folder is None or not old:
            return
        with self.database.writing() as connection:
            for (run,) in old:
                if _rewritten(connection, run, self.root):
                    connection.execute(
                        "UPDATE runs SET base = ?, anchor = ?, device = ?, inode = ? WHERE id = ?",
                        (*self.new_run(None)[:4], run),
                    )
        self._runs.clear()


def _rewritten(connection: sqlite3.Connection, run: int, root: Root) -> int:
    """How many paths of a run were rewritten."""
    count = 0
    for table, columns in (("steps", ("source", "target", "made", "temporary")), ("folders", ("path",))):
        for column in columns:
            known: dict[Any, Any] = {}
            for (stored,) in connection.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE run = ? AND {column} IS NOT NULL", (run,)
            ).fetchall():
                path, flaw = read_path(stored, None)
                if not flaw and (now := root.stored(path)) != stored:
                    known[stored] = now
            connection.executemany(
                f"UPDATE OR IGNORE {table} SET {column} = ? WHERE run = ? AND {column} = ?",
                [(now, run, stored) for stored, now in known.items()],
            )
            count += len(known)
    return count
