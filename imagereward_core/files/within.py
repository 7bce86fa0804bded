"""Whether paths lie in folders, links followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path


def resolved(path: Path) -> Path | None:
    """The path with links followed; None where that cannot be done."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
        return None


def real_folders(folders: Iterable[Path]) -> tuple[Path, ...]:
    """The folders with links followed, each once; those that cannot be resolved are left out."""
    return tuple(dict.fromkeys(filter(None, map(resolved, folders))))


def readable_in(folders: Iterable[Path]) -> Callable[[Path], Path | None]:
    """Says of a file where it lies, links followed; None where that is in none of ``folders``."""
    real = real_folders(folders)

    def readable(path: Path) -> Path | None:
        found = resolved(path)
        return found if found is not None and lies_in(found, real) else None

    return readable


def lies_in(path: Path, folders: Iterable[Path]) -> bool:
    """Whether ``path`` is one of ``folders`` or below one; both with links followed already.

    Where the disk does not tell letter case apart, two spellings of a folder are still the same folder.
    """
    known = list(folders)
    if any(path == folder or folder in path.parents for folder in known):
        return True
    return any(_same(parent, folder) for parent in (path, *path.parents) for folder in known)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False
