"""File names: the next free one, and one that every system accepts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from ...files.devices import is_device

_MOST_BYTES = 250
_NOT_ON_WINDOWS = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def safe_name(name: str) -> str:
    """The name, changed where Windows or another file system would not have it: for a folder named after a prompt, say.

    Characters Windows forbids become ``_``, names of devices (``CON.png``) get a ``_`` in front, dots and spaces at the end go, and
    what is longer than 250 bytes is cut before the suffix.

    >>> safe_name("con.png"), safe_name('a "red" car?')
    ('_con.png', 'a _red_ car_')
    """
    name = _NOT_ON_WINDOWS.sub("_", name).rstrip(". ") or "_"
    if is_device(name):
        name = f"_{name}"
    return shortened(name)


def shortened(name: str, extra: str = "") -> str:
    """The name with ``extra`` before its suffix, its stem cut where the whole would be longer than 250 bytes."""
    stem, suffix = Path(name).stem, Path(name).suffix
    room = _MOST_BYTES - len(os.fsencode(extra + suffix))
    if room < 1:
        stem, suffix, room = name, "", _MOST_BYTES - len(os.fsencode(extra))
    encoded = os.fsencode(stem)
    if len(encoded) > room:
        # Never in the middle of a character, and no space before the suffix, which Windows would drop.
        stem = encoded[:room].decode("utf-8", "ignore").rstrip(". ") or "_"
    return f"{stem}{extra}{suffix}"


def free_names(target: Path, windows: bool = os.name == "nt") -> Iterator[Path]:
    """``target``, then ``target (2)`` and so on, all short enough for a file system; on ``windows`` such that ``CON.png`` is no device."""
    if windows:
        target = target.with_name(safe_name(target.name))
    elif len(os.fsencode(target.name)) > 255:
        target = target.with_name(shortened(target.name))
    yield target
    for number in count(2):
        yield target.with_name(shortened(target.name, f" ({number})"))
