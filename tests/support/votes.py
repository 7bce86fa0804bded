"""Vote-k in two other ways: as it is defined, every score anew for every choice, and as its authors published it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

Graph = Sequence[Sequence[int]]
"""Whom each point votes for."""


def naive(graph: Graph, count: int, deepest: int = 12) -> list[tuple[int, int]]:
    """Chosen points and their scores, in units of 10 ** -deepest. A voter that was covered more often than that counts nothing."""
    times = [0] * len(graph)
    chosen: list[tuple[int, int]] = []
    for _ in range(count):
        taken = {point for point, _ in chosen}
        scores = {
            point: sum(
                10 ** (deepest - times[voter]) if times[voter] <= deepest else 0
                for voter, targets in enumerate(graph)
                if point in targets and voter not in taken
            )
            for point in range(len(graph))
            if point not in taken
        }
        best = max(scores, key=lambda point: (scores[point], -point))
        chosen.append((best, scores[best]))
        for voter, targets in enumerate(graph):
            times[voter] += best in targets
    return chosen


def published(graph: Graph, count: int, from_cache: bool = False) -> list[int]:
    """What ``fast_votek`` of the published program chooses (two_steps.py), of the same votes; ``from_cache`` as it reads its own file."""
    votes: dict[object, list[int]] = defaultdict(list)
    for voter, targets in enumerate(graph):
        for point in targets:
            votes[str(point) if from_cache else point].append(voter)
    in_order = sorted(votes.items(), key=lambda each: len(each[1]), reverse=True)
    chosen: list[int] = []
    times: dict[int, int] = defaultdict(int)
    while len(chosen) < count:
        scores: dict[object, float] = defaultdict(int)
        for point, voters in in_order:
            if point in chosen:
                scores[point] = -100
                continue
            for voter in voters:
                if voter not in chosen:
                    scores[point] += 10 ** (-times[voter])
        best = max(scores.items(), key=lambda each: each[1])[0]
        chosen.append(int(best))  # type: ignore[call-overload]
        for voter in votes[best]:
            times[voter] += 1
    return chosen
