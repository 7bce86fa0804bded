"""Score Plot: how scores are spread, and the pictures in rank order, as one picture."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from comfy_api.latest import io, ui
from PIL import Image, ImageDraw

from .drawing import Theme, fitted, text_size, theme_of, to_tensor, write
from .errors import choice
from .schema import SCORES, SELECTION, schema
from .scored import ChosenBatch, ScoredBatch, one_scored
from .wording import number

BOTH, HISTOGRAM, BARS = "histogram and ranked bars", "histogram", "ranked bars"
SHOW = (BOTH, HISTOGRAM, BARS)
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
                SCORES.Input("scores", tooltip="From Score Images or Blend Scores."),
                SELECTION.Input(
                    "selection", optional=True, tooltip="From Filter by Score: colours kept and rejected."
                ),
                io.Combo.Input("show", options=list(SHOW), default=BOTH, tooltip="What to draw."),
                io.Int.Input("width", default=1024, min=256, max=4096, step=8, tooltip="Width in pixels."),
                io.Int.Input("height", default=640, min=200, max=4096, step=8, tooltip="Height in pixels."),
                io.Combo.Input(
                    "theme",
                    options=["dark", "light"],
                    default="dark",
                    tooltip="Light letters on dark, or the reverse.",
                ),
            ],
            [io.Image.Output("plot", display_name="plot", tooltip="The drawing as a picture.")],
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
            draw_plot(scored, kept, choice("show", show, SHOW), (width, height), theme_of(theme))
        )
        return io.NodeOutput(picture, ui=ui.PreviewImage(picture, cls=cls))


def draw_plot(
    scored: ScoredBatch, kept: list[bool] | None, show: str, size: tuple[int, int], theme: Theme
) -> Image.Image:
    """The plot; ``kept`` says for every picture whether it was kept, None where nobody chose."""
    if kept is None:
        theme = replace(theme, kept=theme.plain)
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
        write(draw, (size[0] / 2, size[1] / 2), "no picture has a score", letters, theme.faint, 0.5)
    elif show == BOTH:
        middle = top + (whole[3] - top) * 0.48
        _histogram(draw, (whole[0], top, whole[2], middle - letters), values, good, letters, theme)
        _bars(draw, (whole[0], middle, whole[2], whole[3]), order, values, good, letters, theme)
    elif show == HISTOGRAM:
        _histogram(draw, whole, values, good, letters, theme)
    else:
        _bars(draw, whole, order, values, good, letters, theme)
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
        parts.append(
            f"best {number(max(values))}, mean {number(sum(values) / len(values))}, worst {number(min(values))}"
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
    from ..imagereward_core.library.report_histogram import ticks

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
    for mark in ticks(low, high):
        at = left + (right - left) * ((mark - low) / (high - low) if high > low else (bins // 2 + 0.5) / bins)
        write(draw, (at, bottom + letters * 0.4), f"{mark:.6g}", letters, theme.faint, 0.5)


def _bars(
    draw: ImageDraw.ImageDraw,
    box: Box,
    order: list[int],
    values: list[float],
    good: list[bool],
    letters: int,
    theme: Theme,
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
    for place, (index, value, is_kept) in enumerate(zip(order, values, good)):
        x = left + place * step
        ends = sorted((height(value), zero))
        gap = min(2.0, step * 0.15)
        colour = theme.kept if is_kept else theme.rejected
        draw.rectangle(
            (x + gap, ends[0], max(x + gap, x + step - gap), max(ends[1], ends[0] + 1)), fill=colour
        )
        if step >= text_size("-0.00", letters)[0] * 1.1:
            write(draw, (x + step / 2, ends[0] - letters * 1.4), number(value, 2), letters, theme.ink, 0.5)
        if step >= text_size("000", letters)[0]:
            write(draw, (x + step / 2, bottom + letters * 0.4), str(index + 1), letters, theme.faint, 0.5)
    draw.line((left, zero, right, zero), fill=theme.faint)
    if step < text_size("000", letters)[0]:
        write(
            draw, (left, bottom + letters * 0.4), f"{len(values)} pictures, best first", letters, theme.faint
        )


def _scale(values: list[float]) -> tuple[float, float]:
    """The numbers at the foot and the head of the bars: from zero where that leaves differences visible, else from below the worst."""
    low, high = min(values), max(values)
    if low < 0 or low < 0.5 * high:
        base, head = min(0.0, low), max(0.0, high)
        return (base, head) if head > base else (base, base + 1.0)
    spread = high - low or abs(high) or 1.0
    return low - 0.25 * spread, high


NODES = [ScorePlot]
