"""Handlers of the tab: plain functions of a session and plain values; no Gradio here.

Each returns a session and new values by the name of the widget; a :class:`Change` stands for Gradio's update of properties.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagereward_core.errors import CuratorError
from imagereward_core.gallery.filter import Choice, Filter
from imagereward_core.gallery.view import View
from imagereward_core.selection import Rule
from imagereward_core.settings import settings_of

from ..door import report
from . import html, jobs
from .session import Session
from .updates import STALE, Change, Values, everything, gallery, page_size, sendable, working

Result = tuple[Session, Values]


def told(handler: Callable[..., Result]) -> Callable[..., Result]:
    """``handler``, except that a failure is a line on the page and changes nothing else."""

    def guarded(session: Session, *values: Any) -> Result:
        try:
            session, shown = handler(session, *values)
        except (CuratorError, ValueError) as error:
            shown = {"message": html.message(str(error), "error")}
        except Exception as error:
            shown = {"message": html.message(report(f"{handler.__name__} failed", error), "error")}
        return session, sendable(shown)

    return guarded


@told
def score(session: Session, *asked: Any) -> Result:
    """Starts to score a folder; what is asked for is what ``forms.make_wish`` takes."""
    from .forms import make_wish
    from .scoring import score_folder

    wish = make_wish(*asked)
    job = jobs.start("Scoring", lambda job: score_folder(job, wish))
    return replace(session, job=job.number), {**working(job, begun=True), "message": ""}


@told
def stop(session: Session) -> Result:
    """Asks what is at work to stop."""
    job = jobs.current()
    if job is None or job.finished:
        return session, {"message": html.message("Nothing is at work.")}
    job.stop()
    return session, working(job)


@told
def poll(session: Session) -> Result:
    """How far the work is; once it is done, its result. A page that was opened meanwhile joins in."""
    job = jobs.of_page(session.job)
    if job is None:
        return replace(session, job=0), working(None)
    if not job.finished:
        return replace(session, job=job.number), working(job)
    if session.job != job.number:
        return session, working(None)
    session = replace(session, job=0)
    values: Values = {**working(job), **STALE}
    if job.problem:
        return session, values
    result, words = job.result
    values["message"] = html.message(words, "done")
    if isinstance(result, View):
        session = session.showing(result)
        return session, {**values, **everything(session, new_range=True)}
    if isinstance(result, Path):
        values["file"] = Change({"value": str(result), "visible": True})
    return session, values


def refilter(session: Session, *values: Any) -> Result:
    """Applies the filter to what is scored. The pictures are always sent anew: the page waits for them before it applies another one."""
    session, shown = _refiltered(session, *values)
    return session, shown if "deck" in shown else {**sendable(gallery(session)), **shown}


@told
def _refiltered(
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
    from .forms import PER, SHOW, SORT

    percent = 100 if percent is None else percent
    problem = _out_of_range("Keep the best percent", "top_percent", percent) or _out_of_range(
        "Keep at most so many", "top_k", top or 0
    )
    if problem:  # where the count stands, which the next filter that can be applied writes anew
        return replace(session, previewed=None), {**STALE, "count": html.message(problem, "error")}
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
    return session, {**everything(session), **STALE}


def _out_of_range(label: str, name: str, value: float) -> str:
    """What is wrong with a number somebody typed for a condition; empty where nothing is."""
    known = settings_of(Rule)[name]
    if known.low <= value <= known.high:
        return ""
    expected = f"a number from {known.low:g} to {known.high:g}"
    if known.high == math.inf:
        expected = f"a whole number, {known.low:g} or more"
    return f"{label} is {value:g}; expected {expected}. The filter stays as it was."


@told
def turn_page(session: Session, by: int) -> Result:
    """Shows another page of the gallery."""
    session = session.turned(by, page_size())
    return session, gallery(session)


@told
def opened(session: Session) -> Result:
    """A page is opened or loaded again: what may be chosen is asked for anew, and work that goes on is shown."""
    from ..scorer_cache import choices
    from .forms import folders_offered

    scorers = Change({"choices": choices()})
    job = jobs.current()
    return session, {
        # Nothing about work that is not there: what somebody begins meanwhile is shown already.
        **(working(job) if job is not None and not job.finished else {}),
        "folder": Change({"choices": folders_offered()}),
        "scorer": scorers,
        "also": scorers,
    }


@told
def export(session: Session, form: str) -> Result:
    """Starts to write a file with what is shown."""
    from .exporting import export_view

    view, choice = _scored(session)
    job = jobs.start("Exporting", lambda job: export_view(job, view, choice, session.wanted, form))
    return replace(session, job=job.number), {
        **working(job, begun=True),
        "message": "",
        "file": Change({"value": None, "visible": False}),
    }


@told
def preview(session: Session, *asked: Any) -> Result:
    """Shows what carrying out would do."""
    from .curate import plan

    view, choice = _scored(session)
    curation = plan(view, choice, session.wanted, *asked)
    does = bool(curation.steps) or curation.options.write_scores or bool(curation.options.xmp)
    return replace(session, previewed=curation), {
        "plan": html.plan(curation),
        "carry_out": Change({"interactive": does}),
        "message": "",
    }


@told
def changed_mind(session: Session) -> Result:
    """Something about the actions is chosen anew: what was previewed no longer holds."""
    if session.previewed is None:
        return session, {}
    return replace(session, previewed=None), STALE


@told
def carry_out(session: Session) -> Result:
    """Starts to do what is on the page."""
    from .curate import perform

    view, curation = session.view, session.previewed
    if view is None or curation is None:
        raise CuratorError("press Preview first, and look at what would happen")
    job = jobs.start("Sorting pictures", lambda job: perform(job, view, curation))
    return replace(session, job=job.number, previewed=None), _started(job)


@told
def undo(session: Session) -> Result:
    """Starts to take back the last run."""
    from .curate import take_last_back

    job = jobs.start("Undoing", lambda job: take_last_back(job, session.view))
    return replace(session, job=job.number, previewed=None), _started(job)


def _scored(session: Session) -> tuple[View, Choice]:
    """The folder of a page, and what its filter makes of it.

    Raises:
        CuratorError: There is none yet.
    """
    if session.view is None or session.choice is None:
        raise CuratorError("no folder is scored yet; score one first")
    return session.view, session.choice


def _started(job: jobs.Job) -> Values:
    return {**working(job, begun=True), "message": "", "carry_out": Change({"interactive": False})}


@told
def free(session: Session) -> Result:
    """Frees the memory that scorers hold."""
    from ..host.queue import turn
    from ..scorer_cache import free as free_scorers

    job = jobs.current()
    if job is not None and not job.finished:
        raise CuratorError(f"{job.title} is at work; stop it first")
    with turn():
        return session, {"message": html.message(free_scorers(), "done")}
