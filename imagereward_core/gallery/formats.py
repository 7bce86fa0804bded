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
    """A picture that browsers do not know: without loss, but for CMYK and floating point, which become 8 bits of red, green and blue.

    Raises:
        ImageError: It cannot be read.
    """
    from PIL import ImageOps

    from ..images.decode import open_image

    picture = ImageOps.exif_transpose(open_image(path))
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        picture = picture.convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
