"""Destination folders of a curation: what lies in them already, copies made earlier, and free names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePath

from ...errors import CuratorError, ImageError
from ...files import STORE_FOLDER
from ...files.values import is_below
from ...metadata.companions import SideFile, alike, keys, possible
from ..journal.files import same_content
from ..journal.names import free_names
from ..journal.roots import led_out
from ..journal.sidecars import companions_of, would_mix
from ..store.records import Row

_NUMBERED = re.compile(r"(.+) \(\d+\)(\.[^.]*)?")
_SCORED = re.compile(r"(.+)_score-?\d+\.\d{4}((?: \(\d+\))?)(\.[^.]*)?")


class CurateError(CuratorError):
    """A curation that cannot be: no such folder, a name nothing is sorted under, destinations that would swallow the folder."""


@dataclass(frozen=True)
class Home:
    """Where a picture belongs, wherever it lies now.

    Attributes:
        name: Whose destination folder it lies in; empty for one that lies outside of them.
        folder: Its folder relative to the curated folder, or to the destination folder it lies in; empty for that folder itself.
    """

    name: str
    folder: str
    file: str


class Destinations:
    """The folders that pictures are sorted into: by name a folder, absolute, inside of ``root`` or elsewhere."""

    def __init__(self, root: Path, folders: Mapping[str, Path]) -> None:
        self.root, self.folders = root, dict(folders)
        # The deepest first, so that a destination inside of another is found.
        self._prefixes = sorted(
            ((_prefix(folder), name) for name, folder in folders.items()), key=lambda each: -len(each[0])
        )
        self._root = _prefix(root)

    @property
    def outside(self) -> tuple[Path, ...]:
        """Destination folders that lie neither inside of the curated folder nor inside of each other."""
        around = {self._root, *(prefix for prefix, _ in self._prefixes)}
        return tuple(
            folder
            for folder in self.folders.values()
            if not any(prefix != _prefix(folder) and _prefix(folder).startswith(prefix) for prefix in around)
        )

    def check(self) -> None:
        """Refuses folders in which pictures could not be distinguished from sorted ones.

        Raises:
            CurateError: A destination holds the curated folder, two names share a folder, or no scan would look into one.
        """
        seen: dict[str, str] = {}
        for name, folder in self.folders.items():
            prefix = _prefix(folder)
            if self._root.startswith(prefix):
                raise CurateError(
                    f"{folder}, where {name} pictures are to go, holds the folder {self.root} itself; expected a folder inside or beside it"
                )
            hidden = hidden_part(folder, self.root)
            if hidden:
                raise CurateError(
                    f"{folder}, where {name} pictures are to go, lies in {hidden}: scans pass over folders whose names begin with a dot, "
                    "so pictures would never be found again; expected a folder without the dot"
                )
            if prefix in seen:
                raise CurateError(
                    f"{seen[prefix]} and {name} pictures are to go to one folder, {folder}; expected two"
                )
            seen[prefix] = name

    def check_links(self) -> None:
        """Refuses a destination that only a link in the curated folder leads out of it.

        Raises:
            CurateError: There is one. It may have come along with the folder; whoever made it can name where it leads.
        """
        for name, folder in self.folders.items():
            real = led_out(folder, self.root)
            if real:
                raise CurateError(
                    f"{folder}, where {name} pictures are to go, is a link, or lies behind one, that leads out of {self.root}. Links may "
                    f"come along with a folder, from anybody; if this one is yours, name where it leads ({real}), or give --follow-links"
                )

    def home(self, path: Path) -> Home:
        """Where the picture at ``path`` belongs; for one outside of everything, its own folder."""
        text = os.path.normcase(path)
        base, name = len(self._root) if text.startswith(self._root) else 0, ""
        for prefix, owner in self._prefixes:
            if text.startswith(prefix):
                base, name = len(prefix), owner
                break
        folder, _, file = str(path)[base:].rpartition(os.sep)
        return Home(name, folder, file)

    def target(self, home: Home, name: str, score: float | None = None) -> Path:
        """Where a picture of ``home`` goes when it is sorted under ``name``: subfolders stay; a score given goes into its name."""
        file = home.file if score is None else with_score(home.file, score)
        return Path(self.folders[name], home.folder, file)


def linked_paths(paths: Iterable[Path]) -> frozenset[Path]:
    """Those of some files that are symbolic links to others of them, and those that such links lead to."""
    files = list(paths)
    links = {path: os.path.realpath(path) for path in files if os.path.islink(path)}  # noqa: PTH114 - of a million files
    if not links:
        return frozenset()
    real = {os.path.realpath(path): path for path in files if path not in links}
    found = {path for link, end in links.items() if end in real for path in (link, real[end])}
    return frozenset(found)


def hidden_part(folder: Path, root: Path) -> str:
    """The part of a folder's path for which scans pass it over, by its name or, links resolved, where it leads; empty where none is.

    Parts above the curated folder do not count: somebody's whole work may lie below one. A store is no place for pictures anywhere.
    """
    for path, within in ((folder, root), (Path(os.path.realpath(folder)), Path(os.path.realpath(root)))):
        above = len(within.parts) if is_below(path, within) else 0
        own = path.parts[above:]
        if above:
            found = next((part for part in own if part.startswith(".")), "")
        else:
            found = path.name if path.name.startswith(".") else ""
        if found or STORE_FOLDER in own:
            return found or STORE_FOLDER
    return ""


def _prefix(folder: Path) -> str:
    """The beginning of all paths in a folder, as they are compared on this system."""
    text = os.path.normcase(folder)
    return text if text.endswith(os.sep) else text + os.sep


@dataclass(frozen=True)
class Sorted:
    """Indexes of the rows that are nobody's copy, and so to be judged, and by these the copies of each.

    A copy is the name of the destination folder, empty for one that lies in none, and the path.
    """

    judged: tuple[int, ...]
    copies: Mapping[int, tuple[tuple[str, Path], ...]]


def tell_copies(
    rows: Sequence[Row], homes: Sequence[Home], sources: Callable[[Sequence[Path]], Mapping[Path, Path]]
) -> Sorted:
    """Finds copies that an earlier run has made: the same pixels, and made by a run, wherever they lie now.

    A journal may be gone: in a destination folder the same relative folder and the same or a numbered name are proof enough.
    ``homes`` is where each row belongs; ``sources`` says what those of some files that are copies of ours were made from.
    """
    alike: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        if row.content:
            alike.setdefault(row.content, []).append(index)
    groups = [members for members in alike.values() if len(members) > 1]
    made = sources([rows[index].path for members in groups for index in members]) if groups else {}
    originals: dict[int, int] = {}
    for members in groups:
        originals.update(_copies_among(members, rows, homes, made))
    copies: dict[int, list[tuple[str, Path]]] = {}
    for index in sorted(originals):
        copies.setdefault(originals[index], []).append((homes[index].name, rows[index].path))
    judged = tuple(index for index in range(len(rows)) if index not in originals)
    return Sorted(judged, {index: tuple(found) for index, found in copies.items()})


def _copies_among(
    members: Sequence[int], rows: Sequence[Row], homes: Sequence[Home], made: Mapping[Path, Path]
) -> dict[int, int]:
    """The copies among files with the same pixels, each with the one it is a copy of. One at least is nobody's copy."""
    ours = {index for index in members if rows[index].path in made}
    outside = {
        (homes[index].folder, homes[index].file): index
        for index in members
        if not homes[index].name and index not in ours
    }
    named = {index: _original(homes[index], outside) for index in members if homes[index].name}
    roots = [index for index in members if index not in ours and named.get(index) is None]
    if not roots:  # the original is gone: a copy of it stands for it
        roots = [next((index for index in members if homes[index].name), members[0])]
    places = {rows[index].path: index for index in members}
    found = {}
    for index in members:
        if index not in roots:
            origin = _made_from(rows[index].path, made, places)
            origin = named.get(index) if origin is None else origin
            found[index] = origin if origin in roots else roots[0]
    return found


