"""Generate until enough pictures are kept: further runs of the host, each a copy of p from before the first."""

from __future__ import annotations

import math
import time
from copy import copy
from typing import Any

from imagereward_core.plain import count_of

from ..door import guard, report
from .arguments import BATCH, Settings
from .state import REJECTED, Job, Picture, Run, order

ROUND = "_imagereward_round"
"""On a p of ours: the run whose job it belongs to."""
_OWN = ("extra_generation_params", "override_settings", "comments", "styles")
_REMEMBERED = 16


def template_of(p: Any) -> Any:
    """A copy of p that the run will not change."""
    made = copy(p)
    for name in _OWN:
        value = getattr(made, name, None)
        if isinstance(value, (dict, list)):
            setattr(made, name, copy(value))
    return made


def contradiction(settings: Settings) -> str:
    """Why a search with these settings can only end at its limits; empty where it can succeed."""
    if settings.keep_scope == BATCH or not 0 < settings.keep_best < settings.until:
        return ""
    return (
        f"The best {settings.keep_best} of the job can never be the {settings.until} wanted: the search goes on to its limits. Lower "
        "one of the two, or let the limit hold for every batch."
    )


def go_on(run: Run) -> list[Picture]:
    """Further batches until enough pictures are kept or a limit is reached; returns their pictures.

    The seeds go on where the run before ended. An error of the host in one of these runs ends the search; what was made stays.
    """
    from modules import processing

    latest = run
    while not (why := _why_stop(run)):
        scored = len(run.job.scored) + len(run.job.gated)
        p = _next(run, latest)
        try:
            processing.process_images(p)
        except Exception as error:
            why = report("a further run failed", error)
            break
        if not run.rounds or run.rounds[-1].p is not p:
            why = "a further run could not be watched"
            break
        latest = run.rounds[-1]
        if len(run.job.scored) + len(run.job.gated) == scored and not _interrupted():
            why = _why_unscored(latest)
            if why:
                break
        guard(_forget, "letting rejected pictures go")(run.job)
    if why != "enough":
        run.job.note(
            f"Stopped: {why}. Kept {len(run.job.kept)} of {count_of(run.settings.until, 'picture')} wanted."
        )
    return pictures_of(run)


def pictures_of(run: Run) -> list[Picture]:
    """Those of the further runs, as far as these came to their end and the pictures are still held."""
    every = [picture for each in run.rounds if each.complete for picture in each.made]
    return [picture for picture in every if picture.image is not None]


def _why_unscored(run: Run) -> str:
    """Why a whole round has no score; empty where the user skipped it."""
    if all(picture.unfinished for picture in run.pictures):
        return ""
    return next(
        (picture.failure for picture in run.pictures if picture.failure), "no picture could be scored"
    )


def _why_stop(run: Run) -> str:
    settings, job = run.settings, run.job
    if len(job.kept) >= settings.until:
        return "enough"
    if job.failure:
        return "pictures can no longer be scored"
    if any(picture.unsaved for picture in job.pictures):
        return "a picture could not be saved"
    if _interrupted():
        return "interrupted"
    if job.generated >= settings.until_pictures:
        return f"{count_of(job.generated, 'picture')} {'was' if job.generated == 1 else 'were'} made"
    if time.monotonic() - job.started >= 60 * settings.until_minutes:
        return f"{settings.until_minutes:g} minutes have passed"
    return ""


def _interrupted() -> bool:
    from modules.shared import state

    return bool(state.interrupted or state.stopping_generation)


def _next(run: Run, latest: Run) -> Any:
    """The p of one more batch."""
    from modules.shared import state

    p = template_of(run.template)
    p.n_iter, p.do_not_save_grid = 1, True
    varies = bool(p.subseed_strength)
    seeds, subseeds = latest.p.all_seeds, latest.p.all_subseeds
    p.seed = int(seeds[0]) if varies else int(seeds[-1]) + 1
    p.subseed = int(subseeds[-1]) + 1
    setattr(p, ROUND, run)
    state.job_count = max(state.job_count, 0) + (2 if getattr(p, "enable_hr", False) else 1)
    state.textinfo = (
        f"{len(run.job.kept)} of {run.settings.until} kept after {count_of(run.job.generated, 'picture')}"
    )
    return p


def _forget(job: Job) -> None:
    """Lets go of rejected pictures that will not be shown: a long search would fill the memory with them."""
    if job.shows_rejects:
        return
    rejected = order(
        [each for each in job.scored if each.verdict == REJECTED and not each.reduced and not each.unsaved],
        True,
    )
    for picture in rejected[0 if job.kept else _REMEMBERED :]:
        # The first run's pictures stay: the host holds them anyway, and finds them again by identity.
        if picture.seed is not None and not math.isnan(picture.value) and picture.of_round:
            picture.let_go()
