"""Copies, moves or links what was kept or rejected, and takes it back: by the library's own plans and journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagereward_core.gallery.view import read_view
from imagereward_core.library.curate.carry_out import carry_out, take_back
from imagereward_core.library.curate.options import CurateOptions
from imagereward_core.library.curate.plan import Curation, plan_moves
from imagereward_core.library.curate.summary import VERBS, carried_words, done_words
from imagereward_core.library.library import Library

from .forms import HOW, WHICH, destinations
from .jobs import Job
from .scoring import opened_library

if TYPE_CHECKING:
    from imagereward_core.gallery.filter import Choice, Filter
    from imagereward_core.gallery.view import View


def plan(
    view: View,
    choice: Choice,
    wanted: Filter,
    which: str,
    how: str,
    kept_folder: str,
    rejected_folder: str,
    resort: bool,
    write_scores: bool,
    xmp: bool,
) -> Curation:
    """The plan of what would happen. Nothing is done.

    Raises:
        CurateError: Destinations that cannot be.
        PlaceError: A destination lies outside of the folders that may be used.
    """
    options = CurateOptions(
        rule=wanted.rule(),
        action=HOW[how],
        folders=destinations(view.folder, kept_folder, rejected_folder),
        leave=WHICH[which],
        resort=bool(resort),
        write_scores=bool(write_scores),
        xmp="both" if xmp else "",
        scan=view.wish.options,
    )
    return plan_moves(view.folder, view.rows, choice.verdicts, options, view.result, view.copies)


def perform(job: Job, view: View, curation: Curation) -> tuple[View, str]:
    """Carries a plan out; returns the folder as it is then, with what was done, in a sentence.

    Raises:
        CuratorError: Journal or library cannot be written.
    """
    verb, past = VERBS[curation.options.action][0], done_words(curation.options)
    with opened_library() as library:
        carried = carry_out(
            library,
            curation,
            title=f"{verb} from the WebUI: {curation.folder.name}",
            progress=job.tell,
            cancelled=lambda: job.stopping,
        )
        return _again(library, view), carried_words(carried, past, "Undo the last run takes it back.")


def take_last_back(job: Job, view: View | None) -> tuple[View | None, str]:
    """Takes back the last run that stands; returns the folder of the page as it is then, with what was done.

    Raises:
        CuratorError: There is nothing to take back, or journal or library cannot be written.
    """
    with opened_library() as library:
        carried = take_back(
            library,
            progress=job.tell,
            cancelled=lambda: job.stopping,
        )
        words = carried_words(carried, "taken back", "")
        return None if view is None else _again(library, view), f"{carried.title}: {words}"


def _again(library: Library, view: View) -> View:
    """The same folder, read anew."""
    from ..scorer_cache import load

    return read_view(library, load(view.wish.request, interruptible=False).panel, view.wish)
