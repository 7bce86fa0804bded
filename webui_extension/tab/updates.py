"""Updates of the page for a session, by the name of the widget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.gallery.filter import number_of_pages
from imagereward_core.gallery.view import slider_step
from imagereward_core.plain import encodable

from ..door import report
from . import html
from .deck import deck
from .jobs import Job
from .session import Session
from .shown import small_copies

if TYPE_CHECKING:
    from imagereward_core.library.store.records import Row

Values = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """Properties of a widget that change, such as its value and its range."""

    properties: dict[str, Any]


STALE: Values = {"plan": "", "carry_out": Change({"interactive": False})}
"""Drops a preview, which no longer holds."""


def sendable(values: Values) -> Values:
    """Values without the halves of characters that undecodable file names have, and that no answer of Gradio can hold."""
    return {
        name: Change(encodable(value.properties)) if isinstance(value, Change) else encodable(value)
        for name, value in values.items()
    }


def page_size() -> int:
    """Pictures on one page of the gallery."""
    from ..host.info import number
    from ..settings_page import PAGE_SIZE

    return int(number("imagereward_tab_page", PAGE_SIZE, low=1, high=500))


def everything(session: Session, new_range: bool = False) -> Values:
    """Histogram, count, gallery and the chosen picture; with a ``new_range`` of scores the sliders' too."""
    if session.view is None or session.choice is None:
        return {}
    values: Values = {
        "count": html.count(session.view, session.choice),
        "histogram": html.histogram(session.view, session.choice),
        **gallery(session),
        **described(session),
    }
    if new_range:
        low, high = session.view.limits()
        ends = {"minimum": low, "maximum": high, "step": slider_step(low, high)}
        for name, end, wanted in (
            ("low", low, session.wanted.minimum),
            ("high", high, session.wanted.maximum),
        ):
            value = end if wanted is None else min(max(low, wanted), high)
            values[name] = Change({**ends, "value": value})
        values["results"] = Change({"visible": True})
    return values


def gallery(session: Session) -> Values:
    """The page of pictures."""
    choice = session.choice
    if choice is None:
        return {}
    size, number = page_size(), len(choice.shown)
    return {
        "deck": deck(session, size),
        "pages": html.pages(session.page, number_of_pages(number, size), number),
    }


def working(job: Job | None, begun: bool = False) -> Values:
    """How far the work is, see :func:`.html.progress`; the button that stops it is there as long as there is something to stop."""
    running = job is not None and (begun or not job.finished)
    return {"progress": html.progress(job, begun), "stop": Change({"visible": running})}


def described(session: Session) -> Values:
    """Facts about the chosen picture."""
    view, choice, place = session.view, session.choice, session.picked
    if view is None or choice is None or place is None:
        return {"details": ""}
    return {"details": html.details(view, choice, place)}


def to_send(row: Row) -> Values:
    """A picture with its parameters, where the buttons that send it to another tab find them."""
    name = str(row.path)
    sent = (
        name if encodable(name) == name else str(small_copies.file(row.path))
    )  # a name that cannot be sent to a page
    return {"picture": sent, "infotext": infotext(row.path) or written(row)}


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
