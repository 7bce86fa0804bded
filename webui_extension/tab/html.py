"""The tab's texts as HTML. Fixed words stand in elements of their own, so that the host's localisation finds them."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from imagereward_core.gallery.details import describe

if TYPE_CHECKING:
    from imagereward_core.gallery.filter import Choice
    from imagereward_core.gallery.view import View
    from imagereward_core.library.curate.plan import Curation

    from .jobs import Job

STARTED = "Choose a folder and press Score."
_LABELS = {
    "prompt": "Prompt as the scorer reads it",
    "cut": "Not read, too long",
    "written": "Prompt as written",
    "negative": "Negative prompt",
    "model": "Model",
    "loras": "LoRAs",
    "seed": "Seed",
    "size": "Size",
}
_EXAMPLES = 30
"""Pictures of each kind that a plan names."""


def escape(text: object) -> str:
    """Text as it may stand in HTML."""
    return html.escape(str(text), quote=True)


def duration(seconds: float) -> str:
    """A time in the largest two units."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def message(text: str, kind: str = "note") -> str:
    """A line for the person; ``kind`` is note, error or done."""
    return (
        f'<p class="imagereward-message imagereward-{kind}" role="status">{escape(text)}</p>' if text else ""
    )


def progress(job: Job | None, begun: bool = False) -> str:
    """How far the work is; while it goes on, the page's script asks again. Work just ``begun`` may be finished, and is asked for still."""
    if job is None:
        return ""
    if job.finished and not begun:
        return message(job.problem, "error") if job.problem else ""
    state = job.progress
    share = 100 * state.done / state.total if state.total else 0
    parts = [f"<b>{escape(job.title)}</b>"]
    if state.total:
        parts.append(f"{state.done:,} <span>of</span> {state.total:,}")
    elif state.done:
        parts.append(f"{state.done:,}")
    if state.note:
        parts.append(escape(state.note))
    if state.seconds_left is not None:
        parts.append(f"{duration(state.seconds_left)} <span>left</span>")
    if job.stopping:
        parts.append("<span>stopping</span>")
    return (
        f'<div class="imagereward-progress" data-running="{job.number}" role="progressbar" aria-valuenow="{share:.0f}">'
        f'<i style="width:{share:.2f}%"></i><p>{" · ".join(parts)}</p></div>'
    )


def count(view: View, choice: Choice) -> str:
    """How many are kept, rejected and without a score, and what has to be known to read the numbers."""
    kept, failed = len(choice.kept), len(view.result.main.failures)
    rejected = len(view.rows) - kept - failed
    parts = [
        f"<b>{kept:,}</b> <span>of</span> {len(view.rows):,} <span>kept</span>",
        f"{rejected:,} <span>rejected</span>",
    ]
    if failed:
        parts.append(f"{failed:,} <span>without a score</span>")
    said = "".join(message(remark) for remark in (view.result.basis, *view.result.warnings))
    return f'<p class="imagereward-count" role="status">{", ".join(parts)}</p>{said}'


def histogram(view: View, choice: Choice) -> str:
    """The drawing of all scores, kept ones marked; the page's script shades what lies outside of the range."""
    from imagereward_core.report.histogram import histogram as draw

    known = [
        (value, index in choice.kept) for index, value in enumerate(view.result.main) if not math.isnan(value)
    ]
    if not known:
        return '<p class="imagereward-message"><span>There are no scores to draw.</span></p>'
    values = [value for value, _ in known]
    drawing = draw(values, [good for _, good in known])
    return (
        f'<div class="imagereward-histogram" data-low="{min(values)!r}" data-high="{max(values)!r}">{drawing}'
        '<i class="imagereward-below"></i><i class="imagereward-above"></i></div>'
    )


def details(view: View, choice: Choice, place: int) -> str:
    """Everything known about one picture."""
    told = describe(view, choice, place)
    lines = [f'<p class="imagereward-name" dir="auto">{escape(told.path)}</p>']
    if told.meaning:
        lines.append(f"<p>{escape(told.meaning)}</p>")
        lines.append(
            f"<p>{told.rank_in_prompt} <span>of</span> {told.scored_in_prompt} <span>for its prompt</span></p>"
        )
    verdict = "kept" if told.kept else "rejected"
    lines.append(f'<p class="imagereward-{verdict}">{escape(told.reason)}</p>')
    numbers = [f"<tr><th>{escape(name)}</th><td>{escape(said)}</td></tr>" for name, said in told.numbers]
    if numbers:
        lines.append(f"<table>{''.join(numbers)}</table>")
    lines += [
        f'<p class="imagereward-fact" dir="auto"><b>{_LABELS[name]}</b> <span class="imagereward-text">{escape(text)}</span></p>'
        for name, text in told.texts
    ]
    return f'<div class="imagereward-details">{"".join(lines)}</div>'


def pages(page: int, pages_in_all: int, shown: int) -> str:
    """Where one is among the pages."""
    return (
        f'<p class="imagereward-pages"><span>Page</span> {page + 1} <span>of</span> {pages_in_all}, {shown:,} '
        "<span>pictures</span></p>"
    )


def plan(curation: Curation) -> str:
    """A plan, with the best pictures of each kind."""
    from imagereward_core.library.curate.summary import examples, sentences

    said = "".join(f"<p>{escape(line)}</p>" for line in sentences(curation))
    rows = "".join(
        f"<tr><td>{'' if math.isnan(each.score) else f'{each.score:.3f}'}</td>"
        f'<td dir="auto">{escape(each.file)}</td><td dir="auto">{escape(each.target)}</td></tr>'
        for each in examples(curation, _EXAMPLES)
        if each.target
    )
    head = "<tr><th>Score</th><th>Picture</th><th>Goes to</th></tr>"
    return f'<div class="imagereward-plan">{said}{f"<table>{head}{rows}</table>" if rows else ""}</div>'
