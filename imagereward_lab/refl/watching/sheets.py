"""Previews as files, and the contact sheet of before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ...figures.contact_sheet import write_sheet
from ..guards.check import Check
from .previews import Drawn

PREVIEWS, SHEET = "previews", "before-and-after.png"
_SIDE, _MOST_SIDE = 160, 256


def preview_path(folder: Path, update: int) -> Path:
    """Where the pictures of a check are."""
    return folder / PREVIEWS / f"{update:06d}.png"


def write_previews(folder: Path, drawn: Drawn, check: Check) -> None:
    """Writes all pictures of a check as one sheet, a row for each prompt."""
    scores = check.scores[check.reward]
    rows = [drawn.of(prompt) for prompt in range(len(drawn.prompts))]
    words = [
        [_words(drawn, prompt, seed, scores) for seed in range(drawn.seeds)] for prompt in range(len(rows))
    ]
    write_sheet(preview_path(folder, check.update), rows, words, _side(drawn))


def write_before_and_after(
    path: Path, before: Drawn, after: Drawn, first: Check, last: Check, most: int = 24
) -> None:
    """Writes the sheet: for each prompt, and each seed, the picture before beside the one after, with their scores.

    Args:
        path: Whatever is there is replaced.
        before: Of the untouched model.
        after: Of the tuned one, with the same prompts and seeds.
        first: What was measured of ``before``.
        last: What was measured of ``after``.
        most: Prompts that are shown.
    """
    name = first.reward
    rows, words = [], []
    for prompt in range(min(most, len(before.prompts))):
        pictures, texts = list[Image.Image](), list[str]()
        for seed in range(before.seeds):
            place = prompt * before.seeds + seed
            for when, drawn, check in (("before", before, first), ("after", after, last)):
                pictures.append(drawn.pictures[place])
                prompt_words = f" {before.prompts[prompt]}" if not texts else ""
                texts.append(f"{when} {_number(check.scores[name][place])}{prompt_words}")
        rows.append(pictures)
        words.append(texts)
    write_sheet(path, rows, words, _side(before))


def _words(drawn: Drawn, prompt: int, seed: int, scores: Sequence[float]) -> str:
    value = scores[prompt * drawn.seeds + seed]
    return f"{_number(value)}{f' {drawn.prompts[prompt]}' if not seed else ''}"


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "no score"


def _side(drawn: Drawn) -> int:
    return max(_SIDE, min(_MOST_SIDE, max(drawn.pictures[0].size)))
