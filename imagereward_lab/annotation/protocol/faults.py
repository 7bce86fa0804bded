"""Faults of an answer: a key for programs, a sentence for people, and the pictures it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MESSAGES: Mapping[str, str] = {
    "not_object": "{where}: found {found}; expected an object.",
    "not_list": "{where}: found {found}; expected a list.",
    "unknown_field": "{where} has the field {found}, which is not part of the answer.",
    "category_missing": "The prompt has no category. Choose one.",
    "category_unknown": "The category {found} is not known. Choose one of those shown.",
    "intent_missing": "Say whether it is clear what the prompt wants.",
    "prompt_problem_unknown": "The prompt has the problem {found}, which is not known. Tick one of those shown.",
    "prompt_problem_twice": "The prompt has the problem {found} twice.",
    "prompt_problems_missing": "Say which problems the prompt has, or that it has none of these.",
    "phrase_broken": "Phrase {number} of the prompt is not a place in it: found {found}; expected start, end and kind.",
    "phrase_outside": "Phrase {number} of the prompt goes from {start} to {end}; the prompt has {length} characters.",
    "phrase_kind": "Phrase {number} of the prompt is marked {found}; expected content, style or function.",
    "phrases_overlap": "Phrases {one} and {two} of the prompt overlap. Unmark one of them.",
    "too_many_phrases": "{where}: found {count} phrases; expected at most {most}.",
    "image_unknown": "{where} names {found}, which is not a picture of this task.",
    "image_unrated": "Picture {picture} is not rated yet.",
    "rating_missing": "Picture {picture} has no rating for {rating}.",
    "rating_range": "Picture {picture} has {found} for {rating}; expected a whole number from 1 to 7.",
    "image_problems_missing": "Say which problems picture {picture} has, or that it has none of these.",
    "image_problem_unknown": "Picture {picture} has the problem {found}, which is not known. Tick one of those shown.",
    "image_problem_twice": "Picture {picture} has the problem {found} twice.",
    "missing_phrase": "Picture {picture}, phrase {number} that is missing: found {found}; expected a text of 1 to {most} characters.",
    "ranking_missing": "The pictures are not ranked yet.",
    "slot_count": "The ranking has {count} slots; expected {expected}.",
    "slot_full": "Slot {slot} holds {count} pictures ({pictures}); at most two may share one.",
    "left_out": "Picture {picture} is not in the ranking. Put it into a slot.",
    "ranked_twice": "Picture {picture} is in the ranking more than once.",
    "order": "Picture {better} has a higher overall rating ({better_rating}) than picture {worse} ({worse_rating}), but stands in a worse "
    "slot ({better_slot} below {worse_slot}). Move one of them, or change a rating.",
    "best_missing": "No picture is chosen as the best.",
    "worst_missing": "No picture is chosen as the worst.",
    "best_is_worst": "Picture {picture} is chosen as both the best and the worst. Choose two different ones.",
    "winner_missing": "No picture is chosen, and it is not called a tie either.",
}
"""A sentence for each key, in English; the pages have them in other languages, with the same names in braces."""


@dataclass(frozen=True)
class Fault:
    """One reason why an answer is not taken.

    Attributes:
        code: A key of ``MESSAGES``.
        images: Ids of the pictures it is about; empty where it is about none.
        values: What stands in the sentence's braces. Pictures are numbered as they are shown, from 1.
    """

    code: str
    images: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence, in English."""
        return MESSAGES[self.code].format_map(self.values)

    def plain(self) -> dict[str, Any]:
        """As JSON has it: code, message, images and values."""
        return {
            "code": self.code,
            "message": self.message,
            "images": list(self.images),
            "values": dict(self.values),
        }


def numbers(images: Sequence[str]) -> dict[str, int]:
    """The number by which each picture is called in sentences: its place as shown, from 1."""
    return {image: number for number, image in enumerate(images, 1)}
