"""Writes results in the form that was asked for, to stdout or to a file."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...report.replace import replacing
from ...report.rows import is_rank_alone
from ...report.tables import Layout, row_columns, write_text
from ...scores import Scores
from ...weights.card import ScorerCard
from ..console import can_show
from .rows import Row, counts
from .table import Column, render_table

COLUMNS = (*row_columns(Row), "scorer", "revision")
"""Columns of csv when one scorer is at work; every other adds a column ``score:ID``, and all together ``beside_reason``."""

_LEFT = (
    Column("Rank", right=True),
    Column("Score", right=True),
)
_RIGHT = (
    Column("Percentile", right=True),
    Column("In prompt", right=True),
    Column("Kept"),
    Column("Cut"),
    Column("File", flexible=True, keep_end=True),
    Column("Prompt", flexible=True, dispensable=True),
    Column("Reason", flexible=True),
)


def render(
    form: str,
    rows: Sequence[Row],
    order: Sequence[int],
    scores: Scores,
    card: ScorerCard,
    rule: Mapping[str, Any] | None,
    width: int | None,
) -> str:
    """The rows as a table, csv, json or jsonl.

    Args:
        form: Which of these.
        rows: All rows.
        order: Which of them to show, and in which order.
        scores: Where the rows come from.
        card: Card of the scorer.
        rule: The filter, for the commands that have one.
        width: Columns of the window a table must fit into; None for as wide as it takes.
    """
    shown = [rows[index] for index in order]
    if form == "table":
        return _table(shown, rule, width)
    others = [*rows[0].beside] if rows else []
    text = io.StringIO(newline="")
    write_text(text, form, shown, Layout.of(Row, scores, others, card, rule, counts(rows)))
    return text.getvalue()


def _table(rows: Sequence[Row], rule: Mapping[str, Any] | None, width: int | None) -> str:
    cells = [
        (
            str(row.rank or "-"),
            *(_number(value) for value in (row.score, *row.beside.values())),
            "" if row.percentile is None else f"{row.percentile:.1f}",
            f"{row.rank_in_prompt} of {row.scored_in_prompt}" if row.rank else "-",
            ("yes" if row.kept else "no") if rule is not None else "",
            "cut" if row.prompt_cut else "",
            row.file,
            row.prompt_read,
            "; ".join(filter(None, _why(row))),
        )
        for row in rows
    ]
    by_prompt = rule is not None and rule["within"] == "prompt"
    gaps = {
        place for place in range(1, len(rows)) if by_prompt and rows[place].prompt != rows[place - 1].prompt
    }
    others = [Column(other, right=True) for other in (rows[0].beside if rows else ())]
    return render_table((*_LEFT, *others, *_RIGHT), cells, width, ellipsis(), gaps)


def _why(row: Row) -> tuple[str, ...]:
    """The reason of a row; for a picture with a score also why another scorer has none."""
    reason = "" if is_rank_alone(row.reason) else row.reason
    return reason, row.disputed, row.beside_reason if row.rank else ""


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def ellipsis() -> str:
    """The mark of a shortened text on this stdout."""
    return "…" if can_show(sys.stdout, "…") else "..."


def window_width() -> int | None:
    """Columns of the terminal that stdout is; None where it is none, so that nothing is shortened."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def put(text: str, target: Path | None, data: bool, overwrite: bool = False) -> None:
    """Writes results to ``target``, all or nothing, or prints them.

    Args:
        text: The results.
        target: A file to write as UTF-8; None for stdout.
        data: Whether this is for programs; then stdout gets UTF-8 too, whatever the terminal's encoding.
        overwrite: Whether ``target`` may replace a file that this program did not write.
    """
    # Undecodable bytes of file names come out as \udcXX, which is also how JSON writes them.
    encoded = text.encode("utf-8", "backslashreplace")
    if target is not None:
        with replacing(target, overwrite=overwrite) as temporary:
            temporary.write_bytes(encoded)
    elif data and hasattr(sys.stdout, "buffer") and not sys.stdout.isatty():
        sys.stdout.flush()
        sys.stdout.buffer.write(encoded)
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(text)
        sys.stdout.flush()
