"""An evaluation as text: tables for people, Markdown, and csv, JSON and JSON lines with one figure a row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from imagereward_core.cli.output.table import Column, render_table
from imagereward_core.plain import count_of, plain, spreadsheet_safe
from imagereward_core.report.own_figures import DOCUMENT_KEYS, FIGURE_COLUMNS, sealed

from .document import Evaluation, Table

FORMS = ("table", "csv", "json", "jsonl", "markdown")
ENDINGS = {"md": "markdown"}
"""Forms by endings of files that are not their names."""
SCHEMA_VERSION = 1
_FAILURES_SHOWN = 10


def render(evaluation: Evaluation, form: str, width: int | None = None, to_file: bool = False) -> str:
    """The evaluation as a text.

    Args:
        evaluation: What was found.
        form: One of :data:`FORMS`.
        width: Columns of the window a table must fit into; None for as wide as it takes.
        to_file: Whether it goes into a file, which for people ends with a line by which it is known again.
    """
    if form == "csv":
        return _csv(evaluation)
    if form == "json":
        return json.dumps(document(evaluation), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    if form == "jsonl":
        return "".join(
            json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in evaluation.figures
        )
    text = _markdown(evaluation) if form == "markdown" else _tables(evaluation, width)
    return sealed(text, comment=form == "markdown") if to_file else text


def document(evaluation: Evaluation) -> dict[str, Any]:
    """All of it as JSON holds it."""
    values = (
        SCHEMA_VERSION,
        evaluation.kind,
        evaluation.title,
        dict(evaluation.facts),
        list(evaluation.warnings),
        {section.key: list(section.sentences) for section in evaluation.sections},
        evaluation.figures,
        [asdict(each) for each in evaluation.failures],
    )
    return dict(zip(DOCUMENT_KEYS, values, strict=True))


def _csv(evaluation: Evaluation) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIGURE_COLUMNS)
    for row in evaluation.figures:
        writer.writerow(["" if row[name] is None else _cell(row[name]) for name in FIGURE_COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> Any:
    # A writer before Python 3.13 does not quote a lone carriage return, which would end the row.
    return spreadsheet_safe(plain(value) if isinstance(value, str) else value)


def _tables(evaluation: Evaluation, width: int | None) -> str:
    parts = []
    for section in evaluation.sections:
        lines = [f"{section.title}\n"]
        for table in section.tables:
            if table.title:
                lines.append(f"{plain(table.title)}\n")
            lines.append(render_table(_columns(table), table.rows, width))
        lines += [f"{plain(sentence)}\n" for sentence in section.sentences]
        parts.append("".join(lines))
    parts.append("".join(f"{line}\n" for line in not_scored(evaluation)))
    return "\n".join(part for part in parts if part)


def _columns(table: Table) -> list[Column]:
    return [
        Column(title, right=place >= table.texts, flexible=place < table.texts)
        for place, title in enumerate(table.columns)
    ]


def not_scored(evaluation: Evaluation) -> Iterator[str]:
    """What could not be scored, in a few lines."""
    failures = evaluation.failures
    if not failures:
        return
    pictures = len({(each.prompt, each.image) for each in failures})
    yield f"Not scored: {count_of(pictures, 'picture')}. {evaluation.without}"
    for each in failures[:_FAILURES_SHOWN]:
        yield plain(f"  {', '.join(filter(None, (each.image, each.scorer)))}: {each.reason}")
    if len(failures) > _FAILURES_SHOWN:
        yield f"  and {len(failures) - _FAILURES_SHOWN:,} more; json and the page list them"


def _markdown(evaluation: Evaluation) -> str:
    parts = [f"# {_inline(evaluation.title)}\n"]
    parts.append(
        "".join(f"- {_inline(name)}: {_inline(_fact(value))}\n" for name, value in evaluation.facts.items())
    )
    parts += [f"> {_inline(warning)}\n" for warning in evaluation.warnings]
    for section in evaluation.sections:
        parts += [f"## {section.title}\n", f"{_inline(section.lead)}\n"]
        for table in section.tables:
            if table.title:
                parts.append(f"{_inline(table.title)}\n")
            lines = [
                _row(table.columns),
                _row([" :--- " if at < table.texts else " ---: " for at in range(len(table.columns))]),
            ]
            parts.append("".join([*lines, *(_row(row) for row in table.rows)]))
        if section.sentences:
            parts.append("".join(f"- {_inline(sentence)}\n" for sentence in section.sentences))
    if evaluation.failures:
        parts.append("".join(f"{_inline(line)}\n\n" for line in not_scored(evaluation)))
    return "\n".join(parts)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_inline(cell).replace('|', chr(92) + '|') for cell in cells)} |\n"


def _inline(text: str) -> str:
    """Text that stands for itself in Markdown: of others, it makes neither pages nor links."""
    return plain(text).replace("&", "&amp;").replace("<", "&lt;").replace("[", "\\[").replace("`", "\\`")


def _fact(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
