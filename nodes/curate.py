"""Curate Folder: a folder of pictures scored and sorted into kept and rejected, with a preview before and an undo after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from .errors import GraphError, choice
from .filtering import NO_LIMIT, check_percentiles, conditions, rule_of
from .folders import inside
from .hosting import listed, unlike_any
from .loaded import LoadedScorer
from .schema import ALL, EACH_FOLDER, EACH_PROMPT, SCORER, schema
from .wording import number

if TYPE_CHECKING:
    from ..imagereward_core.library.curate import Action, Carried, CurateOptions, Curation
    from ..imagereward_core.library.library import Library
    from ..imagereward_core.library.rules import Per

PREVIEW, DO, UNDO = "preview", "carry out", "take back the last run"
MODES = (PREVIEW, DO, UNDO)
ROOTS = ("output", "input")
ACTIONS: Mapping[str, Action] = {"copy": "copy", "hard link": "hardlink", "move": "move"}
PER: Mapping[str, Per] = {ALL: "all", EACH_PROMPT: "prompt", EACH_FOLDER: "folder"}
APART, IN_PLACE = "put apart", "leave in place"
REJECTED = (APART, IN_PLACE)
HERE = "."
_EXAMPLES = 10
_DUPLICATE_BITS = 6


class CurateFolder(io.ComfyNode):
    """Sorts a folder inside the host's output or input folder."""

    @classmethod
    def define_schema(cls) -> Any:
        """See the host's V3 schema."""
        return schema(
            "CurateFolder",
            "Curate Folder",
            "Scores the pictures of a folder that are new, and sorts all of them into kept and rejected by a rule. It shows what would "
            "happen until it is told to carry it out, deletes nothing, and can take the last run back. Scores and a journal are kept in "
            "a hidden folder, so nothing is scored twice.",
            [
                SCORER.Input("scorer", tooltip="From Load Scorer; a blend works as well."),
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default=PREVIEW,
                    tooltip="preview: score, and say what would happen to the files. carry out: do it. take back the last run: undo what "
                    "was done last, byte for byte.",
                ),
                io.Combo.Input(
                    "where",
                    options=list(ROOTS),
                    default=ROOTS[0],
                    tooltip="Whether the folder is in ComfyUI's output or input folder.",
                ),
                io.String.Input(
                    "folder", default=HERE, tooltip="A folder inside it, such as 2026-05; '.' is all of it."
                ),
                io.Boolean.Input(
                    "subfolders",
                    default=True,
                    tooltip="Whether pictures in folders below it are sorted as well.",
                ),
                *conditions(),
                io.Combo.Input(
                    "per",
                    options=list(PER),
                    default=ALL,
                    tooltip="Counts and shares over all pictures, for each prompt, or for each folder.",
                ),
                io.Boolean.Input(
                    "unique",
                    default=False,
                    tooltip="Of pictures that look alike only the best is kept, and only it is counted.",
                ),
                io.Combo.Input(
                    "action",
                    options=list(ACTIONS),
                    default="copy",
                    tooltip="copy: originals stay as they are. hard link: the same, without using disk space. move: pictures leave their "
                    "place, their subfolders are made anew.",
                ),
                io.String.Input(
                    "kept_folder",
                    default="kept",
                    tooltip="Folder for kept pictures, inside the curated folder.",
                ),
                io.String.Input(
                    "rejected_folder",
                    default="rejected",
                    tooltip="Folder for rejected pictures, inside the curated folder.",
                ),
                io.Combo.Input(
                    "rejected",
                    options=list(REJECTED),
                    default=APART,
                    tooltip="put apart: rejected pictures go into their folder. leave in place: only kept pictures are dealt with.",
                ),
                io.Boolean.Input(
                    "write_scores",
                    default=False,
                    tooltip="Writes scores into the metadata of the files, and ratings as XMP files beside them; pixels, workflow and "
                    "everything else stay as they are. With copy, only the copies are written to.",
                ),
            ],
            [
                io.String.Output(
                    "kept_files",
                    display_name="kept files",
                    is_output_list=True,
                    tooltip="Paths of the kept pictures, best first: where they lie, or in a preview where they would lie.",
                ),
                io.String.Output(
                    "rejected_files",
                    display_name="rejected files",
                    is_output_list=True,
                    tooltip="The same for the rejected pictures.",
                ),
                io.Int.Output("kept_count", display_name="kept count", tooltip="How many are kept."),
                io.Int.Output(
                    "rejected_count", display_name="rejected count", tooltip="How many are rejected."
                ),
                io.String.Output(
                    "report",
                    display_name="report",
                    tooltip="What was done, or would be, with examples and with every file that failed.",
                ),
            ],
            ("cull folder", "sort outputs", "auto filter", "batch filter", "keep best", "clean up outputs"),
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> float:
        """Never the same: it acts, and the folder may have changed since."""
        return unlike_any()

    @classmethod
    def execute(
        cls,
        scorer: Any,
        mode: str = PREVIEW,
        where: str = ROOTS[0],
        folder: str = HERE,
        subfolders: bool = True,
        top_k: int = 0,
        top_percent: float = 100.0,
        min_score: float = NO_LIMIT,
        min_percentile: float = 0.0,
        keep_at_least: int = 0,
        per: str = ALL,
        unique: bool = False,
        action: str = "copy",
        kept_folder: str = "kept",
        rejected_folder: str = "rejected",
        rejected: str = APART,
        write_scores: bool = False,
    ) -> Any:
        """Scans, plans, and does what the mode says."""
        from ..imagereward_core.library.curate import CurateOptions
        from ..imagereward_core.library.rules import CurationRule
        from ..imagereward_core.library.scan.options import ScanOptions

        if not isinstance(scorer, LoadedScorer):
            raise GraphError("scorer is not a scorer; connect the output of one Load Scorer")
        choice("mode", mode, MODES)
        root = _root(choice("where", where, ROOTS))
        if mode == UNDO:
            return io.NodeOutput(listed([]), listed([]), 0, 0, _take_back(root))
        place = inside(root, folder)
        if not place.is_dir():
            raise GraphError(
                f"there is no folder {folder!r} inside ComfyUI's {where} folder; expected one that exists"
            )
        options = CurateOptions(
            CurationRule(
                rule_of(top_k, top_percent, min_score, min_percentile, keep_at_least),
                PER[choice("per", per, tuple(PER))],
                _DUPLICATE_BITS if unique else None,
            ),
            ACTIONS[choice("action", action, tuple(ACTIONS))],
            {"kept": inside(place, kept_folder), "rejected": inside(place, rejected_folder)},
            frozenset({"rejected"} if choice("rejected", rejected, REJECTED) == IN_PLACE else ()),
            write_scores=bool(write_scores),
            xmp="both" if write_scores else "",
            scan=ScanOptions(recursive=bool(subfolders)),
        )
        options.destinations(place)
        card = scorer.panel.card
        check_percentiles(options.rule.conditions, card.id, scorer.panel.has_percentiles)
        with _opened(root) as library:
            _scan(library, scorer, place, options)
            curation = _plan(library, scorer, place, options)
            carried = _carry_out(library, curation) if mode == DO else None
        return _result(curation, carried)


