"""Plans the curation of a folder: what a rule says about its pictures, as steps that nobody has done yet.

::

    with Library.open(place) as library:
        library.scan([folder], panel)
        curation = plan_curation(library, panel, folder, CurateOptions(CurationRule(Rule(top_k=100))))
        carried = carry_out(library, curation)
        take_back(library, carried.run)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...files.values import absolute
from ..journal import Step
from ..store.records import Row
from .candidates import is_alone, judged_files
from .destinations import Destinations, Home, Names, Unnoticed, linked_paths
from .options import CurateOptions
from .rules import Verdicts, judge

if TYPE_CHECKING:
    from ...scorers.panel import Panel, PanelResult
    from ..library import Library

Fate = Literal["go", "there", "earlier", "left", "fresh", "aside", "unscored", "linked"]


@dataclass(frozen=True)
class Placing:
    """Where one picture goes, or why it stays.

    Attributes:
        name: What it is sorted under; empty without a score.
        fate: ``"go"``: there is a step for it. It stays where it is because it is ``"there"`` already, was sorted ``"earlier"`` under
            another name, is to be ``"left"``, is too ``"fresh"``, is not among those asked about (``"aside"``), is ``"unscored"``, or is
            ``"linked"``: a link to another of these pictures, or a picture that such a link leads to, which would dangle after a move.
        end: Where it, or its copy in a destination folder, lies in the end.
    """

    name: str
    fate: Fate
    path: Path
    end: Path


@dataclass(frozen=True, eq=False)
class Curation:
    """A plan. Nothing has been done yet.

    Attributes:
        verdicts, placings: What the rule says about each of them, and where it goes.
        result: The scores, aligned with ``rows``; None where only verdicts are known, so that no scores can be written.
    """

    folder: Path
    options: CurateOptions
    rows: Sequence[Row]
    verdicts: Verdicts
    placings: tuple[Placing, ...]
    steps: tuple[Step, ...]
    result: PanelResult | None = None

    def count(self, name: str | None = None, fate: Fate | None = None) -> int:
        """How many pictures have this name and this fate."""
        return sum(
            (name is None or each.name == name) and (fate is None or each.fate == fate)
            for each in self.placings
        )


def plan_curation(
    library: Library,
    panel: Panel,
    folder: Path,
    options: CurateOptions,
    only: Sequence[Path] | None = None,
) -> Curation:
    """Judges the pictures a library knows in a folder, and plans where they go. Nothing is scored and no file is changed.

    Copies that earlier runs have made, whatever their folders were called, do not compete with their originals and are not copied
    again. Pictures that were moved do compete. With ``only``, only these files are dealt with; the others count in the comparison,
    where the rule compares.

    Raises:
        CurateError: Destinations that cannot be.
        ValueError: The rule asks for percentiles, and there are none.
    """
    root = absolute(folder)
    destinations = options.destinations(root)
    if only is not None:
        only = [row.path for row in library.find(only)]  # as the library spells them
    among = only if is_alone(panel, options) else None
    scored, copies = judged_files(library, panel, root, options, among)
    verdicts = judge(
        scored.rows,
        scored.result.main,
        options.rule,
        [destinations.home(row.path).folder for row in scored.rows],
    )
    return plan_moves(root, scored.rows, verdicts, options, scored.result, copies, only)


def plan_moves(
    folder: Path,
    rows: Sequence[Row],
    verdicts: Verdicts,
    options: CurateOptions,
    result: PanelResult | None = None,
    copies: Mapping[Path, Sequence[tuple[str, Path]]] | None = None,
    only: Sequence[Path] | None = None,
) -> Curation:
    """Plans where pictures of a curated folder go whose verdicts are known, one for each row.

    ``result`` are their scores, for writing them. ``copies`` are, by the path of an original, what runs have made of it, as name and path;
    what lies in no destination hinders nothing. Dealt with are ``only`` these files; None for all.

    Raises:
        CurateError: Destinations that cannot be, or that only a link in the folder makes of folders elsewhere.
    """
    destinations = options.destinations(folder)
    if not options.scan.follow_links:
        destinations.check_links()
    tied = linked_paths(row.path for row in rows) if options.action == "move" else frozenset()
    planner = _Planner(options, destinations, copies or {}, None if only is None else frozenset(only), tied)
    placings = tuple(planner.place(row, name) for row, name in zip(rows, verdicts.names, strict=True))
    return Curation(absolute(folder), options, rows, verdicts, placings, tuple(planner.steps), result)


class _Planner:
    """Decides picture by picture, and remembers which names are promised."""

    def __init__(
        self,
        options: CurateOptions,
        destinations: Destinations,
        copies: Mapping[Path, Sequence[tuple[str, Path]]],
        only: frozenset[Path] | None = None,
        tied: frozenset[Path] = frozenset(),
    ) -> None:
        self.options, self.destinations, self.copies, self.only = options, destinations, copies, only
        self.tied = tied
        self.names, self.unnoticed = Names(), Unnoticed(destinations)
        self.steps: list[Step] = []

    def place(self, row: Row, name: str) -> Placing:
        if not name:
            return Placing("", "unscored", row.path, row.path)
        if self.only is not None and row.path not in self.only:
            return Placing(name, "aside", row.path, row.path)
        home = self.destinations.home(row.path)
        found = [path for _, path in self.copies.get(row.path, ())]
        copies = {where: path for path in found if (where := self.destinations.home(path).name)}
        if not home.name and not copies:
            copies = self.unnoticed.of(row, home)
        if home.name == name:
            return Placing(name, "there", row.path, row.path)
        if name in copies:
            return Placing(name, "there", row.path, copies[name])
        action = self.options.action
        if action == "stay" or name in self.options.leave:
            return Placing(name, "left", row.path, row.path)
        if row.path in self.tied:
            return Placing(name, "linked", row.path, row.path)
        fresh = self.options.fresh_ns is not None and row.modified_ns > self.options.fresh_ns
        if fresh or row.path in self.options.hold:
            return Placing(name, "fresh", row.path, row.path)
        if home.name or copies:
            earlier = row.path if home.name else next(iter(copies.values()))
            if not self.options.resort:
                return Placing(name, "earlier", row.path, earlier)
            return self._step("move", row, earlier, home, name)
        return self._step(action, row, row.path, home, name)

    def _step(
        self,
        kind: Literal["copy", "hardlink", "symlink", "move"],
        row: Row,
        source: Path,
        home: Home,
        name: str,
    ) -> Placing:
        score = row.value if self.options.name_scores else None
        target = self.names.free(self.destinations.target(home, name, score), source)
        self.steps.append(Step(kind, source, target))
        return Placing(name, "go", row.path, target)
