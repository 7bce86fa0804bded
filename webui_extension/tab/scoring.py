"""Scores a folder into the library, by the same code as the command, and reads it out as a view."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from imagereward_core.gallery.view import View, Wish, read_view
from imagereward_core.library.library import Library
from imagereward_core.plain import count_of

from ..host.info import data_folder
from ..host.queue import turn
from .jobs import Job

if TYPE_CHECKING:
    from imagereward_core.library.scan.progress import ScanProgress


def library_folder() -> Path:
    """Where the tab's library is, whatever folder is scored; ``imagereward_core.library.places`` looks for it there."""
    return data_folder() / "library"


def opened_library() -> Library:
    """The tab's library with its journal."""
    return Library.open(library_folder(), data=data_folder())


def score_folder(job: Job, wish: Wish) -> tuple[View, str]:
    """Scores what is new in a folder; returns all of it with what was done, in a sentence. Stopped, it returns what is scored so far.

    Raises:
        CuratorError: The scorer cannot be made ready, or the store cannot be used.
    """
    from ..scorer_cache import load

    job.tell(note="making the scorer ready")
    loaded = load(wish.request, interruptible=False)

    def told(progress: ScanProgress) -> None:
        note = "" if progress.total is not None else f"{count_of(progress.found, 'picture')} found"
        job.tell(progress.done, progress.total, progress.seconds_left, note)

    @contextmanager
    def at_work(pictures: int) -> Iterator[None]:
        # The page has a Stop of its own; the host's Interrupt may still be set from a generation long ended.
        with turn(), loaded.at_work(pictures, interruptible=False):
            yield

    with opened_library() as library:
        done = library.scan(
            [wish.folder],
            loaded.panel,
            options=wish.options,
            progress=told,
            cancelled=lambda: job.stopping,
            turn=at_work,
        )
        view = read_view(library, loaded.panel, wish)
    words = f"{count_of(done.found, 'picture')}, {count_of(done.scored, 'new score')}."
    if done.failed:
        words += f" {done.failed:,} could not be scored; Show: Not scored lists them."
    if done.problems:
        words += f" Not read: {count_of(len(done.problems), 'folder')}: {done.problems[0][1]}"
    return view, f"Stopped before the end. {words}" if done.stopped else words
