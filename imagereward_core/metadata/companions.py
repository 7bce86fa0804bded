"""Files beside a picture that belong to it, by their names.

A file belongs to ``a.png`` if it is called ``a`` or ``a.png`` and one of the endings. Letter case and the two ways to
write a letter with marks (as macOS and other systems do) make no difference, unless the folder holds a picture
whose name fits to the letter: ``A.txt`` is of ``A.png`` where that is there, not of ``a.png``.
"""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..images.suffixes import PICTURE_SUFFIXES, PREVIEW_ENDINGS, is_picture_name

PROMPT_ENDINGS = (".txt", ".caption", ".json", ".swarm.json")
"""Of files that may hold a picture's prompt, in the order in which they are asked."""
ENDINGS = (*PROMPT_ENDINGS, ".xmp", *PREVIEW_ENDINGS)
"""Of all files that belong to a picture."""

_CHEAP_S = 0.001
_SHARE = 20
_SETTLED_NS = 2_000_000_000
_MOST_FOLDERS = 8


@dataclass(frozen=True)
class SideFile:
    """A file beside a picture.

    ``ending`` is what stands in place of the picture's suffix (``.txt``), as it is spelled, or, where the file bears the ``whole`` name
    (``a.png.xmp``), behind it.
    """

    path: Path
    ending: str
    whole: bool

    def beside(self, picture: Path) -> Path:
        """Its name beside another picture."""
        return picture.with_name((picture.name if self.whole else picture.stem) + self.ending)


def alike(name: str) -> str:
    r"""The same for names that differ in letter case, or in how letters with marks are written, alone.

    >>> alike("FU\u0308CHSE.png") == alike("f\u00fcchse.PNG")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def side_files(picture: Path, endings: Sequence[str] = ENDINGS, steady: bool = True) -> list[SideFile]:
    """The files with one of ``ENDINGS`` that belong to a picture, in their order, those with its whole name first. It need not exist.

    Where the folder is not ``steady`` meanwhile, what is spelled differently and appeared just now may be missed in a large one.
    """
    if picture.name in ("", ".."):
        return []
    found: dict[str, SideFile] = {}
    for path, ending, whole in possible(picture, endings):
        if os.path.lexists(path):
            found[path] = SideFile(Path(path), ending, whole)
    for each in _others(picture.parent, steady).get(picture.name, ()):
        if each.ending.lower() in endings:
            found.setdefault(str(each.path), each)
    return sorted(found.values(), key=lambda each: (endings.index(each.ending.lower()), not each.whole))


def possible(picture: Path, endings: Sequence[str] = ENDINGS) -> Iterator[tuple[str, str, bool]]:
    """The paths of files that may belong to a picture, spelled as it is, each with its ending and whether it bears the whole name."""
    full = str(picture)
    stem = full[: len(full) - len(picture.suffix)]
    for ending in endings:
        for whole, start in ((True, full), (False, stem)):
            if (path := start + ending) != full:
                yield path, ending, whole


def owners(path: Path) -> list[Path]:
    """The pictures that a file beside them belongs to."""
    found: dict[Path, None] = {}
    for base, _ in _parts(path.name):
        if is_picture_name(base):
            found[path.with_name(base)] = None
        for suffix in sorted(PICTURE_SUFFIXES):
            found[path.with_name(base + suffix)] = found[path.with_name(base + suffix.upper())] = None
    there = [picture for picture in found if os.path.isfile(picture)]  # noqa: PTH113
    if not there:
        others = _others(path.parent, steady=False)
        there = [
            path.with_name(name)
            for name, files in others.items()
            if any(each.path.name == path.name for each in files)
        ]
    return there


def keys(name: str) -> list[str]:
    """Of a file that may belong to a picture: what the picture's whole name or its stem is like, see ``alike``."""
    return [alike(base) for base, _ in _parts(name)]


def _parts(name: str) -> list[tuple[str, str]]:
    """A file's name as base and ending, for each of ``ENDINGS`` that fits: ``a.swarm.json`` may be of ``a.png`` or of ``a.swarm.png``."""
    low = name.lower()
    return [
        (name[: -len(ending)], name[-len(ending) :])
        for ending in ENDINGS
        if low.endswith(ending) and len(name) > len(ending)
    ]


@dataclass(frozen=True)
class _Listing:
    """What a folder held: the files of each picture that are not spelled as it is."""

    files: dict[str, list[SideFile]]
    changed_ns: int
    read_ns: int
    read_at: float
    took: float


_known: dict[str, _Listing] = {}


def _others(folder: Path, steady: bool) -> dict[str, list[SideFile]]:
    """The files beside the pictures of a folder that are spelled differently. A listing is kept as long as it is right, or was dear."""
    name = str(folder)
    try:
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116
    except (OSError, ValueError):
        return {}
    last = _known.get(name)
    if last is not None:
        # The clock of a file system may stand still for some milliseconds.
        same = changed == last.changed_ns
        fresh = last.took > _CHEAP_S and time.monotonic() - last.read_at < _SHARE * last.took
        if (same and last.read_ns - changed > _SETTLED_NS) or (fresh and (same or not steady)):
            return last.files
    now, start = time.time_ns(), time.monotonic()
    try:
        files = _read(folder)
    except OSError:
        return {}
    while len(_known) >= _MOST_FOLDERS:
        _known.pop(next(iter(_known), ""), None)
    _known[name] = _Listing(files, changed, now, start, time.monotonic() - start)
    return files


def _read(folder: Path) -> dict[str, list[SideFile]]:
    texts: dict[str, list[tuple[str, str, str]]] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            for base, ending in _parts(entry.name):
                texts.setdefault(alike(base), []).append((entry.name, base, ending))
    if not texts:
        return {}
    claimed: set[str] = set()
    found: dict[str, list[tuple[str, str, str, bool]]] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if not is_picture_name(name):
                continue
            for whole, own in ((True, name), (False, os.path.splitext(name)[0])):  # noqa: PTH122
                for text, base, ending in texts.get(alike(own), ()):
                    if base == own:
                        claimed.add(text)
                    if base != own or ending != ending.lower():
                        found.setdefault(name, []).append((text, base, ending, whole))
    files: dict[str, list[SideFile]] = {}
    for picture, each in found.items():
        own_names = (picture, os.path.splitext(picture)[0])  # noqa: PTH122
        files[picture] = [
            SideFile(folder / text, ending, whole)
            for text, base, ending, whole in sorted(each)
            if text not in claimed or base in own_names
        ]
    return files
