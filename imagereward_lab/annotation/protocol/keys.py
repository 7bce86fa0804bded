"""Keys of the questions and their answers. Labels for people, in each language, stand with the pages."""

from __future__ import annotations

CATEGORIES = (
    "abstract",
    "animals",
    "artifacts",
    "arts",
    "food",
    "illustrations",
    "indoor_scenes",
    "outdoor_scenes",
    "people",
    "plants",
    "vehicles",
    "world_knowledge",
)
"""Of a prompt, exactly one (those of Parti)."""
PROMPT_PROBLEMS = ("sexual", "violent", "defames_group", "personal_information")
"""Of a prompt; none of them is an empty list."""
IMAGE_PROBLEMS = (
    "repetition",
    "body",
    "blurry",
    "discomfort",
    "sexual",
    "violent",
    "defames_group",
)
"""Of a picture; none of them is an empty list."""
RATINGS = ("overall", "alignment", "fidelity")
LOWEST, HIGHEST = 1, 7
"""Of a rating."""
SLOTS = 5
"""Places of the ranking stage, best first."""
MOST_IN_SLOT = 2
LEAST_IMAGES, MOST_IMAGES = 4, 9
"""Pictures of a prompt, under the protocol."""
PHRASE_KINDS = ("content", "style", "function")
MOST_PHRASES = 50
MOST_PHRASE = 1000
"""Characters of a phrase that is missing in a picture."""

ROLES = ("annotator", "inspector", "researcher")
"""Researchers may do all that inspectors may, and inspectors all that annotators may."""

PROTOCOL, BEST_WORST, TOP_PICKS, PER_GENERATOR, QUICK = (
    "protocol",
    "best-worst",
    "top-picks",
    "per-generator",
    "quick",
)
STAGES = ("prompt", "images", "ranking")
"""Of the protocol, in their order."""
VERDICTS = ("valid", "invalid")
"""Of an inspector about an answer."""
