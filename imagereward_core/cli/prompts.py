"""Which prompt belongs to which picture, and what the scorer is given of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ..errors import ImageError
from ..images.decode import open_image
from ..images.metadata import PictureText, clean_prompt, read_prompt, sidecar_prompt

PromptSource = Literal["auto", "sidecar", "metadata"]

ORIGINS = {
    "": "",
    "option": "the command",
    "sidecar": "the text file beside the picture",
    "metadata": "the picture's metadata",
}
"""Where a prompt came from, in words that may follow "written in"."""


@dataclass(frozen=True)
class FoundPrompt:
    """The prompt of one picture.

    Attributes:
        written: As somebody wrote it.
        seen: As the scorer is given it: without generator syntax, unless that was asked for.
        source: A key of ``ORIGINS``.
        notes: Choices that had to be made on the way, in sentences.
        problem: Why the picture cannot be scored; empty where it can.
    """

    written: str = ""
    seen: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""


class PromptFinder:
    """Finds prompts: the one given on the command line, else the text file beside the picture, else the picture's metadata.

    Args:
        typed: A prompt for all pictures; None to look for each picture's own.
        source: Look in both places, or in one alone.
        raw: Leave generator syntax in.
        needed: Whether a picture without a prompt cannot be scored.
    """

    def __init__(
        self, typed: str | None, source: PromptSource = "auto", raw: bool = False, needed: bool = True
    ) -> None:
        self.typed, self.source, self.raw, self.needed = typed, source, raw, needed
        self._clean = lru_cache(maxsize=1024)(clean_prompt)

    def __call__(self, picture: Path) -> FoundPrompt:
        """The prompt of ``picture``; never raises for a picture that cannot be read."""
        if self.typed is not None:
            return self._finish(PictureText(self.typed), "option")
        places: list[tuple[str, Callable[[Path], PictureText | None]]] = []
        if self.source in ("auto", "sidecar"):
            places.append(("sidecar", sidecar_prompt))
        if self.source in ("auto", "metadata"):
            places.append(("metadata", read_prompt))
        for name, look in places:
            try:
                found = look(picture)
            except ImageError as error:
                return FoundPrompt(problem=_why_unreadable(picture, error))
            if found is not None and found.prompt.strip():
                return self._finish(found, name)
        return self._missing()

    def _finish(self, found: PictureText, source: str) -> FoundPrompt:
        if self.raw:
            return FoundPrompt(found.prompt, found.prompt, source, found.notes)
        clean = self._clean(found.prompt)
        problem = ""
        if self.needed and not clean.text:
            problem = (
                "its prompt holds generator syntax and no words; give one with --prompt, or use --raw-prompt"
            )
        return FoundPrompt(found.prompt, clean.text, source, (*found.notes, *clean.notes), problem)

    def _missing(self) -> FoundPrompt:
        if not self.needed:
            return FoundPrompt()
        places = {
            "auto": "neither a text file beside it nor its own metadata holds one",
            "sidecar": "there is no text file with one beside it",
            "metadata": "its metadata holds none",
        }
        return FoundPrompt(problem=f"it has no prompt: {places[self.source]}. Give one with --prompt")


def _why_unreadable(picture: Path, error: ImageError) -> str:
    """What is wrong with a picture whose metadata cannot be read, in the words the scorer would use."""
    try:
        open_image(picture)
    except ImageError as clearer:
        return str(clearer)
    return str(error)
