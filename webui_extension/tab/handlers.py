"""What happens when somebody uses the tab. Plain functions of a session and plain values; no Gradio here.

Each returns a session and new values by the name of the widget; a :class:`Change` stands for Gradio's update of properties.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError

from ..door import report
from . import jobs, wording
from .filtering import Filter
from .session import Session
from .showing import Change, Values, everything, gallery, page_size, sendable, working
from .view import View

if TYPE_CHECKING:
    from imagereward_core.library.curate import Curation

Result = tuple[Session, Values]


def told(handler: Callable[..., Result]) -> Callable[..., Result]:
    """``handler``, except that a failure is a line on the page and changes nothing else."""

    def guarded(session: Session, *values: Any) -> Result:
        try:
            session, shown = handler(session, *values)
        except (CuratorError, ValueError) as error:
            shown = {"message": wording.message(str(error), "error")}
        except Exception as error:
            shown = {"message": wording.message(report(f"{handler.__name__} failed", error), "error")}
        return session, sendable(shown)

    return guarded


@told
def score(session: Session, *asked: Any) -> Result:
    """Starts to score a folder; what is asked for is what ``wishes.make_wish`` takes."""
    from .scoring import score_folder
    from .wishes import make_wish

    wish = make_wish(*asked)
    job = jobs.start("Scoring", lambda job: score_folder(job, wish))
    return replace(session, job=job.number), {**working(job, begun=True), "message": ""}


@told
def stop(session: Session) -> Result:
    """Asks what is at work to stop."""
    job = jobs.current()
    if job is None or job.finished:
        return session, {"message": wording.message("Nothing is at work.")}
    job.stop()
    return session, working(job)


@told
def poll(session: Session) -> Result:
    """How far the work is; once it is done, what came of it. A page that was opened meanwhile joins in."""
    job = jobs.of_page(session.job)
    if job is None:
        return replace(session, job=0), working(None)
    if not job.finished:
        return replace(session, job=job.number), working(job)
    if session.job != job.number:
        return session, working(None)
    session = replace(session, job=0)
    values: Values = {
        **working(job),
        "plan": "",
        "carry_out": Change({"interactive": False}),
    }
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
    from .wishes import PER, SHOW, SORT

    stale: Values = {"plan": "", "carry_out": Change({"interactive": False})}
    percent = 100 if percent is None else percent
    problem = _out_of_range("Keep the best percent", percent, 0, 100) or _out_of_range(
        "Keep at most so many", top or 0, 0
    )
    if problem:  # where the count stands, which the next filter that can be applied writes anew
        return replace(session, previewed=None), {**stale, "count": wording.message(problem, "error")}
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
    return session, {**everything(session), **stale}


def _out_of_range(label: str, value: float, low: float, high: float = math.inf) -> str:
    """What is wrong with a number somebody typed; empty where nothing is."""
    if low <= value <= high:
        return ""
    expected = f"a number from {low:g} to {high:g}" if high < math.inf else f"a whole number, {low:g} or more"
    return f"{label} is {value:g}; expected {expected}. The filter stays as it was."


@told
def turn_page(session: Session, by: int) -> Result:
    """Shows another page of the gallery."""
    session = session.turned(by, page_size())
    return session, gallery(session)


@told
def opened(session: Session) -> Result:
    """A page is opened or loaded again: what may be chosen is asked for anew, and work that goes on is shown."""
    from ..loaded import choices
    from .wishes import folders_offered

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

    view, choice = session.view, session.choice
    if view is None or choice is None:
        raise CuratorError("no folder is scored yet; score one first")
    job = jobs.start("Exporting", lambda job: export_view(job, view, choice, session.wanted, form))
    return replace(session, job=job.number), {
        **working(job, begun=True),
        "message": "",
        "file": Change({"value": None, "visible": False}),
    }


@told
def preview(session: Session, *asked: Any) -> Result:
    """Shows what carrying out would do."""
    from .acting import plan

    view, choice = session.view, session.choice
    if view is None or choice is None:
        raise CuratorError("no folder is scored yet; score one first")
    curation = plan(view, choice, session.wanted, *asked)
    return replace(session, previewed=curation), {
        "plan": wording.plan(curation),
        "carry_out": Change({"interactive": has_steps(curation)}),
        "message": "",
    }


@told
def changed_mind(session: Session) -> Result:
    """Something about the actions is chosen anew: what was previewed no longer holds."""
    if session.previewed is None:
        return session, {}
    return replace(session, previewed=None), {"plan": "", "carry_out": Change({"interactive": False})}


@told
def carry_out(session: Session) -> Result:
    """Starts to do what is on the page."""
    from .acting import perform

    view, curation = session.view, session.previewed
    if view is None or curation is None:
        raise CuratorError("press Preview first, and look at what would happen")
    job = jobs.start("Sorting pictures", lambda job: perform(job, view, curation))
    return replace(session, job=job.number, previewed=None), _started(job)


@told
def undo(session: Session) -> Result:
    """Starts to take back the last run."""
    from .acting import take_last_back

    job = jobs.start("Undoing", lambda job: take_last_back(job, session.view))
    return replace(session, job=job.number, previewed=None), _started(job)


def has_steps(curation: Curation) -> bool:
    """Whether there is anything to do."""
    return bool(curation.steps) or curation.options.write_scores or bool(curation.options.xmp)


def _started(job: jobs.Job) -> Values:
    return {**working(job, begun=True), "message": "", "carry_out": Change({"interactive": False})}


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
