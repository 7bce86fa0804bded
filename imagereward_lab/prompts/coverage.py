"""How well chosen prompts stand for all, beside as many chosen by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

QUANTILES = (0.5, 0.9, 0.99)
MOST = 20_000
"""The most prompts whose distances are measured; of more, so many drawn by chance."""
DRAWS = 5
"""Choices by chance; their figures are averaged."""
_AT_ONCE = 4096


@dataclass(frozen=True)
class Coverage:
    """How far prompts are from the nearest chosen one, as 1 minus the cosine: 0 for a prompt of the same vector, 1 for an unrelated one.

    Attributes:
        mean, largest: Of these distances.
        quantiles: Those of :data:`QUANTILES`.
        covered: The share of all prompts that are chosen or vote for a chosen one, 0..1.
    """

    mean: float
    quantiles: tuple[float, ...]
    largest: float
    covered: float


def coverage_of(distances: NDArray[np.float64], covered: float) -> Coverage:
    """The figures of distances [S]."""
    quantiles = tuple(float(each) for each in np.quantile(distances, QUANTILES))
    return Coverage(float(distances.mean()), quantiles, float(distances.max()), covered)


def averaged(figures: Sequence[Coverage]) -> Coverage:
    """The mean of each figure."""
    return Coverage(
        float(np.mean([each.mean for each in figures])),
        tuple(float(each) for each in np.mean([each.quantiles for each in figures], axis=0)),
        float(np.mean([each.largest for each in figures])),
        float(np.mean([each.covered for each in figures])),
    )


def measured_prompts(total: int, seed: int) -> NDArray[np.int64]:
    """The prompts whose distances are measured, ascending: all of them, or :data:`MOST` drawn by ``seed``."""
    if total <= MOST:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).permutation(total)[:MOST])


def distances_to(
    vectors: NDArray[np.floating],
    points: NDArray[np.int64],
    chosen: NDArray[np.int64],
    device: torch.device,
) -> NDArray[np.float64]:
    """How far each of some points is from the nearest chosen one: float64 [S], 0..2.

    Args:
        vectors: float [N, d] of length 1, may be mapped from a file.
        points: int64 [S].
        chosen: int64 [M], at least one.
        device: Where products of matrices are computed.
    """
    best = np.full(len(points), -1.0, np.float32)
    for low in range(0, len(chosen), _AT_ONCE):
        near = torch.from_numpy(np.asarray(vectors[chosen[low : low + _AT_ONCE]], np.float32)).to(device)
        for start in range(0, len(points), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            own = torch.from_numpy(np.asarray(vectors[points[part]], np.float32)).to(device)
            best[part] = np.maximum(best[part], (own @ near.T).amax(1).cpu().numpy())
    found = np.maximum(1.0 - best.astype(np.float64), 0.0)
    found[np.isin(points, chosen)] = 0.0  # and not what rounding makes of it
    return found
