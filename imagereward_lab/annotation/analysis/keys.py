"""What categories, problems and ratings are called, in files and for people (arXiv 2304.05977, Appendix B)."""

from __future__ import annotations

import re

CATEGORIES = {
    "abstract": "Abstract",
    "animals": "Animals",
    "artifacts": "Artifacts",
    "arts": "Arts",
    "food": "Food",
    "illustrations": "Illustrations",
    "indoor_scenes": "Indoor Scenes",
    "outdoor_scenes": "Outdoor Scenes",
    "people": "People",
    "plants": "Plants",
    "vehicles": "Vehicles",
    "world_knowledge": "World Knowledge",
}
PROBLEMS = {
    "repetition": "repetition",
    "body": "body problem",
    "blurry": "blurry",
    "discomfort": "discomfort",
    "sexual": "sexual",
    "violent": "violent",
    "defames_group": "defames a group",
}
PROMPT_PROBLEMS = {
    "sexual": "sexual",
    "violent": "violent",
    "defames_group": "defames a group",
    "personal_information": "personal information",
}
RATINGS = ("overall", "alignment", "fidelity")
LOWEST, HIGHEST = 1, 7
"""Ends of the scale of these three."""
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
