"""The data for the page's script: the pictures of a page in order, and the answer to its last command. See ``javascript/``."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

from imagereward_core.gallery.cards import Cards, leaving
from imagereward_core.gallery.filter import number_of_pages
from imagereward_core.plain import encodable

from . import html
from .session import Session
from .shown import addresses

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
    told_of = Cards(view, choice, addresses.of)

    def pictures(places: Sequence[int]) -> list[dict[str, Any]]:
        return [told_of[place] for place in places]

    start = session.page * size
    told = {
        "serial": next(_serials),
        "start": start,
        "total": len(choice.shown),
        "pages": number_of_pages(len(choice.shown), size),
        "size": size,
        "picked": place_of(session),
        "leaving": leaving(session.wanted),
        "before": pictures(choice.shown[max(0, start - _AROUND) : start]),
        "pictures": pictures(session.visible(size)),
        "after": pictures(choice.shown[start + size : start + size + _AROUND]),
    }
    return f'<div class="imagereward-deck" data-deck="{html.escape(json.dumps(encodable(told), ensure_ascii=False))}"></div>'


def answer(session: Session, number: int, with_deck: bool, problem: str, quick: Any = None) -> str:
    """The answer to a command of the script: its number, the chosen picture, whether a new page comes along, and what went wrong.

    With it goes what quick ranking has to say, where it was asked.
    """
    told = "" if quick is None else html.escape(json.dumps(encodable(quick), ensure_ascii=False))
    return (
        f'<i class="imagereward-answer" data-answer="{number}" data-picked="{place_of(session)}" '
        f'data-deck="{int(with_deck)}" data-problem="{html.escape(problem)}" data-quick="{told}"></i>'
    )


def place_of(session: Session) -> int:
    """Where the chosen picture is among all that are shown; -1 where none is chosen."""
    return session.shown.index(session.picked) if session.picked in session.shown else -1
