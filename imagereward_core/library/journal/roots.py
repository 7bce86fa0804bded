"""The folder a journal is about: how paths inside it are stored, and what counts as inside."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...files import STORE_FOLDER
from ...files.devices import is_device
from ...files.values import Name, NoText, absolute, from_name, is_below, to_name

Base = Literal["store", "folder", "none"]
"""What the relative paths of a run start from: the folder the store lies in, a folder that was named, or nothing."""

_MOST_NAME_BYTES = 255
_MOST_PATH_BYTES = 32767 if os.name == "nt" else 4095
_OF_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\|//[?.]/")
_NO_NAMES = frozenset(("", ".", ".."))
_NO_NAME_ON_WINDOWS = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$')


@dataclass(frozen=True)
class Anchor:
    """By what a folder is known again: its path with links resolved, and the system's numbers for it; empty where it has none."""

    path: str
    device: str = ""
    inode: str = ""

    @classmethod
    def of(cls, folder: Path) -> Anchor:
        """The folder as it is now."""
        path = os.path.realpath(folder)
        try:
            facts = os.stat(path)  # noqa: PTH116
        except OSError:
            return cls(path)
        return cls(path, str(facts.st_dev), str(facts.st_ino) if facts.st_ino else "")

    def is_same(self, other: Anchor) -> bool:
        """Whether both are one folder: in its place, or renamed. A copy is another one, in the place of the original too."""
        if not (self.inode and other.inode):
            return self.in_place_of(other)
        # The number of a device may be another after the machine has been started anew; in its place that is no other folder.
        return self.inode == other.inode and (self.device == other.device or self.in_place_of(other))

    def in_place_of(self, other: Anchor) -> bool:
        """Whether both have one path."""
        return os.path.normcase(self.path) == os.path.normcase(other.path)


class Root:
    """Where a journal acts.

    Args:
        place: The folder of the store.
        folder: The folder its steps are about. None for the one in which a store of the usual name lies; a store of another name has
            none then, and all its steps lead outside.

    Attributes:
        base: What relative paths start from.
        folder: The folder that steps are inside or outside of: that of the store, where ``folder`` lies in it.
        named: The folder that was given.
        anchor: By what ``folder`` is known again.
    """

    def __init__(self, place: Path, folder: Path | None = None) -> None:
        place = absolute(place)
        own = place.parent if place.name == STORE_FOLDER else None
        self.named = None if folder is None else absolute(folder)
        self.base: Base
        self.folder: Path | None
        if own is not None and (folder is None or is_below(os.path.realpath(folder), os.path.realpath(own))):
            self.base, self.folder = "store", own
        elif folder is not None:
            self.base, self.folder = "folder", absolute(folder)
        else:
            self.base, self.folder = "none", None
        self.anchor = Anchor.of(self.folder or place)
        self._start = "" if self.folder is None else os.path.join(self.folder, "")  # noqa: PTH118 - with a separator

    def stored(self, path: Path) -> Name:
        """How a path is stored: from the root on where it lies inside, with ``/`` between its parts on every system."""
        if self.folder is not None:
            text = os.fspath(path)
            if text.startswith(self._start):  # nearly always, and many times faster than what follows
                return to_name(text[len(self._start) :].replace(os.sep, "/"))
            try:
                return to_name(path.relative_to(self.folder).as_posix())
            except ValueError:
                real = _real_name(path)
                if self.holds(real):
                    return to_name(real.relative_to(self.anchor.path).as_posix())
        return to_name(path)

    def holds(self, real: str | Path) -> bool:
        """Whether a path whose links are resolved lies inside."""
        return self.folder is not None and is_below(real, self.anchor.path)

    def outside(self, paths: Iterable[tuple[Path, bool]]) -> tuple[str, ...]:
        """The folders outside of the root, links resolved, in which any of these files really lie.

        Each is given with whether it is followed should it be a link itself.
        """
        seen: set[str] = set()
        named = {os.path.dirname(_followed(path) if follows else os.fspath(path)) for path, follows in paths}  # noqa: PTH120
        folders = {_real_path(folder, seen) for folder in named}
        return tuple(sorted(folder for folder in folders if not self.holds(folder)))


