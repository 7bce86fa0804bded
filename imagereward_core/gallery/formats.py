"""Formats of pictures that browsers show as they are, and PNG for all others."""

from __future__ import annotations

import io
from pathlib import Path

KINDS = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}
"""Media types by Pillow's name of the format."""

_KEPT = ("icc_profile", "transparency")
"""What Pillow knows of a picture and a copy of it needs to look the same."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer that holds a picture: whatever the file is called and holds, it is never run as a page."""


def kind_of_picture(path: Path) -> str:
    """The media type of a file by its first bytes, where browsers show it; else empty."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return KINDS.get(picture.format or "", "")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""


def as_png(path: Path) -> bytes:
    """A picture as its pixels alone: without loss, but for CMYK and floating point, which become 8 bits of red, green and blue.

    Nothing else of the file is in it but its colour profile: not the texts that say how the picture was made.

    Raises:
        ImageError: It cannot be read.
    """
    from PIL import ImageOps

    from ..images.decode import open_image

    picture = ImageOps.exif_transpose(open_image(path))
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        picture = picture.convert("RGB")
    picture.info = {name: picture.info[name] for name in _KEPT if name in picture.info}
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
