"""A histogram of scores as inline SVG that keeps its letters readable at any width."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BARS_HIGH = 120
_TOP = 6


def histogram(values: Sequence[float], kept: Sequence[bool]) -> str:
    """Bars of how many pictures have which score, the kept ones at the bottom of each bar; empty for no scores.

    Positions across are percentages and those upwards pixels, so the drawing stretches with the page and its text does not.
    Every bar says in ``data-from`` and ``data-to`` where it begins and ends, for the page's script.
    """
    if not values:
        return ""
    low, high = min(values), max(values)
    number = max(8, min(40, math.ceil(2 * math.sqrt(len(values)))))
    width = (high - low) / number
    counts = [[0, 0] for _ in range(number)]
    for value, good in zip(values, kept, strict=True):
        place = min(number - 1, int((value - low) / width)) if width > 0 else number // 2
        counts[place][0 if good else 1] += 1
    tallest = max(sum(pair) for pair in counts)
    bars = []
    for place, pair in enumerate(counts):
        bottom = float(_TOP + _BARS_HIGH)
        begin, end = low + place * width, low + (place + 1) * width if place < number - 1 else high
        for kind, count in zip(("kept", "rejected"), pair, strict=True):
            height = _BARS_HIGH * count / tallest
            bottom -= height
            if count:
                bars.append(
                    f'<rect class="{kind}" data-from="{begin!r}" data-to="{end!r}" x="{100 * place / number:.3f}%" '
                    f'y="{bottom:.2f}" width="{100 / number:.3f}%" height="{height:.2f}">'
                    f"<title>{count} {kind}, up to {end:.4g}</title></rect>"
                )
    base = _TOP + _BARS_HIGH
    label = f"Histogram of {len(values)} scores from {low:.4f} to {high:.4f}"
    return (
        f'<svg class="histogram" height="{base + 22}" role="img" aria-label="{label}">{"".join(bars)}'
        f'<line x1="0" x2="100%" y1="{base}" y2="{base}"/>{axis_marks(low, high, base + 17)}</svg>'
    )


def axis_marks(low: float, high: float, y: int) -> str:
    """Round numbers along an axis from ``low`` to ``high`` that is as wide as the drawing."""
    return "".join(
        f'<text x="{100 * (mark - low) / (high - low) if high > low else 50:.2f}%" y="{y}" text-anchor="middle">{mark:.10g}</text>'
        for mark in ticks(low, high)
    )


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between ``low`` and ``high``, about five, none close to the ends; one for a single value."""
    if not high > low:
        return [float(f"{low:.4g}")]
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    margin = 0.03 * (high - low)
    first, last = math.ceil((low + margin) / step), math.floor((high - margin) / step)
    decimals = max(0, 2 - math.floor(math.log10(step)))
    return [round(number * step, decimals) for number in range(first, last + 1)]
