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
        # what follows is opened where Pillow, or a package for it, can; else it is a row that says what is missing
        ".heic",
        ".heif",
        ".hif",
        ".jxl",
        ".jp2",
        ".j2k",
        ".psd",
    )
)
"""In lower case. A file named by itself is opened by its content, whatever its suffix."""
