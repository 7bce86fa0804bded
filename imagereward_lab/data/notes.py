"""What a reader left out of a data set, and why: one bad row never costs the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One thing that was left out, or that a person should know.

    Attributes:
        where: File and place in it.
        reason: What was found, what was expected and, where it is not plain, what to do.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class Notes:
    """Notes in the order they were made; a file with a million bad rows is counted to the end, and its first rows are told."""

    MOST = 1000

    def __init__(self) -> None:
        self.kept: list[Note] = []
        self.total = 0

    def add(self, where: str, reason: str) -> None:
        """Makes a note."""
        self.total += 1
        if len(self.kept) < self.MOST:
            self.kept.append(Note(where, reason))

    def __len__(self) -> int:
        return self.total

    def __iter__(self) -> Iterator[Note]:
        return iter(self.kept)
