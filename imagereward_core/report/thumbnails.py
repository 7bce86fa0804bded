"""Thumbnails as data URIs."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from ..errors import ImageError
from ..images.decode import open_image

if TYPE_CHECKING:
    from ..images.decode import ImageSource

LARGEST_SIDE = 384
_AT_ONCE = 32


@dataclass(frozen=True)
class Thumbnail:
    """A small picture that a page can hold, as ``data:image/jpeg;base64,...`` or ``png``, with its sides in pixels."""

    uri: str
    width: int
    height: int


NO_ROOM = Thumbnail("", 0, 0)
"""Stands for the thumbnail of a picture for which a page has no room."""


def thumbnail_side(number: int) -> int:
    """Longest side in pixels for ``number`` pictures on one page, so that a page of thousands still opens."""
    return LARGEST_SIDE if number <= 500 else 256 if number <= 2000 else 192 if number <= 6000 else 160


def thumbnails(sources: Sequence[ImageSource | None], side: int = LARGEST_SIDE) -> Iterator[Thumbnail | None]:
    """The thumbnail of every source in order, made in threads a few ahead; None where a picture cannot be shown."""
    with ThreadPoolExecutor(max(1, min(8, os.cpu_count() or 2))) as pool:
        for start in range(0, len(sources), _AT_ONCE):
            yield from pool.map(lambda source: thumbnail(source, side), sources[start : start + _AT_ONCE])


def thumbnail(source: ImageSource | None, side: int = LARGEST_SIDE) -> Thumbnail | None:
    """A copy of the picture, upright, with no side longer than ``side``; None for a picture that cannot be read.

    PNG where the picture has transparency or few colours, else JPEG.
    """
    if source is None:
        return None
    try:
        small = small_copy(open_image(source), side)
    except (ImageError, OSError, ValueError):  # ValueError: damaged EXIF data
        return None
    buffer = io.BytesIO()
    if small.mode == "RGBA" or small.getcolors(256) is not None:
        small.save(buffer, format="PNG", optimize=True)
        kind = "png"
    else:
        small.save(buffer, format="JPEG", quality=84, optimize=True)
        kind = "jpeg"
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/{kind};base64,{text}", small.width, small.height)


def small_copy(image: Image.Image, side: int) -> Image.Image:
    """An upright copy as RGB, or as RGBA where something shows through."""
    see_through = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    copy = image.convert("RGBA" if see_through else "RGB")
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    copy = ImageOps.exif_transpose(copy) or copy
    if copy.mode == "RGBA" and copy.getchannel("A").getextrema() == (255, 255):
        copy = copy.convert("RGB")
    return copy
