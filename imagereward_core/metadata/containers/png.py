"""The text chunks of a PNG file, read without decoding a pixel."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from .text_encoding import mend_latin1

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT_BYTES = 32 * 1024 * 1024
"""Most bytes of one text block, unpacked. Workflows with embedded pictures reach a few megabytes."""
MAX_TOTAL_BYTES = 4 * MAX_TEXT_BYTES

TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")


def read_png_chunks(stream: BinaryIO) -> tuple[dict[str, str], bytes]:
    """The texts by keyword (the first of equal ones) and the EXIF block, or ``b""``, behind a PNG signature, wherever they stand.

    Pillow shows text behind the pixels only after decoding them and refuses whole files over one large text;
    this walk does neither. It stops quietly where a file is cut off, and leaves out what is damaged or larger
    than ``MAX_TEXT_BYTES``.
    """
    texts: dict[str, str] = {}
    exif = b""
    total = 0
    while len(header := stream.read(8)) == 8:
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if kind == b"IEND":
            break
        wanted = kind in TEXT_CHUNKS or kind == b"eXIf"
        if not wanted or length > MAX_TEXT_BYTES or total > MAX_TOTAL_BYTES:
            stream.seek(length + 4, 1)
            continue
        data = stream.read(length)
        stream.seek(4, 1)
        if len(data) < length:
            break
        if kind == b"eXIf":
            exif = exif or data
            continue
        keyword, text = _text(kind, data)
        total += len(data) + len(text)
        if keyword and keyword not in texts:
            texts[keyword] = text
    return texts, exif


def _text(kind: bytes, data: bytes) -> tuple[str, str]:
    """Keyword and text of a chunk; an empty keyword if it is damaged."""
    name, found, _ = data.partition(b"\0")
    text = chunk_text(kind, data, "replace") if found else None
    if text is None:
        return "", ""
    return name.decode("latin-1"), text if kind == b"iTXt" else mend_latin1(text)


def chunk_text(kind: bytes, data: bytes, errors: str) -> str | None:
    """The text of a ``tEXt``, ``zTXt`` or ``iTXt`` chunk as it stands in its data (PNG specification, 11.3.3); None if it is damaged."""
    rest = data.partition(b"\0")[2]
    try:
        if kind == b"tEXt":
            return rest.decode("latin-1")
        if kind == b"zTXt":
            return inflate(rest[1:]).decode("latin-1")
        text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        return (inflate(text) if rest[:1] == b"\1" else text).decode("utf-8", errors)
    except (zlib.error, ValueError):
        return None


def inflate(data: bytes, wbits: int = zlib.MAX_WBITS) -> bytes:
    """Unpack at most ``MAX_TEXT_BYTES``; ``wbits`` is the form of the packing, as ``zlib.decompressobj`` takes it.

    Raises:
        ValueError: The text is longer than that.
        zlib.error: The data is damaged.
    """
    unpacker = zlib.decompressobj(wbits)
    text = unpacker.decompress(data, MAX_TEXT_BYTES)
    if unpacker.unconsumed_tail:
        raise ValueError(f"a compressed text is longer than {MAX_TEXT_BYTES} bytes")
    return text
