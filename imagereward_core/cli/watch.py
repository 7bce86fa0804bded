"""``imagereward watch``: a folder that sorts itself while a generator fills it."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from typing import TYPE_CHECKING

from .arguments import number_type
from .console import Console, is_attended, wanted
from .curate import planned
from .curate_options import add_curation, add_place, curate_options, opened, settle_origin
from .curate_text import preview, tell_failures, tell_scan, tell_settled
from .exits import DONE, INTERRUPTED, UsageError
from .options import Commands, add_command, add_consent, add_talk, weight_settings

if TYPE_CHECKING:
    from ..library.watch.watcher import Pass

_EXAMPLES = """\
examples:
  imagereward watch outputs --min-percentile 50 --move                  sort what is there and what comes, after asking
  imagereward watch outputs --min-percentile 50 --move --yes            the same without asking, for a service
  imagereward watch outputs --buckets great=90,good=50 --link --yes     folders great, good and rejected, as hard links
  imagereward watch //server/outputs --top-percent 20 --poll 30 --yes   a network drive, looked at every 30 seconds
"""


def add_parser(commands: Commands) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "watch",
        run,
        help="sort a folder while a generator fills it",
        description=(
            "Does what 'curate' does with everything in a folder, and then with every picture that arrives, until it is stopped with "
            "Ctrl-C. Half-written files are waited for. What came while nobody watched is dealt with at the next start. Every batch is a "
            "run that 'imagereward undo' takes back."
        ),
        notes=_EXAMPLES,
    )
    add_place(parser)
    add_curation(parser)
    group = parser.add_argument_group("watch")
    add_consent(group, "show what would happen to the pictures there are, and stop", "begin without asking")
    seconds = number_type(0.1, 86400)
    for name, default, words in (
        ("settle", 2.0, "seconds without a change after which a file is taken for whole"),
        ("gather", 5.0, "seconds a picture waits at most for others to be dealt with together"),
        ("sweep", 600.0, "seconds after which the whole folder is looked through again"),
    ):
        group.add_argument(
            f"--{name}", type=seconds, default=default, metavar="S", help=f"{words} (default: {default:g})"
        )
    group.add_argument(
        "--poll",
        type=seconds,
        default=0.0,
        metavar="S",
        help="look into the folder every S seconds instead of waiting for the system's events, which network drives often do not send; "
        "needs no further package",
    )
    add_talk(group)


def run(args: argparse.Namespace) -> int:
    """Shows and asks, then watches until it is stopped; returns the exit code."""
    from ..library.curate.summary import remarks
    from ..library.watch.watcher import Watcher, WatchSettings
    from .batches import StopSwitch
    from .output.write import ellipsis, window_width
    from .scorers import load_panel

    console = Console(args.quiet)
    options = curate_options(args)
    if not (args.yes or args.dry_run or is_attended()):
        raise UsageError(
            "there is nobody to ask; give --yes to begin at once, or --dry-run to see what would happen"
        )
    with opened(args, console, acting=args.yes) as library:
        panel = load_panel(args, weight_settings(args), console)
        settle_origin(args, library, console)
        ends = ("SIGINT", "SIGTERM", "SIGBREAK")  # a service is stopped by the system's own signal
        with StopSwitch(console, "The file at hand is finished", ends) as stop:
            if not args.yes:
                with console.scan() as report:
                    result = library.scan(
                        [args.outputs], panel, options=options.scan, progress=report, cancelled=stop.asked
                    )
                tell_scan(result, console)
                if result.stopped:
                    return INTERRUPTED
                plan = planned(library, panel, args.outputs, options)
                sys.stdout.write(preview(plan, window_width(), ellipsis()))
                sys.stdout.flush()
                if args.dry_run or not wanted(args, console, "Do this, and go on with what arrives?"):
                    return DONE
            else:
                # A rule that cannot be is an error now.
                for remark in remarks(planned(library, panel, args.outputs, options)):
                    console.say(f"{_now()} {remark}")
            watcher = Watcher(
                library,
                panel,
                args.outputs,
                options,
                WatchSettings(args.settle, args.gather, sweep=args.sweep, poll=args.poll),
                report=lambda done: _tell(done, console),
                complain=lambda text: console.complain(f"{_now()} {text}"),
            )
            console.say(f"{_now()} Watching {args.outputs}; Ctrl-C stops.")
            watcher.run(stop.event)
    console.say(f"{_now()} Stopped.")
    return DONE


def _tell(done: Pass, console: Console) -> None:
    """One line about a batch, and what went wrong in it."""
    curation, carried = done.curation, done.carried
    went = [placing.name for placing in curation.placings if placing.fate == "go"]
    sorted_as = ", ".join(
        f"{went.count(name):,} {name}" for name in curation.options.rule.names if name in went
    )
    scored = f"; {done.scan.scored:,} scored" if done.scan.scored else ""
    failed = f"; {done.scan.failed:,} without a score" if done.scan.failed else ""
    run = f" (run {carried.run})" if carried.run else ""
    console.say(f"{_now()} {sorted_as or 'nothing to sort'}{run}{scored}{failed}")
    tell_settled(carried.settled, console)
    tell_failures(carried.failed, console, "not done")


def _now() -> str:
    return datetime.now().strftime("%Y-%m-%d %H:%M:%S")
