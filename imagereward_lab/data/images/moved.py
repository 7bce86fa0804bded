"""Rankings whose names are read from another folder than before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ..ranking import Ranking
from .names import problem_of, relative


def prefix_from(output: Path, root: Path) -> str | None:
    """What comes before names, so that they are found from the folder of the file ``output``; None where pictures are not below it."""
    try:
        below = root.resolve().relative_to(output.resolve().parent).as_posix()
    except ValueError:
        return None
    return "" if below == "." else f"{below}/"


def moved(rankings: Iterable[Ranking], root: Path, prefix: str) -> Iterator[Ranking]:
    """Rankings with names as they are seen from the new file's folder."""
    for ranking in rankings:
        names = [relative(root, name) for name in ranking.images]
        found = tuple(name if problem_of(name) else f"{prefix}{name}" for name in names)
        yield ranking if found == ranking.images else replace(ranking, images=found)
