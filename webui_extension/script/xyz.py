"""The X/Y/Z plot: axes for our settings, scores written onto the cells of its grid, and a table beside it. Pictures stay as they are."""

from __future__ import annotations

import csv
import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import chain, count
from pathlib import Path
from typing import Any

from imagereward_core.report.replace import replacing
from imagereward_core.settings import Setting

from .arguments import SETTINGS, Settings, from_mapping
from .state import Run

PREFIX = "[ImageReward]"
PLOT = "X/Y/Z plot"
AXES = "_imagereward_axes"
"""On the p of a cell: settings that its axes say."""
_CELL = re.compile(r"(\d+) out of \d+")
_GRID = re.compile(r"xyz_grid(_\d+)?-\d")
_LABEL = "imagereward_label"
_SHARE = 14
"""The label's height is this part of the picture's."""
_SMALLEST = 10
COLUMNS = ("axis", "setting", "value", "pictures", "mean", "spread", "best")


class Table:
    """The numbers of a plot under way, told from the next by the host's axes."""

    def __init__(self, axes: tuple[Any, ...]) -> None:
        self.axes = axes
        self.cells: dict[int, list[float]] = {}
        self.path: Path | None = None

    def rows(self) -> list[tuple[Any, ...]]:
        """A line per axis value: how many pictures, their mean, their standard deviation, their best."""
        sizes = [len(axis.values) for axis in self.axes]
        found = []
        for place, (letter, axis) in enumerate(zip("xyz", self.axes)):
            if axis.axis.label == "Nothing":
                continue
            for at, value in enumerate(axis.values):
                numbers = [
                    number
                    for cell, own in self.cells.items()
                    if _at(cell, sizes)[place] == at
                    for number in own
                ]
                found.append((letter, axis.axis.label, _plain(value), len(numbers), *_statistics(numbers)))
        return found


_table: list[Table] = []


def _at(cell: int, sizes: Sequence[int]) -> tuple[int, int, int]:
    return cell % sizes[0], cell // sizes[0] % sizes[1], cell // (sizes[0] * sizes[1])


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _statistics(numbers: Sequence[float]) -> tuple[str, str, str]:
    if not numbers:
        return "", "", ""
    spread = f"{statistics.stdev(numbers):.4f}" if len(numbers) > 1 else ""
    return f"{statistics.fmean(numbers):.4f}", spread, f"{max(numbers):.4f}"


def override(p: Any, settings: Settings, problems: list[str]) -> tuple[Settings, list[str]]:
    """The settings with what the axes of this cell say; an axis of ours switches the script on."""
    axes: Mapping[str, Any] | None = getattr(p, AXES, None)
    if not axes:
        return settings, problems
    changed, more = from_mapping({**asdict(settings), "enabled": True, **axes})
    return changed, [*problems, *more]


def is_plot(script: str) -> bool:
    """Whether the script of this title is the host's plot."""
    return script.casefold() == PLOT.casefold()


def cell_of(job: str) -> int:
    """Which cell of a plot the host's job of this name makes, from 0; -1 where it does not say."""
    found = _CELL.match(job)
    return int(found.group(1)) - 1 if found else -1


def remember(run: Run, processed: Any) -> None:
    """After a cell: its numbers for the table, and its best for the label."""
    if run.cell < 0 or not run.job.scored:
        return
    axes = _axes()
    if any(axis is None for axis in axes):
        return
    if not _is_of(axes):
        _table[:] = [Table(axes)]
    _table[-1].cells[run.cell] = [picture.value for picture in run.job.scored]
    shown = [
        picture for picture in run.job.scored if processed.images and picture.image is processed.images[0]
    ]
    if shown and not math.isnan(shown[0].value):
        label(shown[0].image, f"{shown[0].value:.4f}")


def _axes() -> tuple[Any, ...]:
    """The axes of the host's plot at hand, or of the last one."""
    from modules.shared import state

    return tuple(getattr(state, f"xyz_plot_{letter}", None) for letter in "xyz")


def _is_of(axes: tuple[Any, ...]) -> bool:
    """Whether the table at hand belongs to the plot with these axes."""
    return bool(_table) and all(one is other for one, other in zip(_table[-1].axes, axes))


