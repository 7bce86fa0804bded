"""Drawings as SVG by matplotlib, which is an extra: without it there are tables alone."""

from __future__ import annotations

import base64
import io
import math
import textwrap
import warnings
from typing import Any

from imagereward_core.metrics.uncertainty import mean_interval
from imagereward_core.plain import plain

from .document import Drawing

MISSING = (
    "There are no drawings, because the package matplotlib cannot be loaded. The tables have all figures. Install it with: "
    "pip install 'imagereward-curator[train]'"
)
_COLOURS = ("#1f6f5c", "#c98a2b", "#4a67a8", "#a8483f", "#7a5c99", "#6b7280", "#8fae3c", "#3c9bae")
_MOST_SERIES = 12
_LETTERS = 11
"""Of a title, that an inch has room for."""
_ENDS: Any = {"fmt": "none", "ecolor": "#16181d", "elinewidth": 0.9, "capsize": 2}
_LOOK: Any = {
    "svg.hashsalt": "imagereward",  # equal figures give equal files
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar in a name is a dollar
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def can_draw() -> bool:
    """Whether matplotlib is here."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        return False
    return True


def data_uri(drawing: Drawing) -> str:
    """The drawing as a picture for a page, ``data:image/svg+xml;base64,...``."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg(drawing).encode()).decode()}"


def svg(drawing: Drawing) -> str:
    """The drawing as SVG.

    Raises:
        ImportError: matplotlib is not here.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_LOOK), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of letters that the font for measuring lacks; whoever looks at the page has them
        wide = max(4.2, min(12.0, 1.6 + 0.22 * len(drawing.labels) * max(1, len(drawing.series))))
        wide = wide if drawing.kind in ("bars", "boxes") else 5.2
        figure = Figure(figsize=(wide, 3.2), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        _KINDS[drawing.kind](axes, drawing)
        axes.set_title(textwrap.fill(plain(drawing.title), int(_LETTERS * wide)), fontsize=10)
        axes.set_xlabel(plain(drawing.across))
        axes.set_ylabel(plain(drawing.upwards))
        if not math.isnan(drawing.level):
            axes.axhline(drawing.level, color="#a8483f", linewidth=1.0, linestyle="--")
        if len(drawing.series) > 1:
            axes.legend(frameon=False, fontsize=8)
        made = io.StringIO()
        figure.savefig(made, format="svg", metadata={"Date": None, "Creator": None})
    return made.getvalue()


def _bars(axes: Any, drawing: Drawing) -> None:
    shown = list(drawing.series.items())[:_MOST_SERIES]
    width = 0.8 / len(shown)
    for number, (name, values) in enumerate(shown):
        across = [at - 0.4 + width * (number + 0.5) for at in range(len(values))]
        axes.bar(across, values, width, label=plain(name), color=_COLOURS[number % len(_COLOURS)])
        for at, value, (low, high) in zip(across, values, drawing.ends.get(name, ())):
            if not math.isnan(value - low - high):
                axes.errorbar([at], [value], [[max(0.0, value - low)], [max(0.0, high - value)]], **_ENDS)
    _name_places(axes, drawing)


def _boxes(axes: Any, drawing: Drawing) -> None:
    shown = list(drawing.series.items())[:_MOST_SERIES]
    width = 0.8 / len(shown)
    for number, (name, values) in enumerate(shown):
        colour = _COLOURS[number % len(_COLOURS)]
        boxes, places = [], []
        for at in range(len(drawing.labels)):
            low, first, middle, third, high = values[5 * at : 5 * at + 5]
            if not math.isnan(middle):
                boxes.append({"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high})
                places.append(at - 0.4 + width * (number + 0.5))
        axes.bxp(
            boxes,
            positions=places,
            widths=0.8 * width,
            showfliers=False,
            patch_artist=True,
            boxprops={"facecolor": colour, "edgecolor": colour, "alpha": 0.75},
            medianprops={"color": "#16181d"},
        )
        axes.bar([0], [0], 0, color=colour, label=plain(name))
    _name_places(axes, drawing)


def _name_places(axes: Any, drawing: Drawing) -> None:
    turned = sum(map(len, drawing.labels)) > 60
    axes.set_xticks(
        range(len(drawing.labels)),
        [plain(label) for label in drawing.labels],
        rotation=35 if turned else 0,
        ha="right" if turned else "center",
    )


def _lines(axes: Any, drawing: Drawing) -> None:
    across = [float(label) for label in drawing.labels]
    for number, (name, values) in enumerate(list(drawing.series.items())[:_MOST_SERIES]):
        axes.plot(
            across,
            values,
            label=plain(name),
            color=_COLOURS[number % len(_COLOURS)],
            linestyle="--" if number else "-",
        )


def _points(axes: Any, drawing: Drawing) -> None:
    for at, label in enumerate(drawing.labels):
        values = drawing.points[label]
        if not values:
            continue
        middle = sum(values) / len(values)
        low, high = mean_interval(values)
        ends = [[0.0], [0.0]] if math.isnan(low) else [[middle - low], [high - middle]]
        once = at == 0
        axes.plot(
            [at] * len(values),
            values,
            "o",
            color=_COLOURS[5],
            markersize=3.5,
            label="one seed" if once else None,
        )
        axes.errorbar(
            [at + 0.12],
            [middle],
            ends,
            fmt="s",
            color=_COLOURS[0],
            capsize=3,
            label="mean, 95 % interval" if once else None,
        )
    axes.set_xticks(range(len(drawing.labels)), [plain(label) for label in drawing.labels])
    axes.set_xlim(-0.5, len(drawing.labels) - 0.5)
    axes.legend(frameon=False, fontsize=8)


_KINDS = {"bars": _bars, "boxes": _boxes, "lines": _lines, "points": _points}
