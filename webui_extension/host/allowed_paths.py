"""Confines paths from a request or a page to the folders the host writes to and those the user allowed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PureWindowsPath

from imagereward_core.errors import CuratorError
from imagereward_core.files.devices import is_device
from imagereward_core.files.within import lies_in, real_folders, resolved

_LONGEST = 4096
_SHARE = re.compile(r"[\\/]{2}")


class PlaceError(CuratorError):
    """A path leads out of the folders that may be read, or is no usable path."""


def confine(text: str, folders: Sequence[Path]) -> Path:
    """The path that ``text`` names, links followed, if it lies in one of ``folders``.

    A relative path is looked for from the folder the program runs in, then from each of ``folders``. Whether something exists
    outside of them cannot be learnt from the answer.

    Raises:
        PlaceError: It lies elsewhere, or the text is no path.
    """
    problem = objection(text, windows=os.name == "nt", folders=folders)
    if problem:
        raise PlaceError(f"{_shown(text)}: {problem}")
    real = real_folders(folders)
    path = Path(text)
    found = []
    for base in [Path()] if path.is_absolute() else [Path(), *real]:
        candidate = resolved(base / path)
        if candidate is not None and lies_in(candidate, real):
            found.append(candidate)
    if found:
        return next(filter(_exists, found), found[0])
    allowed = ", ".join(str(folder) for folder in real) or "none so far"
    raise PlaceError(
        f"{_shown(text)}: this is outside of the folders that may be read here ({allowed}). Choose a path inside one of them, or "
        "add its folder to the allowed folders in the settings."
    )


def objection(text: str, *, windows: bool, folders: Iterable[Path] = ()) -> str:
    r"""Why ``text`` is not even looked up; empty where it may be. Nothing on disk is touched.

    On Windows a path such as ``\\server\share`` would be asked for over the network by being looked up, and with it the user's
    credentials would be sent; so it must be written like one of ``folders`` from its beginning.
    """
    if not text.strip():
        return "no path was given; expected a file or folder"
    if "\0" in text:
        return "a path cannot hold a zero byte; expected a file or folder"
    if len(text) > _LONGEST:
        return f"the path is {len(text)} characters long; expected at most {_LONGEST}"
    return _windows_objection(text, folders) if windows else ""


def _windows_objection(text: str, folders: Iterable[Path]) -> str:
    path = PureWindowsPath(text)
    if any(ord(character) < 32 for character in text):
        return "a path cannot hold a control character; expected a plain path"
    if _SHARE.match(text):
        above = [PureWindowsPath(str(folder)) for folder in folders]
        if not any(path == folder or folder in path.parents for folder in above) or ".." in path.parts:
            return "a network or device path is read only inside a folder that is allowed in the same form"
    elif path.drive and not path.root:
        return "a drive without a backslash behind it depends on where the program runs; write the whole path"
    for part in path.parts[1 if path.anchor else 0 :]:
        if ":" in part:
            return f"{part!r} names a stream inside a file; expected a plain path"
        if is_device(part):
            return f"{part!r} is a device; expected a file or folder"
        if part != ".." and part[-1] in ". ":
            return (
                f"{part!r} ends in a dot or a space, which Windows drops; expected the name as it is on disk"
            )
    return ""


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _shown(text: str) -> str:
    """The text somebody typed, short and on one line."""
    return repr(text if len(text) <= 200 else f"{text[:200]}…")
