"""The folders in which a run acts: the one it is about, and destinations outside that were named or that a person confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .roots import read_path

if TYPE_CHECKING:
    from .reader import JournalReader


def folders_of(journal: JournalReader, run: int | None) -> list[Path]:
    """Every folder in which a run acts, with those of half-done runs, which are settled first.

    Args:
        journal: The journal.
        run: The run; None for half-done ones alone.
    """
    settled = journal.unsettled()
    runs = [*settled, run] if run is not None and run not in settled else settled
    return [*folders_about(journal, run), *folders_outside(journal, runs)]


def folders_about(journal: JournalReader, run: int | None) -> list[Path]:
    """The folders that a run is about, or all runs that have a step half done; as far as they are known."""
    if journal.root.folder is not None:
        return [journal.root.folder]
    with journal.custody.database.reading() as connection:
        runs = journal.unsettled() if run is None else [run]
        found = [
            connection.execute("SELECT folder FROM runs WHERE id = ?", (each,)).fetchone() for each in runs
        ]
    paths = [read_path(row[0], None) for row in found if row is not None and row[0] is not None]
    return [path for path, flaw in paths if not flaw]


def folders_outside(journal: JournalReader, runs: Iterable[int]) -> list[Path]:
    """The folders outside in which steps of these runs may act, links resolved; none for which nothing but the journal vouches."""
    found: dict[str, None] = {}
    for run in runs:
        with journal.custody.database.reading() as connection:
            # One step of each set of folders: thousands go to the same.
            rows = connection.execute(
                "SELECT min(id) FROM steps WHERE run = ? AND outside IS NOT NULL GROUP BY outside", (run,)
            ).fetchall()
        for row in rows:
            for record in journal.records("id = ?", row):
                found.update(dict.fromkeys(journal.custody.vouched(record)))
    return [Path(folder) for folder in found]
