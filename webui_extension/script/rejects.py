"""Puts rejected pictures into their folder, also those that lie elsewhere already. Nothing is overwritten or deleted."""

from __future__ import annotations

import os
from pathlib import Path

from imagereward_core.library.journal import Refused, move_new

from ..host import info

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
    """Moves a picture and what lies beside it under the same name (a text file) to the first free name.

    Args:
        files: The picture first.
        target: Where the picture is to go; the others keep their endings.

    Returns:
        Where they are now.

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
