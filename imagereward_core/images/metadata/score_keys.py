"""Names under which scores are written into pictures, chosen so that other programs read them, and read them rightly.

Found by running the patterns of gallery programs:

- A key may hold letters, digits, ``_``, space, ``-`` and ``/`` in the WebUI, and only the first four of these in a well-known
  gallery; a dot loses the field (``HPSv2.1``).
- Galleries take the first ``...score: <decimal>`` they meet for LAION's aesthetic score, whatever stands before ``score``. So
  that one alone ends in "score", comes first, and always has decimals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

AESTHETIC_KEY = "aesthetic_score"

METADATA_KEY = "imagereward"
"""The name of the block with everything about the scores as JSON."""

_KEYS = {
    "ImageReward-v1.0": "ImageReward",
    "CLIP": "CLIPSim",
    "BLIP": "BLIPSim",
    "Aesthetic": AESTHETIC_KEY,
    "Aesthetic-v2.5": "AestheticV25",
    "PickScore": "PickAPic",
    "HPSv2": "HPSv2",
    "HPSv2.1": "HPSv21",
    "MPS": "MPS",
    "MPS-0.3": "MPS03",
    "demo": "ImageRewardDemo",
}


def score_key(scorer: str) -> str:
    """The key for a scorer's number. Unknown scorers and blends get their own name in letters, digits and ``_``."""
    known = _KEYS.get(scorer)
    if known is not None:
        return known
    plain = re.sub(r"[^0-9A-Za-z]+", "_", scorer).strip("_") or "Blend"
    if plain[0].isdigit():
        plain = f"Scorer_{plain}"
    return f"{plain}_value" if plain.lower().endswith("score") or plain in _KEYS.values() else plain


def score_fields(values: Mapping[str, float]) -> dict[str, str]:
    """Keys and texts for scores by scorer, the aesthetic one first, every number with decimals."""
    fields = {score_key(scorer): f"{value:.4f}" for scorer, value in values.items()}
    return dict(sorted(fields.items(), key=lambda field: field[0] != AESTHETIC_KEY))


def known_keys() -> frozenset[str]:
    """The keys of all scorers that have a fixed one."""
    return frozenset(_KEYS.values())
