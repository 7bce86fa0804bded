"""What checks measured over the updates, as a picture that is drawn anew after each, by matplotlib."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from imagereward_core.files.whole import written_whole

from ..guards.watchdog import History

CURVES = "curves.png"
_GREY, _BLUE, _RED = "#8a8a8a", "#1f5fa8", "#c23b22"


def draw_tuning_curves(history: History, updates: Path, path: Path, title: str) -> bool:
    """Writes the curves as PNG; returns False, and writes nothing, where matplotlib is not installed or there is nothing to draw.

    Args:
        history: The checks.
        updates: The table of updates.
        path: Whatever is there is replaced.
        title: Above all.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    if not history.checks:
        return False
    scorers = list(history.checks[0].scores)
    panels = min(3, len(scorers)) + 2
    figure = Figure(figsize=(3.4 * panels, 3.2))
    figure.subplots_adjust(0.2 / panels, 0.16, 1 - 0.05 / panels, 0.8, 0.25)
    axes = list(figure.subplots(1, panels))
    steps = [each.update for each in history.checks]
    drawn = _column(updates, "reward")
    for number, name in enumerate(scorers[: panels - 2]):
        axis = axes[number]
        if not number and drawn:
            axis.plot(*drawn, color=_GREY, linewidth=0.8, label="while tuning")
        axis.plot(steps, [each.mean(name) for each in history.checks], "o-", color=_BLUE, label="checks")
        axis.set_title(_plain(f"{name} ({'tuned to' if not number else 'not tuned to'})"), fontsize=9)
        axis.axhline(history.checks[0].mean(name), color=_GREY, linestyle="--", linewidth=0.8)
        if not number and drawn:
            axis.legend(frameon=False, fontsize=8)
    axes[-2].plot(steps, [each.diversity for each in history.checks], "o-", color=_BLUE)
    axes[-2].set_title("diversity", fontsize=9)
    axes[-2].set_ylim(
        0, 1.15 * max((each.diversity for each in history.checks if each.diversity > 0), default=1.0)
    )
    for column, colour in (("denoising_loss", _BLUE), ("distance", _RED)):
        if found := _column(updates, column):
            axes[-1].plot(*found, color=colour, linewidth=0.8, label=column.replace("_", " "))
    axes[-1].set_title("denoising, and distance to the frozen model", fontsize=9)
    for axis in axes:
        axis.set_xlabel("update")
        axis.grid(alpha=0.3)
        axis.xaxis.get_major_locator().set_params(integer=True)
        for each in history.checks:
            if each.faults:
                axis.axvline(each.update, color=_RED, linestyle=":", linewidth=0.9)
    if axes[-1].get_legend_handles_labels()[0]:
        axes[-1].legend(frameon=False, fontsize=8)
    figure.suptitle(_plain(title), fontsize=10)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})
    return True


def _column(path: Path, name: str) -> tuple[list[int], list[float]] | None:
    """Updates and numbers of a column, as far as there are any."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows: list[dict[str, Any]] = [row for row in csv.DictReader(file) if row.get(name)]
    except OSError:
        return None
    return ([int(row["update"]) for row in rows], [float(row[name]) for row in rows]) if rows else None


def _plain(text: str) -> str:
    return text.replace("$", r"\$")
