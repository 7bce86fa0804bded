"""The first half of a scan: compares every folder with the library and notes the files to be read."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ...files.regular import is_folder
from ...files.sqlite import Database
from ..store.files import (
    BELOW,
    Known,
    State,
    add_file,
    file_path,
    files_of_folder,
    find_folder,
    folder_number,
    folder_path,
    known_file,
    mark_gone,
)
from .options import ScanOptions
from .walk import Found, named, walk

_AT_ONCE = 1000
_CONTENT, _PROMPT = 1, 2


@dataclass(frozen=True)
class Entry:
    """A file about which there is something to do: decode its content, read its prompt. ``beside`` is the mark of the texts beside it."""

    file: int
    beside: int
    content: bool
    prompt: bool


class Pending:
    """Files about which there is something to do, in 17 bytes each."""

    def __init__(self) -> None:
        self._files, self._beside, self._what = array("q"), array("q"), array("b")

    def __len__(self) -> int:
        return len(self._files)

    def add(self, file: int, beside: int, content: bool, prompt: bool) -> None:
        """Notes a file."""
        self._files.append(file)
        self._beside.append(beside)
        self._what.append((content and _CONTENT) | (prompt and _PROMPT))

    def __iter__(self) -> Iterator[Entry]:
        for file, beside, what in zip(self._files, self._beside, self._what):
            yield Entry(file, beside, bool(what & _CONTENT), bool(what & _PROMPT))


class _Seen:
    """A set of file numbers, in one bit each."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, file: int) -> None:
        place = file >> 3
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 4096 - len(self._bits)))
        self._bits[place] |= 1 << (file & 7)

    def __contains__(self, file: int) -> bool:
        place = file >> 3
        return place < len(self._bits) and bool(self._bits[place] & (1 << (file & 7)))


@dataclass(frozen=True)
class Asked:
    """The aims of a scan for every file.

    Attributes:
        scorers: Numbers of the scorers that are to have come to it.
        mark: Where its own prompt is to have been looked for.
        prompt: Number of the prompt for all pictures; None for each picture's own.
    """

    scorers: tuple[int, ...]
    mark: str
    prompt: int | None


class Register:
    """Compares folders with the library: how many pictures it found, those about which there is something to do, and files that are gone.

    ``problems`` are folders that could not be read, with the reason.
    """

    def __init__(self, database: Database, options: ScanOptions, asked: Asked) -> None:
        self.database, self.options, self.asked = database, options, asked
        self.found = 0
        self.gone = 0
        self.pending = Pending()
        self.problems: list[tuple[Path, str]] = []
        self._seen = _Seen()

    def run(self, roots: Sequence[Path], report: Callable[[], None], cancelled: Callable[[], bool]) -> bool:
        """Looks through all folders; False if it was stopped."""
        for root in _outermost(roots) if self.options.recursive else dict.fromkeys(roots):
            if not is_folder(root):
                self._problem(root, f"{root}: no such folder; expected a folder of pictures. Check the path.")
                continue
            met: set[int] = set()
            whole = self.options.files is None
            for listing in (walk if whole else named)(root, self.options, self._problem):
                number = None
                while chunk := list(islice(listing.pictures, _AT_ONCE)):
                    number = self._compare(listing.path, number, sorted(chunk, key=lambda each: each.name))
                    report()
                    if cancelled():
                        return False
                if number is None:
                    with self.database.reading() as connection:
                        number = find_folder(connection, listing.path)
                if number is not None:
                    met.add(number)
            if whole:
                self._sweep(root, met)
        return True

    def _problem(self, folder: Path, reason: str) -> None:
        self.problems.append((folder, reason))

    def _compare(self, path: Path, folder: int | None, chunk: list[Found]) -> int:
        self.found += len(chunk)
        with self.database.reading() as connection:
            folder = folder or find_folder(connection, path)
            known: list[Known | None] = [None] * len(chunk)
            if folder is not None:
                known = [known_file(connection, folder, each.name, self.asked.scorers) for each in chunk]
        new: list[Found] = []
        for each, entry in zip(chunk, known):
            if entry is None:
                new.append(each)
            elif entry.file not in self._seen:
                self._seen.add(entry.file)
                self._note(each, entry)
        if new or folder is None:
            with self.database.writing() as connection:
                folder = folder_number(connection, path)
                for each in new:
                    file = add_file(connection, folder, each.name)
                    self._seen.add(file)
                    self.pending.add(file, each.beside, True, True)
        return folder

    def _note(self, found: Found, known: Known) -> None:
        """Writes down what is to be done about a file that is known."""
        content = (
            known.state != State.READ
            or (known.size, known.modified_ns) != (found.size, found.modified_ns)
            or (known.failed != 0 and self.options.retry)
        )
        prompt = content or known.beside != found.beside or known.asked != self.asked.mark
        shown = (
            known.fixed if self.asked.prompt is None else known.prompt != self.asked.prompt or not known.fixed
        )
        if content or prompt or shown or known.gone or known.ranked < len(self.asked.scorers):
            self.pending.add(known.file, found.beside, content, prompt)

    def _sweep(self, root: Path, met: set[int]) -> None:
        """Notes which known files are no longer there. What was passed over, or could not be read, is left as it is."""
        missing = array("q")
        with self.database.reading() as connection:
            number = find_folder(connection, root)
            if number is None:
                return
            folders = [(number,)]
            if self.options.recursive:
                folders = connection.execute(f"{BELOW}SELECT id FROM below", (number,)).fetchall()
            for (folder,) in folders:
                if folder not in met and os.path.exists(folder_path(connection, folder)):  # noqa: PTH110
                    continue
                for file in files_of_folder(connection, folder):
                    if file not in self._seen and not os.path.lexists(file_path(connection, file)):
                        missing.append(file)
        for start in range(0, len(missing), _AT_ONCE):
            with self.database.writing() as connection:
                mark_gone(connection, missing[start : start + _AT_ONCE])
        self.gone += len(missing)


def _outermost(roots: Sequence[Path]) -> list[Path]:
    """The roots that lie in no other of them, each once."""
    return [root for root in dict.fromkeys(roots) if not any(other in root.parents for other in roots)]
