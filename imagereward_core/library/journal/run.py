"""Executes a run step by step; a step that cannot be done gets a reason, and the others go on."""

from __future__ import annotations

from .changes import remove_folders
from .do_step import carry_out
from .groups import Groups
from .journal import Journal
from .reader import JournalError
from .recovery import settle_all
from .steps import Cancelled, Progress, RunResult
from .waits import work_together


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
        left = journal.count(run, "state = 'planned'")
        for group in Groups(journal.records("run = ? AND parent IS NULL AND state = 'planned'", (run,))):
            if cancelled is not None and cancelled():
                break
            work_together(journal, [carry_out(journal, record, result) for record in group])
            left -= len(group)
            if progress is not None:
                progress(info.steps - left, info.steps)
        result.left = left
        journal.write()
        remove_folders(journal, run)  # those of steps that failed
    return result
