"""A missing prompt, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class MissingPrompt:
    """Stands where a picture has no prompt, or none with words in it, with the reason as a sentence about the picture."""

    reason: str = "it has no prompt"

    def __str__(self) -> str:
        return ""


Prompt = Union[str, MissingPrompt, None]
"""What a scorer is given for a picture. Text is a prompt, empty text too: somebody gave it, and the reference scores against it. A
picture of which no prompt is known has ``None``, or a :class:`MissingPrompt` that says why; whoever reads prompts for people makes one of
those of text without words (``prompt_finder.FoundPrompt.given``)."""
