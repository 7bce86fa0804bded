"""Selects the pictures that stay, by the core's rules over a batch or the job so far."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from imagereward_core.scores import Scores
from imagereward_core.selection import Rule, select

from .arguments import BATCH, Settings
from .state import KEPT, REJECTED, Job, Picture

VERDICT = "Curator verdict"
"""Under this key an infotext says whether the picture passed."""


def rule_of(settings: Settings, job: Job, scores: Scores) -> Rule:
    """The core's rule for these settings; a percentile is left out, with a note, where the scorer has none."""
    percentile: float | None = settings.min_percentile or None
    if percentile is not None and scores.distribution is None:
        percentile = None
        job.note(
            f"The minimum percentile is left out: {scores.scorer} scores made this way have no reference distribution. Use a minimum score."
        )
    return Rule(top_k=settings.keep_best or None, min_score=settings.minimum, min_percentile=percentile)


def decide(job: Job, fresh: Sequence[Picture]) -> list[Picture]:
    """Gives the pictures just scored, whose scores are the job's last, their verdicts; returns those that are no longer among its best."""
    if not fresh:
        return []
    scores, pictures = job.scores[-1], list(fresh)
    if job.settings.keep_scope != BATCH:
        scores, pictures = Scores.join(job.scores), list(job.scored)
    # Beside the rank in the whole job a rank in the batch would be a riddle.
    remark = "in its batch" if job.settings.keep_scope == BATCH else ""
    chosen = select(scores, rule_of(job.settings, job, scores), remark=remark)
    kept = set(chosen.kept.tolist())
    demoted = []
    for row, picture in enumerate(pictures):
        verdict = KEPT if row in kept else REJECTED
        if picture.verdict == KEPT and verdict == REJECTED:
            demoted.append(picture)
        # Once rejected, more company never brings a picture back.
        if picture.verdict != REJECTED or verdict == REJECTED:
            picture.verdict = verdict
            picture.reason = chosen.reasons[row].partition(": ")[2]
    for picture in fresh:
        # In a job, who is kept is known at its end, when the files have long been written.
        if picture.verdict == REJECTED or job.settings.keep_scope == BATCH:
            picture.fields[VERDICT] = picture.verdict
    return demoted


def passing(job: Job, scores: Scores) -> list[int]:
    """Rows of a first pass that go on to be upscaled, in order.

    The best of a whole job cannot be known from one batch, so that a limit for the job lets all others pass.
    """
    rule = rule_of(job.settings, job, scores)
    if job.settings.keep_scope != BATCH:
        rule = dataclasses.replace(rule, top_k=None)
    return sorted(select(scores, rule).kept.tolist())
