"""Executes a run step by step, or takes it back; a step that cannot be done or undone gets a reason, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .changes import remove_folders
from .do_step import carry_out
from .groups import Groups
from .journal import Journal
from .listing import STANDING, elsewhere
from .presence import fits
from .reader import JournalError, folders_outside
from .records import Record
from .recovery import settle_all
from .steps import Cancelled, Progress, RunResult, StepInfo
from .undo_step import take_back
from .waits import Work, work_together

_LEFT_BEHIND = "run = ? AND parent IN (SELECT id FROM steps WHERE run = ? AND parent IS NULL AND state = 'undone') AND state = 'done'"
"""Text files that could not go back when their picture did."""


def execute(
    journal: Journal, run: int, *, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> RunResult:
    """Does the steps of a run that are still to do.

    Doing the same steps again, in this run or in another, does nothing twice: what is there already is skipped.

    Raises:
        JournalError: Another program is acting on this journal, there is no such run, or it was undone.
        CuratorError: The journal cannot be written. Nothing happens that is not in it.
    """
    result = RunResult(run)
    with journal.acting(run):
        journal.recovered += settle_all(journal)
        info = journal.run(run)
        known = journal.custody.run(run)
        problem = known.flaw or known.doubt
        if problem:
            raise JournalError(problem)
        if info.state in ("undone", "partly undone"):
            raise JournalError(f"run {run} was undone; begin a new run to do it again")
        result.left = journal.count(run, "state = 'planned'")
        records = journal.records("run = ? AND parent IS NULL AND state = 'planned'", (run,))
        _in_groups(journal, records, carry_out, result, info.steps, progress, cancelled)
    return result


def undo(
    journal: Journal,
    run: int | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    confirmed: Sequence[StepInfo] = (),
) -> RunResult:
    """Takes a run back: the last one of which something stands, or the one given.

    What the run made is removed only where it holds exactly the bytes it was given and the original is still there with them;
    everything else stays, with a reason. Steps of the run that were never come to will not be done any more. Calling it again goes on
    with what could not be undone.

    Args:
        journal: The journal.
        run: The run; None for the last.
        progress: Told how far it is.
        cancelled: Asked between two groups of steps.
        confirmed: Steps that lead out of the folder and that a person has seen and wants undone all the same, as
            :func:`~.listing.leading_out` gave them.

    Raises:
        JournalError: Another program is acting on this journal, there is no such run, or nothing to undo.
        CuratorError: The journal cannot be written.
    """
    info = journal.last_done() if run is None else journal.run(run)
    with journal.acting(None if info is None else info.id):
        if confirmed and info is not None:
            standing = list(journal.records(f"run = ? AND {STANDING}", (info.id,)))
            journal.custody.vouch(info.id, standing, confirmed)
            journal.keep_out(folders_outside(journal, [info.id]))
        journal.recovered += settle_all(journal)
        info = journal.last_done() if run is None else journal.run(run)
        if info is None:
            others = "".join(
                f". Run {run} was done in {about}; name that folder" for run, about in elsewhere(journal)[:1]
            )
            raise JournalError(
                f"there is nothing to undo: no run of this journal has done anything that still stands{others}"
            )
        known = journal.custody.run(info.id)
        if known.flaw:
            raise JournalError(known.flaw)
        if known.doubt:
            if not fits(journal, info.id):
                raise JournalError(f"{known.doubt}. {journal.custody.advice}")
            journal.custody.vouch(info.id, (), ())
        result = RunResult(info.id)
        journal.abandon(info.id, "the run was undone before its turn")
        result.left = journal.count(info.id, "state = 'done'")
        for behind in list(journal.records(_LEFT_BEHIND, (info.id, info.id), backwards=True)):
            work_together(journal, [take_back(journal, behind, result)])
        records = journal.records("run = ? AND parent IS NULL AND state = 'done'", (info.id,), backwards=True)
        _in_groups(journal, records, take_back, result, result.left, progress, cancelled)
    return result


def _in_groups(
    journal: Journal,
    records: Iterator[Record],
    work: Callable[[Journal, Record, RunResult], Work],
    result: RunResult,
    total: int,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> None:
    """Works at the steps that are left of ``total``, and removes the folders that are empty then, those of steps that failed as well."""
    for group in Groups(records):
        if cancelled is not None and cancelled():
            break
        work_together(journal, [work(journal, record, result) for record in group])
        result.left -= len(group)
        if progress is not None:
            progress(total - result.left, total)
    journal.write()
    remove_folders(journal, result.run)
