"""How the scores of each generator are spread, as box plots that can be laid side by side (arXiv 2304.05977, Figure 15)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from imagereward_core.scores import FloatArray

from ...figures.document import Drawing, Figure, Section, Table, known
from .results import Compared

_BEYOND = 1.5
_MEASURES = ("lower whisker", "first quartile", "median", "third quartile", "upper whisker")


class Box(NamedTuple):
    """Five numbers that a box plot draws: the whiskers end at the last scores that are no outliers."""

    low: float
    first: float
    median: float
    third: float
    high: float


def box(values: FloatArray) -> Box:
    """The box of some scores; outliers are those more than 1.5 interquartile ranges away from it (Tukey).

    >>> box(np.array([1.0, 2.0, 3.0, 4.0, 100.0]))
    Box(low=1.0, first=2.0, median=3.0, third=4.0, high=4.0)
    """
    if not len(values):
        return Box(*[math.nan] * 5)
    first, median, third = (float(each) for each in np.quantile(values, [0.25, 0.5, 0.75]))
    reach = _BEYOND * (third - first)
    inside = values[(values >= first - reach) & (values <= third + reach)]
    # A quartile may lie between two scores, with none of the inner ones beyond it.
    return Box(min(first, float(inside.min())), first, median, third, max(third, float(inside.max())))


def scaled(boxes: Sequence[Box]) -> list[Box]:
    """Boxes of one scorer brought to 0..1 by the lowest and the highest of all their whiskers.

    >>> scaled([Box(1.0, 2.0, 3.0, 4.0, 5.0)])
    [Box(low=0.0, first=0.25, median=0.5, third=0.75, high=1.0)]
    """
    low = min((each.low for each in boxes), default=math.nan)
    width = max((each.high for each in boxes), default=math.nan) - low
    return [Box(*((value - low) / width if width else 0.5 for value in each)) for each in boxes]


def boxes_section(compared: Compared) -> Section:
    """Figure 15."""
    figures: list[Figure] = []
    tables = []
    series: dict[str, list[float]] = {}
    for result in compared.results:
        boxes = [box(values) for values in result.values]
        relative = scaled(boxes)
        series[result.scorer] = [value for each in relative for value in each]
        rows = []
        for name, raw, part, values in zip(compared.generators, boxes, relative, result.values):
            figures += [
                Figure(
                    section="distribution",
                    measure=f"{measure}{scale}",
                    scorer=result.scorer,
                    group=name,
                    value=known(value),
                    count=len(values),
                    of="pictures",
                )
                for scale, five in (("", raw), (", scaled", part))
                for measure, value in zip(_MEASURES, five)
            ]
            rows.append((name, *(f"{value:.3f}" for value in raw), *(f"{value:.2f}" for value in part)))
        scaled_titles = ("scaled: low", "25 %", "median", "75 %", "high")
        tables.append(
            Table(
                ("Generator", "Low", "25 %", "Median", "75 %", "High", *scaled_titles), rows, 1, result.scorer
            )
        )
    return Section(
        "distribution",
        "How scores are spread",
        "For each generator the scores of all its pictures: a quarter lie below the 25 % mark, half below the median. Low and high are the "
        "last scores that are no outliers (1.5 times the distance of the quartiles away from them); outliers are left out. To lay scorers "
        "side by side, scores are scaled to 0..1. The paper scales by the minimum and maximum of each score per model. If every generator "
        "had a minimum and maximum of its own, all would reach from 0 to 1 and none could look better; so here each scorer has one minimum "
        "and one maximum over all generators, without outliers. A scorer whose boxes lie further apart, seen against their height, tells "
        "the generators apart better.",
        tables,
        figures,
        drawings=[
            Drawing(
                "boxes", "Scores by generator", "", "score, scaled to 0..1", list(compared.generators), series
            )
        ],
    )