def _made_from(path: Path, made: Mapping[Path, Path], places: Mapping[Path, int]) -> int | None:
    """The file that a copy, or the copy it is a copy of, was made from; None where that is not among these files."""
    seen = {path}
    while path in made:
        path = made[path]
        if path in seen:
            return None
        seen.add(path)
    return None if len(seen) == 1 else places.get(path)


def _original(home: Home, outside: Mapping[tuple[str, str], int]) -> int | None:
    """The picture outside that one in a destination folder is a copy of, by its name without our additions; the least taken off wins."""
    found = (outside.get((home.folder, name)) for name in _names_before(home.file))
    return next((index for index in found if index is not None), None)


def _names_before(file: str) -> list[str]:
    """Names a file may have had before we added to its name, itself included; the least taken off first."""
    names = [file, without_score(file)]
    names += [numbered[1] + (numbered[2] or "") for name in names if (numbered := _NUMBERED.fullmatch(name))]
    return list(dict.fromkeys(names))


def with_score(file: str, score: float) -> str:
    """A file name with a score in it, in place of one that stands there.

    >>> with_score("a.png", 0.87312), with_score("a_score0.8731.png", -1.5), with_score("a", -0.00001)
    ('a_score0.8731.png', 'a_score-1.5000.png', 'a_score0.0000')
    """
    plain = PurePath(without_score(file))
    value = f"{score:.4f}"
    value = value.removeprefix("-") if float(value) == 0 else value
    return f"{plain.stem}_score{value}{plain.suffix}"


