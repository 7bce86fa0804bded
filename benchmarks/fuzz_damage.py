"""Kinds of damage to files, each a function of a random generator and the bytes."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

Damage = Callable[[random.Random, bytes], bytes]


def truncated(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def flipped(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def overwritten(dice: random.Random, data: bytes) -> bytes:
    at, length = dice.randrange(len(data)), dice.choice((1, 4, 16, 200))
    noise = dice.choice((dice.randbytes(length), bytes(length), b"\xff" * length))
    return data[:at] + noise + data[at + length :]


def inserted(dice: random.Random, data: bytes) -> bytes:
    at = dice.randrange(len(data) + 1)
    start = dice.randrange(len(data))
    return data[:at] + data[start : start + dice.choice((1, 3, 40, 400))] + data[at:]


def huge_lengths(dice: random.Random, data: bytes) -> bytes:
    """Four bytes that may be a length or an offset become a huge, negative or tiny number, near a name a format knows."""
    names = [
        b"tEXt",
        b"iTXt",
        b"zTXt",
        b"IDAT",
        b"eXIf",
        b"EXIF",
        b"VP8 ",
        b"VP8X",
        b"RIFF",
        b"\xff\xe1",
        b"MM\0*",
        b"II*\0",
        b"\x92\x86",
        b"\x87\x69",
    ]
    places = [at + shift for name in names if (at := data.find(name)) >= 0 for shift in (-4, 2, 4, 8)]
    at = max(0, dice.choice(places or [0]))
    number = dice.choice((0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0, 1, len(data), len(data) - 1, 0x10000))
    return data[:at] + struct.pack(dice.choice("><") + "I", number & 0xFFFFFFFF) + data[at + 4 :]


def bad_offsets(dice: random.Random, data: bytes) -> bytes:
    """Numbers inside the EXIF block, or anywhere where there is none, point somewhere else, often to each other."""
    starts = [at for mark in (b"MM\0*", b"II*\0") if (at := data.find(mark)) >= 0]
    start = starts[0] if starts else 0
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 3, 10))):
        at = start + dice.randrange(2, max(3, min(120, len(data) - start - 4)))
        size = dice.choice((2, 4))
        changed[at : at + size] = dice.randrange(0, 200).to_bytes(size, dice.choice(("big", "little")))
    return bytes(changed)


def shuffled(dice: random.Random, data: bytes) -> bytes:
    """Chunks or segments in another order, doubled or left out, with checksums that are right."""
    head, parts, tail = split(data)
    if not parts:
        return inserted(dice, data)
    dice.choice(
        (
            dice.shuffle,
            lambda each: each.append(dice.choice(each)),
            lambda each: each.pop(dice.randrange(len(each))),
        )
    )(parts)
    return head + b"".join(parts) + tail


def rewritten(dice: random.Random, data: bytes) -> bytes:
    """A PNG with noise inside its chunks and checksums that are right, so that the noise is read."""
    head, parts, tail = split(data)
    if not data.startswith(b"\x89PNG") or not parts:
        return flipped(dice, data)
    index = dice.randrange(len(parts))
    kind, body = parts[index][4:8], parts[index][8:-4]
    body = dice.choice((flipped, truncated, inserted))(dice, body) if body else dice.randbytes(20)
    parts[index] = png_chunk(kind, body)
    return head + b"".join(parts) + tail


def deep(dice: random.Random, data: bytes) -> bytes:
    """Brackets, braces, tags or parentheses nested thousands deep in the middle of a text."""
    depth = dice.choice((50, 50, 900, 20_000))
    opening = dice.choice((b"[", b'{"a":', b"<a>", b"(", b'{"prompt":[', b"[[a:"))
    at = dice.randrange(len(data) + 1)
    return data[:at] + opening * depth + data[at:]


def long(dice: random.Random, data: bytes) -> bytes:
    """A piece repeated until it is large."""
    at = dice.randrange(len(data))
    piece = data[at : at + dice.choice((1, 2, 7, 60))]
    return data[:at] + piece * (dice.choice((1000, 1000, 200_000)) // max(1, len(piece))) + data[at:]


PICTURE_DAMAGE: tuple[Damage, ...] = (
    truncated,
    flipped,
    overwritten,
    inserted,
    huge_lengths,
    bad_offsets,
    shuffled,
    rewritten,
)
BLOCK_DAMAGE: tuple[Damage, ...] = (truncated, flipped, overwritten, inserted, deep, long)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with the checksum it should have."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def split(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Head, chunks or segments, and the rest, of a PNG, WebP or JPEG; no parts where there is no telling."""
    if data.startswith(b"\x89PNG"):
        at, measure = 8, lambda at: 12 + int.from_bytes(data[at : at + 4], "big")
    elif data.startswith(b"RIFF"):
        at, measure = 12, lambda at: 8 + (size := int.from_bytes(data[at + 4 : at + 8], "little")) + size % 2
    elif data.startswith(b"\xff\xd8"):
        at, measure = 2, lambda at: 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    else:
        return data, [], b""
    head, parts = data[:at], []
    while at + 4 <= len(data):
        if data.startswith(b"\xff\xd8") and (data[at] != 0xFF or data[at + 1] in (0xDA, 0xD9)):
            break
        size = measure(at)
        if at + size > len(data) or size < 4:
            break
        parts.append(data[at : at + size])
        at += size
        if parts[-1][4:8] == b"IEND":
            break
    return head, parts, data[at:]
