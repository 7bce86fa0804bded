"""Which files are looked at as pictures, where whole folders are searched."""

from __future__ import annotations

PICTURE_SUFFIXES = frozenset(
    (
        ".png",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".webp",
        ".avif",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
    )
)
"""In lower case. A file named by itself is opened by its content, whatever its suffix."""
