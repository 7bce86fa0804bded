"""Whether the files of a run are where it left them, told without changing anything."""

from __future__ import annotations

import os

from . import files
from .journal import Journal
from .records import Record


def fits(journal: Journal, run: int) -> bool:
    """Whether every step of a run that stands shows in the files: as one does in the folder it was done in, or in a whole copy of it.

    Reads the files. A run with a step that is half done does not fit, for what is to be seen of one proves nothing.
    """
    standing = "state IN ('doing', 'ready', 'done', 'undoing', 'restoring')"
    return all(_fits(record) for record in journal.records(f"run = ? AND {standing}", (run,)))


def _fits(record: Record) -> bool:
    made = record.made
    if record.state != "done" or made is None or record.flaw:
        return False
    try:
        if record.kind == "symlink" or (record.kind == "move" and record.former is not None):
            return made.is_symlink() and (
                record.kind == "move" or os.fsencode(os.readlink(made)) == record.former  # noqa: PTH115
            )
        if record.kind == "move":
            return not files.exists(record.source) and (
                files.mark_of(made).looks_like(record.after) or files.holds(made, record.after)
            )
        if record.kind == "hardlink":
            return files.same_content(record.source, made)
        return files.holds(made, record.after)
    except OSError:
        return False
