"""Steps that ``score``, ``rank`` and ``demo`` share: options to scores, and scores to output."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..metadata.prompt_finder import ORIGINS
from ..plain import count_of
from ..report.rows import JudgedRow as Row
from ..report.rows import beside_note
from .batches import Scored, Steps, StopSwitch, score_all
from .console import Console
from .curate_text import tell_failures
from .exits import DONE, INTERRUPTED, SOME_FAILED
from .inputs import Input, find_pictures
from .options import check_writable, chosen_format, weight_settings
from .output.rows import make_rows
from .output.write import put, render, window_width
from .prompts import PromptFinder, check_typed
from .scorers import load_panel

if TYPE_CHECKING:
    from ..report.contents import ReportEntry
    from ..selection import Selection
    from ..weights.card import ScorerCard


@dataclass(frozen=True)
class Job:
    """Scores with what is needed to deliver them."""

    scored: Scored
    card: ScorerCard
    console: Console


def score_pictures(args: argparse.Namespace) -> Job:
    """Finds the pictures and prompts the command line names, and scores them; UsageError where there is nothing to score."""
    console = Console(args.quiet)
    check_writable({"--output": args.output, "--html": args.html}, args.overwrite)
    chosen_format(args)  # one that there is not is an error now, not after an hour
    finder = PromptFinder(args.prompt, args.prompt_from, args.raw_prompt)
    check_typed(args)
    found = find_pictures(args.pictures, args.recursive, sys.stdin)
    if found.passed_over:
        console.say(
            f"Passed over {count_of(found.passed_over, 'file')}: no picture, but text files and the like."
        )
    return score_inputs(args, found.pictures, finder, console)


def score_inputs(
    args: argparse.Namespace, inputs: Sequence[Input], finder: PromptFinder, console: Console
) -> Job:
    """Makes the scorer ready and scores ``inputs``."""
    stop, steps = StopSwitch(console), Steps()
    panel = load_panel(args, weight_settings(args), console, steps.progress, stop.asked)
    return Job(score_all(panel, inputs, finder, console, stop, steps), panel.card, console)


def deliver(
    args: argparse.Namespace,
    job: Job,
    selection: Selection,
    order: Sequence[int],
    rule: dict[str, Any] | None,
) -> int:
    """Prints or writes the rows in ``order``, writes the page if asked for, says what must be said; returns the exit code."""
    scored, console = job.scored, job.console
    rows = make_rows(scored, selection, explain=rule is not None)
    form, width = chosen_format(args), None if args.output else window_width()
    text = render(form, rows, order, scored.scores, job.card, rule, width)
    put(text, args.output, form != "table", args.overwrite)
    if args.output:
        console.say(f"Wrote {count_of(len(order), 'row')} to {args.output}")
    if args.html:
        from ..report.write import write_report

        kept_only = rule is not None and args.show == "kept"
        notes = []
        for row, prompt in zip(rows, scored.prompts, strict=True):
            beside = beside_note(row.beside, row.disputed, row.beside_reason)
            notes.append(". ".join(filter(None, (prompt.picture_note, beside))))
        write_report(
            args.html,
            report_entries(scored, args.html, notes),
            scored.scores,
            selection,
            job.card,
            notice=" ".join(scored.warnings),
            kept_only=kept_only,
            overwrite=args.overwrite,
        )
        console.say(
            f"Wrote the page {args.html}{' with what was kept; --show all puts all on it' if kept_only else ''}"
        )
    # Pictures without a score must not go unnoticed where their rows are not printed.
    shown = set(order)
    hidden = [row for index, row in enumerate(rows) if index not in shown and row.score is None]
    failures = [(row.file, row.reason) for row in hidden]
    tell_failures(failures, console, "not scored", "; --show all lists them")
    _summary(args, rows, job, rule is not None)
    return exit_code(scored)


def exit_code(scored: Scored) -> int:
    """The exit code of a run."""
    return INTERRUPTED if scored.stopped else SOME_FAILED if scored.scores.failures else DONE


def report_entries(scored: Scored, page: Path, notes: Sequence[str] = ()) -> list[ReportEntry]:
    """The pictures as a report wants them, named as seen from the page where they lie below it."""
    from ..report.contents import ReportEntry

    entries = []
    for index, (each, prompt) in enumerate(zip(scored.inputs, scored.prompts, strict=True)):
        try:
            from_page = os.path.relpath(each.path, page.parent)
        except ValueError:  # another drive
            from_page = ".."
        entries.append(
            ReportEntry(
                name=each.name if from_page.startswith("..") else from_page,
                picture=each.path,
                path=each.path,
                written=prompt.written,
                origin=ORIGINS[prompt.source],
                note=notes[index] if notes else "",
            )
        )
    return entries


def _summary(args: argparse.Namespace, rows: Sequence[Row], job: Job, filtered: bool) -> None:
    """One line about the whole run, and what has to be known to read its numbers."""
    from ..scorers.meaning import compare_warning

    console, scores = job.console, job.scored.scores
    good = sum(row.score is not None for row in rows)
    text = (
        f"{good} of {count_of(len(rows), 'picture')} scored with {scores.scorer}, weights {scores.revision}"
    )
    if filtered:
        text += f"; {sum(row.kept for row in rows)} kept"
    if job.scored.stopped:
        text += "; stopped before the end"
    console.say(text + ".")
    for remark in job.scored.remarks:
        console.say(remark)
    if job.scored.disputed:
        console.say(
            f"The scorers disagree about {count_of(len(job.scored.disputed), 'picture')}; look yourself (see the column disputed)."
        )
    if filtered and args.within != "prompt" and (warning := compare_warning(job.card, scores.prompts)):
        console.say(f"{warning} --within prompt does.")
    cut = sum(bool(row.prompt_cut) for row in rows)
    if cut:
        console.say(
            f"Longer than the scorer reads: {count_of(cut, 'prompt')}; the end was cut (see the column prompt_cut)."
        )
    if not scores.on_reference:
        console.say("These scores are off-reference (--whole-picture): compare them with each other only.")
