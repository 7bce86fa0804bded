"""Says whether the files of a run are where it left them, without changing anything."""

from __future__ import annotations

import os
from pathlib import Path

from ...files.values import is_below
from . import files
from .files import Refused
from .journal import Journal
from .reader import folders_about
from .records import Record

_HALF_DONE = "state IN ('doing', 'ready')"


def fits(journal: Journal, run: int) -> bool:
    """Whether every step of a run that stands shows in the files: as one does in the folder it was done in, or in a whole copy of it.

    Reads the files. A run with a step that is half done does not fit, for what is to be seen of one proves nothing.
    """
    standing = "state IN ('doing', 'ready', 'done', 'undoing', 'restoring')"
    return all(_fits(record) for record in journal.records(f"run = ? AND {standing}", (run,)))


def check_reachable(journal: Journal, record: Record) -> None:
    """Refuses a step whose files cannot be looked at now, because the folder they lie in is on a drive that is away.

    That a file is not there says nothing then. Where its folder is there, or lies inside of the folder the journal is about, somebody
    has removed it.

    Raises:
        Refused: A folder is missing.
    """
    ends = [record.made, record.source if record.kind == "move" else None]
    for folder in [path.parent for path in ends if path is not None]:
        if not os.path.isdir(folder) and not _may_be_missing(journal, record.run, folder):  # noqa: PTH112 - raises nothing, as below
            raise Refused(
                f"the folder {folder} is not there; plug its drive in or bring it back, and undo again. If you removed it yourself, "
                "nothing is left to do in it, and --run N takes back another run"
            )


def _may_be_missing(journal: Journal, run: int, folder: Path) -> bool:
    real = os.path.realpath(folder)
    around = filter(os.path.isdir, folders_about(journal, run))
    if any(is_below(real, os.path.realpath(about)) for about in around):
        return True
    missing = folder
    while not os.path.isdir(missing.parent) and missing != missing.parent:  # noqa: PTH112
        missing = missing.parent
    # A process that was killed had perhaps not come to making it.
    return journal.count(run, _HALF_DONE) > 0 and missing in journal.folders(run)


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
