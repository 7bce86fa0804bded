"""What happens when somebody uses the tab. Plain functions of a session and plain values; no Gradio here.

Each returns a session and new values by the name of the widget; a :class:`Change` stands for Gradio's update of properties.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imagereward_core.errors import CuratorError

from ..door import report
from . import jobs, wording
from .filtering import Filter, View, number_of_pages
from .session import Session
from .thumbs import Thumbs

thumbs = Thumbs()
Values = dict[str, Any]
Result = tuple[Session, Values]


@dataclass(frozen=True)
class Change:
    """Properties of a widget that change, such as its value and its range."""

    properties: dict[str, Any]


def page_size() -> int:
    """Pictures on one page of the gallery."""
    from ..hosts import option

    try:
        return max(1, int(option("imagereward_tab_page", 60)))
    except (TypeError, ValueError):
        return 60


def told(handler: Callable[..., Result]) -> Callable[..., Result]:
    """``handler``, except that a failure is a line on the page and changes nothing else."""

    def guarded(session: Session, *values: Any) -> Result:
        try:
            return handler(session, *values)
        except (CuratorError, ValueError) as error:
            return session, {"message": wording.message(str(error), "error")}
        except Exception as error:
            return session, {"message": wording.message(report(f"{handler.__name__} failed", error), "error")}

    return guarded


@told
def score(
    session: Session,
    folder: str | None,
    scorer: str | None,
    also: Sequence[str] | None,
    recursive: bool,
    prompt_from: str,
    typed: str,
    raw: bool,
    unscored_only: bool,
) -> Result:
    """Starts to score a folder."""
    from .scoring import score_folder
    from .wishes import make_wish

    wish = make_wish(folder, scorer, also, recursive, prompt_from, typed, raw, unscored_only)
    job = jobs.start("Scoring", lambda job: score_folder(job, wish))
    return replace(session, job=job.number), {"progress": wording.progress(job), "message": ""}


@told
def stop(session: Session) -> Result:
    """Asks what is at work to stop."""
    job = jobs.current()
    if job is None or job.finished:
        return session, {"message": wording.message("Nothing is at work.")}
    job.stop()
    return session, {"progress": wording.progress(job)}


@told
def poll(session: Session) -> Result:
    """How far the work is; once it is done, what came of it. A page that was opened meanwhile joins in."""
    job = jobs.current()
    if job is None:
        return replace(session, job=0), {"progress": ""}
    if not job.finished:
        return replace(session, job=job.number), {"progress": wording.progress(job)}
    if session.job != job.number:
        return session, {"progress": ""}
    session = replace(session, job=0)
    values: Values = {"progress": wording.progress(job)}
    if job.problem:
        return session, values
    result, words = job.result
    values["message"] = wording.message(words, "done")
    if isinstance(result, View):
        session = session.showing(result)
        return session, {**values, **everything(session, new_range=True)}
    if isinstance(result, Path):
        values["file"] = Change({"value": str(result), "visible": True})
    return session, values


@told
def refilter(
    session: Session,
    show: str,
    sort: str,
    low: float,
    high: float,
    percent: float,
    top: float,
    per: str,
    unique: bool,
    stars: float,
    text: str,
) -> Result:
    """Applies the filter to what is scored."""
    from .wishes import PER, SHOW, SORT

    least, most = session.view.limits() if session.view is not None else (-math.inf, math.inf)
    wanted = Filter(
        show=SHOW[show],
        sort=SORT[sort],
        minimum=None if low is None or low <= least else float(low),
        maximum=None if high is None or high >= most else float(high),
        top_percent=float(percent),
        top=int(top or 0),
        per=PER[per],
        unique=bool(unique),
        keep_stars=int(stars or 0),
        text=text or "",
    )
    session = session.filtered(wanted)
    return session, everything(session)


@told
def turn_page(session: Session, by: int) -> Result:
    """Shows another page of the gallery."""
    session = session.turned(by, page_size())
    return session, gallery(session)


@told
def pick(session: Session, number: int) -> Result:
    """Shows the picture at a place of the page large, with everything known about it."""
    session = session.clicked(number, page_size())
    return session, picked(session)


@told
def step(session: Session, by: int) -> Result:
    """Shows the next or the last picture large."""
    moved = session.moved(by, page_size())
    values = picked(moved)
    return moved, values if moved.page == session.page else {**values, **gallery(moved)}


@told
def rate(session: Session, stars: str) -> Result:
    """Gives the picked picture stars; the same picture elsewhere has them too."""
    from imagereward_core.library.library import Library

    from .scoring import store_place
    from .wishes import STARS

    view, place = session.view, session.picked
    if view is None or place is None:
        raise CuratorError("no picture is chosen; click one in the gallery first")
    number = STARS[stars]
    row = view.rows[place]
    if row.stars == number:
        return session, {}
    with Library.open(store_place()) as library:
        library.set_stars(row.content or row.path, number)
    rows = tuple(
        replace(each, stars=number) if each.content and each.content == row.content else each
        for each in view.rows
    )
    session = replace(session, view=replace(view, rows=rows)).filtered(session.wanted)
    session = replace(session, page=min(session.page, _last_page(session)))
    return session, {**gallery(session), **counted(session)}


@told
def opened(session: Session) -> Result:
    """A page is opened or loaded again: what may be chosen is asked for anew, and work that goes on is shown."""
    from ..loaded import choices
    from .wishes import folders_offered

    scorers = Change({"choices": choices()})
    session, values = poll(session)
    return session, {
        **values,
        "folder": Change({"choices": folders_offered()}),
        "scorer": scorers,
        "also": scorers,
    }


@told
def export(session: Session, form: str) -> Result:
    """Starts to write a file with what is shown."""
    from .exporting import export_view

    view, choice = session.view, session.choice
    if view is None or choice is None:
        raise CuratorError("no folder is scored yet; score one first")
    job = jobs.start("Exporting", lambda job: export_view(job, view, choice, session.wanted, form))
    return replace(session, job=job.number), {
        "progress": wording.progress(job),
        "message": "",
        "file": Change({"value": None, "visible": False}),
    }


@told
def free(session: Session) -> Result:
    """Frees the memory that scorers hold."""
    from ..loaded import free as free_scorers
    from ..work import turn

    job = jobs.current()
    if job is not None and not job.finished:
        raise CuratorError(f"{job.title} is at work; stop it first")
    with turn():
        return session, {"message": wording.message(free_scorers(), "done")}


def everything(session: Session, new_range: bool = False) -> Values:
    """Histogram, count and gallery; with ``new_range`` the range of the sliders as well."""
    if session.view is None:
        return {}
    values: Values = {**counted(session), **gallery(session)}
    if new_range:
        from .filtering import slider_step

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


def gallery(session: Session) -> Values:
    """The page of pictures."""
    view, choice = session.view, session.choice
    if view is None or choice is None:
        return {}
    size = page_size()
    visible = session.visible(size)
    scores = view.result.main
    ranks, percentiles = scores.ranks(), scores.percentiles()
    captions = [
        wording.caption(view, choice, place, float(percentiles[place]), int(ranks[place]))
        for place in visible
    ]
    pictures = thumbs.of([view.rows[place] for place in visible])
    number = len(choice.shown)
    return {
        "gallery": list(zip(pictures, captions, strict=True)),
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
        "picture": str(row.path),
        "infotext": infotext(row.path) or written(row),
        "message": "",
    }


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


def _last_page(session: Session) -> int:
    return 0 if session.choice is None else number_of_pages(len(session.choice.shown), page_size()) - 1
