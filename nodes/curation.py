"""Runs a curation under the host, with its progress bar and stop button."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..imagereward_core.plain import count_of
from .host.errors import GraphError
from .host.scorer_cache import LoadedScorer

if TYPE_CHECKING:
    from ..imagereward_core.library.curate.carry_out import Carried
    from ..imagereward_core.library.curate.options import CurateOptions
    from ..imagereward_core.library.curate.plan import Curation
    from ..imagereward_core.library.journal import Recovery
    from ..imagereward_core.library.library import Library


@contextmanager
def opened(root: Path, place: Path | None = None) -> Iterator[Library]:
    """The library of everything inside one of the host's folders; of its runs only those in ``place`` are asked for, where one is named."""
    from ..imagereward_core.files import STORE_FOLDER
    from ..imagereward_core.library.library import Library

    with Library.open(root / STORE_FOLDER, root=place or root, data=_data()) as library:
        yield library


def origin_of(library: Library) -> str:
    """The remark where the numbers of a library may be anybody's; empty where they are the user's own."""
    return library.origin.remark(
        "move that folder out of the way (stars and the list of what can be undone go with it), so that all pictures are scored anew",
    )


def _data() -> Path | None:
    """Our part of the host's folder for what belongs to its user; None on a host without one."""
    import folder_paths

    named = getattr(folder_paths, "get_user_directory", None)
    return None if named is None else Path(named()) / "imagereward"


class _Host:
    """Progress on the node, and whether somebody has pressed the host's stop button."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.stopped: BaseException | None = None

    def show(self, done: int, total: int) -> None:
        """Moves the bar."""
        from comfy.utils import ProgressBar

        if self.bar is None:
            self.bar = ProgressBar(max(1, total))
        self.bar.update_absolute(done, max(1, total))

    def cancelled(self) -> bool:
        """Asked between two pictures; what is at hand is finished before the host's exception goes on."""
        from comfy.model_management import throw_exception_if_processing_interrupted

        try:
            throw_exception_if_processing_interrupted()
        except BaseException as error:  # an Exception on older hosts, none on newer ones
            self.stopped = error
        return self.stopped is not None

    def go_on(self) -> None:
        """Raises the host's exception, if there was one."""
        if self.stopped is not None:
            raise self.stopped


def scan(library: Library, scorer: LoadedScorer, place: Path, options: CurateOptions) -> None:
    """Scores what is new; what was scored before somebody stopped it is kept."""
    host = _Host()
    library.scan(
        [place],
        scorer.panel,
        options=options.scan,
        progress=lambda told: host.show(told.done, told.total) if told.total else None,
        cancelled=host.cancelled,
        turn=scorer.at_work,
    )
    host.go_on()


def plan(library: Library, scorer: LoadedScorer, place: Path, options: CurateOptions) -> Curation:
    """The plan.

    Raises:
        GraphError: There is no picture, or percentiles are asked for where there are none.
    """
    from ..imagereward_core.library.curate.plan import plan_curation

    try:
        curation = plan_curation(library, scorer.panel, place, options)
    except ValueError as error:
        raise GraphError(str(error)) from error
    if not curation.rows:
        raise GraphError(f"there is no picture in {place}; expected files such as .png, .jpg or .webp")
    return curation


def carry_out(library: Library, curation: Curation) -> Carried:
    """Does what was planned; what was done before somebody stopped it stands in the journal."""
    from ..imagereward_core.library.curate import carry_out as curate
    from ..imagereward_core.library.curate.summary import rule_words

    host = _Host()
    carried = curate.carry_out(
        library, curation, title=rule_words(curation.options), progress=host.show, cancelled=host.cancelled
    )
    host.go_on()
    return carried


def take_back(root: Path, place: Path) -> str:
    """Takes the last run back that was done in a folder inside of one of the host's; returns what to say about it."""
    from ..imagereward_core.library.curate import carry_out as curate

    host = _Host()
    with opened(root, place) as library:
        taken = curate.take_back(library, progress=host.show, cancelled=host.cancelled)
    host.go_on()
    lines = [
        *_settled(taken.settled),
        f"Run {taken.run} ({taken.title}): {count_of(taken.done, 'step')} taken back.",
        *taken.notes,
    ]
    return "\n".join([*lines, *(f"Left as it is: {path}: {reason}" for path, reason in taken.failed)])


def settle(library: Library, acting: bool) -> list[str]:
    """Says what a run that was cut off has left half done, and settles it where files are going to be dealt with.

    It comes before the scan. A picture that was moved, and whose text file was not, has no prompt until it is settled.
    """
    from ..imagereward_core.errors import CuratorError

    if acting:
        with library.journal() as journal:
            return _settled(journal.recovered)
    try:
        with library.journal(looking=True) as journal:
            runs = [run for run in journal.unsettled() if journal.custody.concerns(run)]
    except CuratorError as error:  # nothing of it is needed for looking
        return [str(error)]
    return [
        f"Run {run} was cut off. What it left half done is settled before anything else is done; until then pictures may miss their texts."
        for run in runs
    ]


def _settled(recovered: Sequence[Recovery]) -> list[str]:
    """Says what an earlier process had left half done."""
    lines = [
        f"Run {each.run.id} had been cut off: {count_of(each.finished, 'step')} finished, {each.taken_back:,} taken back."
        for each in recovered
        if each.finished or each.taken_back
    ]
    return lines + [
        f"Left as it is: {step.source}: {reason}" for each in recovered for step, reason in each.problems
    ]
