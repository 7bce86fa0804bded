"""The report of a check, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from imagereward_core.cli.output.table import Column, render_table
from imagereward_core.plain import count_of, encodable

from ..ranking_set import RankingSet
from .check import CheckReport, Counts
from .findings import KINDS

_NUMBERS = ("rankings", "prompts", "images", "pairs", "ties")


def as_json(data: RankingSet, report: CheckReport) -> str:
    """The report as one JSON object, with a line end."""
    found: dict[str, Any] = {
        kind: {
            "count": findings.count,
            "wrong": KINDS[kind].wrong,
            "told": [{"where": where, "reason": reason} for where, reason in findings.told],
        }
        for kind, findings in report.found
    }
    everything = {
        "file": str(data.path),
        "format": data.format,
        "folder": str(data.images.root),
        "decoded": report.looked,
        **asdict(report.whole),
        "splits": {name: asdict(counts) for name, counts in report.splits.items()},
        "sizes": {str(size): count for size, count in report.sizes.items()},
        "annotators": report.annotators,
        "unranked": report.unranked,
        "wrong": report.found.wrong,
        "findings": found,
    }
    return json.dumps(encodable(everything), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def as_table(data: RankingSet, report: CheckReport, width: int | None, ellipsis: str, most: int) -> str:
    """The report for people.

    Args:
        data: What was checked.
        report: What was found.
        width: Columns of the window; None for as wide as it takes.
        ellipsis: What marks a shortened text.
        most: How many findings of each kind are told.
    """
    parts = [_splits(report, width, ellipsis), _sizes(report)]
    rows = []
    for kind, findings in report.found:
        for place, (where, reason) in enumerate(findings.told[:most]):
            title = "" if place else KINDS[kind].title
            rows.append((title, "" if place else f"{findings.count:,}", where, reason))
        if findings.count > min(most, len(findings.told)):
            rows.append(("", "", f"and {findings.count - min(most, len(findings.told)):,} more", ""))
    if rows:
        columns = (
            Column("Found"),
            Column("Count", right=True),
            Column("Where", flexible=True, keep_end=True),
            Column("Reason", flexible=True),
        )
        parts.append(render_table(columns, rows, width, ellipsis))
    return "\n".join(filter(None, parts))


def _splits(report: CheckReport, width: int | None, ellipsis: str) -> str:
    named = {name or "(none)": counts for name, counts in report.splits.items()}
    rows = [_row(name, counts) for name, counts in named.items()]
    if len(rows) != 1:
        rows.append(_row("all", report.whole))
    columns = (
        Column("Split"),
        *(Column(title, right=True) for title in ("Rankings", "Prompts", "Pictures", "Pairs", "Ties")),
    )
    return render_table(columns, rows, width, ellipsis)


def _row(name: str, counts: Counts) -> tuple[str, ...]:
    return (name, *(f"{getattr(counts, number):,}" for number in _NUMBERS))


def _sizes(report: CheckReport) -> str:
    sizes = ", ".join(f"{count:,} of {size}" for size, count in report.sizes.items())
    lines = [f"Rankings by their number of pictures: {sizes}"]
    people = [name for name in report.annotators if name]
    if people:
        lines.append(f"Ranked by {count_of(len(people), 'annotator')}")
    if report.unranked:
        lines.append(f"{count_of(report.unranked, 'picture')} in rankings without a rank")
    return "\n".join(lines) + "\n"
