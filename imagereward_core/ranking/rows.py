"""Ranks with their uncertainty as rows, and these as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..plain import encodable, spreadsheet_safe

SCHEMA_VERSION = 1
_DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class RankedRow:
    """What comparisons say of one picture.

    Attributes:
        image: Its name.
        rank: 1 is best; equally strong ones share a rank.
        rank_low: The best rank of the interval that holds its rank with a probability of 90 %.
        rank_high: The worst rank of the interval.
        best: How likely it is the best of all, 0..1.
        strength: Less the mean of all. A difference of 1 is odds of e to 1 that a person prefers the stronger one.
        error: Standard error of the strength.
        shown: In how many answered questions it was shown.
        won: How often it was called the best.
        tied: How often all that were shown were called equally good.
    """

    image: str
    rank: int
    rank_low: int
    rank_high: int
    best: float
    strength: float
    error: float
    shown: int
    won: int
    tied: int


def columns(beside: Sequence[str] = ()) -> list[str]:
    """The columns of a table, ``beside`` those that a page has more to say about."""
    return [field.name for field in fields(RankedRow)] + list(beside)


def cells(row: RankedRow) -> dict[str, Any]:
    """A row by column, numbers with as many digits as mean something."""
    return {
        name: round(value, _DIGITS) if isinstance(value, float) else value
        for name, value in asdict(row).items()
    }


def csv_text(rows: Sequence[RankedRow], beside: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    r"""Rows as CSV with a head. No cell is one that a spreadsheet runs as a formula.

    Args:
        rows: In the order they are written in.
        beside: More columns: for each its values by image, such as ``{"stars": {"a.png": 4}}``.

    >>> row = RankedRow(
    ...     image="a", rank=1, rank_low=1, rank_high=2, best=0.7, strength=0.5, error=0.25, shown=3, won=2, tied=0
    ... )
    >>> csv_text([row], {"stars": {"a": 4}}).splitlines()[1]
    'a,1,1,2,0.7,0.5,0.25,3,2,0,4'
    """
    beside = beside or {}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(spreadsheet_safe, columns(list(beside))))
    for row in rows:
        more = [values.get(row.image, "") for values in beside.values()]
        # A lone carriage return would end the row for some readers; before Python 3.13 a writer does not quote it.
        writer.writerow(
            [spreadsheet_safe(_one_line(encodable(cell))) for cell in [*cells(row).values(), *more]]
        )
    return text.getvalue()


def _one_line(value: Any) -> Any:
    return value.replace("\r", "\\r") if isinstance(value, str) else value


def json_text(
    rows: Sequence[RankedRow],
    beside: Mapping[str, Mapping[str, Any]] | None = None,
    head: Mapping[str, Any] | None = None,
) -> str:
    """Rows as one JSON object: ``schema_version``, what ``head`` has, and ``rows`` with the columns of :func:`csv_text`."""
    found = [
        cells(row)
        | {name: values[row.image] for name, values in (beside or {}).items() if row.image in values}
        for row in rows
    ]
    whole = {"schema_version": SCHEMA_VERSION, **(head or {}), "rows": found}
    return json.dumps(encodable(whole), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
