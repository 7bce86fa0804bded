"""Keeps a page small enough to open: first smaller thumbnails, then links to the files, in the end fewer pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from .thumbnails import thumbnail, thumbnail_side, thumbnails

if TYPE_CHECKING:
    from ..images.decode import ImageSource
    from .contents import Contents
    from .rows import Facts
    from .thumbnails import Thumbnail

LARGEST_PAGE = 48_000_000
"""Bytes of a page, so that it stays below 50 MB: a larger one takes browsers long, and mail does not take it at all."""
_TEXT_SHARE = 0.6
"""What of it text may take; small pictures have at least the rest."""
_SIDES = (384, 256, 192, 160, 128, 96)
_SAMPLE = 24
_ELEMENT = 160
"""Bytes of the element around a small picture; its name comes on top, for which ``LARGEST_PAGE`` leaves room."""


def bytes_of(text: str) -> int:
    """Bytes that a text takes in a page."""
    return len(text.encode("utf-8", "backslashreplace"))


def fitted(
    contents: Contents, card: Callable[[Facts], str], frame: Callable[[Contents], int], largest: int
) -> tuple[Contents, int]:
    """The contents with as many of the best pictures as a page of ``largest`` bytes has room for, and the bytes their text takes.

    ``card`` is the text of a picture's card; ``frame`` the bytes of all else on a page with such contents, data of its script included.
    """
    room = int(largest * _TEXT_SHARE)
    sizes = accumulate(bytes_of(card(fact)) for fact in contents.shown)
    ends: list[int] = []
    for end in sizes:
        if ends and end > room:
            break
        ends.append(end)
    while True:
        if len(ends) < len(contents.shown):
            contents = replace(contents, most=len(ends))
        text = (ends[-1] if ends else 0) + frame(contents)
        if text <= room or len(ends) < 2:
            return contents, text
        del ends[max(1, min(len(ends) - 1, int(len(ends) * room / text))) :]


def side_for(sources: Sequence[ImageSource | None], room: int) -> int:
    """The longest side at which thumbnails of all these pictures should fit into ``room`` bytes, estimated from some of them."""
    first = thumbnail_side(len(sources))
    some = sources[:: max(1, len(sources) // _SAMPLE)][:_SAMPLE]
    for side in (side for side in _SIDES if side <= first):
        sizes = [len(small.uri) for source in some if (small := thumbnail(source, side)) is not None]
        if not sizes or (sum(sizes) / len(some) + _ELEMENT) * len(sources) <= room:
            return side
    return _SIDES[-1]


def embedded(sources: Sequence[ImageSource | None], side: int, room: int) -> Iterator[Thumbnail | None]:
    """Thumbnails, in order, for as many of the first sources as fit into ``room`` bytes; the others are not even opened."""
    for small in thumbnails(sources, side):
        room -= len(small.uri) + _ELEMENT if small is not None else 0
        if room < 0:
            return
        yield small
