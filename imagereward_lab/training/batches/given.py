"""Batches that somebody has made already, as the trainer takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..ranking import RankedBatch, RankedData


@dataclass(frozen=True)
class Grouped:
    """Every ``size`` batches are one step."""

    data: RankedData
    size: int

    def length(self, epoch: int) -> int:
        """Number of steps; batches that are too few for one are left out."""
        return max(1, len(self.data) // self.size) if len(self.data) else 0

    def steps(self, epoch: int, first: int = 0) -> Iterator[list[RankedBatch]]:
        """See :class:`..ranking.TrainingData`."""
        group: list[RankedBatch] = []
        done = 0
        for batch in self.data.batches(epoch):
            group.append(batch)
            if len(group) == min(self.size, len(self.data)):
                if first <= done < self.length(epoch):
                    yield group
                group, done = [], done + 1


@dataclass(frozen=True)
class Whole:
    """All batches of epoch 0, to judge by."""

    data: RankedData

    def parts(self) -> Iterator[RankedBatch]:
        """See :class:`..ranking.ValidationData`."""
        return self.data.batches(0)
