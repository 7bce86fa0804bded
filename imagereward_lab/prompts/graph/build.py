"""The graph of neighbours of all prompts, or of each group for itself, kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..options import SelectOptions
from ..vectors.work import Work
from .exact import nearest
from .supporters import NOBODY, IntArray

_FORMAT = 1
"""Rises when the same vectors get another graph."""


@dataclass(frozen=True)
class Graph:
    """Nearest neighbours within groups.

    Attributes:
        order: int64 [N], prompts group by group, in each in their order.
        ends: int64 [G + 1], where each group begins in ``order``; the last number is N.
        neighbours: int32 [N, k] in that order, mapped from a file: places within the group, or :data:`.NOBODY`.
        recall: The share of the true neighbours among those that were found, where the search does not find all; else None.
    """

    order: NDArray[np.int64]
    ends: NDArray[np.int64]
    neighbours: IntArray
    recall: float | None = None

    def groups(self) -> Iterator[tuple[NDArray[np.int64], IntArray]]:
        """Of each group its prompts, and their neighbours by the place in it."""
        for low, high in zip(self.ends[:-1].tolist(), self.ends[1:].tolist()):
            yield self.order[low:high], self.neighbours[low:high]


def parted(total: int, groups: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Prompts in groups by chance, sizes differing by at most one; order and ends as in :class:`Graph`."""
    sizes = np.full(groups, total // groups, np.int64)
    sizes[: total % groups] += 1
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    if groups == 1:
        return np.arange(total), ends
    order = np.random.default_rng(seed).permutation(total).astype(np.int64)
    for low, high in zip(ends[:-1], ends[1:]):
        order[low:high].sort()
    return order, ends


def build_graph(
    work: Work,
    vectors: NDArray[np.floating],
    facts: Mapping[str, Any],
    options: SelectOptions,
    device: torch.device,
    progress: Callable[[int], None] | None = None,
) -> Graph:
    """The graph, of which only what is not in the folder of the work yet is computed.

    Args:
        work: The folder.
        vectors: float [N, d] of length 1, may be mapped from a file.
        facts: What the vectors depend on.
        options: Neighbours, groups, seed and search.
        device: Where products of matrices are computed.
        progress: Told how many prompts have their neighbours.

    Raises:
        SelectionError: The disk has no room for it.
        MissingPackageError: faiss is asked for and not installed.
        OSError: It cannot be written.
    """
    total = len(vectors)
    order, ends = parted(total, options.groups, options.seed)
    width = max(1, min(options.neighbours, int(np.diff(ends).max()) - 1))
    wanted = {
        "vectors": dict(facts),
        "graph": _FORMAT,
        "groups": options.groups,
        "seed": options.seed if options.groups > 1 else 0,
        "search": options.search,
    }
    index = _Approximate(vectors, width) if options.search == "faiss" else None

    def make(begin: int) -> Iterator[IntArray]:
        for low, high in zip(ends[:-1].tolist(), ends[1:].tolist()):
            if begin < high:
                own = vectors if options.groups == 1 else vectors[order[low:high]]
                k, start = min(width, len(own) - 1), max(0, begin - low)
                if index is not None:
                    yield from index.rows(start)
                elif k:
                    yield from (_filled(rows, width) for rows in nearest(own, k, device, start))
                else:
                    yield np.full((1, width), NOBODY, np.int32)

    neighbours = work.rows("graph", wanted, (total, width), np.int32, make, progress)
    recall = None if index is None else index.recall(neighbours, device, options.seed)
    return Graph(order, ends, neighbours, recall)


def _filled(rows: IntArray, width: int) -> IntArray:
    """Rows of a group that has one prompt less than the others, and so perhaps a neighbour too few."""
    if rows.shape[1] == width:
        return rows
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])), constant_values=NOBODY)


class _Approximate:
    """Faiss, loaded and filled when rows are asked for."""

    def __init__(self, vectors: NDArray[np.floating], k: int) -> None:
        self.vectors, self.k = vectors, k

    def rows(self, begin: int) -> Iterator[IntArray]:
        """Neighbours of the vectors from ``begin`` on."""
        from .cells import nearby

        return nearby(self.vectors, self.k, begin)

    def recall(self, found: IntArray, device: torch.device, seed: int) -> float:
        """The share of the true neighbours of some vectors that were found."""
        from .cells import recall_of

        return recall_of(self.vectors, found, device, seed)
