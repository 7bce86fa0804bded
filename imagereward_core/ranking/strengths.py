"""Strengths of pictures out of comparisons: the model of Bradley and Terry, for any number of pictures at once, with ties and errors.

A picture of strength ``a`` is called the best of those shown with probability ``exp(a) / sum``, where the sum has a term ``exp(a)`` for
each picture (R. D. Luce, Individual choice behavior, 1959) and one for a tie of all: ``nu`` times the geometric mean of the others (R. R.
Davidson, On extending the Bradley-Terry model to accommodate ties, JASA 65, 1970, for pairs; D. Firth and others, Davidson-Luce model for
multi-item choice with ties, arXiv 1909.07123, for more). ``nu`` is fitted too. A normal prior keeps strengths finite where somebody always
wins, and lets pictures stand in one order that were never compared, even by way of others. The logarithm of the posterior is concave, so
there is one maximum, which Newton's steps find; its curvature there gives the errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .comparisons import Comparison
from .prior import StrengthPrior

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Ties = Literal["davidson", "half"]

TIE = (math.log(0.5), 1.5)
"""Mean and standard deviation of the logarithm of ``nu`` before anybody answered: one in five answers about two equal pictures is a tie."""
_STEPS = 200
_CLOSE = 1e-5
_LEAST = 1e-9


@dataclass(frozen=True, kw_only=True)
class StrengthFit:
    """Strengths of N pictures, and how sure they are.

    Attributes:
        values: float64 [N], the most likely strengths less their mean. A difference of 1 is odds of e to 1.
        errors: Standard errors of ``values``, float64 [N].
        covariance: Of strengths before their mean was taken away, float64 [N, N]; for differences both are the same.
        compared: In how many comparisons each picture was shown, int64 [N].
        tie: The weight ``nu`` of a tie; 0 where ties are half wins.
    """

    values: FloatArray
    errors: FloatArray
    covariance: FloatArray
    compared: IntArray
    tie: float


def fit_strengths(
    number: int,
    comparisons: Sequence[Comparison[int]],
    prior: StrengthPrior | None = None,
    ties: Ties = "davidson",
    start: StrengthFit | None = None,
) -> StrengthFit:
    """Strengths of ``number`` pictures, which comparisons name by their numbers from 0.

    Args:
        number: N.
        comparisons: In any order, as often as they were made.
        prior: By default that nothing is known.
        ties: ``davidson`` as above, so that it counts how often somebody calls ties at all. ``half``: a tie is a win of each of those
            shown, all of them together worth one answer.
        start: A fit of the same pictures by fewer answers, from which the way is shorter. It leads to the same maximum.

    Raises:
        ValueError: A comparison names another picture, or the prior is for another number.

    >>> fit = fit_strengths(3, [Comparison((0, 1), winner=0), Comparison((1, 2), winner=1)])
    >>> (fit.values.round(2) + 0).tolist(), bool(fit.errors[1] < fit.errors[0])
    ([1.11, 0.0, -1.11], True)
    """
    prior = prior or StrengthPrior.of_nothing(number)
    sizes = {len(prior.mean), len(prior.deviation), number if start is None else len(start.values)}
    if sizes != {number}:
        raise ValueError(
            f"found a prior or a start of {max(sizes - {number})} pictures; expected one of {number}"
        )
    strange = [each.images for each in comparisons if min(each.images) < 0 or max(each.images) >= number]
    if strange:
        raise ValueError(f"found a comparison of {strange[0]}; expected numbers from 0 to {number - 1}")
    compared = np.zeros(number, dtype=np.int64)
    for each in comparisons:
        compared[list(each.images)] += 1
    # The others are as they were: no comparison says anything about them.
    known = np.flatnonzero(compared)
    centre = np.append(prior.mean[known], TIE[0])
    weight = np.append(prior.deviation[known], TIE[1]) ** -2.0
    place = np.zeros(number, dtype=np.int64)
    place[known] = np.arange(len(known))
    tables = _tables(comparisons, place, len(known), ties)
    begin = centre.copy()
    if start is not None:
        begin[:-1] = start.values[known] + prior.mean.mean()
        begin[-1] = math.log(start.tie) if start.tie > 0 else centre[-1]
    found, curvature = _maximum(tables, begin, centre, weight)
    covariance = np.diag(prior.deviation**2)
    covariance[np.ix_(known, known)] = np.linalg.inv(curvature)[:-1, :-1]
    values = prior.mean.copy()
    values[known] = found[:-1]
    return StrengthFit(
        values=values - values.mean() if number else values,
        errors=_errors(covariance),
        covariance=covariance,
        compared=compared,
        tie=float(np.exp(found[-1])) if ties == "davidson" else 0.0,
    )


def _errors(covariance: FloatArray) -> FloatArray:
    """Standard errors of what is less its mean."""
    if not len(covariance):
        return np.zeros(0)
    means = covariance.mean(axis=0)
    return np.sqrt(np.maximum(np.diag(covariance) - 2 * means + means.mean(), 0.0))


@dataclass(frozen=True)
class _Table:
    """M comparisons of S pictures each.

    Attributes:
        index: Of which parameters the pictures' strengths are, and the tie's weight, int64 [M, S + 1].
        weights: What each of A answers makes of these in its logarithm, float64 [A, S + 1].
        given: Which answer was given, as shares, float64 [M, A].
    """

    index: IntArray
    weights: FloatArray
    given: FloatArray


def _tables(comparisons: Sequence[Comparison[int]], place: IntArray, known: int, ties: Ties) -> list[_Table]:
    by_size: dict[int, list[Comparison[int]]] = {}
    for each in comparisons:
        by_size.setdefault(len(each.images), []).append(each)
    tables = []
    for size, same in sorted(by_size.items()):
        images = place[np.array([each.images for each in same])]
        index = np.column_stack([images, np.full(len(same), known)])
        chosen = np.array(
            [size if each.winner is None else each.images.index(each.winner) for each in same], dtype=np.int64
        )
        alone, level = np.eye(size, size + 1), np.append(np.full(size, 1 / size), 1.0)
        if ties == "davidson":
            tables.append(_Table(index, np.vstack([alone, level]), np.eye(size + 1)[chosen]))
        else:
            shares = np.vstack([np.eye(size), np.full(size, 1 / size)])
            tables.append(_Table(index, alone, shares[chosen]))
    return tables


def _maximum(
    tables: Sequence[_Table], at: FloatArray, centre: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The parameters where the posterior is greatest, [P], sought from ``at`` on, and its curvature there, [P, P]."""
    height = _height(tables, at, centre, weight)
    for _ in range(_STEPS):
        slope, curvature = _derivatives(tables, at, centre, weight)
        step = np.linalg.solve(curvature, slope)
        if np.abs(step).max() < _CLOSE:  # what is left is its square
            at = at + step
            break
        share = 1.0
        while share > _LEAST:
            there = _height(tables, at + share * step, centre, weight)
            if there >= height:
                break
            share /= 2
        else:
            break  # as high as numbers can tell
        at, height = at + share * step, there
    return at, _derivatives(tables, at, centre, weight)[1]


