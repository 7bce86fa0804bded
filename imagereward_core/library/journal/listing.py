"""Lists the steps of a journal that would not be acted on, with the reasons, without touching anything."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from .custody import LeadsOut
from .files import Refused
from .journal import Journal
from .presence import fits
from .runs import latest_standing
from .steps import StepInfo

STANDING = "state IN ('doing', 'ready', 'done', 'undoing', 'restoring')"
_WAITING = f"{STANDING} OR (parent IS NOT NULL AND state = 'planned')"
MOST_LOOKED_AT = 20_000
_MOST_PASSED_OVER = 500


def refused(
    journal: Journal, run: int | None = None, most: int = MOST_LOOKED_AT
) -> list[tuple[int, StepInfo, str]]:
    """Steps that would be left untouched, latest first: run, step and reason.

    Args:
        journal: The journal.
        run: Only of this run.
        most: Look at so many of the latest steps. Those that a process left half done are looked at in any case.
    """
    which, values = ("1", ()) if run is None else ("run = ?", (run,))
    found = []
    seen = set()
    half_done = (
        "state IN ('doing', 'ready', 'undoing', 'restoring') OR (parent IS NOT NULL AND state = 'planned')"
    )
    for condition, number in ((half_done, most), (_WAITING, most)):
        records = journal.records(f"({condition}) AND {which}", values, backwards=True)
        for record in islice(records, number):
            if record.id in seen:
                continue
            seen.add(record.id)
            try:
                journal.custody.admit(record)
            except Refused as error:
                found.append((record.run, record.info, str(error)))
    return found


def elsewhere(journal: Journal, after: int = 0) -> list[tuple[int, Path]]:
    """Runs of other folders in the same store that stand, latest first, each with its folder: the latest of each, and not all of many.

    Args:
        journal: The journal.
        after: Only runs after this one.
    """
    found: dict[Path, int] = {}
    before = 0
    for _ in range(_MOST_PASSED_OVER):
        with journal.custody.database.reading() as connection:
            run = latest_standing(connection, before)
        if run is None or run <= after:
            break
        about = None if journal.custody.concerns(run) else journal.custody.about(run)
        if about is not None:
            found.setdefault(about, run)
        before = run
    return [(run, about) for about, run in found.items()]


def leading_out(journal: Journal, run: int) -> list[StepInfo]:
    """Steps of a run that are left untouched for the one reason that they lead out of the folder and nothing vouches for them."""
    if journal.custody.run(run).doubt and fits(journal, run):
        journal.custody.trust(run)
    found = []
    for record in journal.records(f"run = ? AND ({STANDING})", (run,)):
        try:
            journal.custody.admit(record)
        except LeadsOut:
            found.append(record.info)
        except Refused:
            continue
    return found
