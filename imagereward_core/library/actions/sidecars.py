"""Text files that belong to a picture and travel with it: ``a.txt``, ``a.xmp``, ``a.json``, ``a.png.xmp`` beside ``a.png``."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...images.suffixes import PICTURE_SUFFIXES
from .files import exists, same_content, spells_alike

SIDECAR_SUFFIXES = (".txt", ".xmp", ".json")
_ENDINGS = tuple(case(suffix) for suffix in SIDECAR_SUFFIXES for case in (str.lower, str.upper))


@dataclass(frozen=True)
class Companion:
    """A file beside a picture.

    Attributes:
        path: The file.
        ending: What stands in place of the picture's suffix (``.txt``), or behind the whole name.
        whole: Whether it bears the picture's whole name (``a.png.xmp``).
    """

    path: Path
    ending: str
    whole: bool

    def beside(self, picture: Path) -> Path:
        """Its name beside another picture."""
        return picture.with_name((picture.name if self.whole else picture.stem) + self.ending)


def companions_of(picture: Path) -> list[Companion]:
    """The files that belong to a picture; none for a file that is itself of their kind."""
    if picture.suffix.lower() in SIDECAR_SUFFIXES:
        return []
    found: dict[tuple[int, int], Companion] = {}
    for companion in _existing(picture):
        try:
            facts = companion.path.stat()
        except OSError:
            continue
        # Where letter case does not count, .txt and .TXT are one file.
        if stat.S_ISREG(facts.st_mode):
            found.setdefault((facts.st_dev, facts.st_ino), companion)
    return list(found.values())


def _existing(picture: Path) -> Iterator[Companion]:
    """Those that are there. Asked of every picture twice, so nothing else becomes a Path."""
    for name, ending, whole in _possible(picture):
        if os.path.lexists(name):
            yield Companion(Path(name), ending, whole)


def _possible(picture: Path) -> Iterator[tuple[str, str, bool]]:
    """The paths of the twelve companions a picture can have, each with its ending and whether it bears the picture's whole name."""
    full = str(picture)
    for whole, start in ((False, full[: len(full) - len(picture.suffix)]), (True, full)):
        for ending in _ENDINGS:
            yield start + ending, ending, whole


def others_share(picture: Path, companion: Companion) -> bool:
    """Whether another picture beside this one has the same companion, as ``a.jpg`` has the ``a.txt`` of ``a.png``."""
    if companion.whole:
        return False
    return any(
        exists(other) and other.name != picture.name and not spells_alike(other, picture)
        for suffix in PICTURE_SUFFIXES
        for other in (picture.with_suffix(suffix), picture.with_suffix(suffix.upper()))
    )


def would_mix(picture: Path, companions: list[Companion]) -> bool:
    """Whether a file beside the name ``picture`` would be taken for a companion of ours although it is another's."""
    own = {(companion.whole, companion.ending.lower()): companion.path for companion in companions}
    for companion in _existing(picture):
        source = own.get((companion.whole, companion.ending.lower()))
        if source is None or not same_content(source, companion.path):
            return True
    return False


def is_companion(path: Path, picture: Path) -> bool:
    """Whether a path is one that a text file of a picture can have: beside it, and named after it."""
    if path.parent != picture.parent or picture.suffix.lower() in SIDECAR_SUFFIXES:
        return False
    return _plain(path.name) in {_plain(os.path.basename(name)) for name, _, _ in _possible(picture)}  # noqa: PTH119


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
