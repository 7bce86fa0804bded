"""Percentiles, one definition for all: the share of the reference that lies strictly below a score, in 0..100."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def percentiles(
    values: Sequence[float] | FloatArray, reference: Sequence[float] | FloatArray, *, among: bool = False
) -> FloatArray:
    """Share of the reference strictly below each score, float64 [N] in 0..100.

    ``Distribution.percentile`` says the same of a reference that is given by its mean and deviation, or by its quantiles. NaN has no
    percentile, and does not count in the reference; with nothing left there every answer is NaN. Where the scores are themselves
    ``among`` the reference, each is compared with the others, so that the best of them has 100 and the worst 0.

    >>> percentiles([2.0, 0.0, 9.0], [1.0, 2.0, 3.0, 4.0]).tolist()
    [25.0, 0.0, 100.0]
    >>> percentiles([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], among=True).tolist()
    [0.0, 50.0, 100.0]
    """
    wanted, known = np.asarray(values, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    known = np.sort(known[~np.isnan(known)])
    others = len(known) - among
    if others < 1:
        return np.full(len(wanted), math.nan)
    below = np.searchsorted(known, wanted, side="left")
    return np.where(np.isnan(wanted), math.nan, 100.0 * below / others)
