"""Score Plot: the distribution of scores and the pictures in rank order, as one picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from comfy_api.latest import io, ui
from PIL import Image, ImageDraw

from .drawing import Theme, fitted, text_size, theme_input, theme_of, to_tensor, write
from .host.errors import choice
from .host.outputs import watched
from .links import ChosenBatch, ScoredBatch, one_scored
from .schema import SCORES, SELECTION, dropdown, entry, output, schema
from .text import axis_labels, decimals_for, number

BOTH, HISTOGRAM, BARS = "histogram and ranked bars", "histogram", "ranked bars"
SHOW = (BOTH, HISTOGRAM, BARS)
SMALLEST_LETTERS = 10
Box = tuple[float, float, float, float]


class ScorePlot(io.ComfyNode):
    """Draws scores."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "ScorePlot",
            "Score Plot",
            "Draws how the scores are spread (histogram) and every picture in rank order (bars). With a selection, kept pictures are green "
            "and rejected ones red.",
            [
                entry(SCORES, "scores", "From Score Images or Blend Scores."),
                entry(
                    SELECTION, "selection", "From Filter by Score: colours kept and rejected.", optional=True
                ),
                dropdown("show", SHOW, "What to draw."),
                entry(io.Int, "width", "Width in pixels.", default=1024, min=256, max=4096, step=8),
                entry(io.Int, "height", "Height in pixels.", default=640, min=200, max=4096, step=8),
                theme_input(),
            ],
            [output(io.Image, "plot", "The drawing as a picture.")],
            ("histogram", "chart", "score graph"),
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        scores: Any,
        selection: Any = None,
        show: str = BOTH,
        width: int = 1024,
        height: int = 640,
        theme: str = "dark",
    ) -> Any:
        """Draws."""
        scored = one_scored(scores)
        if isinstance(selection, ChosenBatch):
            selection.check(scored)
        kept = selection.is_kept if isinstance(selection, ChosenBatch) else None
        picture = to_tensor(
            draw_plot(scored, kept, choice("show", show, SHOW), (width, height), theme_of(theme), watched)
        )
        return io.NodeOutput(picture, ui=ui.PreviewImage(picture, cls=cls))


