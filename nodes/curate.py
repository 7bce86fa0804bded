"""Curate Folder: a folder of pictures scored and sorted into kept and rejected, with a preview before and an undo after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..imagereward_core.plain import count_of
from .curation import carry_out, opened, origin_of, plan, scan, settle, take_back
from .errors import GraphError, choice
from .filtering import NO_LIMIT, check_percentiles, conditions, rule_of
from .folders import inside
from .hosting import listed, unlike_any
from .loaded import LoadedScorer
from .schema import ALL, EACH_FOLDER, EACH_PROMPT, SCORER, schema
from .tokens import HostTokens
from .wording import number

if TYPE_CHECKING:
    from ..imagereward_core.library.buckets import BucketMeasure
    from ..imagereward_core.library.curate import Action, Carried, Curation
    from ..imagereward_core.library.rules import CurationRule, Per

PREVIEW, DO, UNDO = "preview", "carry out", "take back the last run"
MODES = (PREVIEW, DO, UNDO)
ROOTS = ("output", "input")
ACTIONS: Mapping[str, Action] = {"copy": "copy", "hard link": "hardlink", "move": "move"}
PER: Mapping[str, Per] = {ALL: "all", EACH_PROMPT: "prompt", EACH_FOLDER: "folder"}
BUCKETS_BY: Mapping[str, BucketMeasure] = {
    "percentile": "percentile",
    "score": "score",
    "share": "share",
}
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
                    "was done last in this folder, byte for byte.",
                ),
                io.Combo.Input(
                    "where",
                    options=list(ROOTS),
                    default=ROOTS[0],
                    tooltip="Whether the folder is in ComfyUI's output or input folder.",
                ),
                io.String.Input(
                    "folder",
                    default=HERE,
                    tooltip="A folder inside it, such as 2026-05 or %date:yyyy-MM-dd%; '.' is all of it.",
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
                    tooltip="Folder for kept pictures, inside the curated folder; buckets have their own.",
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
                io.String.Input(
                    "buckets",
                    default="",
                    optional=True,
                    placeholder="great=90,good=50",
                    tooltip="Sorts kept pictures further, best first: great=90,good=50 makes folders great and good, and the rest is "
                    "rejected. Empty: one folder for all kept pictures.",
                ),
                io.Combo.Input(
                    "buckets_by",
                    options=list(BUCKETS_BY),
                    default="percentile",
                    optional=True,
                    tooltip="What the numbers of buckets are: least percentiles, least scores, or shares in percent.",
                ),
                io.Boolean.Input(
                    "score_in_name",
                    default=False,
                    optional=True,
                    tooltip="Pictures that are copied, linked or moved get their score into their name: a.png becomes a_score0.8731.png.",
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
        buckets: str = "",
        buckets_by: str = "percentile",
        score_in_name: bool = False,
    ) -> Any:
        """Scans, plans, and does what the mode says."""
        from ..imagereward_core.library.buckets import Buckets
        from ..imagereward_core.library.curate import CurateOptions
        from ..imagereward_core.library.rules import CurationRule
        from ..imagereward_core.library.scan.options import ScanOptions

        if not isinstance(scorer, LoadedScorer):
            raise GraphError("scorer is not a scorer; connect the output of one Load Scorer")
        choice("mode", mode, MODES)
        root = _root(choice("where", where, ROOTS))
        folder, kept_folder, rejected_folder = _filled(cls.hidden, folder, kept_folder, rejected_folder)
        place = inside(root, folder)
        if not place.is_dir():
            raise GraphError(
                f"there is no folder {folder!r} inside ComfyUI's {where} folder; expected one that exists"
            )
        if mode == UNDO:
            return io.NodeOutput(listed([]), listed([]), 0, 0, take_back(root, place))
        measure = BUCKETS_BY[choice("buckets_by", buckets_by, tuple(BUCKETS_BY))]
        rule = CurationRule(
            rule_of(top_k, top_percent, min_score, min_percentile, keep_at_least),
            PER[choice("per", per, tuple(PER))],
            _DUPLICATE_BITS if unique else None,
            Buckets.parse(buckets, measure) if buckets.strip() else None,
        )
        folders = {"kept": inside(place, kept_folder), "rejected": inside(place, rejected_folder)}
        options = CurateOptions(
            rule,
            ACTIONS[choice("action", action, tuple(ACTIONS))],
            {name: where for name, where in folders.items() if name in rule.names},
            frozenset({rule.names[-1]} if choice("rejected", rejected, REJECTED) == IN_PLACE else ()),
            write_scores=bool(write_scores),
            xmp="both" if write_scores else "",
            scan=ScanOptions(recursive=bool(subfolders)),
            name_scores=bool(score_in_name),
        )
        options.destinations(place)
        _check_percentiles(rule, scorer)
        with opened(root) as library:
            before = settle(library, acting=mode == DO)
            scan(library, scorer, place, options)
            curation = plan(library, scorer, place, options)
            carried = carry_out(library, curation) if mode == DO else None
            before += filter(None, [origin_of(library)])
        return _result(curation, carried, before)


def _filled(hidden: Any, *folders: str) -> list[str]:
    """The folders with their tokens filled in.

    Raises:
        GraphError: A token is not known, or means nothing where no single picture is meant.
    """
    tokens = HostTokens.of(hidden)
    found = [
        tokens.fill(name, folder)
        for name, folder in zip(("folder", "kept_folder", "rejected_folder"), folders)
    ]
    if tokens.unfilled:
        raise GraphError(f"{' '.join(tokens.unfilled)} Nothing has been done.")
    return found


def _check_percentiles(rule: CurationRule, scorer: LoadedScorer) -> None:
    """Makes sure, before anything is scored, that a rule asks for no percentiles where there are none.

    Raises:
        GraphError: It does.
    """
    known, name = scorer.panel.has_percentiles, scorer.panel.card.id
    check_percentiles(rule.conditions, name, known)
    if rule.buckets and rule.buckets.by == "percentile" and not known:
        raise GraphError(
            f"buckets_by is percentile, but {name} scores made this way have no reference distribution to read percentiles against. Set "
            "buckets_by to score or share."
        )


def _root(where: str) -> Path:
    import folder_paths

    folder = folder_paths.get_output_directory() if where == "output" else folder_paths.get_input_directory()
    return Path(folder).resolve()


def _result(curation: Curation, carried: Carried | None, before: Sequence[str]) -> Any:
    from ..imagereward_core.library.summary import examples, sentences

    def ends(indexes: list[int]) -> list[str]:
        return [str(curation.placings[index].end) for index in indexes if curation.placings[index].name]

    kept = ends(curation.verdicts.selection.kept.tolist())
    rejected = ends(curation.verdicts.selection.rejected.tolist())
    lines = [*before, *sentences(curation)]
    if carried is None:
        lines.append("This is a preview: nothing has been done. Set mode to 'carry out' to do it.")
    elif carried.run:
        lines += carried.notes
        lines.append(
            f"Run {carried.run}: {count_of(carried.done, 'step')} done."
            f"{f' Mode {UNDO!r} undoes them.' if carried.done else ''}"
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
