"""Ranks and how sure they are, from strengths and their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .strengths import StrengthFit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEVEL = 0.9
_DRAWS = 2000
_EQUAL = 1e-7
"""Strengths that are no farther apart are equal; the fit finds them closer than that."""


@dataclass(frozen=True, kw_only=True)
class RankIntervals:
    """Ranks of N pictures, 1 is best.

    Attributes:
        ranks: By strength, int64 [N]; equally strong ones share a rank.
        low: The best rank of the interval, int64 [N].
        high: The worst rank of the interval, int64 [N].
        best: How likely each is the best of all, float64 [N] with sum 1.
    """

    ranks: IntArray
    low: IntArray
    high: IntArray
    best: FloatArray


def rank_intervals(fit: StrengthFit, level: float = LEVEL, seed: int = 0) -> RankIntervals:
    """Ranks, each with the interval that holds it with probability ``level``, as far as the fit's errors are right.

    Of strengths drawn from the posterior's normal approximation as many ranks lie below the interval as above. Equal fits and seeds give
    equal intervals.

    >>> from .strengths import Comparison, fit_strengths
    >>> found = rank_intervals(fit_strengths(3, [Comparison((0, 1), winner=0)] * 20))
    >>> found.ranks.tolist(), found.low.tolist(), found.high.tolist()
    ([1, 3, 2], [1, 2, 1], [2, 3, 3])
    """
    number = len(fit.values)
    if not number:
        none = np.zeros(0, dtype=np.int64)
        return RankIntervals(ranks=none, low=none, high=none, best=np.zeros(0))
    order = np.argsort(-fit.values, kind="stable")
    ranks = np.empty(number, dtype=np.int64)
    for place, image in enumerate(order):
        before = order[place - 1]
        equal = place and fit.values[before] - fit.values[image] <= _EQUAL
        ranks[image] = ranks[before] if equal else place + 1
    drawn = draws(fit, _DRAWS, np.random.default_rng(seed))
    places = np.empty_like(drawn, dtype=np.int64)
    np.put_along_axis(places, np.argsort(-drawn, axis=1), np.arange(1, number + 1)[None, :], axis=1)
    tail = (1 - level) / 2
    places.sort(axis=0)
    low = places[int(tail * _DRAWS)]
    high = places[_DRAWS - 1 - int(tail * _DRAWS)]
    return RankIntervals(
        ranks=ranks,
        low=np.minimum(low, ranks),
        high=np.maximum(high, ranks),
        best=(places == 1).mean(axis=0),
    )


def draws(fit: StrengthFit, number: int, rng: np.random.Generator) -> FloatArray:
    """Strengths drawn from the posterior's normal approximation, float64 [number, N]."""
    root = np.linalg.cholesky(fit.covariance)
    return fit.values + rng.standard_normal((number, len(fit.values))) @ root.T