def _root(where: str) -> Path:
    import folder_paths

    folder = folder_paths.get_output_directory() if where == "output" else folder_paths.get_input_directory()
    return Path(folder).resolve()


@contextmanager
def _opened(root: Path) -> Iterator[Library]:
    """The library of everything inside one of the host's folders."""
    from ..imagereward_core.library.library import Library
    from ..imagereward_core.library.store.values import STORE_FOLDER

    with Library.open(root / STORE_FOLDER, root=root, data=_data()) as library:
        yield library


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


def _scan(library: Library, scorer: LoadedScorer, place: Path, options: CurateOptions) -> None:
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


def _plan(library: Library, scorer: LoadedScorer, place: Path, options: CurateOptions) -> Curation:
    """The plan.

    Raises:
        GraphError: There is no picture, or percentiles are asked for where there are none.
    """
    from ..imagereward_core.library.curate import plan_curation

    try:
        curation = plan_curation(library, scorer.panel, place, options)
    except ValueError as error:
        raise GraphError(str(error)) from error
    if not curation.rows:
        raise GraphError(f"there is no picture in {place}; expected files such as .png, .jpg or .webp")
    return curation


def _carry_out(library: Library, curation: Curation) -> Carried:
    from ..imagereward_core.library.curate import carry_out
    from ..imagereward_core.library.summary import rule_words

    host = _Host()
    carried = carry_out(
        library, curation, title=rule_words(curation.options), progress=host.show, cancelled=host.cancelled
    )
    host.go_on()
    return carried


def _take_back(root: Path) -> str:
    """Takes the last run back; returns what to say about it."""
    from ..imagereward_core.library.curate import take_back

    host = _Host()
    with _opened(root) as library:
        taken = take_back(library, progress=host.show, cancelled=host.cancelled)
    host.go_on()
    lines = [*_settled(taken), f"Run {taken.run} ({taken.title}): {taken.done:,} steps taken back."]
    return "\n".join([*lines, *(f"Left as it is: {path}: {reason}" for path, reason in taken.failed)])


def _settled(carried: Carried) -> list[str]:
    """What an earlier process had left half done."""
    lines = [
        f"Run {each.run.id} had been cut off: {each.finished:,} steps were finished, {each.taken_back:,} taken back."
        for each in carried.settled
        if each.finished or each.taken_back
    ]
    return lines + [
        f"Left as it is: {step.source}: {reason}"
        for each in carried.settled
        for step, reason in each.problems
    ]


def _result(curation: Curation, carried: Carried | None) -> Any:
    from ..imagereward_core.library.summary import examples, sentences

    def ends(indexes: list[int]) -> list[str]:
        return [str(curation.placings[index].end) for index in indexes if curation.placings[index].name]

    kept = ends(curation.verdicts.selection.kept.tolist())
    rejected = ends(curation.verdicts.selection.rejected.tolist())
    lines = [*sentences(curation)]
    if carried is None:
        lines.append("This is a preview: nothing has been done. Set mode to 'carry out' to do it.")
    elif carried.run:
        lines += _settled(carried)
        lines.append(
            f"Run {carried.run}: {carried.done:,} steps done. Mode 'take back the last run' undoes them."
        )
    lines += [f"Not done: {path}: {reason}" for path, reason in (carried.failed if carried else ())]
    lines.append("")
    for each in examples(curation, _EXAMPLES):
        goes = f" -> {each.target}" if each.target else ""
        lines.append(
            f"{each.name or 'no score':>8}  {number(each.score):>9}  {each.file}{goes}  {each.reason}"
        )
    return io.NodeOutput(listed(kept), listed(rejected), len(kept), len(rejected), "\n".join(lines))


NODES = [CurateFolder]
