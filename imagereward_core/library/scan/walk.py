"""Walks folders for pictures, a folder at a time, in constant memory."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ...images.suffixes import is_picture_name
from ...metadata.companions import PROMPT_ENDINGS, alike, keys
from ...metadata.formats.fooocus_log import LOG_NAME
from .options import ScanOptions

_LOGGED = 1 << 57
"""Part of the mark of a picture once the log beside it is newer than itself: then its entry has been written."""


_UNKNOWN = os.stat_result((stat.S_IFREG, *[0] * 9), {"st_mtime_ns": 0})
"""Stands for the state of a file that cannot be found out."""


@dataclass(frozen=True)
class Found:
    """A picture file as its folder lists it; ``beside`` is a mark that changes with the texts beside it, 0 where there are none."""

    name: str
    size: int
    modified_ns: int
    beside: int


class Listing(NamedTuple):
    """One folder: its absolute path, and its pictures, one by one while it is being read."""

    path: Path
    pictures: Iterator[Found]


Problem = Callable[[Path, str], None]


def walk(root: Path, options: ScanOptions, problem: Problem) -> Iterator[Listing]:
    """Every folder from the absolute ``root`` on that is to be looked at, each before those inside it, in the order of their names.

    ``problem`` is told of each folder that cannot be read, and why.
    """
    skipped = {_identity(folder) for folder in options.skip}
    include, exclude = _Patterns(options.include), _Patterns(options.exclude)
    waiting = [root]
    visited: set[str] = set()
    while waiting:
        folder = waiting.pop()
        if options.follow_links:
            real = os.path.normcase(os.path.realpath(folder))
            if real in visited:
                continue
            visited.add(real)
        try:
            inside, texts = _survey(folder, options.follow_links)
        except OSError as error:
            problem(folder, _unreadable(folder, error))
            continue
        yield Listing(folder, _pictures(folder, root, texts, include, exclude, problem))
        if options.recursive:
            waiting.extend(
                path
                for path in (folder / name for name in sorted(inside, reverse=True))
                if _identity(path) not in skipped and not exclude.fit(path, root)
            )


@dataclass
class _Texts:
    """Texts by what the name of the picture they belong to is like, and when Fooocus' log was last written to (0 for never)."""

    named: dict[str, list[str]] = field(default_factory=dict)
    logged_ns: int = 0


def _survey(folder: Path, follow: bool) -> tuple[list[str], _Texts]:
    """The folders in a folder, and its texts."""
    inside: list[str] = []
    texts = _Texts()
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if name.lower().endswith(PROMPT_ENDINGS):
                for key in keys(name):
                    texts.named.setdefault(key, []).append(name)
            elif name == LOG_NAME:
                texts.logged_ns = _modified(entry)
            elif _enters(entry, follow):
                inside.append(name)
    return inside, texts


def _enters(entry: os.DirEntry[str], follow: bool) -> bool:
    """Whether an entry is a folder to look into. Junctions of Windows are links, which Python up to 3.11 does not say."""
    try:
        if not entry.is_dir(follow_symlinks=follow):
            return False
        attributes = (
            getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0) if os.name == "nt" else 0
        )
        return follow or not attributes & getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0)
    except OSError:
        return False


