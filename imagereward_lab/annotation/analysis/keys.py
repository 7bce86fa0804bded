"""What categories and problems are called in files, and for people (arXiv 2304.05977, Appendix B)."""

from __future__ import annotations

import re

from ..protocol import keys

CATEGORIES = {key: key.replace("_", " ").title() for key in keys.CATEGORIES}
_WORDS = {"body": "body problem", "defames_group": "defames a group"}
PROBLEMS = {key: _WORDS.get(key, key) for key in keys.IMAGE_PROBLEMS}
PROMPT_PROBLEMS = {key: _WORDS.get(key, key.replace("_", " ")) for key in keys.PROMPT_PROBLEMS}
"""What people are shown, by key."""
NO_CATEGORY = "no category"
_LONGEST = 60


def key_of(text: str) -> str:
    """The key that a name stands for, however it is written.

    >>> key_of("Outdoor Scenes"), key_of(" WORLD-knowledge")
    ('outdoor_scenes', 'world_knowledge')
    """
    return re.sub(r"[\W_]+", "_", text.casefold()).strip("_")


def label_of(text: str, known: dict[str, str]) -> str:
    """What a person is shown for a name: our word for one that is known, else the name itself, short.

    >>> label_of("outdoor_scenes", CATEGORIES), label_of(" Mine ", CATEGORIES)
    ('Outdoor Scenes', 'Mine')
    """
    found = known.get(key_of(text))
    if found:
        return found
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
