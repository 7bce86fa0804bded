"""Other paths to one folder, where a part of a file system is mounted in a second place (Linux)."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def ways_to(folder: Path) -> list[Path]:
    """The paths of a folder: its own and those by other mounts of the same file system, each led to that very folder.

    Args:
        folder: A folder, links resolved.
    """
    found = [folder]
    mounts = _mounts()
    # The last one: a later mount in the same place hides the earlier.
    own = max(
        (mount for mount in mounts if _below(folder, mount[1])),
        key=lambda mount: len(mount[1].parts),
        default=None,
    )
    if own is None:
        return found
    device, place, start = own
    inside = start / folder.relative_to(place)
    for other, where, root in mounts:
        if other == device and _below(inside, root):
            path = where / inside.relative_to(root)
            if path not in found and _same(path, folder):
                found.append(path)
    return found


def _below(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def _mounts() -> list[tuple[str, Path, Path]]:
    """Device, place and the folder of the file system that is shown there, of every mount, the last first; empty on other systems."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for line in reversed(lines):
        parts = os.fsdecode(line).split(" ")
        if len(parts) > 4:
            root, place = (Path(_ESCAPED.sub(lambda each: chr(int(each[1], 8)), text)) for text in parts[3:5])
            found.append((parts[2], place, root))
    return found