def without_score(file: str) -> str:
    """A file name without the score that :func:`with_score` put into it.

    >>> without_score("a_score0.8731 (2).png"), without_score("a_0.8731.png")
    ('a (2).png', 'a_0.8731.png')
    """
    scored = _SCORED.fullmatch(file)
    return scored[1] + scored[2] + (scored[3] or "") if scored else file


class Unnoticed:
    """Copies in destination folders elsewhere of which the library does not know: no scan looks there.

    An earlier run was cut off before the library was updated, or another store's run has made them.
    """

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._listed: dict[Path, dict[str, list[Path]]] = {}
        root = destinations.root
        self._names = [name for name, folder in destinations.folders.items() if not is_below(folder, root)]

    def of(self, row: Row, home: Home) -> dict[str, Path]:
        """Those of a picture, by whose folder they lie in. Files of its name there are decoded, whichever score or number it has got."""
        found = {}
        for name in self._names if row.content else ():
            target = self._destinations.target(home, name)
            numbered = takewhile(os.path.lexists, free_names(target))  # as a long name was cut for its number
            for path in dict.fromkeys((*numbered, *self._called(target))):
                if _shows(path, row.content):
                    found[name] = path
                    break
        return found

    def _called(self, target: Path) -> Sequence[Path]:
        """The files beside ``target`` that may have been called so before we added to their names."""
        folder = target.parent
        if folder not in self._listed:
            called: dict[str, list[Path]] = {}
            with suppress(OSError):
                for file in sorted(os.listdir(folder)):  # noqa: PTH208 - names only
                    for name in _names_before(file):
                        called.setdefault(name, []).append(folder / file)
            self._listed[folder] = called
        return self._listed[folder].get(target.name, ())


def _shows(path: Path, content: str) -> bool:
    """Whether a file holds a picture of these pixels."""
    from ...images.decode import open_image
    from ...images.identity import content_hash

    try:
        return content_hash(open_image(path)).hex() == content
    except (ImageError, OSError):
        return False


class Names:
    """Free names for new files, as steps will find them: neither taken nor promised, nor beside a text file of another picture."""

    def __init__(self) -> None:
        self._promised: set[str] = set()
        self._coming: dict[str, Path] = {}
        self._bases: dict[Path, frozenset[str]] = {}

    def free(self, target: Path, source: Path) -> Path:
        """``target``, or the first free one of ``target (2)``, ``target (3)``, for ``source``, whose text files come along."""
        own = companions_of(source) if self._has_texts(source) else []
        for found in free_names(target):
            name = os.path.normcase(found)
            if name not in self._promised and not os.path.lexists(found) and not self._mixes(found, own):
                self._promised.add(name)
                self._coming.update((os.path.normcase(each.beside(found)), each.path) for each in own)
                return found
        raise AssertionError("numbers do not end")

    def _mixes(self, picture: Path, own: Sequence[SideFile]) -> bool:
        """Whether a text file that is or will be beside this name is another picture's."""
        if self._has_texts(picture) and would_mix(picture, own):
            return True
        if not self._coming:
            return False
        mine = {os.path.normcase(each.beside(picture)): each.path for each in own}
        for path, _, _ in possible(picture):
            name = os.path.normcase(path)
            other = self._coming.get(name)
            if other is not None and not (name in mine and same_content(mine[name], other)):
                return True
        return False

    def _has_texts(self, picture: Path) -> bool:
        """Whether its folder holds what may belong to a picture of this name; the folder is listed once."""
        folder = picture.parent
        if folder not in self._bases:
            try:
                names = os.listdir(folder)  # noqa: PTH208 - names only
            except OSError:
                names = []
            self._bases[folder] = frozenset(key for name in names for key in keys(name))
        return not self._bases[folder].isdisjoint((alike(picture.name), alike(picture.stem)))
