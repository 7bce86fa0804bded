"""Writes results in the form that was asked for, to stdout or to a file."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...report.replace import replacing
from ...report.rows import JudgedRow as Row
from ...report.rows import is_rank_alone
from ...report.tables import Layout, row_columns, write_text
from ...scores import Scores
from ...weights.card import ScorerCard
from ..console import can_show
from .rows import counts
from .table import Column, render_table

COLUMNS = (*row_columns(Row), "scorer", "revision")
"""Columns of csv when one scorer is at work; every other adds a column ``score:ID``, and all together ``beside_reason``."""

_LEFT = (Column("Rank", right=True), Column("Score", right=True))
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
    """The rows of ``order`` as a table, csv, json or jsonl.

    ``rule`` is the filter of commands that have one, ``width`` the columns of the window a table must fit into, None for as wide as it
    takes.
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
            *("-" if value is None else f"{value:.4f}" for value in (row.score, *row.beside.values())),
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
    prompts = [row.prompt for row in rows]
    gaps = [place for place in range(1, len(rows)) if by_prompt and prompts[place] != prompts[place - 1]]
    others = [Column(other, right=True) for other in (rows[0].beside if rows else ())]
    return render_table((*_LEFT, *others, *_RIGHT), cells, width, ellipsis(), gaps)


def _why(row: Row) -> tuple[str, ...]:
    """The reason of a row; for a picture with a score also why another scorer has none."""
    reason = "" if is_rank_alone(row.reason) else row.reason
    return reason, row.disputed, row.beside_reason if row.rank else ""


def ellipsis() -> str:
    """The mark of a shortened text on this stdout."""
    return "…" if can_show(sys.stdout, "…") else "..."


def window_width() -> int | None:
    """Columns of the terminal that stdout is; None where it is none, so that nothing is shortened."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def put(text: str, target: Path | None, data: bool, overwrite: bool = False) -> None:
    """Writes results to ``target``, all or nothing, or prints them; in UTF-8, or, if no ``data`` for programs, as the terminal has it."""
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
