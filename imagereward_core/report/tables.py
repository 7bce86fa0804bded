"""Writes rows as csv, JSON, JSON lines or Parquet, one after another, so that a million of them need little memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from ..errors import CuratorError
from ..plain import encodable, spreadsheet_safe
from ..scores import Scores
from ..weights.card import ScorerCard
from .rows import JudgedRow

SCHEMA_VERSION = 1
TEXT_FORMS = ("csv", "json", "jsonl")
FORMS = (*TEXT_FORMS, "parquet")

_PIECE = 10_000
"""Rows in a row group of Parquet: what stands in memory at a time."""
_WHY = "beside_reason"
_KINDS = {
    "str": "text",
    "int": "integer",
    "int | None": "integer",
    "float | None": "number",
    "bool": "flag",
    "tuple[str, ...]": "names",
}


class ExportError(CuratorError):
    """Rows cannot be written in the form that was asked for."""


@dataclass(frozen=True)
class Layout:
    """Facts that all rows of a file share.

    Attributes:
        kind: The rows' class; its fields are the columns, in their order.
        source: Columns that are the same in every row, such as the scorer; JSON has them in its head instead.
        others: Ids of scorers that stand beside; csv and Parquet have a column ``score:ID`` each, then one that says why some have none.
        head: What stands in JSON before the rows; Parquet keeps it in the file's metadata.
    """

    kind: type[JudgedRow]
    source: Mapping[str, str]
    others: Sequence[str] = ()
    head: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls,
        kind: type[JudgedRow],
        scores: Scores,
        others: Sequence[str],
        card: ScorerCard,
        rule: Mapping[str, Any] | None,
        counts: Mapping[str, int],
    ) -> Layout:
        """The layout of rows about ``scores``."""
        source = {"scorer": scores.scorer, "revision": scores.revision}
        return cls(kind, source, others, _head(scores, card, rule, counts))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of csv and Parquet."""
        return (*row_columns(self.kind), *self.source, *self._beside)

    @property
    def _beside(self) -> tuple[str, ...]:
        return (*(f"score:{other}" for other in self.others), _WHY) if self.others else ()

    def flat(self, row: JudgedRow) -> dict[str, Any]:
        """A row with one value for each of ``columns``."""
        cells = dict(vars(row))
        beside, why = cells.pop("beside"), cells.pop(_WHY)
        return {
            **cells,
            **self.source,
            **{f"score:{other}": beside.get(other) for other in self.others},
            **({_WHY: why} if self.others else {}),
        }


def row_columns(kind: type[JudgedRow]) -> tuple[str, ...]:
    """The fields of a row that are columns everywhere: all but those about other scorers."""
    return tuple(field.name for field in fields(kind) if field.name not in ("beside", _WHY))


def write_text(file: TextIO, form: str, rows: Iterable[JudgedRow], layout: Layout) -> None:
    """Writes rows as ``csv``, ``json`` or ``jsonl`` to a file opened with ``newline=""``, so that line ends stay as they are.

    Text cells of csv that a spreadsheet would run as a formula get an apostrophe in front, as spreadsheets themselves do it;
    numbers never do. JSON holds every text as it is.

    Raises:
        ExportError: There is no such form.
    """
    if form not in TEXT_FORMS:
        raise ExportError(f"the form {form!r} is not known; expected one of {', '.join(TEXT_FORMS)}")
    file.writelines({"csv": _csv, "json": _json, "jsonl": _jsonl}[form](rows, layout))


def _csv(rows: Iterable[JudgedRow], layout: Layout) -> Iterator[str]:
    line = io.StringIO(newline="")
    # Before Python 3.13 a writer quotes only those line ends that are its own, and a lone carriage return would end the row.
    writer = csv.writer(line, lineterminator="\r\n")

    def written(cells: Iterable[Any]) -> str:
        line.seek(0)
        line.truncate()
        writer.writerow(cells)
        return line.getvalue().removesuffix("\r\n") + "\n"

    columns = layout.columns
    yield written(columns)
    for row in rows:
        cells = layout.flat(row)
        yield written(_cell(cells[name]) for name in columns)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        value = "; ".join(value)
    return spreadsheet_safe(value)


def _json(rows: Iterable[JudgedRow], layout: Layout) -> Iterator[str]:
    head = json.dumps(layout.head or {}, ensure_ascii=False, allow_nan=False, indent=2)
    yield head.removesuffix("}").rstrip() + (',\n  "rows": [' if layout.head else '\n  "rows": [')
    before = "\n    "
    for row in rows:
        yield before + json.dumps(vars(row), ensure_ascii=False, allow_nan=False)
        before = ",\n    "
    yield "\n  ]\n}\n"


def _jsonl(rows: Iterable[JudgedRow], layout: Layout) -> Iterator[str]:
    for row in rows:
        yield json.dumps({**vars(row), **layout.source}, ensure_ascii=False, allow_nan=False) + "\n"


def write_parquet(path: Path, rows: Iterable[JudgedRow], layout: Layout) -> None:
    """Writes rows as Parquet.

    Raises:
        ExportError: The package pyarrow is not installed.
    """
    arrow, parquet = _pyarrow()
    kinds: dict[str, Any] = {
        "text": arrow.string(),
        "integer": arrow.int64(),
        "number": arrow.float64(),
        "flag": arrow.bool_(),
        "names": arrow.list_(arrow.string()),
    }
    types = {
        field.name: kinds[_KINDS[str(field.type)]] for field in fields(layout.kind) if field.name != "beside"
    }
    types |= {name: arrow.string() for name in layout.source}  # what is left are scores
    schema = arrow.schema([(name, types.get(name, arrow.float64())) for name in layout.columns])
    if layout.head:
        # Undecodable file names have halves of characters, which Parquet cannot hold.
        head = json.dumps(encodable(layout.head), ensure_ascii=False)
        schema = schema.with_metadata({"imagereward": head})
    remaining = iter(rows)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while piece := [encodable(layout.flat(row)) for row in islice(remaining, _PIECE)]:
            writer.write_table(arrow.Table.from_pylist(piece, schema=schema))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ExportError(
            "Parquet needs the package pyarrow, which cannot be loaded here "
            f"({error}). Install it with: pip install pyarrow, or choose csv, json or jsonl"
        ) from error
    return pyarrow, pyarrow.parquet


def require(form: str) -> None:
    """Makes sure, before any work, that ``form`` can be written here.

    Raises:
        ExportError: There is no such form, or a package for it is missing.
    """
    if form not in FORMS:
        raise ExportError(f"the form {form!r} is not known; expected one of {', '.join(FORMS)}")
    if form == "parquet":
        _pyarrow()


def _head(
    scores: Scores, card: ScorerCard, rule: Mapping[str, Any] | None, counts: Mapping[str, int]
) -> dict[str, Any]:
    """Remarks needed to read the rows."""
    return {
        "schema_version": SCHEMA_VERSION,
        "scorer": scores.scorer,
        "revision": scores.revision,
        "on_reference": scores.on_reference,
        "card": {
            "title": card.title,
            "summary": card.summary,
            "paper": card.paper,
            "licence": card.licence,
            "token_limit": card.token_limit,
            "typical_range": list(card.typical_range) if card.typical_range else None,
            "percentiles_against": scores.distribution.source if scores.distribution else None,
            "higher_is_better": card.higher_is_better,
            "notes": list(card.notes),
        },
        "rule": rule,
        "counts": counts,
    }