def on_image_grid(params: Any) -> None:
    """The host's callback: labels the cells of a plot's grid, on copies."""
    params.imgs = labelled(params.imgs)


def on_image_saved(params: Any) -> None:
    """The host's callback: writes the table beside the plot's grid, and again as further grids of it are saved."""
    # A later plot without scores must not touch the table of an earlier one: its owner may have changed it.
    if not _is_of(_axes()) or not _is_grid(params):
        return
    table = _table[-1]
    if table.path is None:
        beside = Path(str(params.filename))
        endings = chain([""], (f"-{number}" for number in count(2)))
        places = (beside.with_name(f"{beside.stem}{ending}.csv") for ending in endings)
        table.path = next(place for place in places if not place.exists())
    with (
        replacing(table.path, overwrite=True) as place,
        place.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(table.rows())


def _is_grid(params: Any) -> bool:
    """Whether a plot's grid was saved: the first picture of its result, whatever the user's pattern calls it."""
    images = getattr(params.p, "images", None)
    return bool(images and images[0] is params.image) or bool(_GRID.match(Path(str(params.filename)).name))


def add_axes(*_: Any) -> None:
    """The host's callback before the page is built: appends our axes to the plot's."""
    from modules import scripts

    for data in scripts.scripts_data:
        if not str(data.path).endswith("xyz_grid.py"):
            continue
        known = {option.label for option in data.module.axis_options}
        data.module.axis_options.extend(
            option for option in _options(data.module.AxisOption) if option.label not in known
        )


def _options(make: Callable[..., Any]) -> list[Any]:
    return [_option(make, known) for name, known in SETTINGS.items() if name != "enabled"]


def _option(make: Callable[..., Any], known: Setting) -> Any:
    kinds = {"int": int, "float": float}

    def apply(p: Any, value: Any, values: Any) -> None:
        # A cell's p is a shallow copy: a dict shared with the others must not be written to.
        setattr(p, AXES, {**getattr(p, AXES, {}), known.name: value})

    def confirm(p: Any, values: Sequence[Any]) -> None:
        for value in values:
            problems = from_mapping({known.name: value})[1]
            if problems:
                raise RuntimeError(problems[0])

    choices: Callable[[], list[str]] | None = None
    if known.kind == "ScorerName":
        from . import ui

        choices = ui.scorers
    elif listed := ("True", "False") if known.kind == "bool" else known.choices:
        choices = lambda: list(listed)  # noqa: E731
    return make(
        f"{PREFIX} {known.label}", kinds.get(known.kind, str), apply, confirm=confirm, choices=choices
    )


def connect(door: Any) -> None:
    """Registers the callbacks."""
    door.on("before_ui", add_axes, "axes")
    door.on("image_grid", on_image_grid, "cell labels")
    door.on("image_saved", on_image_saved, "plot table")


def label(image: Any, text: str) -> None:
    """Gives a picture the label it has in a plot's grid."""
    image.info[_LABEL] = (text,)  # copies keep it, and hosts write only texts of it into files


def labelled(images: Sequence[Any]) -> list[Any]:
    """The pictures, those with a label as copies that show it; sizes stay."""
    return [_drawn(image, image.info[_LABEL][0]) if _LABEL in image.info else image for image in images]


def _drawn(image: Any, text: str) -> Any:
    from PIL import ImageDraw

    copy = image.convert("RGB")
    copy = copy.copy() if copy is image else copy
    height = max(_SMALLEST, image.height // _SHARE)
    font = _font(height)
    draw = ImageDraw.Draw(copy)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    margin = height // 3
    box = (0, image.height - (bottom - top) - 2 * margin, (right - left) + 2 * margin, image.height)
    draw.rectangle(box, fill=(0, 0, 0))
    draw.text((margin - left, box[1] + margin - top), text, font=font, fill=(255, 255, 255))
    return copy


def _font(size: int) -> Any:
    """The host's font, or Pillow's own."""
    from PIL import ImageFont

    try:
        from modules import images

        return images.get_font(size)
    except Exception:
        return ImageFont.load_default()