def _followed(path: Path) -> str:
    return os.path.realpath(path) if os.path.islink(path) else os.fspath(path)  # noqa: PTH114


def _real_path(folder: str, plain: set[str]) -> str:
    """As ``os.path.realpath`` of a whole path, many times faster where no part of it is a link.

    ``plain`` are folders that were just seen to be reached without a link; further ones are added.
    """
    if os.name == "nt" or not folder.startswith("/") or "//" in folder or "/.." in folder:
        return os.path.realpath(folder)
    end = 0
    while end < len(folder):
        end = folder.find("/", end + 1)
        end = len(folder) if end < 0 else end
        part = folder[:end]
        if part not in plain:
            try:
                if stat.S_ISLNK(os.lstat(part).st_mode):
                    return os.path.realpath(folder)
            except OSError:
                pass  # not there, or not to be seen: no link then, as realpath has it
            plain.add(part)
    return folder


def led_out(path: Path, folder: Path, follows: bool = True) -> str:
    """Where a file or folder that is named inside of a folder really lies, should a link take it out of there; empty where none does.

    It need not exist, and is followed, should it be a link itself, where ``follows``.
    """
    if not is_below(path, folder):
        return ""
    real = os.path.realpath(path if follows else path.parent)
    if is_below(real, os.path.realpath(folder)):
        return ""
    return real if follows else str(Path(real, path.name))


def _real_name(path: Path) -> Path:
    return Path(os.path.realpath(path.parent), path.name)


def read_path(stored: object, folder: Path | None, windows: bool = os.name == "nt") -> tuple[Path, str]:
    """A path as stored, by whomever, and what speaks against it; empty where nothing does. The path is for showing where something does.

    Relative ones start from ``folder``.
    """
    if not isinstance(stored, (str, bytes)) or isinstance(stored, NoText):
        return Path("?"), "a path in the journal is no text"
    text = from_name(stored)
    flaw = _flaw(text, windows)
    if not flaw and _is_absolute(text, windows):
        return Path(text), ""
    if not flaw and folder is not None:
        return Path(folder, text), ""
    path = Path(text.replace("\x00", "?") or "?")
    return path, f"{text[:200]!r} {flaw or 'starts from a folder that is not known; name the folder'}"


def _is_absolute(text: str, windows: bool) -> bool:
    return bool(_OF_WINDOWS.match(text)) if windows else text.startswith("/")


def _flaw(text: str, windows: bool) -> str:
    if not text or "\x00" in text:
        return "is no path"
    if text.startswith(("\\\\?\\", "\\\\.\\", "//?/", "//./")):
        return "names a device; expected a file"
    if not windows and _OF_WINDOWS.match(text):
        return "is a path of Windows, which this system does not have"
    whole = _is_absolute(text, windows)
    if windows and not whole and (text[0] in "/\\" or text[1:2] == ":"):
        return "names a drive or a share only in part"
    if len(os.fsencode(text)) > _MOST_PATH_BYTES:
        return "is too long for a path"
    parts = re.split(r"[\\/]", text) if windows and whole else text.split("/")
    parts = [part for part in parts[1:] if part] if whole else parts
    if not _NO_NAMES.isdisjoint(parts):
        return "climbs out of its folder, or stays in it; expected a plain path"
    if windows and any(_NO_NAME_ON_WINDOWS.search(part) or is_device(part) for part in parts):
        return "is no name of a file on Windows"
    return ""


def too_long(path: Path) -> bool:
    """Whether a part of a path is longer than file systems allow."""
    if len(os.fsencode(path)) <= _MOST_NAME_BYTES:
        return False
    return any(len(os.fsencode(part)) > _MOST_NAME_BYTES for part in path.parts)
