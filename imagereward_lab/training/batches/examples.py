"""Rankings as they are learnt from: those that say something, and the people of one task joined where shares of choices are learnt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...data.joined import JoinedRanking, join
from ...data.ranking import Ranking
from ..losses import Objective
from ..ranking import Targets

_PAIRS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Example:
    """One ranking to learn from, or several people's of one task joined.

    Attributes:
        prompt: What the pictures were made for.
        images: K names.
        ranks: K ranks, 1 is best, 0 for a picture that was not ranked.
        ties: Whether equal ranks were judged equally good.
        preferences: K times K shares of people who prefer the first picture to the second, NaN where nobody says; empty where one
            person's ranks say all.
    """

    prompt: str
    images: tuple[str, ...]
    ranks: tuple[int, ...]
    ties: bool
    preferences: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Examples:
    """What is learnt from.

    Attributes:
        kept: In the order of the data.
        sizes: For each its number of pairs.
        left_out: How many rankings say nothing: of one picture, or with equal ranks alone.
        ties: Pairs that were judged equally good.
        pairs: All judged pairs.
    """

    kept: tuple[Example, ...]
    sizes: tuple[int, ...]
    left_out: int
    ties: int
    pairs: int

    @property
    def images(self) -> tuple[str, ...]:
        """Every picture's name, once."""
        return tuple(dict.fromkeys(name for each in self.kept for name in each.images))


def examples_of(rankings: Iterable[Ranking], objective: Objective, joined: bool = False) -> Examples:
    """The rankings that the objective can learn from.

    Args:
        rankings: From a data set.
        objective: Counts what there is to learn.
        joined: Whether rankings of the same pictures for the same prompt become one with shares of choices.
    """
    rankings = list(rankings)
    every = [_example(each) for each in rankings]
    ties, pairs = _judged(every)
    together = _people(rankings) if joined else every
    sizes = _sizes(together, objective)
    kept = [(each, size) for each, size in zip(together, sizes) if size]
    return Examples(
        kept=tuple(each for each, _ in kept),
        sizes=tuple(size for _, size in kept),
        left_out=len(together) - len(kept),
        ties=ties,
        pairs=pairs,
    )


def _sizes(examples: Sequence[Example], objective: Objective) -> list[int]:
    """Pairs of each. Those of one length are counted together, some at a time: padded to the longest they could fill the memory."""
    by_length: dict[int, list[int]] = {}
    for place, each in enumerate(examples):
        by_length.setdefault(len(each.images), []).append(place)
    sizes = [0] * len(examples)
    for length, places in by_length.items():
        step = max(1, _PAIRS_AT_ONCE // max(1, length * length))
        for start in range(0, len(places), step):
            chunk = places[start : start + step]
            found = objective.sizes(targets_of([examples[place] for place in chunk]))
            for place, size in zip(chunk, found.tolist()):
                sizes[place] = int(size)
    return sizes


def targets_of(examples: Sequence[Example], present: Sequence[Sequence[bool]] | None = None) -> Targets:
    """What people said, as tensors padded to the longest ranking.

    Args:
        examples: G of them.
        present: For each which of its pictures can be read; None where all can.
    """
    length = max((len(each.images) for each in examples), default=0)
    ranks = torch.zeros(len(examples), length, dtype=torch.int64)
    given = any(each.preferences for each in examples)
    shares = torch.full((len(examples), length, length), math.nan) if given else None
    for row, each in enumerate(examples):
        here = torch.tensor(each.ranks, dtype=torch.int64)
        if present is not None:
            here = here * torch.tensor(present[row], dtype=torch.int64)
        ranks[row, : len(here)] = here
        if shares is not None and each.preferences:
            shares[row, : len(here), : len(here)] = torch.tensor(each.preferences)
    return Targets(ranks, torch.tensor([each.ties for each in examples]), shares)


def _example(ranking: Ranking) -> Example:
    return Example(ranking.prompt, tuple(ranking.images), tuple(ranking.order), ranking.knows_ties)


def _judged(examples: Sequence[Example]) -> tuple[int, int]:
    """Pairs that were judged equally good, and all judged pairs."""
    ties = pairs = 0
    for each in examples:
        ranked = [rank for rank in each.ranks if rank]
        alike = sum(ranked.count(rank) * (ranked.count(rank) - 1) // 2 for rank in set(ranked))
        ties += alike if each.ties else 0
        pairs += len(ranked) * (len(ranked) - 1) // 2 - (0 if each.ties else alike)
    return ties, pairs


def _joined(group: JoinedRanking) -> Example:
    shares = group.preferences()
    seen = np.count_nonzero(group.votes, axis=1) > 0
    rows = tuple(tuple(float(share) for share in row) for row in shares)
    return Example(group.prompt, group.images, tuple(map(int, seen)), True, rows)


def _people(rankings: Sequence[Ranking]) -> list[Example]:
    """One example for each task that several people ranked, and for each ranking of a person alone."""
    alone: dict[tuple[str, frozenset[str]], Ranking] = {}
    for ranking in rankings:
        alone.setdefault((ranking.prompt, frozenset(ranking.images)), ranking)
    made = []
    for group in join(rankings):
        if group.rankings > 1:
            made.append(_joined(group))
        else:
            made.append(_example(alone[group.prompt, frozenset(group.images)]))
    return made
