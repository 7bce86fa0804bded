"""Held-out accuracy of the demo model, by kind of pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from torch import Tensor

from imagereward_core.metrics.preference import preferred_pairs

from .dataset import MATCH, HeldOutGroup


def kind_of_pair(better_rank: int, worse_kind: str) -> str:
    """Name of a pair: what is the matter with the worse picture when the better one is the match, else "one fault over two"."""
    return worse_kind if better_rank == MATCH else "one fault over two"


def measure(groups: Iterable[HeldOutGroup], rewards_of: Callable[[HeldOutGroup], Tensor]) -> dict[str, Any]:
    """Preference accuracy over all strict pairs of held-out groups, in all and by kind, and the distribution of the scores.

    A predicted tie counts as wrong (the reference's test.py). Scores in the result are normalised to mean 0 and standard
    deviation 1 over all pictures measured; ``raw_mean`` and ``raw_std`` are what they were normalised with.
    """
    right: dict[str, int] = defaultdict(int)
    total: dict[str, int] = defaultdict(int)
    values: list[float] = []
    number = 0
    for group in groups:
        rewards = [float(value) for value in rewards_of(group)]
        values += rewards
        number += 1
        for better, worse in preferred_pairs(group.ranks):
            kind = kind_of_pair(group.ranks[better], group.kinds[worse])
            total[kind] += 1
            right[kind] += rewards[better] > rewards[worse]
    scores = np.asarray(values)
    mean, std = float(scores.mean()), float(scores.std())
    quantiles = np.quantile((scores - mean) / std, np.linspace(0.0, 1.0, 41))
    return {
        "prompts": number,
        "pairs": sum(total.values()),
        "accuracy": sum(right.values()) / sum(total.values()),
        "by_kind": {
            kind: {"accuracy": right[kind] / total[kind], "pairs": total[kind]} for kind in sorted(total)
        },
        "scores": {"mean": 0.0, "std": 1.0, "quantiles": [round(float(value), 5) for value in quantiles]},
        "raw_mean": mean,
        "raw_std": std,
    }
