"""Puts rejected pictures into their folder, also those that lie elsewhere already. Nothing is overwritten or deleted.

Files saved beside a picture under its name with a suffix (mask, first pass, previews) go where the picture goes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from imagereward_core.library.journal import Refused, move_new

from ..door import report
from ..host import info
from .arguments import MARKED
from .state import REJECTED, Picture, Run

SUFFIX = "-rejected"
FIRST_PASS = "-first-pass"
"""In the name of a first pass that was not upscaled."""


def folder_in(outputs: str | os.PathLike[str]) -> str:
    """The rejects folder of an output folder, by the name on the settings page."""
    return str(Path(outputs) / info.rejects_folder())


def place_for(file: Path, outputs: Path) -> Path:
    """Where a file of an output folder belongs once it is rejected: at the same place inside the rejects folder.

    A file outside of ``outputs`` gets a rejects folder beside it.
    """
    try:
        inside = file.absolute().relative_to(outputs.absolute())
    except ValueError:
        return Path(folder_in(file.parent)) / file.name
    return Path(folder_in(outputs)) / inside


def marked(file: Path) -> Path:
    """The name of a rejected file that stays where it is."""
    return file.with_name(f"{file.stem}{SUFFIX}{file.suffix}")


def move(files: list[Path], target: Path) -> list[Path]:
    """Moves a picture, the first, and what lies beside it under the same name (a text file) to the first free name for ``target``.

    The others keep their endings. Returned is where they are now.

    Raises:
        OSError, Refused: The first cannot be moved; nothing has changed then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    stem, number = target.stem, 1
    while True:
        name = stem if number == 1 else f"{stem}-{number}"
        places = [target.with_name(name + file.suffix) for file in files]
        if not any(place.exists() for place in places):
            try:
                move_new(files[0], places[0])
                break
            except FileExistsError:
                pass  # somebody took the name just now
        number += 1
    moved = [places[0]]
    for file, place in zip(files[1:], places[1:]):
        try:
            move_new(file, place)
        except (OSError, Refused):
            place = file
        moved.append(place)
    return moved


def note(run: Run, named: dict[str, Any], result: Any) -> None:
    """Remembers a file that the host or another script has just saved beside a picture, from what its function was given and gives."""
    suffix = named.get("suffix")
    files = [str(file) for file in result or () if file and Path(str(file)).is_file()]
    if not suffix or suffix.startswith(FIRST_PASS) or named.get("grid") or not files:
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
        moved = move(files, marked(first) if to_mark else place_for(first, outputs))
    except (OSError, Refused) as error:
        run.job.note(report(f"{first.name} stays where it is", error))
        return [str(file) for file in files]
    if not to_mark:
        run.job.folders.append(folder_in(outputs))
    return [str(file) for file in moved]
