"""What a page's script is told of each picture that it shows; see ``javascript/imagereward_deck.js``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..library.store.records import Row
    from .filter import Choice, Filter
    from .view import View

_TIE = "\N{NO-BREAK SPACE}"
_SEPARATOR = f"{_TIE}· "


class Cards:
    """The facts about pictures of a view, by their places among its rows; ``address`` gives the id a page asks for a picture by."""

    def __init__(self, view: View, choice: Choice, address: Callable[[Row], str]) -> None:
        self.view, self.choice, self.address = view, choice, address
        scores = view.result.main
        self._ranks, self._percentiles = scores.ranks(), scores.percentiles()

    def __getitem__(self, place: int) -> dict[str, Any]:
        """The facts as JSON takes them."""
        row, value = self.view.rows[place], self.view.result.main.values[place]
        return {
            "id": self.address(row),
            "name": row.path.name,
            "caption": caption(
                self.view, self.choice, place, float(self._percentiles[place]), int(self._ranks[place])
            ),
            "reason": self.choice.selection.reasons[place],
            "scored": not math.isnan(value),
            "kept": place in self.choice.kept,
            "decision": row.decision,
            "stars": row.stars,
            "width": row.width,
            "height": row.height,
        }


def caption(view: View, choice: Choice, place: int, percentile: float, rank: int) -> str:
    """What stands on a picture; below a small one it takes two lines, and no fact goes on in the next."""
    row, value = view.rows[place], view.result.main.values[place]
    stars = [f"{row.stars}★"] if row.stars else []
    if math.isnan(value):
        return _SEPARATOR.join([f"no{_TIE}score", *stars, row.path.name])
    parts = [f"#{rank}", f"{value:.3f}"]
    if not math.isnan(percentile):
        parts.append(f"{percentile:.0f}{_TIE}%")
    return ("" if place in choice.kept else f"✕{_TIE}") + _SEPARATOR.join(parts + stars)


def leaving(wanted: Filter) -> dict[str, Any]:
    """What takes a picture with a score out of those that are shown: a decision of this kind, so many stars; None for none.

    Only what does so whatever the other pictures are. Stars count where nobody has decided.
    """
    decision = {"kept": False, "rejected": True}.get(wanted.show)
    stars = wanted.keep_stars if wanted.show == "rejected" and wanted.keep_stars else None
    return {"kept": decision, "stars": stars}
