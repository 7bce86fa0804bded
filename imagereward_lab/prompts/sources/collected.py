"""Prompts of a file or folder, each once, with how often it was there; texts wait on disk and not in memory."""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from imagereward_core.plain import well_formed

from ...data.form import MOST_PROMPT
from ...data.notes import Notes
from ...data.prompts import prompt_key

_EVERY = 4096


class Prompts:
    """Different prompts in the order in which they first stood there. Memory is some 50 bytes for each row that was read.

    Args:
        rows: The texts of all rows, an empty one where a row has none, None where it was left out, with a note.
        notes: Where rows are noted that are too long.
        progress: Told now and then how many rows were read.

    Attributes:
        counts: int64 [N], how many rows have the prompt, however it is spelt.
        rows: int64 [N], the row where it first stands, 0 is the first of all.
        places: int64 [N], the same, counting only rows that have a prompt.
        total: Rows read.
        kept: Those of them that have a prompt.
        blank: Those that have none.
    """

    def __init__(
        self, rows: Iterable[str | None], notes: Notes, progress: Callable[[int], None] | None = None
    ) -> None:
        # Without a name from the beginning on, so that nothing of it stays behind after a kill.
        self._texts = tempfile.TemporaryFile(prefix="imagereward-")  # noqa: SIM115
        ends, numbers, keys = array("q", [0]), array("q"), bytearray()
        self.total = self.blank = 0
        for row in rows:
            self.total += 1
            if progress is not None and self.total % _EVERY == 0:
                progress(self.total)
            text = None if row is None else well_formed(row).strip()
            if not text:
                self.blank += text is not None
                continue
            if len(text) > MOST_PROMPT:
                notes.add(
                    f"row {self.total}", f"found {len(text):,} characters; expected at most {MOST_PROMPT:,}"
                )
                continue
            data = text.encode("utf-8")
            self._texts.write(data)
            ends.append(ends[-1] + len(data))
            numbers.append(self.total - 1)
            keys += hashlib.blake2b(prompt_key(text).encode("utf-8"), digest_size=16).digest()
        self.kept = len(numbers)
        self.places, self.counts = _different(np.frombuffer(bytes(keys), np.uint64).reshape(-1, 2))
        self.rows = np.frombuffer(numbers, np.int64)[self.places] if self.kept else np.empty(0, np.int64)
        self._ends = np.frombuffer(ends, np.int64)
        self.digest = self._digest()

    def __len__(self) -> int:
        """How many different prompts there are."""
        return len(self.places)

    def __getitem__(self, index: int) -> str:
        """One prompt, as it was first spelt, without white space at its ends."""
        place = int(self.places[index])
        self._texts.seek(int(self._ends[place]))
        return self._texts.read(int(self._ends[place + 1] - self._ends[place])).decode("utf-8")

    def __iter__(self) -> Iterator[str]:
        """All of them in order."""
        return (self[index] for index in range(len(self)))

    def _digest(self) -> str:
        """SHA-256 of all prompts in order: 64 hexadecimal digits."""
        found = hashlib.sha256()
        for text in self:
            data = text.encode("utf-8")
            found.update(len(data).to_bytes(8, "big"))
            found.update(data)
        return found.hexdigest()


def _different(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of every key, 128 bits in two numbers [R, 2], the place where it first stands, ascending, and how often it is there."""
    if not len(keys):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # equal ones stay in order
    ordered = keys[order]
    begins = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
    starts = np.flatnonzero(begins)
    counts = np.diff(np.concatenate([starts, [len(keys)]]))
    firsts = order[starts]
    back = np.argsort(firsts)
    return firsts[back].astype(np.int64), counts[back].astype(np.int64)
