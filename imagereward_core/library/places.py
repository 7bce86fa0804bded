"""Where the library of a folder is: in the folder itself, or the one that the WebUI's tab keeps for all folders in its data folder.

Of files that lie in folders nobody knows who wrote them: which of those above a folder of pictures count is said here too.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import CuratorError
from ..files import STORE_FOLDER
from ..files.values import absolute
from .library import FILE_NAME, Library
from .store.records import Query

logger = logging.getLogger(__name__)

TAB_FOLDER = Path("imagereward", "library")
"""Where the WebUI's tab has its library, in the WebUI's data folder, which its pictures mostly lie below."""


def first_library(folder: Path) -> Path:
    """Place of the library that a folder of pictures begins with where nobody names one; it need not be there yet.

    That is its own, and the WebUI's tab's where that knows the pictures and nothing is judged in its own: no score, no stars, no
    decision. So what was said in the tab is found by every command, whichever is run first.
    """
    own = absolute(folder) / STORE_FOLDER
    return own if _is_judged(own, folder) else tabs_library(folder) or own


def tabs_library(folder: Path) -> Path | None:
    """Place of the library of the WebUI's tab that knows pictures in a folder, looked for in it and above; None where there is none."""
    for place in places_above(absolute(folder), (TAB_FOLDER,), FILE_NAME):
        try:
            with Library.look(place, root=folder) as library:
                if next(iter(library.rows(Query(folder=absolute(folder)))), None) is not None:
                    return place
        except CuratorError as error:
            logger.warning("A library above %s is passed over: %s", folder, error)
    return None


def places_above(folder: Path, names: Iterable[str | Path], file: str) -> Iterator[Path]:
    """Places called so in a folder and in those above, the nearest first, whose ``file`` counts.

    Above a folder, where others may write as well (``/tmp``), a file counts only where whoever runs this, or owns the pictures, owns it.
    """
    for above in (folder, *folder.parents):
        for name in names:
            if _counts(above / name / file, folder, own=above == folder):
                yield above / name


def _counts(file: Path, folder: Path, *, own: bool) -> bool:
    """Whether there is such a file, and it is one's own, the pictures' owner's or the system's, or lies in their folder itself."""
    if not file.is_file():
        return False
    if own or not hasattr(os, "getuid"):
        return True
    try:
        return file.stat().st_uid in (0, os.getuid(), folder.stat().st_uid)
    except OSError:
        return False


def _is_judged(place: Path, folder: Path) -> bool:
    """Whether there is a library with a score, stars or a decision; also where it cannot be read, which whoever opens it is told."""
    if not (place / FILE_NAME).is_file():
        return False
    try:
        with Library.look(place, root=folder) as library:
            return library.is_judged()
    except CuratorError:
        return True
