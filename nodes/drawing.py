"""Drawing with Pillow alone: colours, letters that fit, and pictures to and from the host's tensors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

from .host.errors import choice

if TYPE_CHECKING:
    from torch import Tensor

Colour = tuple[int, int, int]
_MINUS = re.compile(r"(?<![\w.])(-)(?=\d)")


@dataclass(frozen=True)
class Theme:
    """Colours of a drawing; ``plain`` is for pictures nobody has chosen among."""

    ground: Colour
    panel: Colour
    ink: Colour
    faint: Colour
    kept: Colour
    rejected: Colour
    plain: Colour


THEMES = {
    "dark": Theme(
        (24, 26, 31),
        (35, 38, 45),
        (236, 238, 242),
        (138, 146, 160),
        (94, 186, 125),
        (206, 104, 96),
        (92, 142, 212),
    ),
    "light": Theme(
        (247, 248, 250),
        (232, 234, 239),
        (28, 31, 38),
        (108, 115, 128),
        (46, 139, 87),
        (190, 76, 70),
        (58, 110, 190),
    ),
}


def theme_of(name: str) -> Theme:
    """The theme of a drop-down list's choice."""
    return THEMES[choice("theme", name, tuple(THEMES))]


@lru_cache(maxsize=64)
def font(size: int) -> Any:
    """Pillow's own letters about ``size`` pixels high; older Pillows have one size only."""
    try:
        return ImageFont.load_default(size=size)
    except (TypeError, OSError):  # Pillow before 10.1, or without FreeType
        return ImageFont.load_default()


def printable(text: str, letters: Any) -> str:
    """Text with what the bitmap letters lack replaced."""
    return (
        text
        if isinstance(letters, ImageFont.FreeTypeFont)
        else text.encode("latin-1", "replace").decode("latin-1")
    )


def text_size(text: str, size: int) -> tuple[int, int]:
    """Width and height of a line in pixels; the height is that of the letters with their tails, whatever the text."""
    letters = font(size)
    return sum(_width(piece, size) for piece in _pieces(text, letters)), int(letters.getbbox("Ag|")[3])


def _pieces(text: str, letters: Any) -> list[str]:
    """A text, the minus signs of its numbers apart: the letters' own hyphen is a speck that vanishes where a drawing is shown smaller."""
    text = printable(text, letters)
    return _MINUS.split(text) if isinstance(letters, ImageFont.FreeTypeFont) else [text]


def _width(piece: str, size: int) -> int:
    return _minus(size)[0] if piece == "-" else int(font(size).getbbox(piece)[2])


def _minus(size: int) -> tuple[int, int, int]:
    """Of a minus sign the room it takes, its length and its thickness, in pixels."""
    length = max(4, round(size * 0.5))
    return length + max(2, size // 8), length, max(2, round(size / 9))


def write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: Colour,
    align: float = 0.0,
) -> None:
    """Writes a line with its top at ``at``; ``align`` of 0, 0.5 or 1 puts ``at`` left, in the middle or right of it."""
    letters = font(size)
    left, top = round(at[0] - align * text_size(text, size)[0]), round(at[1])
    for piece in _pieces(text, letters):
        if piece == "-":
            _, length, thick = _minus(size)
            _, head, _, foot = letters.getbbox("0")
            above = top + round((head + foot - thick) / 2)
            draw.rectangle((left + 1, above, left + length, above + thick - 1), fill=colour)
        elif piece:
            draw.text((left, top), piece, font=letters, fill=colour)
        left += _width(piece, size)


def fitted(text: str, size: int, width: float) -> str:
    """Text cut with dots to a width in pixels."""
    if text_size(text, size)[0] <= width:
        return text
    while text and text_size(f"{text}...", size)[0] > width:
        text = text[:-1]
    return f"{text}..."


def to_picture(tensor: Tensor) -> Image.Image:
    """A picture [H, W, C] of floats in 0..1 as Pillow's, with the levels the host's SaveImage writes; NaN becomes black."""
    import torch

    levels = (
        (tensor.detach().to(torch.float32).nan_to_num(0.0) * 255.0)
        .clamp_(0, 255)
        .to(torch.uint8)
        .cpu()
        .numpy()
    )
    return Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)


def to_tensor(picture: Image.Image) -> Tensor:
    """A Pillow picture as the host's batch of one, float32 [1, H, W, 3]."""
    import numpy as np
    import torch

    return torch.from_numpy(np.array(picture.convert("RGB"), dtype=np.float32) / 255.0)[None]
