"""Culling, by commands of the page's script: which picture is chosen, its stars, whether a person keeps or rejects it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from imagereward_core.errors import CuratorError
from imagereward_core.files.regular import is_regular

from ..door import report
from .deck import answer
from .quick import COMMANDS
from .session import Session
from .shown import addresses
from .updates import STALE, Values, described, everything, gallery, page_size, sendable, to_send

if TYPE_CHECKING:
    from imagereward_core.library.store.records import Row

_LONGEST = 20_000
_Shows = Callable[[Session], Values]
"""A part of the page to be shown anew, made once however many commands change it."""


def command(session: Session, text: str) -> tuple[Session, Values]:
    """Carries out a command of the page's script, and always answers it, since it waits for its number and shows what went wrong.

    It is JSON with ``number``, ``do`` and what that needs: ``at`` (place among all that are shown, from 0) and, where it is known, ``id``
    for ``show``; ``id`` and ``stars`` for ``rate``; ``id`` and ``kept`` for ``decide``; ``id`` for ``send``. ``next`` of ``rate`` and
    ``decide`` is the picture that is seen after it; without it the same one stays chosen, or what took its place. ``each`` has a list
    ``wishes`` of such ones; each is done, also where one before it failed. Those of quick ranking are in :mod:`.quick`.
    """
    wish = _read(text)
    number, after = wish.get("number"), session
    shows: dict[_Shows, None] = {}
    problems: dict[str, None] = {}
    wishes = wish.get("wishes") if wish.get("do") == "each" else [wish]
    for each in wishes if isinstance(wishes, list) and _is_whole(number) else [None]:
        after, shown, problem = _done(after, each)
        shows |= dict.fromkeys(shown)
        problems |= dict.fromkeys([problem] if problem else [])
    values: Values = {}
    for show in shows:
        values |= show(after)
    quick = values.pop("quick", None)
    values["answer"] = answer(
        after, int(cast(int, number)) if _is_whole(number) else 0, "deck" in values, " ".join(problems), quick
    )
    return after, sendable(values)


def _done(session: Session, wish: Any) -> tuple[Session, tuple[_Shows, ...], str]:
    """The page after a command, the parts of it to be shown anew, and what went wrong."""
    try:
        does = _DOES.get(str(wish.get("do"))) if isinstance(wish, dict) else None
        if does is None:
            raise CuratorError("the page asked for something this version does not know; load the page again")
        after, shown = does(session, wish)
        return after, shown, _missing(after) if wish["do"] == "show" else ""
    except CuratorError as error:
        return session, (), str(error)
    except Exception as error:
        return session, (), report("a picture failed", error)


def _read(text: str) -> dict[str, Any]:
    """A command as read from its text; empty where the text is none."""
    try:
        wish = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        wish = None
    return wish if isinstance(wish, dict) else {}


def _show(session: Session, wish: Mapping[str, Any]) -> tuple[Session, tuple[_Shows, ...]]:
    """Chooses a picture."""
    at = wish.get("at")
    if not _is_whole(at):
        raise CuratorError(f"the place of a picture is {str(at)[:40]!r}; expected a whole number")
    if wish.get("id"):  # the order may be another one by now
        place = _place(session, wish)
        at = session.shown.index(place) if place in session.shown else at
    after = session.at(int(cast(int, at)), page_size())
    return after, (described, gallery) if after.page != session.page else (described,)


def _missing(session: Session) -> str:
    """That the file of the chosen picture is not there any more; empty where it is."""
    view, place = session.view, session.picked
    if view is None or place is None or is_regular(view.rows[place].path):
        return ""
    return f"{view.rows[place].path} is no longer there; score the folder again."


def _rate(session: Session, wish: Mapping[str, Any]) -> tuple[Session, tuple[_Shows, ...]]:
    """Gives a picture stars, or takes them away."""
    stars = wish.get("stars")
    if stars is not None and (not _is_whole(stars) or not 0 <= stars <= 5):
        raise CuratorError(f"stars is {str(stars)[:40]!r}; expected a whole number from 0 to 5, or nothing")
    row = _row(session, wish)
    if row.stars == stars:
        return session, ()
    from .scoring import opened_library

    with opened_library() as library:
        library.set_stars(row.content, stars)
    return _changed(session, wish, row, stars=stars)


def _decide(session: Session, wish: Mapping[str, Any]) -> tuple[Session, tuple[_Shows, ...]]:
    """Keeps or rejects a picture by hand, or leaves it to the filter again."""
    kept = wish.get("kept")
    if kept is not None and not isinstance(kept, bool):
        raise CuratorError(f"kept is {str(kept)[:40]!r}; expected true, false or nothing")
    row = _row(session, wish)
    if row.value is None:
        raise CuratorError(
            f"{row.path.name} has no score and stays where it is; give it a prompt and score the folder again, then decide about it"
        )
    if row.decision is kept:
        return session, ()
    from .scoring import opened_library

    with opened_library() as library:
        library.decide(row.content, kept)
    return _changed(session, wish, row, decision=kept)


def _send(session: Session, wish: Mapping[str, Any]) -> tuple[Session, tuple[_Shows, ...]]:
    """Makes a picture ready for the buttons that send it to another tab: only then, since Gradio copies what it is given."""
    from ..host.allowed_paths import confine
    from ..host.info import allowed_folders

    row = _asked(session, wish)
    if not is_regular(row.path):
        raise CuratorError(f"{row.path} is no longer there; score the folder again.")
    confine(str(row.path), allowed_folders())
    values = to_send(row)  # now, since a picture that cannot be read is an answer too
    return session, (lambda _: values,)


_DOES: dict[str, Callable[[Session, Mapping[str, Any]], tuple[Session, tuple[_Shows, ...]]]] = {
    "show": _show,
    "rate": _rate,
    "decide": _decide,
    "send": _send,
    **COMMANDS,
}


def _row(session: Session, wish: Mapping[str, Any]) -> Row:
    """The picture of a command that notes something about it.

    Raises:
        CuratorError: It is not in the folder that is shown, or could not be read.
    """
    row = _asked(session, wish)
    if not row.content:
        raise CuratorError(f"{row.path.name} could not be read, so that nothing can be noted about it")
    return row


def _asked(session: Session, wish: Mapping[str, Any]) -> Row:
    """The picture of a command, by its address: the page may be older than what is scored now.

    Raises:
        CuratorError: It is not in the folder that is shown.
    """
    place = _place(session, wish)
    if place is None or session.view is None:
        raise CuratorError("this picture is no longer in the folder that is shown; choose another one")
    return session.view.rows[place]


def _place(session: Session, wish: Mapping[str, Any], what: str = "id") -> int | None:
    """Where the picture of a command is among the rows; None where another file, or another state of it, is shown."""
    asked = addresses.row(str(wish.get(what)))
    if asked is None or session.view is None:
        return None
    place = session.view.places.get(asked.path)
    return place if place is not None and session.view.rows[place].content == asked.content else None


def _changed(
    session: Session, wish: Mapping[str, Any], row: Row, **fields: Any
) -> tuple[Session, tuple[_Shows, ...]]:
    """The page with these fields of all pictures that have the same content, and what somebody sees by now chosen."""
    assert session.view is not None
    after = session.judged_anew(session.view.with_said(row.content, **fields), page_size())
    seen = _place(after, wish, "next")
    if seen in after.shown:
        after = after.at(after.shown.index(seen), page_size())
    return after, (everything, lambda _: STALE) if session.previewed is not None else (everything,)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
