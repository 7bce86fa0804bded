"""Scored Contact Sheet: the batch in rank order, a badge on each picture. A plain picture, so it shows wherever pictures show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui
from PIL import Image, ImageDraw

from .carried import pictures_of
from .drawing import Theme, fitted, text_size, theme_input, theme_of, to_picture, to_tensor, write
from .host.errors import choice
from .host.outputs import one, watched
from .links import ChosenBatch, ScoredBatch, one_scored
from .schema import AS_GIVEN, BEST_FIRST, SCORES, SELECTION, changed_pictures, dropdown, entry, output, schema
from .text import decimals_for, number

if TYPE_CHECKING:
    from torch import Tensor

RANK_AND_SCORE, RANK, SCORE, NONE = "rank and score", "rank", "score", "none"
BADGES = (RANK_AND_SCORE, RANK, SCORE, NONE)
ORDERS = (BEST_FIRST, AS_GIVEN)
LARGEST_SIDE = 8192


class ContactSheet(io.ComfyNode):
    """Draws the batch with its scores."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "ContactSheet",
            "Scored Contact Sheet",
            "Shows the pictures in rank order on one sheet, each with its rank and score. With a selection, kept pictures have a green "
            "frame and rejected ones are dimmed with a red one.",
            [
                entry(SCORES, "scores", "From Score Images or Blend Scores."),
                entry(io.Image, "images", "The pictures that were scored."),
                entry(
                    SELECTION, "selection", "From Filter by Score: marks kept and rejected.", optional=True
                ),
                dropdown("badge", BADGES, "What is written on each picture."),
                dropdown("order", ORDERS, "Rank order, or that of the batch."),
                entry(
                    io.Int,
                    "columns",
                    "Pictures side by side. 0: about as many as rows.",
                    default=0,
                    min=0,
                    max=32,
                ),
                entry(
                    io.Int,
                    "cell",
                    "Longest side of each picture in pixels.",
                    default=320,
                    min=64,
                    max=1024,
                    step=8,
                ),
                entry(
                    io.Int,
                    "most",
                    "Show at most this many, the first in the chosen order.",
                    default=100,
                    min=1,
                    max=1000,
                ),
                theme_input(),
                changed_pictures(),
            ],
            [output(io.Image, "sheet", "The sheet as a picture.")],
            ("grid", "image grid", "overview", "preview scores"),
            is_input_list=True,
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        scores: Any,
        images: Any,
        selection: Any = None,
        badge: Any = RANK_AND_SCORE,
        order: Any = BEST_FIRST,
        columns: Any = 0,
        cell: Any = 320,
        most: Any = 100,
        theme: Any = "dark",
        changed_pictures: Any = False,
    ) -> Any:
        """Draws."""
        scored = one_scored(scores)
        given = pictures_of(scored, images, bool(one(changed_pictures))).singles
        choices = one(selection)
        if isinstance(choices, ChosenBatch):
            choices.check(scored)
        best_first = choice("order", one(order), ORDERS) == BEST_FIRST
        shown = scored.scores.order().tolist() if best_first else list(range(len(scored)))
        drawn = draw_sheet(
            scored,
            [_frame(scored, index, each) for index, each in enumerate(given)],
            shown[: int(one(most))],
            choices.is_kept if isinstance(choices, ChosenBatch) else None,
            choice("badge", one(badge), BADGES),
            int(one(columns)),
            int(one(cell)),
            theme_of(one(theme)),
            watched,
        )
        sheet = to_tensor(drawn)
        return io.NodeOutput(sheet, ui=ui.PreviewImage(sheet, cls=cls))


