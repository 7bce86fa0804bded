"""Stars that a person gave a picture in another program, such as Lightroom, Bridge, digiKam, darktable or Windows."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ImageError
from ..files.regular import read_regular
from .containers.blocks import read_blocks
from .formats.drawthings import XMP_KEY
from .writing.xmp import XmpRating, read_xmp, sidecars_of

MOST_BYTES = 4 * 1024 * 1024
"""Larger XMP files are passed over."""


def person_rating(path: str | os.PathLike[str]) -> int | None:
    """The rating a person gave a picture, -1 (rejected) or 1..5; None where nobody did.

    Looked for in ``a.xmp`` (Lightroom, Bridge), then ``a.png.xmp`` (digiKam, darktable), then in the picture itself. A rating of 0 is none,
    and what this program has written is not a person's. Damaged files count as silent.
    """
    full, stem = sidecars_of(path)
    for beside in (stem.path, full.path):
        found = _rating(beside) if beside != Path(path) else None
        if found is not None:
            return found
    try:
        text = read_blocks(path).get(XMP_KEY, "")
        return _of_person(read_xmp(text.encode("utf-8", "replace"))) if text.strip() else None
    except ImageError:
        return None


def given_stars(path: str | os.PathLike[str]) -> int | None:
    """The same as stars, 0..5; a rejected picture has none of five."""
    rating = person_rating(path)
    return None if rating is None else max(0, rating)


def _rating(sidecar: Path) -> int | None:
    try:
        data = read_regular(sidecar, MOST_BYTES + 1)
        return _of_person(read_xmp(data)) if len(data) <= MOST_BYTES else None
    except (ImageError, OSError, ValueError):
        return None


def _of_person(found: XmpRating) -> int | None:
    return found.rating if found.by_person and found.rating in range(-1, 6) else None
