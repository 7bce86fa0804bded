"""Records of ImageRewardDB, whatever they are stored in."""

from __future__ import annotations

from typing import Any

from ..form import text_in

RATINGS = {
    "overall_rating": "overall",
    "image_text_alignment_rating": "alignment",
    "fidelity_rating": "fidelity",
}
"""Our names of its ratings."""
FURTHER = (
    "annotator",
    "intent_unclear",
    "prompt_problems",
    "phrases",
    "seconds",
    "task",
    "mode",
    "role",
    "test",
)
"""Fields beyond those published, which our own export adds; other readers of that layout pass them over."""


def facts_of(record: dict[str, Any], split: str) -> dict[str, Any]:
    """Fields of the ranking that a record belongs to.

    Raises:
        FieldError: It has no prompt.
    """
    return {
        "prompt": text_in("prompt", record.get("prompt"), 100_000),
        "id": "" if record.get("prompt_id") is None else str(record["prompt_id"]),
        "split": split,
        "category": record.get("classification") or "",
        **{name: record[name] for name in FURTHER if record.get(name) is not None},
    }


def ratings_of(record: dict[str, Any]) -> dict[str, Any]:
    """The ratings of a record, by our names; 0 stands for none, as ratings go from 1 to 7."""
    return {ours: record[theirs] for theirs, ours in RATINGS.items() if record.get(theirs)}
