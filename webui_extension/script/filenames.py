"""``[imagereward]`` in the host's patterns for file and folder names."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from .state import Job, Picture

PATTERN = "imagereward"
_DECIMALS = 4
_REPLACING = ("Replace", "Override")
"""The hosts' name for the choice that a file may take another one's place."""


class _Save(NamedTuple):
    p: Any
    picture: Picture
    job: Job
    replaces: bool


_saving: list[_Save] = []


@contextmanager
def saving(p: Any, picture: Picture, job: Job, replaces: bool = True) -> Iterator[None]:
    """Says whose name the host is about to make. It may replace files of earlier jobs where its user has chosen so, and ``replaces``."""
    _saving.append(_Save(p, picture, job, replaces))
    try:
        yield
    finally:
        _saving.pop()


def keep_apart(params: Any) -> None:
    """The host's callback before a file is written: gives it another name where it would replace one that must stay.

    Without numbers in names the host replaces what has the same name. Held saves come closer together than the host's own, and
    further runs begin to count anew, so that a pattern could name two pictures of a job alike.
    """
    if not _saving or params.p is not _saving[-1].p:
        return
    from modules.shared import opts

    save, path = _saving[-1], Path(str(params.filename))
    replaces = save.replaces and getattr(opts, "save_images_replace_action", "Replace") in _REPLACING
    number, place = 0, path
    while place.exists() and (not replaces or _is_of(save.job, place)):
        number += 1
        place = path.with_name(f"{path.stem}-{number}{path.suffix}")
    if number:
        params.filename = str(place)


def _is_of(job: Job, place: Path) -> bool:
    """Whether a picture of the job was saved there."""
    here = _spelled(place)
    return any(_spelled(file) == here for each in (*job.pictures, *job.gated) for file in each.files)


def _spelled(file: str | Path) -> str:
    """The same text for the same file, in whatever case Windows is given it."""
    return os.path.normcase(Path(file).absolute())


def fill(generator: Any, *arguments: str) -> Any:
    """The text for ``[imagereward]``: the score; nothing, together with the text before it, for a picture without one.

    ``[imagereward<2>]`` has two decimals; ``[imagereward<percentile>]`` and ``[imagereward<verdict>]`` give these instead.
    """
    picture = _saving[-1].picture if _saving and _saving[-1].picture.image is generator.image else None
    text = _text(picture, arguments[0].strip().lower() if arguments else "") if picture is not None else ""
    if text:
        return text
    from modules import images

    return getattr(images, "NOTHING_AND_SKIP_PREVIOUS_TEXT", "")


def _text(picture: Picture, wanted: str) -> str:
    if wanted == "verdict":
        return picture.verdict
    value = picture.percentile if wanted == "percentile" else picture.value
    if math.isnan(value):
        return ""
    decimals = min(int(wanted), 8) if wanted.isdigit() else 1 if wanted == "percentile" else _DECIMALS
    return f"{value:.{decimals}f}"


def connect(door: Any) -> None:
    """Teaches the host the pattern, until the scripts are loaded anew; and sees to the names of files."""
    from modules import images

    patterns = images.FilenameGenerator.replacements
    patterns[PATTERN] = fill
    door.on("before_image_saved", keep_apart, "names")
    door.on_unload(lambda: patterns.pop(PATTERN, None), "the file name pattern")
