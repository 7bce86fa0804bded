"""The choice of points by votes that count less the more often the voter is covered already (vote-k, arXiv 2209.01975).

The score of a point is the sum over those who vote for it and are not chosen themselves, each counting a tenth for every time somebody
whom it votes for was chosen. The point with the highest score is taken, and so on; of equal ones the first in order.

The published program (``fast_votek``) computes all scores anew for every choice, can choose a point twice, and never chooses one that
nobody votes for. Here scores are whole numbers, so that no order of adding changes them, and they only ever fall: a score that was true
once is an upper bound, and only the points whose bound is the highest have to be computed anew (Minoux 1978).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .supporters import Supporters

DEEPEST = 12
"""A voter that was covered more often than this counts nothing; before that, a tenth for each time."""


@dataclass(frozen=True)
class Votes:
    """Chosen points, in the order in which they were chosen.

    Attributes:
        points: int64 [M].
        scores: float64 [M], the score of each when it was chosen: how many vote for it, less what was covered before.
        covered: bool [N], whether a point is chosen or votes for one that is.
    """

    points: NDArray[np.int64]
    scores: NDArray[np.float64]
    covered: NDArray[np.bool_]


def choose_by_votes(
    supporters: Supporters, count: int, progress: Callable[[int], None] | None = None
) -> Votes:
    """The ``count`` points that are chosen one after another; points without a vote that counts come last, in order.

    Args:
        supporters: Who votes for whom.
        count: At most the number of points.
        progress: Told now and then how many are chosen.

    Raises:
        ValueError: There are not so many points.
    """
    total = len(supporters)
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total} points; expected 0 to {total}")
    depth = _depth(total)
    worth = np.array([*(10**power for power in range(depth, -1, -1)), 0], np.int64)
    times = np.zeros(
        total, np.uint8
    )  # how often each voter is covered; the last value stands for all beyond, and for the chosen
    last = depth + 1

    def score(point: int) -> int:
        return int(worth[times[supporters.of(point)]].sum())

    waiting = _in_order(supporters.counts, int(worth[0]))
    first = next(waiting, None)
    again: list[
        tuple[int, int]
    ] = []  # those whose score was computed anew; the others wait in the order they began in
    points, scores = np.empty(count, np.int64), np.empty(count, np.float64)
    for place in range(count):
        while True:
            if again and (first is None or again[0] < first):
                _, point = heapq.heappop(again)
            else:
                assert first is not None
                _, point = first
                first = next(waiting, None)
            now = (-score(point), point)
            if (not again or now < again[0]) and (first is None or now < first):
                break
            heapq.heappush(again, now)
        points[place], scores[place] = point, -now[0] / int(worth[0])
        voters = supporters.of(point)
        times[voters] = np.minimum(times[voters] + 1, last)
        times[point] = last
        if progress is not None and place % 64 == 0:
            progress(place)
    return Votes(points, scores, covered_by(supporters, points))


def covered_by(supporters: Supporters, points: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each point is one of ``points`` or votes for one of them: bool [N]."""
    covered = np.zeros(len(supporters), np.bool_)
    covered[points] = True
    for point in points.tolist():
        covered[supporters.of(point)] = True
    return covered


def _depth(total: int) -> int:
    """How many times a voter can be covered and still count, so that no sum is larger than a number of 64 bits holds."""
    depth = DEEPEST
    while depth and total * 10**depth >= 2**63:
        depth -= 1
    return depth


def _in_order(counts: NDArray[np.int64], unit: int) -> Iterator[tuple[int, int]]:
    """Minus the first score of every point, and the point, the highest score first."""
    for point in np.argsort(-counts, kind="stable").astype(np.int32):
        yield -int(counts[point]) * unit, int(point)
