"""Preference accuracy: how often scores agree with people about the better of two pictures for one prompt (arXiv 2304.05977, 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray


def preferred_pairs(ranks: Sequence[int] | NDArray[np.int64]) -> list[tuple[int, int]]:
    """Every pair of a ranking (1 is best, 0 was not ranked) as (index of the better, index of the worse); ties are left out.

    >>> preferred_pairs([2, 1, 2, 0])
    [(1, 0), (1, 2)]
    """
    pairs = []
    for first, second in combinations(range(len(ranks)), 2):
        one, two = ranks[first], ranks[second]
        if one and two and one != two:
            pairs.append((first, second) if one < two else (second, first))
    return pairs


def agreeing_pairs(
    scores: Sequence[float] | NDArray[np.float64], ranks: Sequence[int] | NDArray[np.int64]
) -> tuple[int, int]:
    """Of the strict pairs of one ranking, those in which the better picture has the higher score, and all.

    Equal scores, and pictures without one (NaN), do not agree, as in the reference's ``test.py``. One of each per picture.

    >>> agreeing_pairs([0.5, 2.0, 0.5], [3, 1, 2])
    (2, 3)
    """
    pairs = preferred_pairs(ranks)
    return sum(bool(scores[better] > scores[worse]) for better, worse in pairs), len(pairs)


def preference_accuracy(
    scores: Sequence[float] | NDArray[np.float64], ranks: Sequence[int] | NDArray[np.int64]
) -> float:
    """Share of :func:`agreeing_pairs` of one ranking; NaN where it has no strict pair. Over many rankings, sum the pairs first.

    >>> preference_accuracy([0.5, 2.0, 0.5], [3, 1, 2])
    0.6666666666666666
    """
    right, pairs = agreeing_pairs(scores, ranks)
    return right / pairs if pairs else float("nan")
