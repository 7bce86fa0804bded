"""The suffixes by which files count as pictures where whole folders are searched."""

from __future__ import annotations

import os

PICTURE_SUFFIXES = frozenset(
    (
        *".png .jpg .jpeg .jpe .jfif .webp .avif .gif .bmp .tif .tiff .ppm .pgm".split(),
        # what follows is opened where Pillow, or a package for it, can; else it is a row that says what is missing
        *".heic .heif .hif .jxl .jp2 .j2k .psd".split(),
    )
)
"""In lower case. A file named by itself is opened by its content, whatever its suffix."""
PREVIEW_ENDINGS = (".swarmpreview.jpg", ".swarmpreview.webp")
"""How SwarmUI ends the names of small copies of animations and videos, which lie beside them."""


def is_picture_name(name: str) -> bool:
    """Whether a file in a folder is looked at as a picture, by its name.

    >>> is_picture_name("a.PNG"), is_picture_name(".a.png"), is_picture_name("a.swarmpreview.jpg"), is_picture_name("a.txt")
    (True, False, False, False)
    """
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 (a Path for each of a million names takes longer than all else)
    return suffix in PICTURE_SUFFIXES and not name.startswith(".") and not is_preview_name(name)


def is_preview_name(name: str) -> bool:
    """Whether a name is that of a small copy which SwarmUI made."""
    return name.lower().endswith(PREVIEW_ENDINGS)
