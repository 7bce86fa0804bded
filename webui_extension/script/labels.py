"""Writes scores onto the cells of a plot's grid. The pictures themselves stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_LABEL = "imagereward_label"
_SHARE = 14
"""The label's height is this part of the picture's."""
_SMALLEST = 10


def remember(image: Any, text: str) -> None:
    """Gives a picture the label it has in a plot's grid."""
    image.info[_LABEL] = (text,)  # copies keep it, and hosts write only texts of it into files


def labelled(images: Sequence[Any]) -> list[Any]:
    """The pictures, those with a label as copies that show it; sizes stay."""
    return [_drawn(image, image.info[_LABEL][0]) if _LABEL in image.info else image for image in images]


def _drawn(image: Any, text: str) -> Any:
    from PIL import ImageDraw

    copy = image.convert("RGB")
    copy = copy.copy() if copy is image else copy
    height = max(_SMALLEST, image.height // _SHARE)
    font = _font(height)
    draw = ImageDraw.Draw(copy)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    margin = height // 3
    box = (0, image.height - (bottom - top) - 2 * margin, (right - left) + 2 * margin, image.height)
    draw.rectangle(box, fill=(0, 0, 0))
    draw.text((margin - left, box[1] + margin - top), text, font=font, fill=(255, 255, 255))
    return copy


def _font(size: int) -> Any:
    """The host's font, or Pillow's own."""
    from PIL import ImageFont

    try:
        from modules import images

        return images.get_font(size)
    except Exception:
        return ImageFont.load_default()
