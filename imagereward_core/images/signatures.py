"""Recognises pictures by their first bytes, also those that are too large to open, damaged, or of a format nothing here reads."""

from __future__ import annotations

import re

from .plugins import plugin_for

SIGNATURE_BYTES = 4096
"""How much of a file is looked at."""

_AT_START = (
    b"\x89PNG\r\n\x1a\n",
    b"\x8aMNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    b"GIF87a",
    b"GIF89a",
    # TIFF and BigTIFF, as which most cameras write their raw files too
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    # raw files with marks of their own: Panasonic, Olympus, Fujifilm, Sigma
    b"IIU\0",
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"FUJIFILMCCD-RAW",
    b"FOVb",
    b"\0\0\1\0",  # icon
    b"\0\0\2\0\1",  # pointer
    b"icns",
    b"DDS ",
    b"qoif",
    b"\x01\xda\0\1",  # SGI
    b"\x01\xda\1\1",
    b"\x59\xa6\x6a\x95",  # Sun raster
    b"\xd7\xcd\xc6\x9a",  # WMF
    b"#?RADIANCE",
    b"#?RGBE",
    b"SIMPLE  =",  # FITS
    b"/* XPM */",
    b"FLIF",
    b"BPG\xfb",
    b"gimp xcf",
    b"AT&TFORM",  # DjVu
)
_INSIDE = re.compile(
    b"|".join(
        (
            rb"RIFF.{4}WEBP",
            rb"BM.{4}\0\0\0\0.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",  # BMP: two letters alone may begin a text
            rb"\x0a[\x00-\x05]\x01[\x01\x02\x04\x08]",  # PCX
            rb"P[1-6]\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s",  # PBM, PGM, PPM
            rb"P7\s+(?:#[^\n]*\n\s*)*WIDTH ",
            rb"P[Ff]\s\d+\s+\d+\s+-?\d",
            rb"\x01\x00\x00\x00.{36} EMF",
            rb".{4}ftypcrx ",  # raw files of Canon
            rb"PK\x03\x04.{26}mimetype(?:application/x-krita|image/openraster)",
            rb"\xef?\xbb?\xbf?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*|<!DOCTYPE svg[^>]*>\s*)*<svg[\s>]",
        )
    ),
    re.DOTALL,
)


def is_picture(head: bytes) -> bool:
    r"""Whether a file with these first ``SIGNATURE_BYTES``, or all of it, is a picture of a format that is known by its mark.

    >>> is_picture(b"\x89PNG\r\n\x1a\n" + bytes(8)), is_picture(b"file,score\n"), is_picture(b"BMW,score\n")
    (True, False, False)
    """
    return plugin_for(head[:64]) is not None or head.startswith(_AT_START) or _INSIDE.match(head) is not None
