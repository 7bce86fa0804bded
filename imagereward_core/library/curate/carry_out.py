"""Carries a plan out, or takes a run back, through the journal, and updates the library's paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ..relocation import tell
from .plan import Curation

if TYPE_CHECKING:
    from ..journal import Recovery, StepInfo
    from ..library import Library


@dataclass(frozen=True)
class Carried:
    """The result of carrying a plan out, or of taking a run back.

    Attributes:
        run, title: Number of the run in the journal, 0 where there was nothing to do, and what it is called.
        done, skipped: Steps done, and those that needed nothing.
        failed: Files that could not be dealt with, with the reason; they are as they were.
        left: Steps not come to, because somebody stopped.
        settled: What an earlier process had left half done and was settled before.
        notes: What there is to say about steps done.
    """

    run: int
    title: str = ""
    done: int = 0
    skipped: int = 0
    failed: tuple[tuple[Path, str], ...] = ()
    left: int = 0
    settled: tuple[Recovery, ...] = ()
    notes: tuple[str, ...] = ()


Progress = Callable[[int, int], None]


def doubts(library: Library, curation: Curation) -> str:
    """Why a plan could not be taken back as easily as others; empty where nothing hinders.

    Steps that lead out of the folder are signed with the user's own key, and that may be damaged, or its folder out of use.
    """
    from ..journal.roots import Root
    from ..journal.trust import key_problem

    problem = key_problem(library.data)
    root = Root(library.beside, library.root)
    ends = {placing.end.parent / "x": False for placing in curation.placings}
    return problem if problem and root.folder is not None and root.outside(ends.items()) else ""


def carry_out(
    library: Library,
    curation: Curation,
    *,
    title: str = "curate",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Carried:
    """Carries a plan out through the journal beside the library, and updates the library with the new paths.

    Raises:
        JournalError: Another program is acting on these files.
        CuratorError: Journal or library cannot be written.
    """
    from ..journal import execute
    from .marks import all_steps

    problems: list[tuple[Path, str]] = []
    doubt = doubts(library, curation)
    steps = all_steps(curation, problems)
    first = next(steps, None)
    if first is None:
        return Carried(0, title, failed=tuple(problems))
    # Whoever has to wait has written nothing down: no run stands that nobody carried out.
    with library.journal() as journal, journal.acting(folder=curation.folder):
        journal.keep_out(curation.options.destinations(curation.folder).outside)
        run = journal.begin(
            title, chain([first], steps), curation.folder, follow_links=curation.options.scan.follow_links
        )
        try:
            result = execute(journal, run, progress=progress, cancelled=cancelled)
        finally:
            tell(library, journal, run)
    failed = (*problems, *((step.source, reason) for step, reason in result.failed))
    settled, notes = tuple(journal.recovered), (f"{doubt}.",) if doubt else ()
    return Carried(run, title, result.done, result.skipped, failed, result.left, settled, notes)


def take_back(
    library: Library,
    run: int | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    confirmed: Sequence[StepInfo] = (),
) -> Carried:
    """Takes back a run, by default the last one of which something stands, and updates the library.

    ``confirmed`` are steps that lead out of the folder, which a person has seen and wants undone; see :func:`..journal.leading_out`.

    Raises:
        JournalError: There is no such run, nothing to undo, or another program is acting on these files.
        CuratorError: Journal or library cannot be written.
    """
    from ..journal import undo

    with library.journal() as journal:
        info = journal.last_done() if run is None else journal.run(run)
        try:
            result = undo(journal, run, progress=progress, cancelled=cancelled, confirmed=confirmed)
        finally:
            if info is not None:
                tell(library, journal, info.id)
        failed = tuple((step.target, reason) for step, reason in result.failed)
        title, settled = info.title if info else "", tuple(journal.recovered)
        note = (
            f"Of these, {result.retimed:,} pictures have another time of change than when they were moved, as in a copy of a folder, or "
            "because somebody wrote to them. They went back as they are."
        )
        notes = (note,) if result.retimed else ()
        return Carried(result.run, title, result.done, result.skipped, failed, result.left, settled, notes)
