"""Scores and rules for tests of what is decided by them."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from imagereward_core.scores import Scores
from imagereward_core.selection import Rule
from imagereward_core.weights.card import Distribution

NORMAL = Distribution(source="normal", mean=0.0, std=1.0)


values = st.one_of(st.floats(-5, 5), st.just(math.nan))


def make(numbers, prompts=None, distribution=NORMAL, **more) -> Scores:
    numbers = list(numbers)
    return Scores(
        values=np.array(numbers, dtype=np.float64),
        scorer="s",
        revision="r",
        prompts=tuple(prompts or ["p"] * len(numbers)),
        cut=("",) * len(numbers),
        failures={i: "unreadable" for i, value in enumerate(numbers) if math.isnan(value)},
        distribution=distribution,
        **more,
    )


rules = st.builds(
    Rule,
    top_k=st.none() | st.integers(0, 8),
    top_percent=st.none() | st.floats(0, 100),
    min_score=st.none() | st.floats(-3, 3),
    min_percentile=st.none() | st.floats(0, 100),
    keep_at_least=st.integers(0, 3),
    within=st.sampled_from(["all", "prompt"]),
)
