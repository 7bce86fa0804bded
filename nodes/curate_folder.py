"""Curate Folder: a folder of pictures scored and sorted into kept and rejected, with a preview before and an undo after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from comfy_api.latest import io

from ..imagereward_core.library.curate.buckets import REJECTED, BucketMeasure, Buckets
from ..imagereward_core.library.curate.options import DISTANCE, KEPT, Action, CurateOptions, CurationRule, Per
from ..imagereward_core.library.scan.options import ScanOptions
from ..imagereward_core.plain import count_of
from .filter_by_score import check_percentiles, conditions, rule_of
from .host.errors import GraphError, choice
from .host.folders import inside
from .host.outputs import listed, unlike_any
from .host.scorer_cache import LoadedScorer
from .inputs import meant, setting_input
from .schema import ALL, EACH_FOLDER, EACH_PROMPT, SCORER, dropdown, entry, output, schema
from .text import number

if TYPE_CHECKING:
    from ..imagereward_core.library.curate.carry_out import Carried
    from ..imagereward_core.library.curate.plan import Curation

PREVIEW, DO, UNDO = "preview", "carry out", "take back the last run"
MODES = (PREVIEW, DO, UNDO)
ROOTS = ("output", "input")
ACTIONS: Mapping[str, Action] = {"copy": "copy", "hard link": "hardlink", "move": "move"}
PER: Mapping[str, Per] = {ALL: "all", EACH_PROMPT: "prompt", EACH_FOLDER: "folder"}
APART, IN_PLACE = "put apart", "leave in place"
PLACES = (APART, IN_PLACE)
HERE = "."
_EXAMPLES = 10


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
                entry(SCORER, "scorer", "From Load Scorer; a blend works as well."),
                dropdown(
                    "mode",
                    MODES,
                    "preview: score, and say what would happen to the files. carry out: do it. take back the last run: undo what "
                    "was done last in this folder, byte for byte.",
                ),
                dropdown("where", ROOTS, "Whether the folder is in ComfyUI's output or input folder."),
                entry(
                    io.String,
                    "folder",
                    "A folder inside it, such as 2026-05 or %date:yyyy-MM-dd%; '.' is all of it.",
                    default=HERE,
                ),
                setting_input(ScanOptions, "recursive", "subfolders"),
                *conditions(),
                setting_input(CurationRule, "per", words=PER),
                setting_input(CurationRule, "duplicate_bits", "unique", kind=io.Boolean),
                setting_input(
                    CurateOptions,
                    "action",
                    words=ACTIONS,
                    more="copy: originals stay as they are. hard link: the same, without using disk space. move: pictures leave their "
                    "place, their subfolders are made anew.",
                ),
                entry(
                    io.String,
                    "kept_folder",
                    "Folder for kept pictures, inside the curated folder; buckets have their own.",
                    default=KEPT,
                ),
                entry(
                    io.String,
                    "rejected_folder",
                    "Folder for rejected pictures, inside the curated folder.",
                    default=REJECTED,
                ),
                dropdown(
                    "rejected",
                    PLACES,
                    "put apart: rejected pictures go into their folder. leave in place: only kept pictures are dealt with.",
                ),
                entry(
                    io.Boolean,
                    "write_scores",
                    "Writes scores into the metadata of the files, and ratings as XMP files beside them; pixels, workflow and "
                    "everything else stay as they are. With copy, only the copies are written to.",
                    default=False,
                ),
                setting_input(
                    CurationRule,
                    "buckets",
                    kind=io.String,
                    more="Empty: one folder for all kept pictures.",
                    default="",
                    optional=True,
                    placeholder="great=90,good=50",
                ),
                setting_input(Buckets, "by", "buckets_by", optional=True),
                setting_input(CurateOptions, "name_scores", "score_in_name", optional=True),
            ],
            [
                output(
                    io.String,
                    "kept_files",
                    "Paths of the kept pictures, best first: where they lie, or in a preview where they would lie.",
                    many=True,
                ),
                output(io.String, "rejected_files", "The same for the rejected pictures.", many=True),
                output(io.Int, "kept_count", "How many are kept."),
                output(io.Int, "rejected_count", "How many are rejected."),
                output(
                    io.String,
                    "report",
                    "What was done, or would be, with examples and with every file that failed.",
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
        per: str = ALL,
        unique: bool = False,
        action: str = "copy",
        kept_folder: str = KEPT,
        rejected_folder: str = REJECTED,
        rejected: str = APART,
        write_scores: bool = False,
        buckets: str = "",
        buckets_by: str = "percentile",
        score_in_name: bool = False,
        **conditions: Any,
    ) -> Any:
        """Scans, plans, and does what the mode says."""
        from .curation import carry_out, opened, origin_of, plan, scan, settle, take_back

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
        measure: Any = choice("buckets_by", buckets_by, get_args(BucketMeasure))
        rule = CurationRule(
            rule_of(**conditions),
            meant("per", per, PER),
            DISTANCE if unique else None,
            Buckets.parse(buckets, measure) if buckets.strip() else None,
        )
        folders = {"kept": inside(place, kept_folder), "rejected": inside(place, rejected_folder)}
        options = CurateOptions(
            rule,
            meant("action", action, ACTIONS),
            {name: where for name, where in folders.items() if name in rule.names},
            frozenset({rule.names[-1]} if choice("rejected", rejected, PLACES) == IN_PLACE else ()),
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
    from .tokens import HostTokens

    tokens = HostTokens.of(hidden)
    found = [
        tokens.fill(name, folder)
        for name, folder in zip(("folder", "kept_folder", "rejected_folder"), folders)
    ]
    if tokens.unfilled:
        raise GraphError(f"{' '.join(tokens.unfilled)} Nothing has been done.")
    return found


def _check_percentiles(rule: CurationRule, scorer: LoadedScorer) -> None:
    """Raises GraphError, before anything is scored, where a rule asks for percentiles and there are none."""
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
    from ..imagereward_core.library.curate.summary import examples, sentences

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
