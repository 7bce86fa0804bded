"""The report of a library: its rows as entries of the page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files.values import shown_name
from ..metadata.prompt_finder import ORIGINS
from ..report.contents import ReportEntry
from ..report.rows import beside_note, beside_reason, number
from ..report.write import write_report
from ..scores import FloatArray
from ..selection import Selection
from ..weights.card import ScorerCard
from .store.records import Row

if TYPE_CHECKING:
    from ..scorers.panel import Panel, PanelResult
    from .library import Library

MOST_PICTURES = 5000
"""Pictures on a page, unless another number is asked for: a file of some 40 MB that opens within two seconds."""


def write_library_report(
    path: str | os.PathLike[str],
    rows: Sequence[Row],
    result: PanelResult,
    selection: Selection,
    card: ScorerCard,
    *,
    root: Path,
    notice: str = "",
    buckets: Sequence[str] = (),
    copies: Mapping[int, Sequence[Row]] | None = None,
    most: int | None = MOST_PICTURES,
    **page: Any,
) -> Path:
    """Writes the page about files of a library.

    Args:
        path: The page.
        rows: The files, aligned with the scores.
        result: What the panel makes of them.
        selection: What was kept.
        card: Card of the scorer that decides.
        root: Files are named as seen from here.
        notice: A warning at the top, before those about the scorers.
        buckets: For every file the name of its bucket.
        copies: By the place of a file its copies, which are named with it.
        most: Show at most so many of the best; drawings count all.
        page: What else :func:`~..report.write.write_report` takes, which also says what is raised.
    """
    entries = report_entries(rows, result, root, buckets, copies or {})
    notice = " ".join(filter(None, (notice, *result.warnings)))
    return write_report(path, entries, result.main, selection, card, notice=notice, most=most, **page)


def report_entries(
    rows: Sequence[Row],
    result: PanelResult,
    root: Path,
    buckets: Sequence[str] = (),
    copies: Mapping[int, Sequence[Row]] = MappingProxyType({}),
) -> list[ReportEntry]:
    """Files of a library as a report wants them, named as seen from ``root`` where they lie below it."""
    disputed = {each.index: each.reason for each in result.disagreements}
    entries = []
    for index, row in enumerate(rows):
        beside = {other.scorer: number(other.values[index]) for other in result.beside}
        named = [shown_name(copy.path, root) for copy in copies.get(index, ())]
        reason = beside_reason(result.beside, index, str(row.path))
        notes = (
            row.generated.picture_note,
            beside_note(beside, disputed.get(index, ""), reason),
            f"Also as {', '.join(named)}" if named else "",
        )
        entries.append(
            ReportEntry(
                name=shown_name(row.path, root),
                picture=row.path,
                path=row.path,
                written=row.generated.written,
                origin=ORIGINS.get(row.generated.origin, ""),
                note=". ".join(filter(None, notes)),
                stars=row.stars,
                model=row.generated.model,
                loras=row.generated.loras,
                seed=row.generated.seed,
                bucket=buckets[index] if buckets else "",
            )
        )
    return entries


def own_history(library: Library, panel: Panel) -> FloatArray:
    """All own scores by the scorer that decides; none for a blend, whose numbers are made when they are asked for."""
    from ..scorers.blend import BlendScorer
    from .scan.keys import key_of

    if isinstance(panel.main, BlendScorer):
        return np.empty(0)
    return library.history(key_of(panel.main))
