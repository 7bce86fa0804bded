"""What the page's script is told: the pictures of a page in their order, and what was made of its last wish. See ``javascript/``."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from typing import Any

from imagereward_core.plain import encodable

from . import wording
from .addresses import addresses
from .filtering import Filter, number_of_pages
from .session import Session

_serials = itertools.count(1)
_AROUND = 20
"""Pictures sent before and after those of a page; more than somebody judges while the program answers."""


def deck(session: Session, size: int) -> str:
    """The page of pictures as an element of the page that holds JSON; empty without a folder.

    ``start`` is the place of the first of them among all that are shown, ``picked`` that of the chosen picture, -1 for none. A few pictures
    ``before`` and ``after`` them come along, so that the script can go on to them before the program answers.
    """
    view, choice = session.view, session.choice
    if view is None or choice is None:
        return ""
    scores = view.result.main
    ranks, percentiles = scores.ranks(), scores.percentiles()

    def pictures(places: Sequence[int]) -> list[dict[str, Any]]:
        return [_picture(session, place, int(ranks[place]), float(percentiles[place])) for place in places]

    start = session.page * size
    told = {
        "serial": next(_serials),
        "start": start,
        "total": len(choice.shown),
        "pages": number_of_pages(len(choice.shown), size),
        "size": size,
        "picked": place_of(session),
        "leaving": _leaving(session.wanted),
        "before": pictures(choice.shown[max(0, start - _AROUND) : start]),
        "pictures": pictures(session.visible(size)),
        "after": pictures(choice.shown[start + size : start + size + _AROUND]),
    }
    return f'<div class="imagereward-deck" data-deck="{wording.escape(json.dumps(encodable(told), ensure_ascii=False))}"></div>'


def answer(session: Session, number: int, with_deck: bool, problem: str) -> str:
    """That a wish of the script was dealt with: its number, the chosen picture, whether a new page comes along, and what went wrong."""
    return (
        f'<i class="imagereward-answer" data-answer="{number}" data-picked="{place_of(session)}" '
        f'data-deck="{int(with_deck)}" data-problem="{wording.escape(problem)}"></i>'
    )


def place_of(session: Session) -> int:
    """Where the chosen picture is among all that are shown; -1 where none is chosen."""
    return session.shown.index(session.picked) if session.picked in session.shown else -1


def _leaving(wanted: Filter) -> dict[str, Any]:
    """What takes a picture with a score out of those that are shown: a decision of this kind, so many stars; None for none.

    Only what does so whatever the other pictures are. Stars count where nobody has decided.
    """
    decision = {"kept": False, "rejected": True}.get(wanted.show)
    stars = wanted.keep_stars if wanted.show == "rejected" and wanted.keep_stars else None
    return {"kept": decision, "stars": stars}


def _picture(session: Session, place: int, rank: int, percentile: float) -> dict[str, Any]:
    view, choice = session.view, session.choice
    assert view is not None and choice is not None
    row, value = view.rows[place], view.result.main.values[place]
    return {
        "id": addresses.of(row),
        "name": row.path.name,
        "caption": wording.caption(view, choice, place, percentile, rank),
        "reason": choice.selection.reasons[place],
        "scored": not math.isnan(value),
        "kept": place in choice.kept,
        "decision": row.decision,
        "stars": row.stars,
        "width": row.width,
        "height": row.height,
    }
