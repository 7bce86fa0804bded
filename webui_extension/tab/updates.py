"""Updates of the page for a session, by the name of the widget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.plain import encodable

from ..door import report
from . import html
from .deck import deck
from .filtering import number_of_pages
from .jobs import Job
from .session import Session
from .thumbs import thumbs
from .view import slider_step

if TYPE_CHECKING:
    from imagereward_core.library.store.records import Row

Values = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """Properties of a widget that change, such as its value and its range."""

    properties: dict[str, Any]


def sendable(values: Values) -> Values:
    """Values without the halves of characters that undecodable file names have, and that no answer of Gradio can hold."""
    return {
        name: Change(encodable(value.properties)) if isinstance(value, Change) else encodable(value)
        for name, value in values.items()
    }


def page_size() -> int:
    """Pictures on one page of the gallery."""
    from ..host.info import number

    return int(number("imagereward_tab_page", 60, low=1, high=500))


def everything(session: Session, new_range: bool = False) -> Values:
    """Histogram, count, gallery and the chosen picture.

    Args:
        session: What is shown.
        new_range: Whether the range of the sliders is sent as well.
    """
    if session.view is None:
        return {}
    values: Values = {**counted(session), **gallery(session), **described(session)}
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
        values["results"] = Change({"visible": True})
    return values


def counted(session: Session) -> Values:
    """The count and the histogram."""
    view, choice = session.view, session.choice
    if view is None or choice is None:
        return {}
    return {"count": html.count(view, choice), "histogram": html.histogram(view, choice)}


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
    return {"picture": _sendable_file(row), "infotext": infotext(row.path) or written(row)}


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