def _modified(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_mtime_ns
    except OSError:
        return 0


def _unreadable(folder: Path, error: OSError) -> str:
    return f"{folder}: the folder cannot be read ({error.strerror or error})."


def _pictures(
    folder: Path, root: Path, texts: _Texts, include: _Patterns, exclude: _Patterns, problem: Problem
) -> Iterator[Found]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if not is_picture_name(name):
                    continue
                stem = os.path.splitext(name)[0]  # noqa: PTH122 (a Path for each of a million names takes longer than all else)
                if (include or exclude) and not _wanted(folder / name, root, include, exclude):
                    continue
                status = _state(entry)
                if status is not None and not stat.S_ISDIR(status.st_mode):
                    yield _found(folder, name, stem, status, texts)
    except OSError as error:
        problem(folder, _unreadable(folder, error))


def _state(entry: os.DirEntry[str]) -> os.stat_result | None:
    """The ``stat`` of an entry, links followed; a link that leads nowhere itself, so that it becomes a row; None for what is gone."""
    try:
        return entry.stat()
    except OSError:
        try:
            return entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # since it was listed
            return None
        except OSError:  # a folder that may be listed and not looked into: reading the file will say so
            return _UNKNOWN


def _found(folder: Path, name: str, stem: str, status: os.stat_result, texts: _Texts) -> Found:
    beside = _LOGGED if status.st_mtime_ns <= texts.logged_ns else 0
    if texts.named:
        names = [text for key in (stem, name) for text in texts.named.get(alike(key), ())]
        beside += _mark(folder, stem, names) if names else 0
    return Found(name, status.st_size, status.st_mtime_ns, beside)


def named(root: Path, options: ScanOptions, problem: Problem) -> Iterator[Listing]:
    """The folders of ``options.files`` with those of them that a walk from ``root`` on would come to."""
    folders: dict[Path, list[Path]] = {}
    for path in options.files or ():
        hidden = any(part.startswith(".") for part in path.parts[len(root.parts) :])
        if is_picture_name(path.name) and not hidden and is_wanted(path, root, options):
            folders.setdefault(path.parent, []).append(path)
    for folder in sorted(folders):
        try:
            _, texts = _survey(folder, options.follow_links)
        except OSError as error:
            problem(folder, _unreadable(folder, error))
            continue
        yield Listing(folder, _existing(folders[folder], texts))


def _existing(paths: list[Path], texts: _Texts) -> Iterator[Found]:
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError:
            continue
        if not stat.S_ISDIR(status.st_mode):
            yield _found(path.parent, path.name, path.stem, status, texts)


def _wanted(path: Path, root: Path, include: _Patterns, exclude: _Patterns) -> bool:
    return (not include or include.fit(path, root)) and not exclude.fit(path, root)


def _mark(folder: Path, stem: str, names: list[str]) -> int:
    """A number that changes when one of these texts is added, taken away, or written to, and not when all are moved; never 0."""
    digest = hashlib.blake2b(digest_size=7)
    for name in sorted(names):
        try:
            status = os.stat(folder / name)  # noqa: PTH116
        except OSError:
            continue
        mark = f"{name[len(stem) :]!r} {status.st_size} {status.st_mtime_ns} "
        digest.update(mark.encode("utf-8", "backslashreplace"))
    return int.from_bytes(digest.digest(), "big") + 1


def is_wanted(path: Path, root: Path, options: ScanOptions) -> bool:
    """Whether a scan of ``root`` with these options comes to the picture at ``path``, as far as names say."""
    if not path.is_relative_to(root) or (not options.recursive and path.parent != root):
        return False
    if not (options.include or options.exclude or options.skip):
        return True
    include, exclude = _Patterns(options.include), _Patterns(options.exclude)
    skipped = {_identity(folder) for folder in options.skip}
    between = [folder for folder in path.parents if folder != root and folder.is_relative_to(root)]
    return _wanted(path, root, include, exclude) and not any(
        _identity(folder) in skipped or exclude.fit(folder, root) for folder in between
    )


def _identity(path: Path) -> str:
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


class _Patterns:
    """Shell patterns for names, and for paths below the scanned folder."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        plain = [pattern.replace("\\", "/").casefold().strip("/") for pattern in patterns]
        self.names = [pattern for pattern in plain if "/" not in pattern]
        self.paths = [pattern for pattern in plain if "/" in pattern]

    def __bool__(self) -> bool:
        return bool(self.names or self.paths)

    def fit(self, path: Path, root: Path) -> bool:
        """Whether one of the patterns fits."""
        if any(fnmatch.fnmatchcase(path.name.casefold(), pattern) for pattern in self.names):
            return True
        if not self.paths:
            return False
        below = path.relative_to(root).as_posix().casefold()
        return any(fnmatch.fnmatchcase(below, pattern) for pattern in self.paths)
