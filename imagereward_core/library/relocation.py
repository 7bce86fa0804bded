"""Updates the paths in a library after a run has moved or copied pictures, also after one that was cut off."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.values import is_below
from .store.files import find_file
from .store.relocation import recall_file

if TYPE_CHECKING:
    from .journal import Journal
    from .library import Library


def tell(library: Library, journal: Journal, run: int) -> None:
    """Updates the library with where the pictures of a run lie now, as far as the journal knows."""
    with library.database.writing():  # one transaction, for a run may be long
        for info in journal.steps(run):
            step, made = info.step, info.made
            if made is None or info.companion or step.kind in ("edit", "put"):
                continue
            if info.state == "done":
                (library.moved if step.kind == "move" else library.copied)(step.source, made)
            elif info.state == "undone":
                library.moved(made, step.source)


def catch_up(library: Library, outside: Sequence[Path]) -> None:
    """Updates pictures that the last run moved to folders ``outside``, where no scan looks, if the library does not know it yet."""
    from .journal.files import Refused
    from .journal.reader import FILE_NAME

    if not outside or library.database.read_only or not library.database.path.with_name(FILE_NAME).is_file():
        return
    moved: list[tuple[Path, Path]] = []
    with library.journal(looking=True) as journal, library.database.reading() as connection:
        last = journal.last_done()
        if last is None:
            return
        where = "run = ? AND parent IS NULL AND kind = 'move' AND state = 'done'"
        for record in journal.records(where, (last.id,), backwards=True):
            source, made = record.source, record.made
            if made is None or not any(is_below(made, folder) for folder in outside):
                continue
            if find_file(connection, made) is not None:
                break  # a run is written as a whole
            if os.path.lexists(made) and not os.path.lexists(source):
                try:
                    journal.custody.admit(record)
                except Refused:
                    continue
                moved.append((source, made))
    if moved:
        with library.database.writing() as connection:
            for source, made in moved:
                recall_file(connection, source, made)
