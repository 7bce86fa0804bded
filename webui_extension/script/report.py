"""The report on a job: as lines for the page, as data for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from imagereward_core.scorers.meaning import compare_warning
from imagereward_core.scores import Scores

from .arguments import TITLE, TO_FOLDER
from .state import REJECTED, Job, Picture, order

MOST_LINES = 12
VERSION = 1
"""Of the data for programs; grows when a name in it changes its meaning."""


def text(job: Job) -> str:
    """A summary, a line per picture from best to worst, and everything worth knowing."""
    if job.failure:
        return "\n".join([job.failure, *job.notes])
    if not job.scored:
        return "\n".join(job.notes)
    return "\n".join([summary(job), *_table(job), *_remarks(job), *job.notes])


def short(job: Job) -> str:
    """The same in one line."""
    return job.failure or (summary(job) if job.scored else " ".join(job.notes) or "no picture was scored")


def summary(job: Job) -> str:
    """How many passed, by which scorer."""
    name = job.card.id if job.card is not None else "scorer"
    if not job.gated and not any(picture.verdict for picture in job.scored):
        number = len(job.scored)
        return f"{TITLE}: {number} {'picture' if number == 1 else 'pictures'} scored with {name}."
    half = sum(picture.unfinished for picture in job.pictures)
    line = f"{TITLE}: {len(job.kept)} of {job.generated - half} passed ({name})."
    if half:
        line += f" {half} more {'was' if half == 1 else 'were'} interrupted."
    if job.folders and job.settings.rejects == TO_FOLDER:
        line += f" The others are in {', '.join(dict.fromkeys(job.folders))}."
    if job.gated:
        line += f" {len(job.gated)} were not upscaled."
    return line


def _table(job: Job) -> list[str]:
    ranked = order(job.scored, True)
    lines = []
    for place, picture in enumerate(ranked[:MOST_LINES], start=1):
        parts = [f"{place}.", *(f"{name} {value:.4f}" for name, value in picture.scores.items())]
        if not math.isnan(picture.percentile):
            parts.append(f"percentile {picture.percentile:.1f}")
        parts.append(f"seed {picture.seed}")
        if picture.verdict:
            parts.append(
                f"{picture.verdict}: {picture.reason}" if picture.verdict == REJECTED else picture.verdict
            )
        lines.append(" ".join(parts))
    if len(ranked) > MOST_LINES:
        lines.append(f"and {len(ranked) - MOST_LINES} more")
    return lines


def _remarks(job: Job) -> list[str]:
    remarks = [job.basis] if job.basis else []
    cut = [picture for picture in job.scored if picture.cut]
    if cut:
        remarks.append(
            f"The scorer saw only the beginning of the prompt; it was not shown: {cut[0].cut[:120]}"
        )
    prompts = [prompt for scores in job.scores for prompt in scores.prompts]
    warning = compare_warning(job.card, prompts) if job.card is not None else None
    return [*remarks, *([warning] if warning else [])]


def data(job: Job, places: Sequence[tuple[int, Picture]]) -> dict[str, Any]:
    """The same for API callers, part of the answer's ``info``: every picture with its place in the result, -1 where it is not shown."""
    ranks = Scores.join(job.scores).ranks().tolist() if job.scores else []
    rank_of = {id(picture): rank for picture, rank in zip(job.scored, ranks, strict=True)}
    return {
        "version": VERSION,
        "failure": job.failure or None,
        "scorer": job.card.id if job.card is not None else None,
        "generated": job.generated,
        "scored": len(job.scored),
        "kept": len(job.kept),
        "not_upscaled": len(job.gated),
        "basis": job.basis,
        "notes": list(job.notes),
        "pictures": [
            {
                "image": place,
                "seed": picture.seed,
                "score": _number(picture.value),
                "scores": dict(picture.scores),
                "percentile": _number(picture.percentile),
                "rank": rank_of.get(id(picture)),
                "verdict": picture.verdict or None,
                "reason": picture.reason or picture.failure or None,
            }
            for place, picture in places
        ],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
