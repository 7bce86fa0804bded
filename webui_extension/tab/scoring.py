"""Scores a folder into the library, by the same code as the command, and reads it out as a view."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imagereward_core.library.library import Library
from imagereward_core.library.scan.keys import key_of
from imagereward_core.library.scan.options import ScanOptions

from ..work import turn
from .filtering import View
from .jobs import Job, Progress

if TYPE_CHECKING:
    from imagereward_core.library.scan.options import ScanProgress
    from imagereward_core.scorers.loading import LoadRequest

    from ..loaded import LoadedScorer


@dataclass(frozen=True)
class Wish:
    """What to score.

    Attributes:
        folder: Where the pictures are.
        request: The scorer, and those to be shown beside it.
        options: Which files, and where prompts come from.
    """

    folder: Path
    request: LoadRequest
    options: ScanOptions


def store_place() -> Path:
    """The folder of the library and its journal."""
    from ..hosts import data_folder

    return data_folder() / "library"


def score_folder(job: Job, wish: Wish) -> tuple[View, str]:
    """Scores what is new in a folder; returns all of it with what was done, in a sentence. Stopped, it returns what is scored so far.

    Raises:
        CuratorError: The scorer cannot be made ready, or the store cannot be used.
    """
    from ..loaded import load

    job.tell(Progress(note="making the scorer ready"))
    loaded = load(wish.request, interruptible=False)

    def told(progress: ScanProgress) -> None:
        note = "" if progress.total is not None else f"{progress.found:,} pictures found"
        job.tell(Progress(progress.done, progress.total, progress.seconds_left, note))

    @contextmanager
    def at_work(pictures: int) -> Iterator[None]:
        with turn(), loaded.at_work(pictures):
            yield

    with Library.open(store_place()) as library:
        done = library.scan(
            [wish.folder],
            loaded.panel,
            options=wish.options,
            progress=told,
            cancelled=lambda: job.stopping,
            turn=at_work,
        )
        view = read_view(library, loaded, wish.folder, wish.options.recursive)
    words = f"{done.found:,} pictures, {done.done:,} of them new."
    if done.failed:
        words += f" {done.failed:,} could not be scored; Show: Not scored lists them."
    if done.problems:
        words += f" {len(done.problems)} folders could not be read: {done.problems[0][1]}"
    return view, f"Stopped before the end. {words}" if done.stopped else words


def read_view(library: Library, loaded: LoadedScorer, folder: Path, recursive: bool = True) -> View:
    """A folder with the numbers the library has for it."""
    files = library.scored(loaded.panel, folder)
    rows, result = files.rows, files.result
    if not recursive:
        own = [row.path for row in rows if row.path.parent == folder]
        files = library.scored(loaded.panel, paths=own)
        rows, result = files.rows, files.result
    single = [scorer for scorer in loaded.panel.scorers if scorer.card.id == result.main.scorer]
    history = library.history(key_of(single[0])).tolist() if single else ()
    return View(folder, tuple(rows), result, loaded.card, history, loaded.request, recursive)
