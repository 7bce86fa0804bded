"""Scores in the text chunks of a PNG file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from ..containers.png import MAX_TEXT_BYTES, PNG_SIGNATURE, TEXT_CHUNKS, chunk_text
from ..formats.comfyui.graph import load_json
from ..score_keys import METADATA_KEY, is_score_key, score_key
from .infotext import is_infotext, put_into_settings
from .splice import Splice, damaged, fragile

_LONGEST_KEYWORD = 79


class _Chunk(NamedTuple):
    """A chunk: where its length field stands, its type, the length of its data."""

    offset: int
    kind: bytes
    length: int


def plan_png(stream: BinaryIO, size: int, fields: Mapping[str, str], block: str) -> list[Splice]:
    """Plan scores in a PNG file of ``size`` bytes: chunks for each key and for the block before the pixels, and the keys in an infotext.

    Raises:
        ImageError: The file is damaged, or carries a signature that an edit would break.
    """
    chunks = list(_chunks(stream, size))
    texts = {chunk: _whole(stream, chunk) for chunk in chunks if chunk.kind in TEXT_CHUNKS}
    known: set[str] = set()
    for chunk, data in texts.items():
        if _keyword(data) == METADATA_KEY:
            known |= recorded_keys(_decoded(chunk.kind, data) or "")
    ours = known | set(fields)
    splices: list[Splice] = []
    for chunk, data in texts.items():
        keyword = _keyword(data)
        if keyword in ours or keyword == METADATA_KEY:
            splices.append(Splice(chunk.offset, data, b""))
        elif keyword == "parameters":
            splices.append(Splice(chunk.offset, data, _with_settings(chunk.kind, data, fields, known)))
    told = {**fields, METADATA_KEY: block_with_keys(block, fields)}
    added = b"".join(_text_chunk(key, value) for key, value in told.items())
    pixels = next(chunk.offset for chunk in chunks if chunk.kind == b"IDAT")
    return [*splices, Splice(pixels, b"", added)]


def recorded_keys(block: str) -> set[str]:
    """The keys that a block says are ours, as far as they can be: a block may be a stranger's, and name what is another program's."""
    data = load_json(block)
    if not isinstance(data, dict):
        return set()
    keys = data.get("fields")
    named = keys if isinstance(keys, list) else ()
    found = {key for key in named if isinstance(key, str) and is_score_key(key)}
    scores = data.get("scores")
    for each in scores if isinstance(scores, list) else ():
        if isinstance(each, dict) and isinstance(each.get("scorer"), str):
            found.add(score_key(each["scorer"]))
    return found


def block_with_keys(block: str, fields: Mapping[str, str]) -> str:
    """The block, with a list of our keys where it does not name them already.

    Raises:
        ValueError: The block is no JSON object.
    """
    data = load_json(block) if block else {"version": 1}
    if not isinstance(data, dict):
        raise ValueError(f"the block is {block[:40]!r}; expected a JSON object")
    if block and set(fields) <= recorded_keys(block):
        return block
    return json.dumps({**data, "fields": list(fields)})


def _chunks(stream: BinaryIO, size: int) -> Iterator[_Chunk]:
    """All chunks up to the end of the picture, whatever may follow it."""
    offset = len(PNG_SIGNATURE)
    first = True
    seen_pixels = False
    while True:
        stream.seek(offset)
        head = stream.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or not kind.isalpha() or offset + 12 + length > size:
            raise damaged("PNG file", f"there is no whole chunk at byte {offset}")
        if first and kind != b"IHDR":
            raise damaged("PNG file", f"its first chunk is {kind!r}; expected IHDR")
        if kind == b"caBX":
            raise fragile("PNG file")
        first = False
        seen_pixels = seen_pixels or kind == b"IDAT"
        yield _Chunk(offset, kind, length)
        offset += 12 + length
        if kind == b"IEND":
            break
    if not seen_pixels:
        raise damaged("PNG file", "it holds no pixels")


def _whole(stream: BinaryIO, chunk: _Chunk) -> bytes:
    """A text chunk from its length field to its checksum; of one too large to be ours, only the beginning."""
    stream.seek(chunk.offset)
    large = chunk.length > MAX_TEXT_BYTES
    data = stream.read(8 + _LONGEST_KEYWORD + 1 if large else 12 + chunk.length)
    if large or int.from_bytes(data[-4:], "big") == zlib.crc32(data[4:-4]):
        return data
    raise damaged("PNG file", f"the checksum of its text chunk at byte {chunk.offset} is wrong")


def _keyword(data: bytes) -> str:
    name, found, _ = data[8 : 8 + _LONGEST_KEYWORD + 1].partition(b"\0")
    return name.decode("latin-1") if found else ""


def _with_settings(kind: bytes, data: bytes, fields: Mapping[str, str], known: set[str]) -> bytes:
    """A text chunk with scores in its infotext; as it is where it holds none."""
    text = _decoded(kind, data)
    if text is None or not is_infotext(text):
        return data
    changed = put_into_settings(text, fields, known)
    return data if changed == text else _chunk(kind, _encoded(kind, data[8:-4], changed))


def _decoded(kind: bytes, data: bytes) -> str | None:
    """The text of a chunk, so that ``_encoded`` gives the same bytes again; None if it is damaged."""
    return chunk_text(kind, data[8:-4], "surrogateescape")


def _encoded(kind: bytes, data: bytes, text: str) -> bytes:
    """A chunk's data with another text, packed as the old one was."""
    keyword, _, rest = data.partition(b"\0")
    if kind == b"tEXt":
        return keyword + b"\0" + text.encode("latin-1")
    if kind == b"zTXt":
        return keyword + b"\0" + rest[:1] + zlib.compress(text.encode("latin-1"))
    language, _, more = rest[2:].partition(b"\0")
    translated, _, _ = more.partition(b"\0")
    plain = text.encode("utf-8", "surrogateescape")
    packed = zlib.compress(plain) if rest[:1] == b"\1" else plain
    return b"\0".join([keyword, rest[:2] + language, translated, packed])


def _text_chunk(key: str, text: str) -> bytes:
    """A chunk as Pillow writes one: Latin-1 where that holds the text, else UTF-8."""
    try:
        return _chunk(b"tEXt", key.encode("latin-1") + b"\0" + text.encode("latin-1"))
    except UnicodeError:
        return _chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8"))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
