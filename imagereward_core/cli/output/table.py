"""Tables for a terminal: aligned also with wide characters, never wider than the window, readable in plain ASCII."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass

from ...plain import plain

_LINE_ENDS = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
_GAP = 2
_LEAST = 12
_COMFORT = 24


@dataclass(frozen=True)
class Column:
    """A column and its heading.

    Attributes:
        right: Whether numbers in it are aligned at the right.
        flexible: Whether long texts in it may be shortened.
        keep_end: Whether a shortened text keeps its end, as a file name should.
        dispensable: Whether the column goes where the window is so narrow that others would become hard to read.
    """

    title: str
    right: bool = False
    flexible: bool = False
    keep_end: bool = False
    dispensable: bool = False


def text_width(text: str) -> int:
    """Columns that ``text`` takes in a terminal: 2 for wide characters (East Asian width W and F), 0 for combining ones."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, width: int, ellipsis: str, keep_end: bool = False) -> str:
    """``text`` in at most ``width`` columns, its end or its beginning replaced by ``ellipsis`` where it is longer."""
    if text_width(text) <= width:
        return text
    room = width - text_width(ellipsis)
    kept: list[str] = []
    for character in reversed(text) if keep_end else text:
        room -= _character_width(character)
        if room < 0:
            break
        kept.append(character)
    return ellipsis + "".join(reversed(kept)) if keep_end else "".join(kept) + ellipsis


def render_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    width: int | None,
    ellipsis: str = "…",
    gaps: Container[int] = (),
) -> str:
    """The table, with a line end after every row.

    Columns without any content are left out. A cell is one line; characters in it that command a terminal are written out. ``width`` is
    that of the window, None for as wide as it takes; before the rows in ``gaps`` an empty line is left.
    """
    clean = [[plain(_LINE_ENDS.sub(" ", cell)).strip() for cell in row] for row in rows]
    used = [place for place in range(len(columns)) if not rows or any(row[place] for row in clean)]
    shown = used
    widths = _widths(columns, clean, shown, width)
    squeezed = any(
        columns[place].flexible and room < _COMFORT for place, room in zip(shown, widths, strict=True)
    )
    if width is not None and squeezed and _total(_widths(columns, clean, shown, None)) > width:
        shown = [place for place in used if not columns[place].dispensable]
        widths = _widths(columns, clean, shown, width)
    lines = []
    for number, cells in enumerate(([column.title for column in columns], *clean), start=-1):
        if number in gaps:
            lines.append("")
        parts = []
        for place, room in zip(shown, widths, strict=True):
            column = columns[place]
            text = shorten(cells[place], room, ellipsis, column.keep_end) if column.flexible else cells[place]
            space = " " * (room - text_width(text))
            parts.append(space + text if column.right else text + space)
        lines.append((" " * _GAP).join(parts).rstrip())
    return "\n".join(lines) + "\n"


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _widths(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], shown: Sequence[int], limit: int | None
) -> list[int]:
    """Widths of the columns ``shown``: as wide as their content, the widest flexible ones shortened to fit ``limit``."""
    widths = [
        max([text_width(columns[place].title), *(text_width(row[place]) for row in rows)]) for place in shown
    ]
    flexible = [number for number, place in enumerate(shown) if columns[place].flexible]
    while limit is not None and _total(widths) > limit:
        widest = max(flexible, key=lambda number: widths[number], default=None)
        if widest is None or widths[widest] <= _LEAST:
            break
        others = [widths[number] for number in flexible if widths[number] < widths[widest]]
        equals = [number for number in flexible if widths[number] == widths[widest]]
        goal = max(_LEAST, max(others, default=0))
        excess = _total(widths) - limit
        step = min(widths[widest] - goal, -(-excess // len(equals))) or 1
        for number in equals:
            widths[number] -= step
    return widths
