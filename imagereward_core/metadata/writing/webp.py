"""Scores in the EXIF chunk of a WebP file (RFC 9649)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

from .comment import edited_block
from .splice import Splice, damaged, fragile

_HAS_ALPHA, _HAS_EXIF = 0x10, 0x08
_PICTURES = (b"VP8 ", b"VP8L")
_EXTENDED = {*_PICTURES, b"ALPH", b"ANIM", b"ANMF", b"EXIF", b"ICCP", b"XMP "}
"""Chunks that no file of the simple kind has behind its picture."""
_MOST_BYTES = 2**32 - 12
_MOST_EXIF = 32 * 1024 * 1024
_PREFIX = b"Exif\0\0"


class _Chunk(NamedTuple):
    """A chunk: where its name stands, the name, the length of its data."""

    offset: int
    kind: bytes
    length: int

    @property
    def end(self) -> int:
        """Behind the data and the byte that fills it up to an even number."""
        return self.offset + 8 + self.length + self.length % 2


def plan_webp(stream: BinaryIO, size: int, fields: Mapping[str, str], block: str) -> list[Splice]:
    """Plan scores in the user comment of a WebP file of ``size`` bytes; without EXIF, in a new chunk behind the pixels.

    A file of the simple kind gets the header that the format asks for where there is metadata. ``fields`` and ``block`` are as in
    :func:`.comment.edited_block`.

    Raises:
        ImageError: The file or its EXIF is damaged, or carries something an edit would break.
    """
    stream.seek(4)
    stated = int.from_bytes(stream.read(4), "little")
    chunks = _chunks(stream, 8 + stated, size)
    held = [chunk for chunk in chunks if chunk.kind == b"EXIF"]
    if len(held) > 1:
        raise damaged("WebP file", f"it has {len(held)} EXIF chunks; expected one")
    if held:
        splices = _edited(stream, held[0], fields, block)
    else:
        # EXIF stands behind the pixels and before XMP.
        place = next((chunk.offset for chunk in chunks if chunk.kind == b"XMP "), chunks[-1].end)
        splices = [Splice(place, b"", _chunk(edited_block(b"", fields)))]
    if not splices:
        return []
    splices.append(_flag(stream, chunks[0]))
    grown = sum(len(each.new) - len(each.old) for each in splices)
    if stated + grown > _MOST_BYTES:
        raise damaged("WebP file", "with the scores it would be longer than the format allows")
    return [Splice(4, stated.to_bytes(4, "little"), (stated + grown).to_bytes(4, "little")), *splices]


def _chunks(stream: BinaryIO, end: int, size: int) -> list[_Chunk]:
    """All chunks of a file that is whole and may be edited."""
    if end > size:
        raise damaged("WebP file", f"it states {end} bytes and holds {size}")
    chunks: list[_Chunk] = []
    offset = 12
    while offset < end:
        stream.seek(offset)
        head = stream.read(8)
        chunk = _Chunk(offset, head[:4], int.from_bytes(head[4:], "little"))
        if len(head) < 8 or chunk.end > end:
            raise damaged("WebP file", f"the chunk at byte {offset} is cut off")
        if chunk.kind == b"C2PA":
            raise fragile("WebP file")
        chunks.append(chunk)
        offset = chunk.end
    kinds = [chunk.kind for chunk in chunks]
    if not kinds or kinds[0] not in (b"VP8X", *_PICTURES):
        raise damaged("WebP file", "it holds no picture")
    if b"VP8X" in kinds[1:] or (kinds[0] != b"VP8X" and set(kinds[1:]) & _EXTENDED):
        raise damaged("WebP file", "its header does not stand in front of its other chunks")
    if kinds[0] == b"VP8X" and chunks[0].length != 10:
        raise damaged("WebP file", f"its header is {chunks[0].length} bytes long; expected 10")
    if kinds[0] == b"VP8X" and not {*_PICTURES, b"ANMF"} & set(kinds):
        raise damaged("WebP file", "it holds no picture")
    return chunks


def _edited(stream: BinaryIO, chunk: _Chunk, fields: Mapping[str, str], block: str) -> list[Splice]:
    """The splice for the EXIF chunk, if it changes."""
    if chunk.length > _MOST_EXIF:
        raise damaged(
            "WebP file", f"its EXIF chunk holds {chunk.length} bytes; expected at most {_MOST_EXIF}"
        )
    stream.seek(chunk.offset)
    whole = stream.read(chunk.end - chunk.offset)
    data = whole[8 : 8 + chunk.length]
    skipped = len(_PREFIX) if data.startswith(_PREFIX) else 0
    changed = edited_block(data[skipped:], fields, block)
    if changed == data[skipped:]:
        return []
    return [Splice(chunk.offset, whole, _chunk(data[:skipped] + changed))]


def _flag(stream: BinaryIO, first: _Chunk) -> Splice:
    """The header's mark that there is EXIF; a file without that header gets one."""
    stream.seek(first.offset + 8)
    data = stream.read(min(first.length, 16))
    if first.kind == b"VP8X":
        return Splice(first.offset + 8, data[:1], bytes([data[0] | _HAS_EXIF]))
    if first.kind == b"VP8L":
        if len(data) < 5 or data[0] != 0x2F:
            raise damaged("WebP file", "its pixels begin without their signature")
        bits = int.from_bytes(data[1:5], "little")
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    else:
        if data[3:6] != b"\x9d\x01\x2a" or len(data) < 10:
            raise damaged("WebP file", "its pixels begin without their signature")
        width = (int.from_bytes(data[6:8], "little") & 0x3FFF) - 1
        height = (int.from_bytes(data[8:10], "little") & 0x3FFF) - 1
        alpha = 0
        if width < 0 or height < 0:
            raise damaged("WebP file", "its picture has no pixels")
    header = bytes([_HAS_EXIF | (_HAS_ALPHA if alpha else 0), 0, 0, 0])
    header += width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return Splice(first.offset, b"", b"VP8X" + (10).to_bytes(4, "little") + header)


def _chunk(data: bytes) -> bytes:
    return b"EXIF" + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
