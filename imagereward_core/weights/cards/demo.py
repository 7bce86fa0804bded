"""The card of the demo model, read from the facts its training run wrote beside the weights."""

from __future__ import annotations

import json
from typing import Any

from ...images.spec import ImageSpec
from ..bundled import FACTS_FILE
from ..card import Distribution, ScorerCard, WeightFile


def _build() -> ScorerCard:
    # The record of its training: accuracy by kind of pair, score distribution, configuration.
    facts: dict[str, Any] = json.loads(FACTS_FILE.read_text(encoding="utf-8"))
    held_out = facts["held_out"]
    by_kind = ", ".join(f"{kind} {100 * row['accuracy']:.1f} %" for kind, row in held_out["by_kind"].items())
    scores = held_out["scores"]
    return ScorerCard(
        id="demo",
        family="imagereward",
        metadata_key="ImageRewardDemo",
        place=99,
        sizes=facts["config"],
        title="Demo (drawn scenes only)",
        summary=(
            "A tiny ImageReward trained by this project on drawn scenes such as 'a red star left of a blue square on a gray "
            "background'. It judges drawn scenes, not photographs or artwork."
        ),
        paper="same architecture and recipe as arXiv:2304.05977, at a small fraction of its size",
        licence="Apache-2.0",
        checkpoint=(WeightFile(name="demo.safetensors", sha256=facts["sha256"], size=facts["size"]),),
        tokenizer=WeightFile(name="vocab.txt"),
        text="bert",
        image=ImageSpec(size=facts["image_size"]),
        token_limit=35,
        typical_range=(scores["quantiles"][2], scores["quantiles"][-3]),
        distribution=Distribution(
            source="the demo model's own held-out drawn scenes",
            mean=scores["mean"],
            std=scores["std"],
            quantiles=tuple(scores["quantiles"]),
        ),
        notes=(
            f"On {held_out['prompts']:,} held-out prompts it orders {100 * held_out['accuracy']:.1f} % of {held_out['pairs']:,} pairs "
            "as they were ranked.",
            f"Accuracy by what is wrong with the worse picture: {by_kind}.",
            "On photographs and artwork its number means nothing.",
            "Words outside its small vocabulary are unknown to it.",
        ),
    )


DEMO = _build()
