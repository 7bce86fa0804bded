"""Files that belong to a picture and travel with it: ``a.txt``, ``a.xmp``, ``a.swarm.json``, ``a.png.xmp`` beside ``a.png``."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from ...images.suffixes import PICTURE_SUFFIXES
from ...metadata.companions import SideFile, alike, possible, side_files
from .files import exists, same_content, spells_alike

SIDECAR_SUFFIXES = (".txt", ".xmp", ".json", ".caption")


def companions_of(picture: Path) -> list[SideFile]:
    """The files that belong to a picture; none for a file that is itself of their kind."""
    if picture.suffix.lower() in SIDECAR_SUFFIXES:
        return []
    found: dict[tuple[int, int], SideFile] = {}
    for companion in side_files(picture, steady=False):
        try:
            facts = companion.path.stat()
        except OSError:
            continue
        # Where letter case does not count, .txt and .TXT are one file.
        if stat.S_ISREG(facts.st_mode):
            found.setdefault((facts.st_dev, facts.st_ino), companion)
    return list(found.values())


def others_share(picture: Path, companion: SideFile) -> bool:
    """Whether another picture beside this one has the same companion, as ``a.jpg`` has the ``a.txt`` of ``a.png``."""
    if companion.whole:
        return False
    return any(
        exists(other) and other.name != picture.name and not spells_alike(other, picture)
        for suffix in PICTURE_SUFFIXES
        for other in (picture.with_suffix(suffix), picture.with_suffix(suffix.upper()))
    )


def would_mix(picture: Path, companions: Sequence[SideFile]) -> bool:
    """Whether a file beside the name ``picture`` would be taken for a companion of ours although it is another's."""
    own = {(companion.whole, companion.ending.lower()): companion.path for companion in companions}
    for companion in side_files(picture, steady=False):
        source = own.get((companion.whole, companion.ending.lower()))
        if source is None or not same_content(source, companion.path):
            return True
    return False


def is_companion(path: Path, picture: Path) -> bool:
    """Whether a path is one that a text file of a picture can have: beside it, and named after it."""
    if path.parent != picture.parent or picture.suffix.lower() in SIDECAR_SUFFIXES:
        return False
    return alike(path.name) in {alike(os.path.basename(name)) for name, _, _ in possible(picture)}  # noqa: PTH119
