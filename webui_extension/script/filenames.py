"""``[imagereward]`` in the host's patterns for file and folder names."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .records import Picture

PATTERN = "imagereward"
_DECIMALS = 4
_saving: list[Picture] = []


@contextmanager
def saving(picture: Picture) -> Iterator[None]:
    """Says whose name the host is about to make."""
    _saving.append(picture)
    try:
        yield
    finally:
        _saving.pop()


def fill(generator: Any, *arguments: str) -> Any:
    """The text for ``[imagereward]``: the score; nothing, together with the text before it, for a picture without one.

    ``[imagereward<2>]`` has two decimals; ``[imagereward<percentile>]`` and ``[imagereward<verdict>]`` tell these instead.
    """
    picture = _saving[-1] if _saving and _saving[-1].image is generator.image else None
    text = _text(picture, arguments[0].strip().lower() if arguments else "") if picture is not None else ""
    if text:
        return text
    from modules import images

    return getattr(images, "NOTHING_AND_SKIP_PREVIOUS_TEXT", "")


def _text(picture: Picture, wanted: str) -> str:
    if wanted == "verdict":
        return picture.verdict
    value = picture.percentile if wanted == "percentile" else picture.value
    if math.isnan(value):
        return ""
    decimals = min(int(wanted), 8) if wanted.isdigit() else 1 if wanted == "percentile" else _DECIMALS
    return f"{value:.{decimals}f}"


def connect(door: Any) -> None:
    """Teaches the host the pattern, until the scripts are loaded anew."""
    from modules import images

    patterns = images.FilenameGenerator.replacements
    patterns[PATTERN] = fill
    door.on_unload(lambda: patterns.pop(PATTERN, None), "the file name pattern")
