"""The contract of a reader of prompts, and the choice of a column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...data.notes import Notes
from ..errors import SelectionError

USUAL = ("prompt", "caption", "text")
"""Names of the column with the prompts; the first that is there."""


@dataclass(frozen=True)
class Source:
    """Something that has prompts in rows.

    Attributes:
        title: What it is, in words that may follow "expected".
        rows: Gives the text of every row, an empty one where it has none, None where it was left out, which is noted then.
    """

    title: str
    rows: Callable[[Notes], Iterator[str | None]]


def column_of(
    names: Sequence[str],
    wanted: str,
    where: str,
    usual: Sequence[str] = USUAL,
    option: str = "--column",
) -> int:
    """The place of the column that is wanted, else of the first one with a usual name, in any letter case.

    Args:
        names: Of all columns.
        wanted: The one that was asked for; empty for one with a usual name.
        where: What has these columns, for the error.
        usual: Usual names.
        option: By which another one can be asked for.

    Raises:
        SelectionError: There is none.
    """
    known = [name.strip().casefold() for name in names]
    for name in (wanted,) if wanted else usual:
        if name.strip().casefold() in known:
            return known.index(name.strip().casefold())
    shown = ", ".join(repr(name) for name in names[:20]) or "none"
    if wanted:
        raise SelectionError(f"{where}: found no column {wanted!r}; it has the columns {shown}")
    raise SelectionError(
        f"{where}: found the columns {shown}; expected one called {', '.join(usual[:-1])} or {usual[-1]}, or its name with {option}"
    )
