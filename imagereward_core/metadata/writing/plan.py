"""Plans how scores are written into a picture file without touching a pixel: as splices, for others to apply."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import BinaryIO

from ...errors import ImageError
from ...files.regular import open_regular
from ..containers.png import PNG_SIGNATURE
from ..score_keys import LONGEST_KEY
from .jpeg import plan_jpeg
from .png import block_with_keys, plan_png
from .splice import Splice, tidied
from .webp import plan_webp

_KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_VALUE = re.compile(r"[\w.+-]+( [\w.+-]+)*", re.ASCII)

_EDITABLE = ("PNG", "JPEG", "WebP")
_FORMATS = {
    PNG_SIGNATURE: "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "a GIF file",
    b"BM": "a BMP file",
    b"II*\0": "a TIFF file",
    b"MM\0*": "a TIFF file",
    b"II+\0": "a TIFF file",
    b"MM\0+": "a TIFF file",
    b"8BPS": "a Photoshop file",
    b"\xff\x0a": "a JPEG XL file",
    b"\0\0\0\x0cJXL ": "a JPEG XL file",
    b"\xff\x4f\xff\x51": "a JPEG 2000 file",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 file",
    **dict.fromkeys((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7"), "a PPM or PGM file"),
}
"""First bytes of each format. WebP is distinguished from other RIFF files, and AVIF from videos, by bytes further on."""


def plan_edit(path: str | os.PathLike[str], fields: Mapping[str, str], block: str = "") -> tuple[Splice, ...]:
    """Plan the edit that writes scores into a picture's own metadata; its content decides about the format, not its suffix.

    - PNG: a text chunk for each key and one with the block before the pixels; where there is an infotext, the keys in its last line
      too, where the WebUI writes what extensions add.
    - JPEG and WebP: the keys in the EXIF user comment (inside an infotext, inside JSON, or in a line of its own), in a new
      EXIF block where there is none. The block goes only where this project's ComfyUI nodes put one when they saved the file.

    Everything else stays byte for byte, and scores written before are replaced, so that planning again gives an empty plan.
    A value that another program wrote under one of the keys is replaced; undoing the splices brings it back.

    Args:
        path: The picture.
        fields: Keys and values, as ``score_keys.score_fields`` makes them.
        block: A JSON object; empty for one that names the keys alone.

    Raises:
        ImageError: The file cannot be read, is damaged, is of a format that cannot be edited in place (AVIF, GIF, ...), or
            cannot be edited without harm. The text says so; an XMP file beside the picture always can be written.
        ValueError: A key or a value cannot be written into an infotext, or the block is no JSON object.
    """
    for key, value in fields.items():
        if not _KEY.fullmatch(key) or len(key) > LONGEST_KEY or not _VALUE.fullmatch(value):
            raise ValueError(
                f"{key!r}: {value!r} cannot be written; expected a key of letters, digits and _, and a value without commas, colons "
                "or quotes"
            )
    if block:
        block_with_keys(block, fields)
    try:
        with open_regular(path) as stream:
            return plan_stream(stream, fields, block)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    except (OSError, ValueError) as error:
        raise ImageError(
            f"{path}: the file cannot be read ({error}); expected a picture. Check the path and your rights to it."
        ) from error


def editable_format(path: str | os.PathLike[str]) -> str:
    """``"PNG"``, ``"JPEG"`` or ``"WebP"`` by a file's first bytes; empty for a format that ``plan_edit`` does not know.

    Raises:
        OSError: It cannot be read.
    """
    with open_regular(path) as stream:
        found = _format(stream.read(16))
    return found if found in _EDITABLE else ""


def plan_stream(stream: BinaryIO, fields: Mapping[str, str], block: str = "") -> tuple[Splice, ...]:
    """Plan as ``plan_edit`` does, for a file's seekable bytes.

    Raises:
        ImageError: As for ``plan_edit``, without the name of the file.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    kind = _format(stream.read(16))
    if kind == "PNG":
        return tidied(plan_png(stream, size, fields, block))
    if kind == "JPEG":
        return tidied(plan_jpeg(stream, size, fields, block))
    if kind == "WebP":
        return tidied(plan_webp(stream, size, fields, block))
    raise ImageError(
        f"scores cannot be written into {kind}; expected PNG, JPEG or WebP. Write them into an XMP file beside the picture instead."
    )


def _format(head: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis", b"mif1", b"msf1", b"heic"):
        return "an AVIF or HEIF file"
    for start, name in _FORMATS.items():
        if head.startswith(start):
            return name
    if not head:
        return "an empty file"
    return f"a file that begins with {ascii(head[:8])[1:]}"
