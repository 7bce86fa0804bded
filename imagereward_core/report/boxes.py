"""Box plots of scores by prompt, model or LoRA, as tables whose rows hold inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..plain import count_of
from .histogram import axis_marks
from .html_text import escape

MOST_GROUPS = 15
"""Rows of a plot: what can be compared at a glance."""
LEAST_IN_BOX = 5
"""From so many scores on quartiles say something; fewer are drawn as dots, each where it is."""
_MOST_DOTS = 24
_HIGH, _MIDDLE = 26, 13


@dataclass(frozen=True)
class Box:
    """Five numbers and the scores beyond the whiskers.

    ``low`` and ``high`` are the outermost scores within one and a half interquartile ranges of the quartiles ``first`` and ``third``
    (Tukey's whiskers); those ``beyond`` them rise.
    """

    low: float
    first: float
    median: float
    third: float
    high: float
    beyond: tuple[float, ...]


def box_of(values: Sequence[float]) -> Box:
    """The box of at least one finite score. Quartiles interpolate linearly between scores, as NumPy's do by default."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    first, median, third = (float(mark) for mark in np.percentile(ordered, (25, 50, 75)))
    reach = 1.5 * (third - first)
    inside = ordered[(ordered >= first - reach) & (ordered <= third + reach)]
    low, high = (float(inside[0]), float(inside[-1])) if len(inside) else (first, third)
    beyond = ordered[(ordered < low) | (ordered > high)]
    return Box(low, first, median, third, high, tuple(beyond.tolist()))


def box_plot(kind: str, noun: str, groups: Mapping[str, Sequence[float]], labels: Mapping[str, int]) -> str:
    """A plot of the groups, scores by name, with the most scores, the highest median first; empty where there is nothing to compare.

    A click on a row filters by ``kind``: ``model``, ``lora`` or ``prompt``, in words the ``noun``. ``labels`` are the numbers of the names
    in the page's filters; names without one cannot be clicked.
    """
    if len(groups) < 2 or sum(len(values) > 1 for values in groups.values()) < 2:
        return ""
    largest = sorted(groups, key=lambda name: -len(groups[name]))
    shown, others = largest[:MOST_GROUPS], largest[MOST_GROUPS:]
    boxes = {name: box_of(groups[name]) for name in shown}
    low = min(min(groups[name]) for name in shown)
    high = max(max(groups[name]) for name in shown)
    rows = "".join(
        _row(kind, name, groups[name], boxes[name], labels.get(name), low, high)
        for name in sorted(shown, key=lambda name: -boxes[name].median)
    )
    note = ""
    if others:
        pictures = count_of(sum(len(groups[name]) for name in others), "picture")
        note = f'<p class="hint">The {len(shown)} with the most pictures; {len(others)} more, with {pictures} in all, are not drawn.</p>'
    return f"""<div class="plot-of" data-kind="{kind}"><table class="boxes">
<caption>Scores by {noun}</caption>
<thead><tr><th scope="col">{noun[0].upper()}{noun[1:]}</th><th scope="col">Pictures</th><th scope="col">Median</th>
<th scope="col">Scores</th></tr></thead>
<tbody>{rows}</tbody>
<tfoot aria-hidden="true"><tr><td colspan="3"></td><td class="plot">{_axis(low, high)}</td></tr></tfoot></table>{note}</div>"""


def _row(
    kind: str, name: str, values: Sequence[float], box: Box, label: int | None, low: float, high: float
) -> str:
    shown = f'<span dir="auto">{escape(name)}</span>'
    if label is not None:
        shown = f'<button type="button" class="pick" data-kind="{kind}" data-value="{label}">{shown}</button>'
    return (
        f'<tr><th scope="row" title="{escape(name)}">{shown}</th><td>{len(values)}</td><td>{box.median:.4f}</td>'
        f'<td class="plot">{_drawing(values, box, low, high)}</td></tr>'
    )


def _drawing(values: Sequence[float], box: Box, low: float, high: float) -> str:
    """One row's box, whiskers and dots. Positions across are percentages, so it stretches with the page."""

    def wide(begin: float, end: float, single: float = 0) -> str:
        return f"{100 * ((end / 2 - begin / 2) / (high / 2 - low / 2)) if high > low else single:.2f}%"

    def across(value: float) -> str:
        return wide(low, value, 50)

    if len(values) < LEAST_IN_BOX:
        dots: Sequence[float] = sorted(values)
        words = f"scores {', '.join(f'{value:.4f}' for value in dots)}"
        parts = []
    else:
        dots = _spread(box.beyond)
        words = (
            f"median {box.median:.4f}, half of the scores from {box.first:.4f} to {box.third:.4f}, "
            f"whiskers {box.low:.4f} to {box.high:.4f}, {len(box.beyond)} beyond"
        )
        parts = [
            f'<line x1="{across(box.low)}" x2="{across(box.high)}" y1="{_MIDDLE}" y2="{_MIDDLE}"/>',
            *(
                f'<line x1="{across(end)}" x2="{across(end)}" y1="{_MIDDLE - 4}" y2="{_MIDDLE + 4}"/>'
                for end in (box.low, box.high)
            ),
            f'<rect x="{across(box.first)}" width="{wide(box.first, box.third)}" y="5" height="{_HIGH - 10}" rx="2"/>',
            f'<line class="median" x1="{across(box.median)}" x2="{across(box.median)}" y1="4" y2="{_HIGH - 4}"/>',
        ]
    circles = "".join(f'<circle cx="{across(value)}" cy="{_MIDDLE}" r="2.5"/>' for value in dots)
    return f'<svg class="box" height="{_HIGH}" role="img" aria-label="{words}"><title>{words}</title>{"".join(parts)}{circles}</svg>'


def _spread(values: Sequence[float]) -> Sequence[float]:
    """All of them, or of many the outermost ones and evenly chosen ones between."""
    if len(values) <= _MOST_DOTS:
        return values
    return [values[round(place * (len(values) - 1) / (_MOST_DOTS - 1))] for place in range(_MOST_DOTS)]


def _axis(low: float, high: float) -> str:
    if not math.isfinite(high - low):
        return ""
    return f'<svg class="box axis" height="18">{axis_marks(low, high, 14)}</svg>'