def _height(tables: Sequence[_Table], at: FloatArray, centre: FloatArray, weight: FloatArray) -> float:
    total = -0.5 * float((weight * (at - centre) ** 2).sum())
    for table in tables:
        logits = at[table.index] @ table.weights.T
        most = logits.max(axis=1)
        total += float(
            (table.given * logits).sum() - (most + np.log(np.exp(logits - most[:, None]).sum(axis=1))).sum()
        )
    return total


def _derivatives(
    tables: Sequence[_Table], at: FloatArray, centre: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    number = len(at)
    slope, curvature = -weight * (at - centre), np.diag(weight).ravel()
    for table in tables:
        odds = probabilities(at[table.index] @ table.weights.T)
        expected = odds @ table.weights
        slope += np.bincount(
            table.index.ravel(), (table.given @ table.weights - expected).ravel(), minlength=number
        )
        squares = np.einsum("ma,ai,aj->mij", odds, table.weights, table.weights, optimize=True)
        squares -= expected[:, :, None] * expected[:, None, :]
        cells = table.index[:, :, None] * number + table.index[:, None, :]
        curvature += np.bincount(cells.ravel(), squares.ravel(), minlength=number * number)
    return slope, curvature.reshape(number, number)


def probabilities(logits: FloatArray) -> FloatArray:
    """What is in proportion to the exponentials along the last axis, with the sum 1.

    >>> probabilities(np.array([0.0, math.log(3.0)])).round(6).tolist()
    [0.25, 0.75]
    """
    shares: FloatArray = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)
