"""The question whose answer tells most: which pictures of a prompt to show next.

What an answer is expected to tell is the mutual information of the answer and the strengths, under the posterior's normal approximation (D.
V. Lindley, On a measure of the information provided by an experiment, 1956): how uncertain the answer is, less how uncertain it would be if
the strengths were known. Pictures nobody has compared, and those that are close together, are asked about first; the same two again only
when nothing else tells as much.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from .comparisons import Name
from .intervals import draws
from .strengths import StrengthFit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_SHOWN = 4
_CANDIDATES = 300
"""Of more pictures than these the ones whose strength is least known are asked about; the next answers bring the others in."""
_CLOSER_LOOK = 400
"""Pairs for which the information is computed after all are put in order by a quick estimate."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_SHARES = _WEIGHTS / _WEIGHTS.sum()
_DRAWS = 128
_LATELY = 10
_NEVER = 1e-6


@dataclass(frozen=True)
class Question(Generic[Name]):
    """Which pictures to show side by side.

    Attributes:
        images: Their numbers or names, in the order in which they are shown.
        information: What the answer is expected to tell, in bits.
    """

    images: tuple[Name, ...]
    information: float


def next_question(
    fit: StrengthFit,
    asked: Sequence[Sequence[int]] = (),
    *,
    size: int = 2,
    skipped: Sequence[Sequence[int]] = (),
    seed: int = 0,
) -> Question[int] | None:
    """What to ask next; None where there are fewer than two pictures.

    Args:
        fit: Of the answers so far.
        asked: The pictures of every question so far, the latest last.
        size: How many pictures are shown, 2 to 4; fewer where there are not so many.
        skipped: Pictures shown together to which no answer was given, or that somebody else is being asked about: asked again only when
            there is nothing else.
        seed: Decides between equally good questions, and which picture stands where.

    Raises:
        ValueError: Another ``size``.

    >>> from .strengths import Comparison, fit_strengths
    >>> question = next_question(fit_strengths(3, [Comparison((0, 1), winner=0)]), [(0, 1)])
    >>> 2 in question.images
    True
    """
    if size not in range(2, MOST_SHOWN + 1):
        raise ValueError(f"found a question of {size} pictures; expected 2 to {MOST_SHOWN}")
    if len(fit.values) < 2:
        return None
    rng = np.random.default_rng([seed, len(asked), len(skipped)])
    factor = _worth_asking(len(fit.values), asked, skipped)
    chosen = rng.permutation(len(fit.values))  # so that equals are in no order
    least_known = np.argsort(-np.diag(fit.covariance)[chosen], kind="stable")[:_CANDIDATES]
    chosen = chosen[least_known]
    shown, information = _best_pair(fit, chosen, factor)
    if size > 2 and len(chosen) > 2:
        just = {frozenset(images) for images in (*asked[-1:], *skipped[-1:])}
        shown, information = _extended(fit, chosen, factor, shown, min(size, len(chosen)), just, rng)
    return Question(tuple(int(image) for image in rng.permutation(shown)), information)


def _worth_asking(
    number: int, asked: Sequence[Sequence[int]], skipped: Sequence[Sequence[int]]
) -> FloatArray:
    """What the information about each pair is multiplied by, float64 [N, N]: a person who is asked again mostly repeats an answer."""
    factor: FloatArray = 1 / (1 + _together(number, asked)) ** 2
    for each in ([*asked[-_LATELY:], *skipped], [*asked[-1:], *skipped[-1:]]):
        factor[_together(number, each) > 0] *= _NEVER
    return factor


def _together(number: int, questions: Sequence[Sequence[int]]) -> IntArray:
    """How often each two were shown together, int64 [N, N]."""
    cells = [one * number + two for images in questions for one, two in permutations(images, 2)]
    counts = np.bincount(np.array(cells, dtype=np.int64), minlength=number * number)
    return counts.reshape(number, number)


