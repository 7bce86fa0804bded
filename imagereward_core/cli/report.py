"""``imagereward report``: what a library knows about a folder, as a page and as tables. Nothing is scored, moved or changed."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..plain import count_of
from .arguments import number_type
from .console import Console
from .curate_options import (
    add_bucket_measure,
    add_folders,
    add_place,
    curation_rule,
    destination_folders,
    place_of,
    settle_origin,
)
from .exits import DONE
from .options import (
    Commands,
    add_command,
    add_overwrite,
    add_talk,
    add_weights,
    check_writable,
    data_folder,
    weight_settings,
)
from .rank import add_filter, rule_of
from .scorers import check_percentiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..library.library import Library
    from ..library.store.records import Row
    from ..scorers.panel import Panel, PanelResult
    from ..selection import Rule, Selection

_FORMS = {"csv": "for spreadsheets", "json": "", "jsonl": "one object per line", "parquet": "needs pyarrow"}
_PRINTED = 20
_EXAMPLES = """\
examples:
  imagereward report outputs                              the best pictures so far, and who scored how many
  imagereward report outputs --html report.html           a page with thumbnails, filters and drawings
  imagereward report outputs --csv all.csv --bom          every picture, for a spreadsheet
  imagereward report outputs --folder 2024-05 --min-percentile 90 --show kept --parquet best.parquet
