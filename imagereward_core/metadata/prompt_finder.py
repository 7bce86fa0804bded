"""Finds the prompt of a picture, and gives what the scorer is to see of it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import Image

from ..errors import ImageError
from ..images.decode import clipping_note, open_image
from ..plain import count_of
from .cleaning import clean_prompt
from .missing import MissingPrompt
from .picture_prompt import read_prompt
from .sidecar import Readable, sidecar_prompt
from .types import PictureText, has_words

PromptSource = Literal["auto", "sidecar", "metadata"]
_LONGEST_NOTE = 300

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
        written, seen: As somebody wrote it, and as the scorer is given it: without generator syntax, unless that was asked for.
        source: A key of ``ORIGINS``.
        notes: Choices that had to be made on the way, in sentences.
        problem: Why the picture cannot be scored; empty where it can.
        text: All that was found where the prompt was, or would have been; None where nothing was.
        picture_note: That one of the notes that is about the picture itself: how scorers see it. Empty for most.
        made: All that is in the picture's metadata, where the prompt is that of a text file and both were asked for; None otherwise.
    """

    written: str = ""
    seen: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""
    text: PictureText | None = None
    made: PictureText | None = None
    picture_note: str = ""

    @property
    def given(self) -> str | MissingPrompt:
        """What scorers are given: the prompt, or why there is none; which of them need one is theirs to say."""
        return MissingPrompt(self.problem) if self.problem else self.seen


class PromptFinder:
    """Finds prompts: the one given for all, else the text file beside the picture, else the picture's metadata.

    Args:
        typed: A prompt for all pictures; None to look for each picture's own.
        source: Look in both places, or in one alone.
        raw: Leave generator syntax in.
        making: Whether to read the metadata also where a text file has the prompt, for model, LoRAs and seed.
        readable: Says which files beside a picture may be read; all by default.
    """

    without_words = ""
    """What to do about a prompt without words, to follow the problem; for those who can do something."""
    without_prompt = ""
    """What to do about a picture without a prompt, likewise."""

    def __init__(
        self,
        typed: str | None,
        source: PromptSource = "auto",
        raw: bool = False,
        making: bool = False,
        readable: Readable | None = None,
    ) -> None:
        self.readable = readable
        self.typed, self.source, self.raw, self.making = typed, source, raw, making
        self._clean = lru_cache(maxsize=1024)(clean_prompt)

    def __call__(self, picture: Path | Image.Image, data: bytes | None = None) -> FoundPrompt:
        """The prompt of a file, or of an open picture, beside which no text is looked for; never raises for one that cannot be read.

        ``data`` are the bytes of the file, where they have been read already.
        """
        found = self._find(picture, data)
        if note := clipping_note(picture if data is None else io.BytesIO(data)):
            found = replace(found, notes=(*found.notes, note), picture_note=note)
        if self.making and "sidecar" in (found.source, self.source):
            try:
                return replace(found, made=self._look("metadata", picture, data))
            except ImageError:
                return found
        return found

    def _find(self, picture: Path | Image.Image, data: bytes | None) -> FoundPrompt:
        if self.typed is not None:
            return self._finish(PictureText(self.typed), "option")
        seen: PictureText | None = None
        for name in ("sidecar", "metadata"):
            if self.source not in ("auto", name):
                continue
            try:
                found = self._look(name, picture, data)
            except ImageError as error:
                return FoundPrompt(problem=_why_unreadable(picture, error))
            if found is not None and has_words(found.prompt):
                return self._finish(found, name)
            seen = seen or found
        return self._missing(seen)

    def _look(self, place: str, picture: Path | Image.Image, data: bytes | None) -> PictureText | None:
        if place == "metadata":
            if data is None:
                return read_prompt(picture, readable=self.readable)
            return read_prompt(io.BytesIO(data), str(picture), readable=self.readable)
        return None if isinstance(picture, Image.Image) else sidecar_prompt(picture, self.readable)

    def _finish(self, found: PictureText, source: str) -> FoundPrompt:
        if self.raw:
            problem = "" if has_words(found.prompt) else "its prompt holds no words"
            return FoundPrompt(found.prompt, found.prompt, source, found.notes, problem, text=found)
        clean = self._clean(found.prompt)
        problem = ""
        if not has_words(clean.text):
            problem = f"its prompt holds generator syntax and no words{self.without_words}"
        return FoundPrompt(found.prompt, clean.text, source, (*found.notes, *clean.notes), problem, found)

    def _missing(self, seen: PictureText | None) -> FoundPrompt:
        places = {
            "auto": "neither a text file beside it nor its own metadata holds one",
            "sidecar": "there is no text file with one beside it",
            "metadata": "its metadata holds none",
        }
        notes = seen.notes if seen else ()
        why = f" ({'; '.join(note[:_LONGEST_NOTE] for note in notes[:2])})" if notes else ""
        problem = f"it has no prompt: {places[self.source]}{why}{self.without_prompt}"
        return FoundPrompt(notes=notes, problem=problem, text=seen)


def picture_remarks(notes: Iterable[str]) -> list[str]:
    """Remarks on how scorers see some of the pictures, in sentences, out of the ``picture_note`` of every one.

    >>> picture_remarks(["", "grey", "grey"])
    ['2 pictures: grey.']
    """
    counts = Counter(filter(None, notes))
    return [f"{count_of(number, 'picture')}: {note}." for note, number in counts.items()]


def _why_unreadable(picture: Path | Image.Image, error: ImageError) -> str:
    """Why the metadata of a picture cannot be read, in the words the scorer would use."""
    try:
        open_image(picture)
    except ImageError as clearer:
        return str(clearer)
    return str(error)
