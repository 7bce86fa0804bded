"""Who votes for whom: the graph of neighbours read the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
NOBODY = -1
"""Stands in a row of the graph for a neighbour that was not found."""
_VOTES_AT_ONCE = 8_000_000


@dataclass(frozen=True)
class Supporters:
    """For every point those that have it among their nearest neighbours, and so vote for it.

    Attributes:
        votes: int32 [E], the voters of the first point, then those of the second, and so on, each in ascending order.
        ends: int64 [N + 1], where the voters of each point begin; the last number is E.
    """

    votes: IntArray
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        """How many points there are."""
        return len(self.ends) - 1

    def of(self, point: int) -> IntArray:
        """Those that vote for a point."""
        return self.votes[self.ends[point] : self.ends[point + 1]]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many vote for each point."""
        return np.diff(self.ends)


def supporters_of(neighbours: IntArray) -> Supporters:
    """Who votes for whom, where every point votes for its neighbours.

    Args:
        neighbours: int32 [N, k], may be mapped from a file; :data:`NOBODY` where a point has fewer neighbours. Beside it and the result
            only a part of fixed size is in memory.
    """
    count = len(neighbours)
    numbers = np.zeros(count, np.int64)
    for _, part in _parts(neighbours):
        numbers += np.bincount(part[part != NOBODY], minlength=count)
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(numbers)])
    votes = np.empty(ends[-1], np.int32)
    free = ends[:-1].copy()
    for start, part in _parts(neighbours):
        voters = np.repeat(np.arange(start, start + len(part), dtype=np.int32), part.shape[1])
        chosen = part.reshape(-1)
        there = chosen != NOBODY
        voters, chosen = voters[there], chosen[there]
        order = np.argsort(chosen, kind="stable")
        voters, chosen = voters[order], chosen[order]
        points, firsts, lengths = np.unique(chosen, return_index=True, return_counts=True)
        within = np.arange(len(chosen)) - np.repeat(firsts, lengths)
        votes[np.repeat(free[points], lengths) + within] = voters
        free[points] += lengths
    return Supporters(votes, ends)


def _parts(neighbours: IntArray) -> Iterator[tuple[int, IntArray]]:
    """Rows from the first to the last with the number of the first of them, a part of fixed size at a time."""
    step = max(1, _VOTES_AT_ONCE // max(1, neighbours.shape[1]))
    for start in range(0, len(neighbours), step):
        yield start, np.asarray(neighbours[start : start + step])
