"""A scored folder as the page sees it, and the request it was made from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..library.curate.candidates import judged_files
from ..library.curate.options import CurateOptions

if TYPE_CHECKING:
    from ..library.library import Library
    from ..library.scan.options import ScanOptions
    from ..library.store.records import Row
    from ..scorers.panel import Panel, PanelResult
    from ..scorers.requests import LoadRequest
    from ..weights.card import ScorerCard


@dataclass(frozen=True)
class Wish:
    """A request to score a folder. Copies in ``folders``, the absolute ones of kept and rejected, do not compete with originals."""

    folder: Path
    request: LoadRequest
    options: ScanOptions
    folders: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class View:
    """A folder with its scores.

    Attributes:
        homes: For every picture the folder it counts as part of, also where it has been moved to the folder for kept ones.
        result: Their scores, in the order of the rows.
        history: All own scores by this scorer, for percentiles against them.
        earlier: Those of them that are of other pictures than these.
        copies: Copies that lie in destination folders, by the path of the original, as name and path.
    """

    wish: Wish
    rows: Sequence[Row]
    homes: Sequence[str]
    result: PanelResult
    card: ScorerCard
    history: Sequence[float] = ()
    earlier: Sequence[float] = ()
    copies: Mapping[Path, Sequence[tuple[str, Path]]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder that was scored."""
        return self.wish.folder

    def with_said(self, content: str, **said: Any) -> View:
        """The same with what a person said about a picture, its ``stars`` or ``decision``, noted on all files with the same pixels."""
        rows = tuple(replace(row, **said) if row.content == content else row for row in self.rows)
        return replace(self, rows=rows)

    @cached_property
    def places(self) -> Mapping[Path, int]:
        """Where each picture is among the rows, by its path."""
        return {row.path: place for place, row in enumerate(self.rows)}

    def limits(self) -> tuple[float, float]:
        """Lowest and highest score, rounded outwards to what a slider can show; (0, 1) without any score."""
        known = [value for value in self.result.main if not math.isnan(value)]
        if not known:
            return 0.0, 1.0
        least, most = min(known), max(known)
        step = slider_step(least, most)
        low, high = round(math.floor(least / step) * step, 6), round(math.ceil(most / step) * step, 6)
        # A multiple of the step may lie a rounding inside of what it is to hold.
        low = low if low <= least else low - step
        return low, high if high >= most and high > low else high + step


def slider_step(low: float, high: float) -> float:
    """A round step of which about two hundred lie between ``low`` and ``high``.

    At the least a millionth, and what scores of this size can be told apart by.

    >>> slider_step(-2, 2), slider_step(0, 5e-324), slider_step(0.3, 0.3)
    (0.02, 1e-06, 0.01)
    """
    share = high / 200 - low / 200  # the span itself may be too large for a number
    finest = max(1e-6 if low < high else 0.01, 2 * math.ulp(max(abs(low), abs(high))))
    if share <= finest:
        return finest
    power = 10.0 ** math.floor(math.log10(share))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= share), 10 * power)


def read_view(library: Library, panel: Panel, wish: Wish) -> View:
    """A folder with the numbers the library has for it by a panel; copies made by earlier runs are left out."""
    from ..library.scan.keys import key_of

    options = CurateOptions(folders=wish.folders, scan=wish.options)
    destinations = options.destinations(wish.folder)
    scored, copies = judged_files(library, panel, wish.folder, options)
    single = [scorer for scorer in panel.scorers if scorer.card.id == scored.result.main.scorer]
    contents = {row.content for row in scored.rows if row.content}
    return View(
        wish,
        tuple(scored.rows),
        tuple(destinations.home(row.path).folder for row in scored.rows),
        scored.result,
        panel.card,
        library.history(key_of(single[0])).tolist() if single else (),
        library.history(key_of(single[0]), besides=contents).tolist() if single else (),
        copies,
    )
