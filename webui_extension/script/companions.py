"""Files saved beside a picture under its name with a suffix (mask, first pass, previews), which go where the picture goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagereward_core.library.journal import Refused

from ..door import report
from . import rejects
from .arguments import MARKED
from .state import REJECTED, Picture, Run


def note(run: Run, named: dict[str, Any], result: Any) -> None:
    """Remembers a file that the host or another script has just saved beside a picture, from what its function was given and gives."""
    suffix = named.get("suffix")
    files = [str(file) for file in result or () if file and Path(str(file)).is_file()]
    if not suffix or suffix.startswith(rejects.FIRST_PASS) or named.get("grid") or not files:
        return
    if run.batch is None:  # between the passes of hires. fix, one after another for every row
        row = run.copies[suffix] = run.copies.get(suffix, -1) + 1
    else:
        row = int(run.p.batch_index)
    mine = run.companions.setdefault(row, [])
    mine.append(files)
    # Those of the last row come when its picture has been judged already.
    picture = next((each for each in reversed(run.pictures) if each.companions is mine), None)
    if picture is not None:
        follow(run, picture)


def follow(run: Run, picture: Picture) -> None:
    """Where a picture was rejected, everything that belongs to it goes where rejected ones go, if that is wanted."""
    if picture.verdict != REJECTED or not run.selects or not run.settings.companions:
        return
    waiting, picture.companions[:] = list(picture.companions), []
    for files in waiting:
        there = [Path(file) for file in files if Path(file).is_file()]
        if there:
            put_aside(run, picture, there)


def put_aside(run: Run, picture: Picture, files: list[Path]) -> list[str]:
    """Moves files, the picture first, to where rejected ones go; returns where they are now, the old places where it cannot be done."""
    first = files[0]
    outputs = Path(picture.folder or str(run.p.outpath_samples))
    to_mark = run.settings.rejects == MARKED
    try:
        moved = rejects.move(files, rejects.marked(first) if to_mark else rejects.place_for(first, outputs))
    except (OSError, Refused) as error:
        run.job.note(report(f"{first.name} stays where it is", error))
        return [str(file) for file in files]
    if not to_mark:
        run.job.folders.append(rejects.folder_in(outputs))
    return [str(file) for file in moved]
