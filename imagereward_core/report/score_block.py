"""The block about scores in a picture's metadata, the same from every host and the command."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from ..metadata.formats.comfyui.graph import load_json
from ..metadata.score_keys import METADATA_KEY, score_fields
from ..scores import Scores


def score_metadata(
    everyone: Sequence[Scores],
    index: int,
    percentile: float,
    rank: int,
    kept: bool | None = None,
    reason: str = "",
) -> dict[str, str]:
    """The texts for a picture's metadata: one plain field per scorer that gave a number, and a block with everything.

    ``everyone`` are the scores that decide, then those beside them; percentile NaN, rank 0 and kept None stand for none.
    """
    scores = everyone[0]
    values = {
        each.scorer: float(each.values[index]) for each in everyone if not math.isnan(each.values[index])
    }
    block: dict[str, Any] = {
        "version": 1,
        "scores": [
            {"scorer": each.scorer, "revision": each.revision, "score": values[each.scorer]}
            for each in everyone
            if each.scorer in values
        ],
        "rank": rank or None,
        "of": scores.scored,
        "percentile": None if math.isnan(percentile) else round(percentile, 2),
        "prompt": scores.prompts[index],
        "on_reference": scores.on_reference,
    }
    if index in scores.failures:
        block["problem"] = scores.failures[index]
    if kept is not None:
        block["kept"] = kept
        block["reason"] = reason
    return {**score_fields(values), METADATA_KEY: json.dumps(block)}


_OF_OTHERS = ("rank", "of", "reason")
"""Entries of a block that change whenever other pictures come or go."""


def settled_block(block: str, written: str) -> str:
    """The block to write into a picture: the one that stands there where it says the same about this picture, else the new one.

    So a picture that comes does not change the files of all others. ``written`` may be anything, for files are what they are.
    """
    old, new = load_json(written), load_json(block)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return block
    same = all(old.get(key) == new.get(key) for key in {*old, *new} if key not in _OF_OTHERS)
    return written if same else block
