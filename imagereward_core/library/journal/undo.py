"""Takes a run back, last step first. A file that changed since is left as it is, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from .changes import remove_folders
from .groups import Groups
from .journal import Journal
from .listing import STANDING, elsewhere
from .presence import fits
from .reach import folders_outside
from .reader import JournalError
from .recovery import settle_all
from .steps import Cancelled, Progress, RunResult, StepInfo
from .undo_step import take_back
from .waits import work_together

_LEFT_BEHIND = "run = ? AND parent IN (SELECT id FROM steps WHERE run = ? AND parent IS NULL AND state = 'undone') AND state = 'done'"
"""Text files that could not go back when their picture did."""


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
        total = left = journal.count(info.id, "state = 'done'")
        for behind in list(journal.records(_LEFT_BEHIND, (info.id, info.id), backwards=True)):
            work_together(journal, [take_back(journal, behind, result)])
        records = journal.records("run = ? AND parent IS NULL AND state = 'done'", (info.id,), backwards=True)
        for group in Groups(records):
            if cancelled is not None and cancelled():
                break
            work_together(journal, [take_back(journal, record, result) for record in group])
            left -= len(group)
            if progress is not None:
                progress(total - left, total)
        result.left = left
        journal.write()
        remove_folders(journal, info.id)
    return result