def _frame(scored: ScoredBatch, index: int, given: Tensor) -> Tensor:
    """The picture itself, or of a clip the middle one of the frames that were scored."""
    if not scored.clips:
        return given
    seen = scored.clips[index].frames
    return given[min(seen[len(seen) // 2], len(given) - 1)]


def draw_sheet(
    scored: ScoredBatch,
    pictures: Sequence[Tensor],
    shown: Sequence[int],
    kept: list[bool] | None,
    badge: str,
    columns: int,
    cell: int,
    theme: Theme,
    steps: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> Image.Image:
    """The sheet: pictures ``shown``, in that order, in cells of ``cell`` pixels, fewer where the sheet would become too large.

    ``steps`` goes through the places of the sheet, and may stop.
    """
    columns = min(columns or math.ceil(math.sqrt(len(shown))), len(shown))
    rows = math.ceil(len(shown) / columns)
    gap = max(4, cell // 32)
    cell = max(32, min(cell, LARGEST_SIDE // max(columns, rows) - gap))
    letters = max(10, min(cell // 13, 40))
    head = round(text_size("Ag", letters)[1] * 1.6) + gap
    size = (columns * (cell + gap) + gap, head + rows * (cell + gap))
    sheet = Image.new("RGB", size, theme.ground)
    draw = ImageDraw.Draw(sheet)
    title = f"{scored.scores.scorer}: {len(shown)} of {scored.counted(len(scored))}"
    if kept is not None:
        title += f", {sum(kept)} kept"
    write(draw, (gap, gap), fitted(title, letters, size[0] - 2 * gap), letters, theme.ink)
    ranks = scored.scores.ranks()
    decimals = decimals_for([float(scored.scores.values[index]) for index in shown], least=3)
    for place in steps(range(len(shown))):
        index = shown[place]
        left = gap + (place % columns) * (cell + gap)
        top = head + (place // columns) * (cell + gap)
        good = None if kept is None else kept[index]
        _cell(sheet, pictures[index], (left, top), cell, good, theme)
        label = _label(badge, int(ranks[index]), number(float(scored.scores.values[index]), decimals))
        if label:
            _badge(draw, (left, top), label, letters, theme, good)
    return sheet


def _label(badge: str, rank: int, score: str) -> str:
    parts = {
        RANK_AND_SCORE: [f"#{rank}" if rank else "", score if rank else "no score"],
        RANK: [f"#{rank}" if rank else "no score"],
        SCORE: [score if rank else "no score"],
        NONE: [],
    }[badge]
    return "  ".join(part for part in parts if part)


def _cell(
    sheet: Image.Image, tensor: Tensor, at: tuple[int, int], cell: int, good: bool | None, theme: Theme
) -> None:
    """A picture in the middle of its cell, on the panel's colour where it is transparent or does not fill it."""
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((*at, at[0] + cell - 1, at[1] + cell - 1), fill=theme.panel)
    picture = to_picture(tensor)
    small = picture.convert("RGBA" if picture.mode == "RGBA" else "RGB")
    scale = cell / max(small.size)
    small = small.resize(
        (max(1, round(small.width * scale)), max(1, round(small.height * scale))), Image.Resampling.LANCZOS
    )
    if small.mode == "RGBA":
        ground = Image.new("RGBA", small.size, (*theme.panel, 255))
        small = Image.alpha_composite(ground, small).convert("RGB")
    if good is False:
        small = Image.blend(small, Image.new("RGB", small.size, theme.ground), 0.5)
    sheet.paste(small, (at[0] + (cell - small.width) // 2, at[1] + (cell - small.height) // 2))
    if good is not None:
        width = max(2, cell // 80)
        colour = theme.kept if good else theme.rejected
        draw.rectangle((*at, at[0] + cell - 1, at[1] + cell - 1), outline=colour, width=width)


def _badge(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], label: str, letters: int, theme: Theme, good: bool | None
) -> None:
    width, height = text_size(label, letters)
    pad = max(3, letters // 3)
    box = (at[0] + pad, at[1] + pad, at[0] + 3 * pad + width, at[1] + 2 * pad + height)
    colour = {None: theme.ink, True: theme.kept, False: theme.rejected}[good]
    draw.rectangle(box, fill=theme.ground, outline=colour)
    write(draw, (box[0] + pad, box[1] + pad // 2), label, letters, theme.ink)


NODES = [ContactSheet]
