"""Stored numbers as the Scores a panel judges, so that rules, blends and reports work on them as on a run of the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..metadata.prompt_finder import picture_remarks
from ..scorers.meaning import constant_warning
from ..scorers.variety import Variety
from ..scores import Scores
from .scan.keys import key_of
from .store.records import Row, ScorerKey

if TYPE_CHECKING:
    from ..scorers.engine import PictureScorer
    from ..scorers.panel import Panel, PanelResult

NOT_YET = "it has not been scored yet; scan its folder"
Choose = Callable[[Sequence[Row]], Sequence[int]]


def judge(
    read: Callable[[ScorerKey], list[Row]], panel: Panel, choose: Choose | None = None
) -> tuple[list[Row], PanelResult]:
    """See :meth:`imagereward_core.library.library.Library.scored`; ``read`` gives the rows of all files with one scorer's numbers."""
    columns = [read(key_of(scorer)) for scorer in panel.scorers]
    if len(columns) > 1:  # a scan may be running
        common = set.intersection(*({row.file for row in column} for column in columns))
        columns = [[row for row in column if row.file in common] for column in columns]
    if choose is not None:
        chosen = choose(columns[0])
        columns = [[column[index] for index in chosen] for column in columns]
    result = panel.judge([_scores(scorer, column) for scorer, column in zip(panel.scorers, columns)])
    alike = [
        constant_warning(each.card.id) for each, column in zip(panel.scorers, columns) if _is_constant(column)
    ]
    seen = picture_remarks(row.generated.picture_note for row in columns[0] if row.value is not None)
    result = replace(result, warnings=tuple(dict.fromkeys((*result.warnings, *alike, *seen))))
    main = result.main
    values = (None if math.isnan(value) else value for value in main.values.tolist())
    told = ((value, main.cut[index], main.failures.get(index, "")) for index, value in enumerate(values))
    return [_telling(row, *each) for row, each in zip(columns[0], told)], result


def _is_constant(rows: Sequence[Row]) -> bool:
    """Whether different pictures have one number, also where it was given by earlier runs."""
    known = [row for row in rows if row.value is not None]
    variety = Variety()
    variety.note((row.content for row in known), ((row.value or 0.0,) for row in known))
    return variety.is_missing


def _telling(row: Row, value: float | None, cut: str, problem: str) -> Row:
    if (row.value, row.cut, row.problem) == (value, cut, problem):
        return row
    return replace(row, value=value, cut=cut, problem=problem)


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
