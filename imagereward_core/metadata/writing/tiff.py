"""Edits EXIF blocks so that nothing in them moves: what is new goes to the end, and only the entry that points at it changes.

Offsets inside a block count from its start, also those hidden in maker notes, which nobody can find. So no byte that is
not the user comment's own is ever shifted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ...errors import ImageError
from .splice import Splice

EXIF_POINTER, USER_COMMENT = 0x8769, 0x9286
_POINTERS = (EXIF_POINTER, 0x8825, 0xA005)
_LONG, UNDEFINED = 4, 7
_OFFSETS = (_LONG, 13)
_KINDS_BY_SIZE = {1: (1, 2, 6, 7), 2: (3, 8), 4: (4, 9, 11, 13), 8: (5, 10, 12, 16, 17, 18)}
_SIZES = {kind: size for size, kinds in _KINDS_BY_SIZE.items() for kind in kinds}
"""Bytes of one value of each type."""
_MOST_ENTRIES = 4096
_MOST_DIRECTORIES = 64


@dataclass(frozen=True)
class Entry:
    """One tag: where its twelve bytes stand, and where its value does, both from the start of the block."""

    tag: int
    kind: int
    count: int
    position: int
    start: int
    size: int


@dataclass(frozen=True)
class Directory:
    """One IFD: where it stands and its entries in the order of the file."""

    position: int
    entries: tuple[Entry, ...]

    def entry(self, tag: int) -> Entry | None:
        """The first entry with this tag."""
        return next((entry for entry in self.entries if entry.tag == tag), None)

    @property
    def end(self) -> int:
        """Behind the offset of the next directory."""
        return self.position + 2 + 12 * len(self.entries) + 4


class Tiff:
    """An EXIF block, from its byte order mark on, read to be edited.

    Raises:
        ImageError: The block is damaged.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        if data[:4] not in (b"MM\0*", b"II*\0"):
            raise _damaged(f"it begins with {data[:4]!r}; expected 'MM' or 'II'")
        self.order = ">" if data[:2] == b"MM" else "<"
        self.main = self._directory(self._unpack("I", 4))
        pointer = self.main.entry(EXIF_POINTER)
        if pointer is not None and (pointer.kind not in _OFFSETS or pointer.count != 1):
            raise _damaged(
                f"its pointer {EXIF_POINTER:#06x} is {pointer.count} of type {pointer.kind}; expected one offset"
            )
        self.inner = self._directory(self._unpack("I", pointer.position + 8)) if pointer else None

    @property
    def big_endian(self) -> bool:
        """Whether numbers are written with the most significant byte first."""
        return self.order == ">"

    def comment(self) -> Entry | None:
        """The user comment: where the standard puts it, or in the main directory, where some programs do."""
        inner = self.inner.entry(USER_COMMENT) if self.inner else None
        return inner or self.main.entry(USER_COMMENT)

    def labelled(self, label: bytes) -> Entry | None:
        """The first tag of the main directory whose text begins with a label."""
        entries = (entry for entry in self.main.entries if _SIZES.get(entry.kind) == 1)
        return next((entry for entry in entries if self.value(entry).startswith(label)), None)

    def value(self, entry: Entry) -> bytes:
        """The bytes of a tag's value."""
        return self.data[entry.start : entry.start + entry.size]

    def with_comment(self, value: bytes) -> list[Splice]:
        """Splices that add a user comment to a block without one."""
        padding = b"\0" * (len(self.data) % 2)
        end = len(self.data) + len(padding)
        pointer = self.main.entry(EXIF_POINTER)
        if self.inner is not None and pointer is not None:
            added = self._table(
                self.inner, (USER_COMMENT, UNDEFINED, len(value), end + _table_size(self.inner))
            )
            changed = self._number(pointer.position + 8, end)
        else:
            inner = end + _table_size(self.main)
            added = self._table(self.main, (EXIF_POINTER, _LONG, 1, inner))
            empty = Directory(inner, ())
            added += self._table(empty, (USER_COMMENT, UNDEFINED, len(value), inner + _table_size(empty)))
            changed = self._number(4, end)
        return [changed, Splice(len(self.data), b"", padding + added + value)]

    def with_value(self, entry: Entry, value: bytes) -> list[Splice]:
        """Splices that change the value of a tag: at the end of the block, in place of the old one if that stands there."""
        if _SIZES.get(entry.kind) != 1:
            raise _damaged(f"tag {entry.tag:#06x} is of type {entry.kind}; expected text or bytes")
        alone = self._is_alone(entry)
        if alone and len(value) == entry.size:
            return [Splice(entry.start, self.value(entry), value)]
        tail = alone and entry.start + entry.size == len(self.data)
        start = entry.start if tail else len(self.data)
        told = self._pack("HHI", entry.tag, entry.kind, len(value))
        if len(value) <= 4:
            told += value.ljust(4, b"\0")
            added = b""
        else:
            padding = b"" if tail else b"\0" * (len(self.data) % 2)
            told += self._pack("I", start + len(padding))
            added = padding + value
        return [
            Splice(entry.position, self.data[entry.position : entry.position + 12], told),
            Splice(start, self.data[start:], added),
        ]

    def _is_alone(self, entry: Entry) -> bool:
        """Whether a value stands outside its entry and shares no byte with anything else."""
        if entry.size <= 4:
            return False
        return all(
            end <= entry.start or start >= entry.start + entry.size or owner == entry.position
            for start, end, owner in self._extents()
        )

    def _extents(self) -> list[tuple[int, int, int]]:
        """Where directories and values stand: from, to, and the position of the directory or entry."""
        extents: list[tuple[int, int, int]] = [(0, 8, 0)]
        waiting = [self.main.position]
        seen: set[int] = set()
        while waiting:
            position = waiting.pop()
            if not position or position in seen:
                continue
            seen.add(position)
            if len(seen) > _MOST_DIRECTORIES:
                raise _damaged("it holds more directories than any camera writes")
            directory = self._directory(position)
            extents.append((position, directory.end, position))
            waiting.append(self._unpack("I", directory.end - 4))
            thumbnail: dict[int, int] = {}
            for entry in directory.entries:
                if entry.size > 4:
                    extents.append((entry.start, entry.start + entry.size, entry.position))
                if entry.tag in _POINTERS:
                    waiting.append(self._unpack("I", entry.position + 8))
                if entry.tag in (0x0201, 0x0202, 0x0111, 0x0117) and entry.kind == _LONG and entry.count == 1:
                    thumbnail[entry.tag] = self._unpack("I", entry.position + 8)
            for at, size in ((0x0201, 0x0202), (0x0111, 0x0117)):
                if at in thumbnail and size in thumbnail:
                    extents.append((thumbnail[at], thumbnail[at] + thumbnail[size], position))
        return extents

    def _directory(self, position: int) -> Directory:
        count = self._unpack("H", position)
        if count > _MOST_ENTRIES or position + 2 + 12 * count + 4 > len(self.data):
            raise _damaged(f"its directory at {position} with {count} entries reaches past its end")
        entries = []
        for at in range(position + 2, position + 2 + 12 * count, 12):
            tag, kind, length = struct.unpack_from(self.order + "HHI", self.data, at)
            size = _SIZES.get(kind, 1) * length
            start = at + 8 if size <= 4 else self._unpack("I", at + 8)
            if start + size > len(self.data):
                raise _damaged(f"tag {tag:#06x} at {at} reaches past its end")
            entries.append(Entry(tag, kind, length, at, start, size))
        return Directory(position, tuple(entries))

    def _table(self, directory: Directory, added: tuple[int, int, int, int]) -> bytes:
        """A copy of a directory with one more entry (tag, type, count, value) in its place by tag."""
        entries = [(each.tag, self.data[each.position : each.position + 12]) for each in directory.entries]
        place = sum(tag < added[0] for tag, _ in entries)
        entries.insert(place, (added[0], self._pack("HHII", *added)))
        following = self.data[directory.end - 4 : directory.end] if directory.entries else bytes(4)
        return self._pack("H", len(entries)) + b"".join(entry for _, entry in entries) + following

    def _number(self, position: int, value: int) -> Splice:
        return Splice(position, self.data[position : position + 4], self._pack("I", value))

    def _pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.order + form, *values)

    def _unpack(self, form: str, position: int) -> int:
        try:
            return int(struct.unpack_from(self.order + form, self.data, position)[0])
        except struct.error as error:
            raise _damaged(f"an offset leads to {position}, past its end at {len(self.data)}") from error


def new_block(comment: bytes) -> bytes:
    """An EXIF block that holds a user comment and nothing else."""
    pointer = struct.pack(">HHHIII", 1, EXIF_POINTER, _LONG, 1, 26, 0)
    inner = struct.pack(">HHHIII", 1, USER_COMMENT, UNDEFINED, len(comment), 44, 0)
    return b"MM\0*" + struct.pack(">I", 8) + pointer + inner + comment


def _table_size(directory: Directory) -> int:
    """Bytes of a copy with one more entry."""
    return directory.end - directory.position + 12


def _damaged(what: str) -> ImageError:
    return ImageError(
        f"the EXIF block is damaged: {what}. Repair the file, or write the scores into an XMP file beside the picture instead."
    )
