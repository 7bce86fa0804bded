"""Curation from the page: a preview, carrying out just that, and taking a run back, by the library's own plans and journal."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from imagereward_core.errors import CuratorError
from imagereward_core.gallery.jobs import Job, Jobs
from imagereward_core.library.curate.carry_out import carry_out, doubts, take_back
from imagereward_core.library.curate.plan import Curation, plan_moves
from imagereward_core.library.curate.summary import VERBS, carried_words, done_words, examples, sentences

from .wanted import RequestError, curate_options

if TYPE_CHECKING:
    from imagereward_core.gallery.filter import Filter

    from .desk import Desk

_EXAMPLES = 30
"""Pictures of each kind that a preview names."""
_TELL_EVERY = 0.4
"""Seconds."""
_RUNS = 50
"""Runs that the page lists."""


class Curator:
    """Previews and runs of one folder. ``jobs`` are one at a time, whoever asks for them."""

    def __init__(self, desk: Desk, jobs: Jobs) -> None:
        self.desk, self.jobs = desk, jobs
        self._numbers = itertools.count(1)
        self._previewed: tuple[int, int, Curation] | None = None

    def preview(self, wanted: Filter, scorer: str, told: Mapping[str, Any]) -> dict[str, Any]:
        """What would happen. Nothing is done.

        Raises:
            CuratorError: The options do not go together.
        """
        desk = self.desk
        options = curate_options(wanted, told, desk.scan)
        by_hand = any(row.decision is not None for row in desk.view(scorer).rows)
        if options.rule.is_empty and options.action != "stay" and not by_hand:
            raise CuratorError(
                "there is no rule and nothing was decided by hand, so every picture would be kept; filter first, or keep and reject some"
            )
        shown, serial = desk.shown(wanted, scorer), desk.serial
        plan = plan_moves(
            desk.folder, shown.view.rows, shown.choice.verdicts, options, shown.view.result, shown.view.copies
        )
        number = next(self._numbers)
        self._previewed = (number, serial, plan)
        doubt = doubts(desk.library, plan)
        return {
            "number": number,
            "steps": len(plan.steps),
            "writes": bool(options.write_scores or options.xmp),
            "sentences": [*sentences(plan), *([f"{doubt}."] if doubt else [])],
            "examples": [
                {
                    "name": each.name,
                    "score": None if math.isnan(each.score) else each.score,
                    "file": each.file,
                    "target": each.target,
                    "reason": each.reason,
                }
                for each in examples(plan, _EXAMPLES)
                if each.target
            ],
        }

    def carry_out(self, number: int) -> Job:
        """Carries out what was previewed under this number.

        Raises:
            CuratorError: Something has changed since, or something else is at work.
        """
        self.desk.may_write()
        previewed = self._previewed
        if previewed is None or previewed[0] != number or previewed[1] != self.desk.serial:
            raise RequestError("the pictures have changed since this preview; preview again")
        plan = previewed[2]
        self._previewed = None

        def work(job: Job) -> str:
            title = f"{VERBS[plan.options.action][0]} from the page: {plan.folder.name}"
            try:
                carried = carry_out(
                    self.desk.library,
                    plan,
                    title=title,
                    progress=job.tell,
                    cancelled=lambda: job.stopping,
                )
            finally:
                self.desk.refresh()
            return carried_words(carried, done_words(plan.options))

        return self._told(self.jobs.start("carry out", work))

    def undo(self, run: int | None) -> Job:
        """Takes back a run, by default the last one that stands."""
        self.desk.may_write()

        def work(job: Job) -> str:
            try:
                carried = take_back(self.desk.library, run, progress=job.tell, cancelled=lambda: job.stopping)
            finally:
                self.desk.refresh()
            return f"{carried.title}: {carried_words(carried, 'taken back')}"

        return self._told(self.jobs.start("undo", work))

    def job(self) -> dict[str, Any] | None:
        """How far the work is that goes on or was last; None where there was none."""
        job = self.jobs.current()
        return None if job is None else _state(job)

    def _told(self, job: Job) -> Job:
        """Tells pages how far it is until it is done."""

        def follow() -> None:
            while not job.wait(_TELL_EVERY):
                self.desk.events.tell("job", _state(job))
            self.desk.events.tell("job", _state(job))

        threading.Thread(target=follow, daemon=True, name="imagereward-job").start()
        return job

    def runs(self) -> list[dict[str, Any]]:
        """The last runs, latest first: number, title, time (ISO 8601 in UTC), and how many steps of it stand."""
        with self.desk.library.journal(looking=True) as journal:
            found = sorted(journal.runs(), key=lambda info: -info.id)[:_RUNS]
        return [
            {"run": info.id, "title": info.title, "when": info.when, "steps": info.done} for info in found
        ]


def _state(job: Job) -> dict[str, Any]:
    """A job for pages."""
    return {
        "number": job.number,
        "title": job.title,
        "done": job.progress.done,
        "total": job.progress.total,
        "finished": job.finished,
        "stopping": job.stopping,
        "result": job.result if job.finished else None,
        "problem": job.problem,
    }
