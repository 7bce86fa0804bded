"""What the page shows of a session, by the name of the widget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.plain import encodable

from ..door import report
from . import wording
from .filtering import number_of_pages
from .session import Session
from .thumbs import Thumbs
from .view import slider_step

if TYPE_CHECKING:
    from imagereward_core.library.records import Row

thumbs = Thumbs()
Values = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """Properties of a widget that change, such as its value and its range."""

    properties: dict[str, Any]


def page_size() -> int:
    """Pictures on one page of the gallery."""
    from ..hosts import number

    return int(number("imagereward_tab_page", 60, low=1, high=500))


def everything(session: Session, new_range: bool = False) -> Values:
    """Histogram, count and gallery; with ``new_range`` the range of the sliders as well."""
    if session.view is None:
        return {}
    values: Values = {**counted(session), **gallery(session)}
    if new_range:
        low, high = session.view.limits()
        ends = {"minimum": low, "maximum": high, "step": slider_step(low, high)}
        wanted = session.wanted
        values["low"] = Change(
            {**ends, "value": low if wanted.minimum is None else min(max(low, wanted.minimum), high)}
        )
        values["high"] = Change(
            {**ends, "value": high if wanted.maximum is None else min(max(low, wanted.maximum), high)}
        )
        values |= {"picture": None, "details": "", "infotext": "", "results": Change({"visible": True})}
    return values


def counted(session: Session) -> Values:
    """The count and the histogram."""
    view, choice = session.view, session.choice
    if view is None or choice is None:
        return {}
    return {"count": wording.count(view, choice), "histogram": wording.histogram(view, choice)}


def gallery(session: Session, again: bool = True) -> Values:
    """The page of pictures; without ``again`` only which of them is marked as chosen."""
    view, choice = session.view, session.choice
    if view is None or choice is None:
        return {}
    size = page_size()
    visible = session.visible(size)
    marked = {"selected_index": visible.index(session.picked) if session.picked in visible else None}
    if not again:
        return {"gallery": Change(marked)}
    scores = view.result.main
    ranks, percentiles = scores.ranks(), scores.percentiles()
    captions = [
        wording.caption(view, choice, place, float(percentiles[place]), int(ranks[place]))
        for place in visible
    ]
    pictures = thumbs.of([view.rows[place] for place in visible])
    number = len(choice.shown)
    return {
        "gallery": Change({"value": list(zip(pictures, captions, strict=True)), **marked}),
        "pages": wording.pages(session.page, number_of_pages(number, size), number),
    }


def picked(session: Session) -> Values:
    """The picked picture."""
    from .wishes import STARS

    view, choice, place = session.view, session.choice, session.picked
    if view is None or choice is None or place is None:
        return {"picture": None, "details": "", "infotext": ""}
    row = view.rows[place]
    given = next(label for label, number in STARS.items() if number == row.stars)
    values: Values = {"details": wording.details(view, choice, place), "stars": given}
    if not row.path.is_file():
        gone = wording.message(f"{row.path} is no longer there; score the folder again.", "error")
        return {**values, "picture": None, "infotext": "", "message": gone}
    return {
        **values,
        "picture": _sendable_file(row),
        "infotext": infotext(row.path) or written(row),
        "message": "",
    }


def _sendable_file(row: Row) -> str:
    """The picture's file; a small copy of it where its name cannot be sent to a page."""
    name = str(row.path)
    return name if encodable(name) == name else str(thumbs.file(row))


def infotext(path: Path) -> str:
    """The picture's own generation parameters, as the host reads them; empty where there are none."""
    from PIL import Image

    try:
        from modules.images import read_info_from_image

        with Image.open(path) as picture:
            return str(read_info_from_image(picture)[0] or "")
    except Exception as error:
        report(f"the generation parameters of {path.name} cannot be read", error)
        return ""


def written(row: Any) -> str:
    """The prompts of a picture whose parameters the host cannot read, such as one of another program."""
    made = row.generated
    return f"{made.written}\nNegative prompt: {made.negative}" if made.negative else made.written


def last_page(session: Session) -> int:
    """Number of the last page of the gallery, from 0."""
    return 0 if session.choice is None else number_of_pages(len(session.choice.shown), page_size()) - 1
