"""``imagereward undo``: a run of ``curate`` or ``watch`` taken back."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from .console import Console
from .curate_output import tell_failures
from .curating import add_place, opened
from .exits import DONE, INTERRUPTED, SOME_FAILED, UsageError
from .options import add_talk, positive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..library.actions import RunInfo
    from ..library.library import Library


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    from .exits import EXPLANATION

    parser = commands.add_parser(
        "undo",
        help="take back what curate or watch did",
        description=(
            "Takes a run back, the last one by default: moved pictures return, copies and links that are unchanged go, written scores and "
            "ratings are taken out again, byte for byte. A file that somebody changed since is left as it is, with a line that says so."
        ),
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_place(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--run", type=positive, dest="number", metavar="N", help="take back run N instead")
    which.add_argument("--list", action="store_true", help="list all runs, and do nothing")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "-n", "--dry-run", action="store_true", help="say what would be taken back, and do nothing"
    )
    how.add_argument("-y", "--yes", action="store_true", help="do it without asking")
    add_talk(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Lists runs or takes one back; returns the exit code.

    Raises:
        UsageError: There is no such run.
        CuratorError: Another program is at work, or the journal cannot be used.
    """
    from ..library.actions import Journal, JournalError

    console = Console(args.quiet)
    with opened(args, console, make=False) as library:
        with Journal.open(library.database.path.parent) as journal:
            if args.list:
                sys.stdout.write(_table(journal.runs()))
                return DONE
            try:
                info = journal.run(args.number) if args.number else journal.last_done()
            except JournalError as error:
                raise UsageError(f"{error}: --list shows them") from error
        if info is None or not info.done:
            raise UsageError(
                f"run {info.id} has nothing that could be taken back"
                if info
                else "there is nothing to take back"
            )
        return _take_back(args, console, library, info)


def _take_back(args: argparse.Namespace, console: Console, library: Library, info: RunInfo) -> int:
    from ..library.curate import take_back
    from .curate import wanted
    from .pipeline import StopSwitch

    sys.stdout.write(
        f"Run {info.id} of {_when(info.when)} ({info.title}): {info.done:,} steps to take back.\n"
    )
    sys.stdout.flush()
    if not wanted(args, console, "Take them back?"):
        return DONE
    stop = StopSwitch(console, "The same command goes on with the rest")
    with stop, console.count(info.done, "steps") as report:
        taken = take_back(library, info.id, progress=report, cancelled=lambda: stop.asked)
    tell_failures(taken.failed, console, "left as it is")
    console.say(
        f"Run {info.id}: {taken.done:,} steps taken back"
        f"{f', {len(taken.failed):,} left as they are' if taken.failed else ''}"
        f"{f', {taken.left:,} not come to' if taken.left else ''}."
    )
    return INTERRUPTED if taken.left else SOME_FAILED if taken.failed else DONE


def _table(runs: Sequence[RunInfo]) -> str:
    from .output import ellipsis, window_width
    from .table import Column, render_table

    columns = (
        Column("Run", right=True),
        Column("When"),
        Column("What", flexible=True),
        Column("State"),
        *(Column(title, right=True) for title in ("Steps", "Done", "Failed", "Undone")),
    )
    rows = [
        (
            str(info.id),
            _when(info.when),
            info.title,
            info.state,
            *(f"{number:,}" for number in (info.steps, info.done, info.failed, info.undone)),
        )
        for info in runs
    ]
    return render_table(columns, rows, window_width(), ellipsis())


def _when(text: str) -> str:
    """A time in UTC as this machine's clock shows it."""
    from datetime import datetime

    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
