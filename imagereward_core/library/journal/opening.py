"""Opens a journal for acting, and first settles what an earlier process left half done."""

from __future__ import annotations

from pathlib import Path

from .journal import Journal
from .reader import JournalError
from .recovery import recover
from .roots import Root
from .trust import Seal


def open_journal(place: Path, *, root: Path | None = None, data: Path | None = None) -> Journal:
    """The journal in the folder ``place``, which is made where it is missing, for acting.

    What an earlier process left half done is settled and stands in ``recovered``; not so while another process acts on it.

    Args:
        place: The folder of the store.
        root: The folder that steps are about: those inside it are acted on wherever it lies by now. By default the one in which a
            store of the usual name (``.imagereward``) lies. A store of another name without it has none.
        data: The user's own folder for this program. With a key that lies there, steps that lead out of the root are signed, and
            only such ones are acted on later. None for a key that this object alone has.

    Raises:
        CuratorError: The file is damaged, of a newer version, or cannot be written.
    """
    journal = Journal(place, Root(place, root), Seal(data))
    try:
        journal.custody.adopt()
        if journal.unsettled():
            try:
                journal.recovered = recover(journal)
            except JournalError:
                pass  # another process is at work; what looks half done is what it does
    except BaseException:
        journal.close()
        raise
    return journal