def draw_plot(
    scored: ScoredBatch,
    kept: list[bool] | None,
    show: str,
    size: tuple[int, int],
    theme: Theme,
    steps: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> Image.Image:
    """The plot; ``kept`` says for every picture whether it was kept, None where nobody chose. ``steps`` goes through what is drawn."""
    if kept is None:
        theme = theme._replace(kept=theme.plain)
    picture = Image.new("RGB", size, theme.ground)
    draw = ImageDraw.Draw(picture)
    letters = max(11, min(size) // 34)
    margin = letters * 1.4
    top = margin + _heading(draw, scored, kept, margin, size[0] - 2 * margin, letters, theme)
    whole: Box = (margin, top, size[0] - margin, size[1] - margin)
    order = [index for index in scored.scores.order().tolist() if index not in scored.scores.failures]
    values = [float(scored.scores.values[index]) for index in order]
    good = [kept is None or kept[index] for index in order]
    if not values:
        write(draw, (size[0] / 2, size[1] / 2), f"no {scored.noun} has a score", letters, theme.faint, 0.5)
        return picture
    middle = top + (whole[3] - top) * 0.48 if show == BOTH else top
    if show != BARS:
        foot = middle - letters if show == BOTH else whole[3]
        _histogram(draw, (whole[0], top, whole[2], foot), values, good, letters, theme)
    if show != HISTOGRAM:
        _bars(draw, (whole[0], middle, whole[2], whole[3]), order, values, good, letters, theme, steps)
        if (whole[2] - whole[0]) / len(values) < text_size("000", letters)[0]:
            at = (whole[0], whole[3] - letters * 1.4)
            write(draw, at, f"{scored.counted(len(values))}, best first", letters, theme.faint)
    return picture


def _heading(
    draw: ImageDraw.ImageDraw,
    scored: ScoredBatch,
    kept: list[bool] | None,
    left: float,
    width: float,
    letters: int,
    theme: Theme,
) -> float:
    """Writes what is shown and the summary; returns the height used."""
    values = [value for value in scored.scores if not math.isnan(value)]
    line = text_size("Ag", letters)[1] * 1.5
    write(
        draw,
        (left, left * 0.6),
        fitted(scored.scores.scorer, round(letters * 1.25), width),
        round(letters * 1.25),
        theme.ink,
    )
    parts = [f"{len(values)} of {scored.counted(len(scored))} scored"]
    if values:
        decimals = decimals_for(values, least=4)
        parts.append(
            f"best {number(max(values), decimals)}, mean {number(sum(values) / len(values), decimals)}, "
            f"worst {number(min(values), decimals)}"
        )
    if kept is not None:
        parts.append(f"{sum(kept)} kept")
    write(
        draw, (left, left * 0.6 + line * 1.3), fitted("; ".join(parts), letters, width), letters, theme.faint
    )
    return line * 2.2


def _histogram(
    draw: ImageDraw.ImageDraw, box: Box, values: list[float], good: list[bool], letters: int, theme: Theme
) -> None:
    """How many pictures have which score, the kept ones at the bottom of each bar."""
    from ..imagereward_core.report.histogram import ticks

    left, top, right, bottom = box
    bottom -= letters * 1.8
    low, high = min(values), max(values)
    bins = max(8, min(40, math.ceil(2 * math.sqrt(len(values)))))
    counts = [[0, 0] for _ in range(bins)]
    for value, is_kept in zip(values, good):
        place = min(bins - 1, int((value - low) / (high - low) * bins)) if high > low else bins // 2
        counts[place][0 if is_kept else 1] += 1
    tallest = max(sum(pair) for pair in counts)
    draw.rectangle((left, top, right, bottom), fill=theme.panel)
    step = (right - left) / bins
    for place, pair in enumerate(counts):
        foot = bottom
        for count, colour in zip(pair, (theme.kept, theme.rejected)):
            if count:
                head = foot - (bottom - top - letters * 1.6) * count / tallest
                draw.rectangle(
                    (left + place * step + 1, head, left + (place + 1) * step - 2, foot), fill=colour
                )
                foot = head
        if sum(pair):
            write(
                draw,
                (left + (place + 0.5) * step, foot - letters * 1.4),
                str(sum(pair)),
                letters,
                theme.faint,
                0.5,
            )
    marks = ticks(low, high)
    for mark, label in zip(marks, axis_labels(marks)):
        at = left + (right - left) * ((mark - low) / (high - low) if high > low else (bins // 2 + 0.5) / bins)
        write(draw, (at, bottom + letters * 0.4), label, letters, theme.faint, 0.5)


def _bars(
    draw: ImageDraw.ImageDraw,
    box: Box,
    order: list[int],
    values: list[float],
    good: list[bool],
    letters: int,
    theme: Theme,
    steps: Callable[[Sequence[int]], Iterable[int]],
) -> None:
    """One bar per picture from best to worst, upwards and downwards from zero where scores lie on both sides of it."""
    left, top, right, bottom = box
    bottom -= letters * 1.8
    draw.rectangle((left, top, right, bottom), fill=theme.panel)
    base, high = _scale(values)
    room = bottom - top - letters * 1.6
    step = (right - left) / len(values)

    def height(value: float) -> float:
        return bottom - room * (value - base) / (high - base)

    zero = height(min(max(0.0, base), high))
    decimals = decimals_for(values, least=2)
    labels = [number(value, decimals) for value in values]
    small = _fitting(labels, step, letters)
    for place in steps(range(len(values))):
        index, value, is_kept = order[place], values[place], good[place]
        x = left + place * step
        ends = sorted((height(value), zero))
        gap = min(2.0, step * 0.15)
        colour = theme.kept if is_kept else theme.rejected
        draw.rectangle(
            (x + gap, ends[0], max(x + gap, x + step - gap), max(ends[1], ends[0] + 1)), fill=colour
        )
        if small:
            write(draw, (x + step / 2, ends[0] - small * 1.4), labels[place], small, theme.ink, 0.5)
        if step >= text_size("000", letters)[0]:
            write(draw, (x + step / 2, bottom + letters * 0.4), str(index + 1), letters, theme.faint, 0.5)
    draw.line((left, zero, right, zero), fill=theme.faint)


def _fitting(labels: list[str], width: float, letters: int) -> int:
    """The largest size of letters in which every label is narrower than its bar; 0 where none is readable."""
    longest = max(labels, key=len)
    sizes = range(letters, SMALLEST_LETTERS - 1, -1)
    return next((size for size in sizes if text_size(longest, size)[0] * 1.1 <= width), 0)


def _scale(values: list[float]) -> tuple[float, float]:
    """The numbers at the foot and the head of the bars: with zero where that leaves differences visible, else with a little room."""
    low, high = min(values), max(values)
    near, far = sorted((abs(low), abs(high)))
    if low < 0 < high or near < 0.5 * far:
        return min(0.0, low), max(0.0, high)
    spread = high - low or far or 1.0
    return (low, high + 0.25 * spread) if low < 0 else (low - 0.25 * spread, high)


NODES = [ScorePlot]
