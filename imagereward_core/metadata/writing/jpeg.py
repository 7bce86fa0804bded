"""Scores in the EXIF segment of a JPEG file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from ...errors import ImageError
from .comment import edited_block
from .splice import BESIDE, Splice, damaged, fragile

_EXIF = b"Exif\0\0"
_MOST_BYTES = 65535
_ALONE = (0x01, *range(0xD0, 0xD8))
"""Markers without a length: TEM and RST0 to RST7."""


class _Segment(NamedTuple):
    """A segment: where its marker stands, the marker's second byte, the length it states, and the bytes behind that length."""

    offset: int
    marker: int
    length: int
    data: bytes


def plan_jpeg(stream: BinaryIO, size: int, fields: Mapping[str, str], block: str) -> list[Splice]:
    """Plan scores in the user comment of a JPEG file of ``size`` bytes; without EXIF, in a new segment behind the JFIF header.

    ``fields`` and ``block`` are as in :func:`.comment.edited_block`.

    Raises:
        ImageError: The file or its EXIF is damaged, would grow past what a segment holds, or carries something an edit
            would break.
    """
    segments = list(_segments(stream, size))
    held = [each for each in segments if each.marker == 0xE1 and each.data.startswith(_EXIF)]
    if len(held) > 1:
        raise ImageError(f"the JPEG file has {len(held)} EXIF segments; expected one. {BESIDE}")
    if not held:
        new = edited_block(b"", fields)
        place = 2
        for segment in segments:
            if segment.offset != place or segment.marker != 0xE0:
                break
            place += 2 + segment.length
        return [Splice(place, b"", _segment(new))]
    (segment,) = held
    new = edited_block(segment.data[len(_EXIF) :], fields, block)
    stream.seek(segment.offset)
    return [Splice(segment.offset, stream.read(2 + segment.length), _segment(new))]


def _segments(stream: BinaryIO, size: int) -> Iterator[_Segment]:
    """The segments before the first scan of a file that is whole and may be edited."""
    offset = 2
    while True:
        stream.seek(offset)
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            raise damaged("JPEG file", f"there is no segment at byte {offset}")
        marker = head[1]
        if marker == 0xFF:  # a fill byte
            offset += 1
            continue
        if marker in _ALONE:
            offset += 2
            continue
        if marker in (0xDA, 0xD9):
            return
        length = int.from_bytes(head[2:], "big")
        if length < 2 or offset + 2 + length > size:
            raise damaged("JPEG file", f"the segment at byte {offset} is cut off")
        data = stream.read(length - 2) if 0xE0 <= marker <= 0xEF else b""
        if marker == 0xE2 and data.startswith(b"MPF\0"):
            raise fragile("JPEG file", "holds several pictures with a table of their places and sizes")
        if marker == 0xEB and b"jumb" in data[:64]:
            raise fragile("JPEG file")
        yield _Segment(offset, marker, length, data)
        offset += 2 + length


def _segment(block: bytes) -> bytes:
    length = 2 + len(_EXIF) + len(block)
    if length > _MOST_BYTES:
        raise ImageError(
            f"with the scores, the EXIF segment would hold {length} bytes; expected at most {_MOST_BYTES}. {BESIDE}"
        )
    return b"\xff\xe1" + length.to_bytes(2, "big") + _EXIF + block
