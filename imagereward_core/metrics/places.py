"""Where a scorer puts one picture among those of its prompt: recall, filter, and the histogram of places (arXiv 2304.05977, 3.2).

Equal scores have no order, and which of them comes first would otherwise depend on the order of the files. Here every order of them
counts the same: a picture that ties for places 1 and 2 is half at each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def place_shares(scores: Sequence[float] | FloatArray, picture: int) -> FloatArray:
    """How far a picture stands at each place, float64 [K] with sum 1: at one place alone, or an equal share of those it ties for.

    Args:
        scores: K, higher is better.
        picture: Its index.

    Raises:
        ValueError: A score is NaN.

    >>> place_shares([0.1, 0.7, 0.7], 1).tolist()
    [0.5, 0.5, 0.0]
    """
    values = np.asarray(scores, dtype=np.float64)
    if np.isnan(values).any():
        raise ValueError("a score is NaN; expected scores of pictures that all have one")
    above, tied = int((values > values[picture]).sum()), int((values == values[picture]).sum())
    shares = np.zeros(len(values))
    shares[above : above + tied] = 1.0 / tied
    return shares


def recall_at(scores: Sequence[float] | FloatArray, best: int, k: int) -> float:
    """Whether the picture that people like best is among the ``k`` best by score: 1, 0, or its share where it ties at the border.

    Args:
        scores: K, higher is better.
        best: Index of the human best.
        k: How many; with no more than ``k`` pictures the answer is NaN, since it would always be yes.

    >>> recall_at([0.1, 0.7, 0.7], 1, 1)
    0.5
    """
    return _among(place_shares(scores, best), k)


def filter_at(scores: Sequence[float] | FloatArray, worst: int, k: int) -> float:
    """Whether the picture that people like least is among the ``k`` worst by score; as :func:`recall_at`.

    >>> filter_at([0.1, 0.7, 0.7], 0, 1)
    1.0
    """
    return _among(place_shares(scores, worst)[::-1], k)


def _among(shares: FloatArray, k: int) -> float:
    return float(shares[:k].sum()) if len(shares) > k else math.nan
