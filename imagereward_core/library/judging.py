"""Stored numbers as the Scores a panel judges, so that rules, blends and reports work on them as on a run of the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..scores import Scores
from .records import Query, Row
from .scan.keys import key_of

if TYPE_CHECKING:
    from ..scorers.engine import PictureScorer
    from ..scorers.panel import Panel, PanelResult
    from .library import Library

NOT_YET = "it has not been scored yet; scan its folder"


def judge(
    library: Library, panel: Panel, folder: Path | None, paths: Sequence[Path] | None
) -> tuple[list[Row], PanelResult]:
    """See :meth:`imagereward_core.library.library.Library.scored`."""
    columns = [_rows(library, scorer, folder, paths) for scorer in panel.scorers]
    common = set.intersection(*({row.file for row in column} for column in columns))  # a scan may be running
    columns = [[row for row in column if row.file in common] for column in columns]
    result = panel.judge([_scores(scorer, column) for scorer, column in zip(panel.scorers, columns)])
    main = result.main
    rows = [
        replace(
            row,
            value=None if math.isnan(value) else value,
            cut=main.cut[index],
            problem=main.failures.get(index, ""),
        )
        for index, (row, value) in enumerate(zip(columns[0], main.values.tolist()))
    ]
    return rows, result


def _rows(
    library: Library, scorer: PictureScorer, folder: Path | None, paths: Sequence[Path] | None
) -> list[Row]:
    key = key_of(scorer)
    if paths is not None:
        return library.find(paths, key)
    return list(library.rows(Query(key=key, folder=folder, order="name")))


def _scores(scorer: PictureScorer, rows: Sequence[Row]) -> Scores:
    """The stored numbers of one scorer for ``rows``."""
    return Scores.for_card(
        scorer.card,
        scorer.revision,
        np.array([math.nan if row.value is None else row.value for row in rows], dtype=np.float64),
        [row.generated.prompt for row in rows],
        [row.cut for row in rows],
        {index: row.problem or NOT_YET for index, row in enumerate(rows) if row.value is None},
        scorer.spec == scorer.card.image,
    )
