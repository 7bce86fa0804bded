"""Names under which scores are written into pictures, chosen so that other programs read them, and read them rightly.

Found by running the patterns of gallery programs:

- A key may hold letters, digits, ``_``, space, ``-`` and ``/`` in the WebUI, and only the first four of these in a well-known
  gallery; a dot loses the field (``HPSv2.1``).
- Galleries take the first ``...score: <decimal>`` they meet for LAION's aesthetic score, whatever stands before ``score``. So
  that one alone ends in "score", comes first, and always has decimals.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from ..weights.cards import CARDS

AESTHETIC_KEY = "aesthetic_score"

LONGEST_KEY = 79
"""Characters of a key in a PNG file."""

METADATA_KEY = "imagereward"
"""The name of the block with everything about the scores as JSON."""

_BLEND = "blend:"
_GIVEN = re.compile(r"(blend|Reward_\w+|blend_\w+)", re.ASCII)


def score_key(scorer: str) -> str:
    """The key for a scorer's number: a registered scorer's own, else one that no other program uses.

    A checkpoint of the user's own may be called ``parameters``, ``Seed`` or like anything else that stands in metadata already.

    >>> score_key("HPSv2.1"), score_key("blend:mine"), score_key("parameters"), score_key("my score")
    ('HPSv21', 'blend_mine', 'Reward_parameters', 'Reward_my_score_value')
    """
    card = CARDS.get(scorer)
    if card is not None and card.metadata_key:
        return card.metadata_key
    plain = re.sub(r"[^0-9A-Za-z]+", "_", scorer).strip("_")
    if not scorer.startswith(_BLEND):
        lost = any(mark.isalnum() and not mark.isascii() for mark in scorer)
        plain = "_".join(filter(None, ("Reward", plain, _short_hash(scorer) if lost or not plain else "")))
    if plain.lower().endswith("score"):
        plain += "_value"
    return plain if len(plain) <= LONGEST_KEY else f"{plain[: LONGEST_KEY - 7]}_{_short_hash(scorer)}"


def is_score_key(key: str) -> bool:
    """Whether a key is one that :func:`score_key` gives: only such a one is ever taken out of a picture as ours."""
    return key in known_keys() or _GIVEN.fullmatch(key) is not None


def score_fields(values: Mapping[str, float]) -> dict[str, str]:
    """Keys and texts for scores by scorer, the aesthetic one first, every number with decimals."""
    fields: dict[str, str] = {}
    for scorer, value in values.items():
        key = score_key(scorer)
        if key in fields:  # names that differ in marks alone
            key = f"{key[: LONGEST_KEY - 7]}_{_short_hash(scorer)}"
        fields[key] = f"{value:.4f}"
    return dict(sorted(fields.items(), key=lambda field: field[0] != AESTHETIC_KEY))


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:6]


def known_keys() -> frozenset[str]:
    """The keys of all scorers that have a fixed one."""
    return frozenset(card.metadata_key for card in CARDS.values() if card.metadata_key)
