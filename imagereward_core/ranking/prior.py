"""What is thought of pictures before anybody compared them: nothing, or what scorers say and how far they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SPREAD = 2.0
"""Standard deviation of strengths before anybody said anything, in units of the fit: of two pictures drawn at random the better one is
called so in five of six cases."""
AGREEMENT = math.sin(math.pi * (0.6514 - 0.5))
"""How far scorers' numbers go with people's, as a correlation: that at which 65.14 % of pairs are ordered alike, ImageReward's accuracy on
its own test set (arXiv 2304.05977), if both are normal."""


@dataclass(frozen=True)
class StrengthPrior:
    """Normal distributions of strengths, each independent of the others.

    Attributes:
        mean: float64 [N].
        deviation: Standard deviations, float64 [N], more than 0.
    """

    mean: FloatArray
    deviation: FloatArray

    @classmethod
    def of_nothing(cls, number: int, spread: float = SPREAD) -> StrengthPrior:
        """The same for ``number`` pictures of which nothing is known.

        >>> StrengthPrior.of_nothing(2).deviation.tolist()
        [2.0, 2.0]
        """
        return cls(np.zeros(number), np.full(number, spread))


def prior_from_scores(
    scores: Sequence[Sequence[float]] | FloatArray, spread: float = SPREAD, agreement: float = AGREEMENT
) -> StrengthPrior:
    """A prior from what scorers say: better where the mean of their scores is, less sure where they differ.

    Each scorer's numbers count by how far they lie from its mean, in its standard deviations, so that scorers of any range can be put side
    by side. Of a picture without a score (NaN) by anybody nothing is known.

    Args:
        scores: [K, N], higher is better: N pictures of one prompt by K scorers.
        spread: Standard deviation of strengths where nothing is known.
        agreement: Correlation of the mean of scores with what people think, 0..1.

    >>> one = prior_from_scores([[1.0, 2.0, 3.0], [5.0, 1.0, 9.0]])
    >>> one.mean.argmax().item(), bool(one.deviation[0] > one.deviation[2])
    (2, True)
    """
    values = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    values = np.where(np.isfinite(values), values, np.nan)
    known = ~np.isnan(values)
    counts = known.sum(axis=1, keepdims=True)
    filled = np.where(known, values, 0.0)
    mean = filled.sum(axis=1, keepdims=True) / np.maximum(counts, 1)
    apart = np.where(known, values - mean, 0.0)
    deviation = np.sqrt((apart**2).sum(axis=1, keepdims=True) / np.maximum(counts, 1))
    standard = apart / np.where(deviation > 0, deviation, 1.0)
    voices = known.sum(axis=0)
    said = voices > 0
    centre = standard.sum(axis=0) / np.maximum(voices, 1)
    differ = (np.where(known, standard - centre, 0.0) ** 2).sum(axis=0) / np.maximum(voices, 1)
    unsure = np.sqrt(1 - agreement**2 + agreement**2 * differ)
    return StrengthPrior(spread * agreement * centre, spread * np.where(said, unsure, 1.0))
