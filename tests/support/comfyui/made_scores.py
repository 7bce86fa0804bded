"""SCORES made up of numbers."""

from __future__ import annotations

import numpy as np


def scored(fake, values, prompts=None, scorer="demo", pictures=None, failures=None):
    """SCORES without any picture having been scored."""
    from_scores = fake.module("imagereward_core.scores").Scores
    cards = fake.module("imagereward_core.weights.cards")
    number = len(values)
    made = from_scores(
        values=np.array(values, dtype=np.float64),
        scorer=scorer,
        revision="r",
        prompts=tuple(prompts or ["p"] * number),
        cut=("",) * number,
        failures=failures or {},
    )
    names = tuple(pictures or [f"picture {index}" for index in range(number)])
    return fake.module("nodes.links").ScoredBatch(made, names, cards.get_card(scorer))
