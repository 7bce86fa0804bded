"""Text blocks of picture files: PNG chunks, EXIF tags, JPEG and GIF comments, no pixels."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

from PIL import Image

from ...errors import ImageError
from ...files.regular import open_regular
from .png import MAX_TEXT_BYTES, PNG_SIGNATURE, read_png_chunks
from .text_encoding import decode_text, decode_user_comment, mend_latin1

_EXIF_IFD = 0x8769
_USER_COMMENT = 0x9286
_LABELLED_TAGS = {0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software"}
_LABELS = ("prompt", "workflow", "parameters")
_XMP = b"http://ns.adobe.com/xap/1.0/\0"


def read_blocks(source: str | os.PathLike[str] | Image.Image | BinaryIO, name: str = "") -> dict[str, str]:
    """Collect the text blocks of a picture by name; none if there are none or if they are damaged.

    Names are those of PNG keywords (``parameters``, ``prompt``, ``workflow``, ...), of EXIF tags
    (``UserComment``, ``ImageDescription``, ``Make``, ``Model``), or ``comment`` for the comment of a JPEG or
    GIF. EXIF tags that ComfyUI's WebP savers fill with ``prompt:{...}`` or ``workflow:{...}`` appear under
    ``prompt`` and ``workflow``. XMP has the name of its PNG keyword in every format.

    Args:
        source: A file, the bytes of one as a seekable stream, or an open Pillow image, of which only what Pillow has read so far is
            seen: of a PNG no text behind the pixels until they are loaded.
        name: What to call a stream in an error.

    Raises:
        ImageError: The file cannot be opened, or is not a picture this Pillow can open.
    """
    if isinstance(source, Image.Image):
        return _from_image(source)
    try:
        if isinstance(source, (str, os.PathLike)):
            name = str(source)
            with open_regular(source) as stream:
                return _from_stream(stream)
        source.seek(0)
        return _from_stream(source)
    # Pillow's plugins raise more than OSError on hostile files (EOFError, struct.error,
    # DecompressionBombError, ...).
    except Exception as error:
        raise ImageError(
            f"{name or 'picture in memory'}: the file cannot be opened as a picture ({error}). Expected a picture in a format this "
            "Pillow reads; check that the path is right and the file complete."
        ) from error


def _from_stream(stream: BinaryIO) -> dict[str, str]:
    if stream.read(len(PNG_SIGNATURE)) == PNG_SIGNATURE:
        blocks, exif_bytes = read_png_chunks(stream)
        if exif_bytes:
            exif = Image.Exif()
            _merge(blocks, lambda: _load_exif(exif, exif_bytes))
        return blocks
    stream.seek(0)
    with Image.open(stream) as image:
        return _from_image(image)


def _from_image(image: Image.Image) -> dict[str, str]:
    blocks: dict[str, str] = {}
    for name, value in list(image.info.items()):
        if isinstance(value, str):
            text = mend_latin1(value)
        elif isinstance(value, bytes) and name == "comment":
            text = decode_text(value)
        else:
            continue
        if len(text) <= MAX_TEXT_BYTES:
            blocks[str(name)] = text
    if (xmp := _xmp(image)) and len(xmp) <= MAX_TEXT_BYTES:
        blocks.setdefault("XML:com.adobe.xmp", decode_text(xmp))
    # For a PNG without EXIF, Pillow's getexif() would decode the pixels to look behind them.
    if image.format != "PNG" or "exif" in image.info:
        _merge(blocks, image.getexif)
    return blocks


def _xmp(image: Image.Image) -> bytes:
    """The XMP of a JPEG, WebP or AVIF; older Pillows leave that of a JPEG among its segments."""
    xmp = image.info.get("xmp")
    if isinstance(xmp, bytes):
        return xmp
    for marker, data in getattr(image, "applist", ()):
        if marker == "APP1" and data.startswith(_XMP):
            return bytes(data[len(_XMP) :])
    return b""


def _load_exif(exif: Image.Exif, data: bytes) -> Image.Exif:
    exif.load(data if data.startswith(b"Exif\0\0") else b"Exif\0\0" + data)
    return exif


def _merge(blocks: dict[str, str], get_exif: Callable[[], Image.Exif]) -> None:
    """Add EXIF texts to the blocks, replacing none; damaged EXIF adds what stands before the damage."""
    # Pillow's EXIF reader raises struct.error, KeyError, TypeError, SyntaxError and more on damaged data: a
    # picture with broken metadata is still a picture.
    try:
        exif = get_exif()
        big_endian = getattr(exif, "endian", None) != "<"
        for tag, name in _LABELLED_TAGS.items():
            _add_labelled(blocks, name, exif.get(tag))
        for tag in list(exif):
            if tag not in _LABELLED_TAGS:
                _add_labelled(blocks, "", exif.get(tag))
        _add_comment(blocks, exif.get(_USER_COMMENT), big_endian)
        _add_comment(blocks, exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT), big_endian)
    except Exception:
        return


def _add_labelled(blocks: dict[str, str], name: str, value: object) -> None:
    """File a tag's text under its label (``workflow:{...}``), else under the tag's name if it has one."""
    if isinstance(value, bytes):
        value = decode_text(value)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT_BYTES:
        return
    text = mend_latin1(value).strip("\0 ")
    label, colon, rest = text.partition(":")
    if colon and label.strip().lower() in _LABELS:
        blocks.setdefault(label.strip().lower(), rest.strip())
    elif name:
        blocks.setdefault(name, text)


def _add_comment(blocks: dict[str, str], value: object, big_endian: bool) -> None:
    if isinstance(value, str):
        value = value.encode("latin-1", "replace")
    if isinstance(value, bytes) and len(value) <= MAX_TEXT_BYTES:
        text = decode_user_comment(value, big_endian)
        if text.strip():
            blocks.setdefault("UserComment", text)
