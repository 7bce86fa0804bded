"""Preference accuracy by the rules of every published protocol, from one count of a ranking's pairs.

Protocols differ in three things alone: whether pairs that people tied count, what a tie of the scorer is worth, and whether every
pair or every ranking has the same weight. So pairs are counted once, in five kinds, and a protocol is two rows of weights over them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

KINDS = ("right", "wrong", "level", "apart", "together")
"""Kinds of pairs. Of those that people ordered: the scorer orders them likewise, the other way round, or not at all. Of those that people
tied: the scorer tells them apart, or ties them too."""


@dataclass(frozen=True, kw_only=True)
class PairProtocol:
    """Rules by which accuracy over pairs is counted.

    Attributes:
        name: What it is called in options and files.
        title: What it is called in tables.
        source: Whose rules these are.
        level: Credit of a pair that people ordered and the scorer ties.
        human_ties: Credit of a pair that people tied, where the scorer tells it apart and where it ties it too; None where such pairs
            do not count.
        over: Whether every pair has the same weight (micro average) or every ranking (macro average).
    """

    name: str
    title: str
    source: str
    level: float
    human_ties: tuple[float, float] | None
    over: Literal["pairs", "rankings"]

    @property
    def credit(self) -> FloatArray:
        """Credit of a pair of each kind, float64 [5]."""
        return np.array([1.0, 0.0, self.level, *(self.human_ties or (0.0, 0.0))])

    @property
    def counted(self) -> FloatArray:
        """Whether a pair of each kind counts, float64 [5] of 0 and 1."""
        ties = 0.0 if self.human_ties is None else 1.0
        return np.array([1.0, 1.0, 1.0, ties, ties])

    def parts(self, counts: IntArray | FloatArray) -> tuple[FloatArray, FloatArray]:
        """Numerators and denominators, float64 [N] each: accuracy is the sum of the first over the sum of the second.

        Args:
            counts: [N, 5], :func:`pair_counts` of N rankings.
        """
        got, of = counts @ self.credit, counts @ self.counted
        if self.over == "pairs":
            return got, of
        known = of > 0
        return np.divide(got, of, out=np.zeros_like(got), where=known), known.astype(np.float64)

    def accuracy(self, counts: IntArray | FloatArray) -> float:
        """Accuracy over N rankings in 0..1; NaN where no pair counts.

        >>> PAIR_PROTOCOLS["pairs"].accuracy(np.array([[3, 0, 0, 0, 0], [0, 1, 0, 0, 0]]))
        0.75
        >>> PAIR_PROTOCOLS["rankings"].accuracy(np.array([[3, 0, 0, 0, 0], [0, 1, 0, 0, 0]]))
        0.5
        """
        got, of = self.parts(counts)
        total = float(of.sum())
        return float(got.sum()) / total if total else math.nan


PAIR_PROTOCOLS: dict[str, PairProtocol] = {
    each.name: each
    for each in (
        PairProtocol(
            name="pairs",
            title="all pairs together",
            source="test.py of ImageReward, and the evaluation of MPS: pairs that people tied are left out, a tie of the scorer is wrong",
            level=0.0,
            human_ties=None,
            over="pairs",
        ),
        PairProtocol(
            name="rankings",
            title="mean over rankings",
            source="HPSv2's program on ImageReward's test set, and the wording of the ImageReward paper ('averaged per prompt'): the same "
            "rules, and every ranking has the same weight",
            level=0.0,
            human_ties=None,
            over="rankings",
        ),
        PairProtocol(
            name="inversions",
            title="1 - inversions (HPSv2)",
            source="HPSv2 on HPDv2: only a pair in the opposite order is wrong, so ties of people and of the scorer count as right; every "
            "ranking has the same weight",
            level=1.0,
            human_ties=(1.0, 1.0),
            over="rankings",
        ),
        PairProtocol(
            name="pickscore",
            title="half for human ties (PickScore)",
            source="PickScore: a pair that people tied is worth a half if the scorer tells it apart; a tie of the scorer is worth nothing",
            level=0.0,
            human_ties=(0.5, 0.0),
            over="pairs",
        ),
        PairProtocol(
            name="half",
            title="half for the scorer's ties",
            source="no publication, but fair to scorers that give few different numbers: pairs that people tied are left out, a tie of the "
            "scorer is worth what a toss would give",
            level=0.5,
            human_ties=None,
            over="pairs",
        ),
    )
}
"""The protocols by name; the first is the one that the published 65.14 % of ImageReward were counted by."""


def pair_counts(
    scores: Sequence[float] | FloatArray, ranks: Sequence[int] | IntArray, ties: bool = True
) -> IntArray:
    """Pairs of one ranking by kind, int64 [5] in the order of :data:`KINDS`.

    Pairs with a picture that was not ranked (0) or has no score (NaN) are left out, as the reference leaves out the latter.

    Args:
        scores: One per picture, higher is better.
        ranks: One per picture, 1 is best; equal ones are ties.
        ties: Whether equal ranks are judgements; otherwise they say nothing, and such pairs are left out.

    >>> pair_counts([0.5, 2.0, 0.5, 0.1], [3, 1, 2, 2]).tolist()
    [3, 1, 1, 1, 0]
    """
    value, rank = np.asarray(scores, dtype=np.float64), np.asarray(ranks, dtype=np.int64)
    fit = (rank > 0) & ~np.isnan(value)
    value, rank = value[fit], rank[fit]
    one, two = _every_two(len(value))
    ordered, level = rank[one] != rank[two], value[one] == value[two]
    agreed = ordered & ~level & ((rank[one] < rank[two]) == (value[one] > value[two]))
    apart, together = (~ordered & ~level, ~ordered & level) if ties else (np.zeros(0), np.zeros(0))
    kinds = (agreed, ordered & ~agreed & ~level, ordered & level, apart, together)
    return np.array([np.count_nonzero(kind) for kind in kinds], dtype=np.int64)


@lru_cache(maxsize=64)
def _every_two(number: int) -> tuple[IntArray, IntArray]:
    """Indexes of both pictures of every pair; rankings have few lengths, and there are many of them."""
    one, two = np.triu_indices(number, 1)
    return one, two
