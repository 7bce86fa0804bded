"""Splices: bytes at an offset of a file, replaced by others. A plan of them can be checked, applied and undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from ...errors import ImageError

_BLOCK = 1024 * 1024
BESIDE = "Write the scores into an XMP file beside the picture instead."
"""What helps wherever a file itself cannot be edited."""


@dataclass(frozen=True)
class Splice:
    """One replacement: of ``old`` at an offset from the start of the file before any splice of the plan, by ``new``; each may be empty."""

    offset: int
    old: bytes
    new: bytes


def apply(data: bytes, splices: Iterable[Splice]) -> bytes:
    """The data with every splice applied.

    Raises:
        ImageError: The data are not those the plan was made for, or two splices overlap.
    """
    pieces: list[bytes] = []
    position = 0
    for splice in in_order(splices):
        end = splice.offset + len(splice.old)
        if data[splice.offset : end] != splice.old or splice.offset > len(data):
            raise _changed(splice)
        pieces += [data[position : splice.offset], splice.new]
        position = end
    pieces.append(data[position:])
    return b"".join(pieces)


def copy_applied(source: BinaryIO, target: BinaryIO, splices: Iterable[Splice]) -> None:
    """Copy a file, open at its start, with every splice applied, in constant memory. After an error what ``target`` holds is of no use.

    Raises:
        ImageError: The source is not the file the plan was made for, or two splices overlap.
    """
    position = 0
    for splice in in_order(splices):
        left = splice.offset - position
        while left:
            block = source.read(min(left, _BLOCK))
            if not block:
                raise _changed(splice)
            target.write(block)
            left -= len(block)
        if source.read(len(splice.old)) != splice.old:
            raise _changed(splice)
        target.write(splice.new)
        position = splice.offset + len(splice.old)
    while block := source.read(_BLOCK):
        target.write(block)


def reversed_splices(splices: Iterable[Splice]) -> tuple[Splice, ...]:
    """The plan that undoes another: applied to the result it gives the data before, byte for byte.

    Raises:
        ImageError: Two splices overlap.
    """
    undo: list[Splice] = []
    moved = 0
    for splice in in_order(splices):
        undo.append(Splice(splice.offset + moved, splice.new, splice.old))
        moved += len(splice.new) - len(splice.old)
    return tuple(undo)


def in_order(splices: Iterable[Splice]) -> list[Splice]:
    """The splices by offset; at the same offset insertions come first, and keep their order.

    Raises:
        ImageError: Two splices overlap, or an offset is negative.
    """
    ordered = sorted(splices, key=lambda splice: (splice.offset, bool(splice.old)))
    end = 0
    for splice in ordered:
        if splice.offset < end:
            raise ImageError(
                f"The plan of an edit changes byte {splice.offset} twice; expected splices that do not overlap. "
                "Make the plan again."
            )
        end = splice.offset + len(splice.old)
    return ordered


def tidied(splices: Iterable[Splice]) -> tuple[Splice, ...]:
    """The same edit with neighbours joined, equal bytes at the ends of each splice left out, and nothing that changes nothing.

    Raises:
        ImageError: Two splices overlap.
    """
    joined: list[Splice] = []
    for splice in in_order(splices):
        last = joined[-1] if joined else None
        if last is not None and last.offset + len(last.old) == splice.offset:
            joined[-1] = Splice(last.offset, last.old + splice.old, last.new + splice.new)
        else:
            joined.append(splice)
    tidy: list[Splice] = []
    for splice in joined:
        start = _common(splice.old, splice.new)
        old, new = splice.old[start:], splice.new[start:]
        end = _common(old[::-1], new[::-1])
        if old or new:
            tidy.append(Splice(splice.offset + start, old[: len(old) - end], new[: len(new) - end]))
    return tuple(tidy)


def _common(first: bytes, second: bytes) -> int:
    """How many bytes both begin with; found by halves, since blocks may be large."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def damaged(kind: str, what: str) -> ImageError:
    """The error for a file of a kind (``"JPEG file"``) that is damaged."""
    return ImageError(f"the {kind} is damaged: {what}. Save or download it again.")


def fragile(kind: str, what: str = "carries signed content credentials (C2PA)") -> ImageError:
    """The error for a file that carries something which no edit may touch."""
    return ImageError(f"the {kind} {what}, which any change would break. {BESIDE}")


def _changed(splice: Splice) -> ImageError:
    return ImageError(
        f"The file holds other bytes at {splice.offset} than when the edit was planned; expected it unchanged. "
        "Plan the edit again."
    )
