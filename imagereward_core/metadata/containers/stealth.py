"""Text hidden in the lowest bits of a picture's pixels, as NovelAI and some extensions of the WebUIs hide it.

A signature, the length in bits (32 bits), then the text, plain or packed, column by column: in the lowest bit of
alpha, or of red, green and blue in turn. See sd-webui-stealth-pnginfo.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image

from ...images.decode import unloaded
from ..formats.comfyui.graph import load_json
from .png import MAX_TEXT_BYTES, inflate

if TYPE_CHECKING:
    import numpy as np

_SIGNATURES = {
    b"stealth_pnginfo": ("alpha", False),
    b"stealth_pngcomp": ("alpha", True),
    b"stealth_rgbinfo": ("rgb", False),
    b"stealth_rgbcomp": ("rgb", True),
}
_LENGTH = 15


def stealth_text(source: str | os.PathLike[str] | Image.Image | BinaryIO) -> dict[str, str]:
    """Text blocks by name, as ``blocks.read_blocks`` gives them; empty if nothing is hidden, or the picture is damaged."""
    try:
        with unloaded(source) as image:
            return _hidden(image)
    # Whatever a damaged file makes a decoder raise: a picture with nothing readable in its pixels.
    except Exception:
        return {}


def _hidden(image: Image.Image) -> dict[str, str]:
    import numpy as np

    if image.mode not in ("RGB", "RGBA"):
        return {}
    # Columns first: the text runs down the picture.
    pixels = np.asarray(image).swapaxes(0, 1)
    streams = {"rgb": pixels[..., :3]}
    if image.mode == "RGBA":
        streams["alpha"] = pixels[..., 3:]
    for channels, values in streams.items():
        flat = values.reshape(-1)
        start = _bytes(flat, 0, 8 * _LENGTH)
        where, packed = _SIGNATURES.get(start, ("", False))
        if where != channels:
            continue
        length = int.from_bytes(_bytes(flat, 8 * _LENGTH, 32), "big")
        if not length or length > 8 * MAX_TEXT_BYTES or 8 * _LENGTH + 32 + length > flat.size:
            return {}
        data = _bytes(flat, 8 * _LENGTH + 32, length - length % 8)
        return _blocks((inflate(data, zlib.MAX_WBITS | 16) if packed else data).decode("utf-8", "replace"))
    return {}


def _bytes(flat: np.ndarray, start: int, count: int) -> bytes:
    import numpy as np

    return np.packbits(flat[start : start + count] & 1).tobytes()


def _blocks(text: str) -> dict[str, str]:
    """NovelAI hides all its chunks as JSON; the WebUIs hide an infotext."""
    data = load_json(text)
    if isinstance(data, dict) and ("Comment" in data or "Description" in data):
        return {
            str(key): value if isinstance(value, str) else json.dumps(value) for key, value in data.items()
        }
    return {"parameters": text}
