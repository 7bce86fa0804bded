"""Many pictures on one sheet, each with some words below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from imagereward_core.files.whole import written_whole
from imagereward_core.plain import plain

_LETTER, _LINE, _GAP = 6.2, 11, 4
"""Width and height of a letter of Pillow's own font, and room between pictures, in pixels."""


def write_sheet(
    path: Path,
    rows: Sequence[Sequence[Image.Image]],
    captions: Sequence[Sequence[str]],
    side: int = 128,
    lines: int = 4,
) -> None:
    """Writes a PNG of rows of pictures, each with some words below.

    Args:
        path: Whatever is there is replaced.
        rows: Pictures.
        captions: The words for each.
        side: Width and height of each picture's place, in pixels. A smaller one is enlarged without smoothing.
        lines: Room for words, in lines.
    """
    columns, caption = max(len(row) for row in rows), lines * _LINE + 2
    sheet = Image.new("RGB", (columns * side, len(rows) * (side + caption)), "white")
    canvas = ImageDraw.Draw(sheet)
    letters = max(8, int(side / _LETTER))
    for y, (row, words) in enumerate(zip(rows, captions)):
        for x, (picture, word) in enumerate(zip(row, words)):
            left, top = x * side, y * (side + caption)
            sheet.paste(_fitted(picture, side - _GAP), (left, top))
            text = "\n".join(textwrap.wrap(_printable(word), letters)[:lines])
            canvas.multiline_text((left, top + side - 2), text, fill="black", spacing=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        sheet.save(temporary, format="PNG")


def _printable(text: str) -> str:
    """The text as Pillow's own font has it: older versions fail at letters beyond Latin-1, newer ones show boxes."""
    return plain(text).encode("latin-1", "replace").decode("latin-1")


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    """The picture as large as fits into a square."""
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    way = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    return picture.convert("RGB").resize(size, way)
