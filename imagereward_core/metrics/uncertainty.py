"""How sure a figure is: bootstrap intervals and a paired test, both by prompt.

Pairs of one prompt are not independent of one another (the same pictures, the same person), so what is drawn, or changes sides, are whole
prompts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RESAMPLES = 2000
LEVEL = 0.95
FEW_PROMPTS = 30
"""Below this number of prompts bootstrap intervals are too narrow more often than they say."""
PERMUTATIONS = 9999
_EXACT = 13
"""Up to so many prompts in which two scorers differ all 2 ** n ways to change sides are tried."""
_ROOM = 4_000_000


def sums_by_group(values: FloatArray, groups: Sequence[int] | NDArray[np.int64], number: int) -> FloatArray:
    """Sums over the rows of every group, float64 [number, ...].

    >>> sums_by_group(np.array([1.0, 2.0, 4.0]), [0, 1, 0], 2).tolist()
    [5.0, 2.0]
    """
    made = np.zeros((number, *values.shape[1:]))
    np.add.at(made, np.asarray(groups, dtype=np.int64), values)
    return made


def resampled_ratios(
    numerators: FloatArray, denominators: FloatArray, resamples: int = RESAMPLES, seed: int = 0
) -> FloatArray:
    """Ratios of sums over prompts drawn with replacement, float64 [resamples, ...]; NaN where a draw has nothing to divide by.

    Equal seeds draw the same prompts, so that figures made one after another can be compared draw by draw.

    Args:
        numerators: [P, ...], one row per prompt.
        denominators: [P, ...], likewise.
        resamples: How many draws.
        seed: Of the random numbers.
    """
    number = len(numerators)
    if not number:
        return np.full((resamples, *numerators.shape[1:]), math.nan)
    over, under = numerators.reshape(number, -1), denominators.reshape(number, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = [(drawn @ over) / (drawn @ under) for drawn in _draws(number, resamples, seed)]
    return np.concatenate(found).reshape(resamples, *numerators.shape[1:])


def resampled_sums(values: FloatArray, resamples: int = RESAMPLES, seed: int = 0) -> FloatArray:
    """Sums over prompts drawn with replacement, float64 [resamples, ...]; the draws are those of :func:`resampled_ratios`.

    Args:
        values: [P, ...], one row per prompt.
        resamples: How many draws.
        seed: Of the random numbers.
    """
    number = len(values)
    if not number:
        return np.zeros((resamples, *values.shape[1:]))
    flat = values.reshape(number, -1)
    found = [drawn @ flat for drawn in _draws(number, resamples, seed)]
    return np.concatenate(found).reshape(resamples, *values.shape[1:])


def _draws(number: int, resamples: int, seed: int) -> Iterable[FloatArray]:
    """How often each of ``number`` prompts is in each draw, float64 [some of the draws, number] piece by piece."""
    if number * resamples <= _ROOM:
        return (_few_draws(number, resamples, seed),)
    return _drawn(number, resamples, seed)


def _drawn(number: int, resamples: int, seed: int) -> Iterator[FloatArray]:
    rng = np.random.default_rng(seed)
    while resamples:
        size = min(resamples, max(1, _ROOM // number))
        yield rng.multinomial(number, np.full(number, 1 / number), size=size).astype(np.float64)
        resamples -= size


@lru_cache(maxsize=2)
def _few_draws(number: int, resamples: int, seed: int) -> FloatArray:
    """The same, kept for the next figure about the same prompts: drawing takes most of the time."""
    (drawn,) = _drawn(number, resamples, seed)
    drawn.setflags(write=False)
    return drawn


def interval(draws: FloatArray, level: float = LEVEL) -> tuple[float, float]:
    """The middle ``level`` of bootstrap draws (percentile interval); NaN where too many draws say nothing.

    >>> interval(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    known = draws[np.isfinite(draws)]
    if len(known) < max(2, 0.9 * len(draws)):
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def ratio_interval(numerators: FloatArray, denominators: FloatArray, **options: Any) -> tuple[float, float]:
    """Bootstrap interval, by prompt, of the sum of the numerators over the sum of the denominators.

    Args:
        numerators: float64 [P], one per prompt.
        denominators: float64 [P]; prompts with 0 are left out.
        options: ``level``, ``resamples``, ``seed``.

    NaN with fewer than two prompts: how much prompts differ cannot be seen from one.
    """
    level = options.pop("level", LEVEL)
    counted = denominators > 0
    if np.count_nonzero(counted) < 2:
        return math.nan, math.nan
    return interval(resampled_ratios(numerators[counted], denominators[counted], **options), level)


def paired_test(differences: FloatArray, permutations: int = PERMUTATIONS, seed: int = 0) -> float:
    """Two-sided p value that two scorers are equally good: a permutation test in which scorers change sides prompt by prompt.

    It asks how often the sum of the differences would be at least so far from 0 if for every prompt it were a toss which scorer had which
    result. All ways are tried where there are few, otherwise ``permutations`` of them at random, and then the p value is
    (hits + 1) / (permutations + 1).

    Args:
        differences: float64 [P], result of the one minus result of the other, for every prompt.
        permutations: How many random ways.
        seed: Of the random numbers.

    >>> paired_test(np.array([1.0, 1.0, 1.0, 1.0, 1.0]))
    0.0625
    """
    moving = np.asarray(differences, dtype=np.float64)
    moving = moving[moving != 0]
    number = len(moving)
    if not number:
        return 1.0
    # Sums that are equal but for rounding are equal.
    least = abs(float(moving.sum())) - 1e-9 * float(np.abs(moving).sum())
    if number <= _EXACT:
        ways = np.arange(2**number)[:, None] >> np.arange(number) & 1
        return float(np.mean(np.abs((2.0 * ways - 1) @ moving) >= least))
    rng = np.random.default_rng(seed)
    hits, left = 0, permutations
    while left:
        size = min(left, max(1, _ROOM // number))
        signs = 2.0 * rng.integers(0, 2, (size, number), dtype=np.int8) - 1
        hits += int(np.count_nonzero(np.abs(signs @ moving) >= least))
        left -= size
    return (hits + 1) / (permutations + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """P values corrected for there being several (Holm's method): a set in which nothing differs seldom shows a difference.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for done, place in enumerate(sorted(range(len(p_values)), key=lambda each: p_values[each])):
        largest = max(largest, min(1.0, (len(p_values) - done) * p_values[place]))
        corrected[place] = largest
    return corrected


def mean_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Student's interval of the mean of independent figures, such as those of trainings with other seeds; NaN for fewer than two.

    >>> [round(end, 3) for end in mean_interval([0.6, 0.65, 0.7])]
    [0.526, 0.774]
    """
    numbers = np.asarray(values, dtype=np.float64)
    if len(numbers) < 2:
        return math.nan, math.nan
    reach = _student(len(numbers) - 1, level) * float(numbers.std(ddof=1)) / math.sqrt(len(numbers))
    return float(numbers.mean()) - reach, float(numbers.mean()) + reach


def _student(freedom: int, level: float) -> float:
    """How far from 0 the middle ``level`` of Student's distribution reaches."""
    low, high = 0.0, math.pi / 2
    for _ in range(100):
        angle = (low + high) / 2
        low, high = (angle, high) if _student_within(freedom, angle) < level else (low, angle)
    return math.sqrt(freedom) * math.tan(low)


def _student_within(freedom: int, angle: float) -> float:
    """Share of Student's distribution within sqrt(freedom) * tan(angle) of 0 (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    cosine, odd = math.cos(angle), freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for power in range(1 if odd else 0, freedom - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total


def fewest_prompts(comparisons: int = 1, significance: float = 0.05) -> int:
    """With fewer prompts :func:`paired_test` can show nothing among so many comparisons, even if every prompt says the same.

    >>> fewest_prompts(), fewest_prompts(10)
    (6, 9)
    """
    return math.ceil(1 + math.log2(comparisons / significance))


def prompts_needed(
    differences: FloatArray, comparisons: int = 1, significance: float = 0.05, power: float = 0.8
) -> float:
    """About how many prompts it takes to see a mean difference as large as this one; infinite where there is none.

    The usual formula for paired means, (z(1 - a / 2) + z(power))^2 variance / mean^2, with ``significance`` shared out among the
    comparisons. It holds if the true difference is as large as the one seen and prompts go on to differ as they do. It is never fewer than
    :func:`fewest_prompts`.

    Args:
        differences: float64 [P], for every prompt the result of the one minus that of the other.
        comparisons: How many are made at once.
        significance: How often a difference is called one that is none.
        power: How often it is to be seen.

    >>> round(prompts_needed(np.array([0.0, 1.0, 2.0, -1.0])))
    52
    """
    if len(differences) < 2 or not (mean := float(differences.mean())):
        return math.inf
    normal = NormalDist()
    width = normal.inv_cdf(1 - significance / comparisons / 2) + normal.inv_cdf(power)
    least = float(fewest_prompts(comparisons, significance))
    return max(least, width**2 * float(differences.var(ddof=1)) / mean**2)