"""


def add_parser(commands: Commands) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "report",
        run,
        help="write a page or a table about a folder that has been scored",
        description=(
            "Writes what is stored about a folder: scores with percentiles and ranks, prompts, models, LoRAs, stars. Nothing is scored "
            "and no file is changed, so no weights are needed. Without a file to write it prints the best pictures. Without a filter, kept "
            "and rejected are what 'imagereward curate' sorted into these folders; with one, all pictures are judged by it anew."
        ),
        notes=_EXAMPLES,
    )
    add_place(parser)
    parser.add_argument(
        "--folder", type=Path, metavar="SUB", help="only pictures in this folder below OUTPUTS, and below it"
    )
    parser.add_argument(
        "--copies",
        action="store_true",
        help="show copies that curate, watch or the nodes made as well, each with the rank of its picture; without it they are left out",
    )
    add_folders(parser)
    group = parser.add_argument_group("scorer")
    group.add_argument(
        "-s",
        "--scorer",
        default="",
        metavar="ID|BLEND",
        help="whose scores decide: a scorer, or a blend of some (default: the scorer that has scored the most pictures)",
    )
    group.add_argument(
        "--also", action="append", default=[], metavar="ID", help="show the scores of this scorer as well"
    )
    for option, metavar, words in (
        ("--revision", "TEXT", "scores by weights whose revision begins so"),
        (
            "--preprocessing",
            "WAY",
            "scores made in this way, such as reference, whole-picture or reference/bf16",
        ),
    ):
        group.add_argument(option, default="", metavar=metavar, help=words)
    add_filter(parser, shown="all")
    words = "name buckets, such as great=90,good=50; see --buckets of 'imagereward curate'"
    parser.add_argument("--buckets", metavar="TEXT", help=words)
    add_bucket_measure(parser)
    add_weights(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--html", type=Path, metavar="FILE", help="a page with the pictures; it opens in any browser"
    )
    for form, what in _FORMS.items():
        named = f"all rows as {form}{f' ({what})' if what else ''}"
        output.add_argument(f"--{form}", type=Path, metavar="FILE", help=named)
    output.add_argument(
        "--bom", action="store_true", help="begin csv with a byte order mark, by which Excel recognises UTF-8"
    )
    output.add_argument(
        "--most",
        type=number_type(1, whole=True),
        default=5000,
        metavar="N",
        help="pictures on the page, the best first; its drawings count all (default: %(default)s)",
    )
    add_overwrite(output)
    add_talk(output)


@dataclass(frozen=True)
class Found:
    """The pictures of a folder with their stored scores, judged by a panel and a filter.

    Attributes:
        order: Rows to show, best first.
        told: What pages and tables tell besides: for every row the name of its bucket, if there are any; all own scores by the scorer that
            decides, none for a blend; by the place of a row the copies of it that are shown.
    """

    panel: Panel
    rows: Sequence[Row]
    result: PanelResult
    selection: Selection
    order: Sequence[int]
    told: Mapping[str, Any]


def run(args: argparse.Namespace) -> int:
    """Reads the library and writes what was asked for; returns the exit code."""
    from ..library.library import Library
    from ..report.tables import require

    console = Console(args.quiet)
    files = {form: target for form in _FORMS if (target := getattr(args, form)) is not None}
    options = {f"--{form}": target for form, target in files.items()}
    check_writable({"--html": args.html, **options}, args.overwrite)
    for form in files:
        require(form)
    root = args.outputs.expanduser().absolute()
    place = place_of(args, make=False)
    with Library.look(place, root=root, data=data_folder()) as library:
        settle_origin(args, library, console)
        rule = rule_of(args, args.within)
        found = _judge(library, args, console, root, rule)
        _deliver(args, console, found, rule, root, files)
        _tell(library, console, found)
    return DONE


def _judge(library: Library, args: argparse.Namespace, console: Console, root: Path, rule: Rule) -> Found:
    from ..library.curate.candidates import judged_files
    from ..library.curate.options import CurateOptions
    from ..library.curate.rules import as_sorted, judge
    from ..library.report_entries import own_history
    from ..library.stored_panel import stored_panel
    from ..selection import Rule
    from .scorers import saved_blends

    folder = root / args.folder if args.folder else root
    also = [part.strip() for text in args.also for part in text.split(",") if part.strip()]
    panel = stored_panel(
        library,
        args.scorer,
        also,
        folder=folder,
        revision=args.revision,
        preprocessing=args.preprocessing,
        blends=saved_blends(weight_settings(args)),
        weights=weight_settings(args),
    )
    options = CurateOptions(curation_rule(args, rule), folders=destination_folders(args))
    destinations = options.destinations(root)
    # Whether copies are shown changes no rank: each has the numbers of its picture.
    scored, copies = judged_files(library, panel, root, options, below=folder)
    number = sum(map(len, copies.values()))
    if number and not args.copies:
        left = "1 copy of a picture is" if number == 1 else f"{number:,} copies of pictures are"
        console.say(f"{left} left out; --copies shows them.")
    scores = scored.result.main
    check_percentiles(args, panel.card, scores.on_reference)
    homes = [destinations.home(row.path) for row in scored.rows]
    verdicts = judge(scored.rows, scores, options.rule, [home.folder for home in homes])
    if rule == Rule(within=rule.within) and not args.buckets and not args.keep_stars:
        earlier = [dict(copies.get(row.path, ())) for row in scored.rows]
        names = [home.name or next(filter(None, found), "") for home, found in zip(homes, earlier)]
        verdicts = as_sorted(verdicts, names)
    selection = verdicts.selection
    kept = set(selection.kept.tolist())
    order = [index for index in selection.order.tolist() if args.show == "all" or index in kept]
    shown = {
        index: library.find([path for _, path in copies[row.path]])
        for index, row in enumerate(scored.rows)
        if args.copies and row.path in copies
    }
    told = {
        "buckets": verdicts.names if args.buckets else (),
        "history": own_history(library, panel),
        "copies": shown,
    }
    return Found(panel, scored.rows, scored.result, selection, order, told)


def _deliver(
    args: argparse.Namespace,
    console: Console,
    found: Found,
    rule: Rule,
    root: Path,
    files: dict[str, Path],
) -> None:
    """Writes the files, or prints the best pictures where none was asked for."""
    from ..files.values import shown_name
    from ..library.export import export, export_rows
    from ..library.report_entries import write_library_report
    from .output.rows import order_by_prompt
    from .output.write import put, render, window_width

    card, scores = found.panel.card, found.result.main
    for form, target in files.items():
        with console.count(len(found.order), "rows") as report:
            number = export(
                target,
                found.rows,
                found.result,
                found.selection,
                card,
                form=form,
                order=found.order,
                rule=asdict(rule),
                bom=args.bom,
                progress=report,
                overwrite=args.overwrite,
                **found.told,
            )
        console.say(f"Wrote {count_of(number, 'row')} to {target}")
    if args.html:
        name = root.joinpath(args.folder or "").name or str(root)
        with console.count(min(len(found.order), args.most), "pictures") as report:
            write_library_report(
                args.html,
                found.rows,
                found.result,
                found.selection,
                card,
                root=root,
                title=f"{name}: {count_of(len(found.rows), 'picture')}",
                most=args.most,
                kept_only=args.show == "kept",
                progress=lambda done, total: report(done),
                overwrite=args.overwrite,
                **found.told,
            )
        console.say(f"Wrote the page {args.html}")
    if not files and not args.html:
        best = found.order[:_PRINTED]
        if rule.within == "prompt":  # the table parts prompts by empty lines
            shown = set(best)
            best = [index for index in order_by_prompt(found.selection, scores) if index in shown]
        rows = [
            replace(row, file=shown_name(Path(row.file), root))
            for row in export_rows(found.rows, found.result, found.selection, order=best, **found.told)
        ]
        text = render("table", rows, range(len(rows)), scores, card, asdict(rule), window_width())
        put(text, None, data=False)
        if len(found.order) > len(best):
            console.say(f"And {len(found.order) - len(best):,} more; --html and --csv write all of them.")


def _tell(library: Library, console: Console, found: Found) -> None:
    """How many pictures each scorer has scored, and remarks needed to read the numbers."""
    from ..library.store.records import Query
    from ..scorers.meaning import compare_warning

    scores, main = found.result.main, found.panel.main
    good, kept = scores.scored, len(found.selection.kept)
    console.say(
        f"{good:,} of {count_of(len(scores), 'picture')} scored by {main.card.id}, weights {scores.revision}"
        f"{f'; {kept:,} kept' if kept < good else ''}."
    )
    for remark in filter(None, (found.result.basis, *found.result.warnings)):
        console.say(remark)
    for pair in found.result.agreement:
        console.say(pair.sentence())
    held = library.keys()
    for key in held:
        number = library.count(Query(key=key, scored=True))
        console.say(
            f"In the library: {count_of(number, 'score')} by {key.scorer}, weights {key.revision}, {key.preprocessing}"
        )
    if warning := compare_warning(found.panel.card, scores.prompts):
        console.say(warning)
    if not scores.on_reference:
        console.say("These scores are off-reference: compare them with each other only.")
