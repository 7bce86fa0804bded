"""The pictures of a folder that compete with each other, without copies of others."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...files.values import absolute
from ..relocation import catch_up
from ..scan.walk import is_wanted
from ..store.records import Row
from .destinations import Home, Sorted, tell_copies

if TYPE_CHECKING:
    from ...scorers.panel import Panel
    from ..library import Library, ScoredFiles
    from .options import CurateOptions


def judged_files(
    library: Library,
    panel: Panel,
    folder: Path,
    options: CurateOptions,
    only: Sequence[Path] | None = None,
    below: Path | None = None,
) -> tuple[ScoredFiles, dict[Path, tuple[tuple[str, Path], ...]]]:
    """The pictures of a folder that compete with each other, with the panel's scores, and the copies of them that runs have made.

    The copies stand by the path of the original, as name and path, for :func:`.plan.plan_moves`. Looked at are ``only`` these files and
    their copies, and only what lies in the folder ``below``; all by default.

    Raises:
        CurateError: Destinations that cannot be.
    """
    root = absolute(folder)
    destinations = options.destinations(root)
    copies: dict[Path, tuple[tuple[str, Path], ...]] = {}
    catch_up(library, destinations.outside)

    def competing(rows: Sequence[Row]) -> Sequence[int]:
        homes = [destinations.home(row.path) for row in rows]
        wanted = [
            index
            for index, (row, home) in enumerate(zip(rows, homes))
            if (below is None or row.path.is_relative_to(below))
            and (
                is_wanted(row.path, root, options.scan)
                # No scan notices what is gone there.
                or (home.name and not row.path.is_relative_to(root) and os.path.lexists(row.path))
            )
        ]
        told = apart(library, [rows[index] for index in wanted], [homes[index] for index in wanted])
        copies.update((rows[wanted[index]].path, found) for index, found in told.copies.items())
        return [wanted[index] for index in told.judged]

    if only is None:
        return library.scored(panel, (root, *destinations.outside), choose=competing), copies
    alike = library.alike(library.find(only))
    return library.scored(panel, paths=[row.path for row in alike], choose=competing), copies


def apart(library: Library, rows: Sequence[Row], homes: Sequence[Home]) -> Sorted:
    """Tells pictures from copies of them that runs have made, wherever the folders were: ``homes`` is where each row belongs."""
    from ..journal.listing import copied_from

    def sources(paths: Sequence[Path]) -> Mapping[Path, Path]:
        with library.journal(looking=True) as journal:
            return copied_from(journal, paths)

    return tell_copies(rows, homes, sources)


def is_alone(panel: Panel, options: CurateOptions) -> bool:
    """Whether the plan for a picture is the same whatever other pictures there are."""
    from ...scorers.blend import BlendScorer

    # Ranks among all are written with the scores, and ratings without a distribution go by them.
    return (
        options.rule.alone
        and not isinstance(panel.main, BlendScorer)
        and not (options.write_scores or options.xmp)
    )
