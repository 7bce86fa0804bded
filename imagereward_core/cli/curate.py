"""``imagereward curate``: a folder scored, sorted into kept and rejected by a rule, and that taken back by ``undo``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .console import Console, wanted
from .curate_options import add_curation, add_place, curate_options, opened, settle_origin
from .curate_text import document, preview, tell_carried, tell_scan, tell_unscored
from .exits import DONE, INTERRUPTED, SOME_FAILED, UsageError
from .options import (
    Commands,
    add_command,
    add_consent,
    add_list_format,
    add_overwrite,
    add_talk,
    check_writable,
    weight_settings,
)

if TYPE_CHECKING:
    from ..library.curate.options import CurateOptions
    from ..library.curate.plan import Curation
    from ..library.library import Library
    from ..scorers.panel import Panel

_EXAMPLES = """\
examples:
  imagereward curate outputs --top-percent 20 --within prompt         show what would be copied to outputs/kept and outputs/rejected
  imagereward curate outputs --top-percent 20 --within prompt --yes   do it
  imagereward curate outputs --min-percentile 30 --move --leave kept  move the worst out of the way, leave the rest where it is
  imagereward curate outputs --buckets great=90,good=50 --unique      folders great, good and rejected, near-duplicates once
  imagereward curate outputs --stay --write-back --xmp                only write scores and stars for other programs
  imagereward undo outputs                                            take the last run back
"""


def add_parser(commands: Commands) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "curate",
        run,
        help="sort a folder of pictures into kept and rejected",
        description=(
            "Scores the pictures of a folder that are new, and sorts all of them into kept and rejected by a rule: every condition that is "
            "given must hold. It first shows what would happen and asks; nothing is ever deleted, and 'imagereward undo' takes any run "
            "back."
        ),
        notes=_EXAMPLES,
    )
    add_place(parser)
    add_curation(parser)
    group = parser.add_argument_group("run")
    add_consent(group, "show what would happen, and do nothing")
    group.add_argument("--html", type=Path, metavar="FILE", help="write a page with the pictures as well")
    add_overwrite(group)
    add_list_format(group, "form of the plan on standard output; json names every picture")
    add_talk(group)


def run(args: argparse.Namespace) -> int:
    """Scans, plans, shows, asks and carries out; returns the exit code."""
    from .batches import StopSwitch
    from .scorers import load_panel

    console = Console(args.quiet)
    check_writable({"--html": args.html}, args.overwrite)
    options = curate_options(args)
    with opened(args, console, acting=args.yes) as library:
        stop = StopSwitch(console, "What has been scored is kept, nothing is moved")
        panel = load_panel(args, weight_settings(args), console, cancelled=stop.asked)
        settle_origin(args, library, console)
        with stop, console.scan() as report:
            result = library.scan(
                [args.outputs], panel, options=options.scan, progress=report, cancelled=stop.asked
            )
        tell_scan(result, console)
        if result.stopped:
            console.say(
                "Run the same command again to go on where it stopped"
                f"{', without --rescore, which would begin anew' if args.rescore else ''}."
            )
            return INTERRUPTED
        curation = planned(library, panel, args.outputs, options)
        if not curation.rows:
            raise UsageError(
                f"no picture was found in {args.outputs}; expected files such as .png, .jpg or .webp"
            )
        code = _finish(args, console, library, panel, curation)
        return SOME_FAILED if code == DONE and result.problems else code


def planned(library: Library, panel: Panel, folder: Path, options: CurateOptions) -> Curation:
    """The plan; UsageError where its rule asks for percentiles and the scorer has none."""
    from ..library.curate.buckets import BucketError
    from ..library.curate.plan import plan_curation

    try:
        return plan_curation(library, panel, folder.absolute(), options)
    except (BucketError, ValueError) as error:
        raise UsageError(str(error)) from error


def _finish(
    args: argparse.Namespace, console: Console, library: Library, panel: Panel, curation: Curation
) -> int:
    from ..library.curate.carry_out import carry_out, doubts
    from ..library.curate.summary import rule_words
    from .batches import StopSwitch
    from .output.write import ellipsis, put, window_width

    if args.format == "table":
        sys.stdout.write(preview(curation, window_width(), ellipsis()))
        sys.stdout.flush()
    tell_unscored(curation, console)
    if doubt := doubts(library, curation):
        console.complain(f"{doubt}.")
    carried = None
    if wanted(args, console, "Do this?"):
        stop = StopSwitch(console, "What has been done is in the journal and can be undone")
        with stop, console.count(len(curation.steps), "steps") as report:
            title = rule_words(curation.options)
            carried = carry_out(library, curation, title=title, progress=report, cancelled=stop.asked)
        tell_carried(carried, curation.options, args, console)
    if args.format == "json":
        put(json.dumps(document(curation, carried), ensure_ascii=False, indent=2) + "\n", None, data=True)
    if args.html:
        _write_page(args, library, curation, panel, done=carried is not None)
        console.say(f"Wrote the page {args.html}")
    if carried is not None and carried.left:
        return INTERRUPTED
    failed = curation.count(fate="unscored") or (carried is not None and carried.failed)
    return SOME_FAILED if failed else DONE


def _write_page(
    args: argparse.Namespace, library: Library, curation: Curation, panel: Panel, done: bool
) -> None:
    """The report, with every picture where it lies now."""
    from ..library.report_entries import own_history, write_library_report

    assert curation.result is not None
    rows = [
        replace(row, path=placing.end) if done and placing.end.exists() else row
        for row, placing in zip(curation.rows, curation.placings, strict=True)
    ]
    write_library_report(
        args.html,
        rows,
        curation.result,
        curation.verdicts.selection,
        panel.card,
        root=curation.folder,
        buckets=curation.verdicts.names if curation.options.rule.buckets else (),
        history=own_history(library, panel),
        overwrite=args.overwrite,
    )