def _best_pair(fit: StrengthFit, chosen: IntArray, factor: FloatArray) -> tuple[list[int], float]:
    one, two = (chosen[side] for side in _every_two(len(chosen)))
    variances = np.diag(fit.covariance)
    difference = fit.values[one] - fit.values[two]
    variance = np.maximum(variances[one] + variances[two] - 2 * fit.covariance[one, two], 0.0)
    worth = factor[one, two]
    rough = np.log1p(_curvature(difference / np.sqrt(1 + variance / 8), fit.tie) * variance) * worth
    closer = np.arange(len(rough))
    if len(rough) > _CLOSER_LOOK:
        closer = np.sort(np.argpartition(-rough, _CLOSER_LOOK)[:_CLOSER_LOOK])
    information = pair_information(difference[closer], variance[closer], fit.tie)
    best = closer[np.argmax(_rounded(information * worth[closer]))]
    return [int(one[best]), int(two[best])], float(information[np.flatnonzero(closer == best)[0]])


@lru_cache(maxsize=8)
def _every_two(number: int) -> tuple[IntArray, IntArray]:
    """Places of both of every two; a prompt has as many pictures for many questions."""
    one, two = np.triu_indices(number, 1)
    return one, two


def _rounded(values: FloatArray) -> FloatArray:
    """Values that are equal but for the last digits are equal, so that the seed decides between them."""
    return np.asarray(np.round(values, 9 - int(np.floor(np.log10(max(values.max(), 1e-250))))))


def _curvature(difference: FloatArray, tie: float) -> FloatArray:
    """What one answer adds to the curvature of the posterior along the difference of two strengths."""
    half = np.exp(-np.abs(difference) / 2)
    total = 1 + half**2 + tie * half
    decided = (1 + half**2) / total
    lead = (1 - half**2) / total
    return np.asarray((decided - lead**2) / 4)


def pair_information(difference: FloatArray, variance: FloatArray, tie: float) -> FloatArray:
    """What an answer about two pictures is expected to tell, in bits, float64 [P].

    Args:
        difference: Means of the difference of their strengths, [P].
        variance: Variances of it, [P].
        tie: The weight of a tie.

    >>> pair_information(np.array([0.0, 4.0, 0.0]), np.array([8.0, 8.0, 0.01]), 0.0).round(2).tolist()
    [0.46, 0.24, 0.0]
    """
    at = difference[:, None] + np.sqrt(variance)[:, None] * _NODES
    with np.errstate(divide="ignore"):
        odds, unsure = _odds_and_entropy(np.stack([at / 2, -at / 2, np.full_like(at, np.log(tie))]))
    return np.asarray(_entropy(odds @ _SHARES) - unsure @ _SHARES)


def _odds_and_entropy(logits: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probabilities of answers, which stand along the first axis, and their entropy in bits. One logarithm for all answers."""
    lower = logits - logits.max(axis=0)
    odds: FloatArray = np.exp(lower)
    total = odds.sum(axis=0)
    odds /= total
    lower[np.isneginf(lower)] = 0.0
    return odds, (np.log(total) - (odds * lower).sum(axis=0)) / np.log(2)


def _entropy(odds: FloatArray) -> FloatArray:
    return np.asarray(-(odds * np.log2(np.maximum(odds, 1e-300))).sum(axis=0))


def _extended(
    fit: StrengthFit,
    chosen: IntArray,
    factor: FloatArray,
    shown: list[int],
    size: int,
    just: Collection[frozenset[int]],
    rng: np.random.Generator,
) -> tuple[list[int], float]:
    """More pictures to a pair, one after the other, each the one with which the answer tells most."""
    drawn = draws(fit, _DRAWS, rng)
    information = 0.0
    while len(shown) < size:
        others = np.array([image for image in chosen if image not in shown])
        together = np.empty((len(shown) + 2, _DRAWS, len(others)))
        together[: len(shown)] = drawn[:, shown].T[:, :, None]
        together[-2] = drawn[:, others]
        with np.errstate(divide="ignore"):
            together[-1] = together[:-1].mean(axis=0) + np.log(fit.tie)
        odds, unsure = _odds_and_entropy(together)
        told = _entropy(odds.mean(axis=1)) - unsure.mean(axis=0)
        worth = factor[np.array(shown)[:, None], others].mean(axis=0)
        again = np.array([frozenset([*shown, image]) in just for image in others.tolist()])
        best = int(np.argmax(_rounded(np.where(again & ~again.all(), -1.0, told * worth))))
        shown, information = [*shown, int(others[best])], float(told[best])
    return shown, information
