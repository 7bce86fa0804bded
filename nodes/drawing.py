"""Drawing with Pillow alone: colours, letters that fit, and pictures to and from the host's tensors."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from .host.errors import choice
from .schema import dropdown

if TYPE_CHECKING:
    from torch import Tensor

Colour = tuple[int, int, int]
_MINUS = r"(?<![\w.])(-)(?=\d)"


class Theme(NamedTuple):
    """Colours of a drawing; ``plain`` is for pictures nobody has chosen among."""

    ground: Colour
    panel: Colour
    ink: Colour
    faint: Colour
    kept: Colour
    rejected: Colour
    plain: Colour


THEMES = {
    name: Theme(*((*bytes.fromhex(colour),) for colour in colours.split()))  # type: ignore[arg-type]
    for name, colours in {
        "dark": "181a1f 23262d eceef2 8a92a0 5eba7d ce6860 5c8ed4",
        "light": "f7f8fa e8eaef 1c1f26 6c7380 2e8b57 be4c46 3a6ebe",
    }.items()
}


def theme_input() -> Any:
    """The drop-down list of themes; :func:`theme_of` reads it."""
    return dropdown("theme", list(THEMES), "Light letters on dark, or the reverse.")


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
    return re.split(_MINUS, text) if isinstance(letters, ImageFont.FreeTypeFont) else [text]


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

    scaled = tensor.detach().to(torch.float32).nan_to_num(0.0) * 255.0
    levels = scaled.clamp_(0, 255).to(torch.uint8).cpu().numpy()
    return Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)


def to_tensor(picture: Image.Image) -> Tensor:
    """A Pillow picture as the host's batch of one, float32 [1, H, W, C] in 0..1."""
    import numpy as np
    import torch

    return torch.from_numpy(np.array(picture, dtype=np.float32) / 255.0)[None]
