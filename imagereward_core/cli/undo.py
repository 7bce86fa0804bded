"""``imagereward undo``: takes a run of ``curate`` or ``watch`` back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..plain import count_of, plain
from .arguments import number_type
from .console import Console, agreed, is_attended, wanted
from .curate_options import add_place, opened, place_of
from .curate_text import tell_failures, tell_settled
from .exits import DONE, INTERRUPTED, SOME_FAILED, UsageError
from .options import Commands, add_command, add_consent, add_talk, data_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..library.journal import RunInfo, StepInfo

_MOST_SHOWN = 100
_MOST_OTHERS = 5


def add_parser(commands: Commands) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "undo",
        run,
        help="take back what curate or watch did",
        description=(
            "Takes a run back, the last one by default: moved pictures return, copies and links that are unchanged go, written scores and "
            "ratings are taken out again, byte for byte. A file that somebody changed since is left as it is, with a line that says so."
        ),
    )
    add_place(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--run", type=number_type(1, whole=True), dest="number", metavar="N", help="take back run N instead"
    )
    which.add_argument("--list", action="store_true", help="list all runs, and do nothing")
    add_consent(parser, "say what would be taken back, and do nothing")
    parser.add_argument(
        "--confirm-outside",
        action="store_true",
        help="take back steps too that lead out of OUTPUTS and that this computer knows nothing about: of a version before, of another "
        "computer, or of a folder that was copied. Look at them with --dry-run first",
    )
    add_talk(parser)


def run(args: argparse.Namespace) -> int:
    """Lists runs or takes one back; returns the exit code."""
    from ..library.journal import Journal, JournalError, elsewhere, leading_out, refused

    console = Console(args.quiet)
    place, root = place_of(args, make=False), args.outputs.expanduser().absolute()
    if args.yes and not args.list:
        with opened(args, console, make=False):
            pass  # what was cut off is settled and reported, before anything is looked at
    with Journal.look(place, root=root, data=data_folder()) as journal:
        if args.list:
            sys.stdout.write(_table(journal.runs()))
            _tell_refused(refused(journal))
            return DONE
        try:
            info = journal.run(args.number) if args.number else journal.last_done()
            unsettled = [run for run in journal.unsettled() if journal.custody.concerns(run)]
            if info is None and unsettled:  # what was cut off may be done once it is settled
                info = journal.run(unsettled[-1])
        except JournalError as error:
            raise UsageError(f"{error}: --list shows them") from error
        if info is None or not (info.done or info.id in unsettled):
            raise UsageError(
                f"run {info.id} has nothing that could be taken back"
                if info
                else f"there is nothing to take back in {plain(root)}{_others(elsewhere(journal))}"
            )
        outside = leading_out(journal, info.id)
        sys.stdout.write(
            f"Run {info.id} of {_when(info.when)} ({plain(info.title)}): {count_of(info.done, 'step')} to take back.\n"
        )
        others = "" if args.number else _others(elsewhere(journal, info.id), "later ")
        if others:
            console.say(f"{others.removeprefix('. ')}.")
        if unsettled and args.dry_run:
            console.say("A run was cut off; what it left half done is settled before anything is taken back.")
        if args.dry_run:
            _tell_refused(refused(journal, info.id))
        elif outside:
            _tell_outside(outside, root, journal.custody.run(info.id).doubt)
        sys.stdout.flush()
    return _take_back(args, console, info, outside)


def _others(runs: Sequence[tuple[int, Path]], which: str = "") -> str:
    """A remark on other folders in the same store, to follow a sentence."""
    named = ", ".join(f"run {run} of {plain(about)}" for run, about in runs[:_MOST_OTHERS])
    more = f" and {len(runs) - _MOST_OTHERS:,} more folders" if len(runs) > _MOST_OTHERS else ""
    return f". The store holds {which}runs of other folders, which stay: {named}{more}" if runs else ""


def _take_back(args: argparse.Namespace, console: Console, info: RunInfo, outside: Sequence[StepInfo]) -> int:
    from ..library.curate.carry_out import take_back
    from .batches import StopSwitch

    if not wanted(args, console, "Take them back?"):
        return DONE
    confirmed = outside if outside and _confirmed(args, console, len(outside)) else ()
    stop = StopSwitch(console, "The same command goes on with the rest")
    with opened(args, console, make=False) as library, stop, console.count(info.done, "steps") as report:
        taken = take_back(library, info.id, progress=report, cancelled=stop.asked, confirmed=confirmed)
    tell_settled(taken.settled, console)
    tell_failures(taken.failed, console, "left as it is")
    console.say(
        f"Run {info.id}: {count_of(taken.done, 'step')} taken back"
        f"{f', {taken.skipped:,} no longer there' if taken.skipped else ''}"
        f"{f', {len(taken.failed):,} left as they are' if taken.failed else ''}"
        f"{f', {taken.left:,} not come to' if taken.left else ''}."
    )
    for note in taken.notes:
        console.say(note)
    return INTERRUPTED if taken.left else SOME_FAILED if taken.failed else DONE


def _confirmed(args: argparse.Namespace, console: Console, count: int) -> bool:
    """Whether steps that nothing vouches for, which were just shown, are to be taken back as well."""
    if args.confirm_outside:
        return True
    if args.yes or not is_attended():
        console.say(
            f"Left, because nothing vouches for it: {count_of(count, 'step')}. With --confirm-outside this is taken back too."
        )
        return False
    return agreed(f"Take back what is listed above as well ({count_of(count, 'step')})?")


def _tell_outside(steps: Sequence[StepInfo], root: Path, doubt: str) -> None:
    """Every path that would be touched though nothing vouches for it, and why that is so."""
    lines = [
        f"  {step.step.kind}: {plain(step.made or step.step.target)} (was: {plain(step.step.source)})\n"
        for step in steps
    ]
    why = (
        f"Out of {plain(root)} leads this ({count_of(len(steps), 'step')}), and nothing on this computer says that it was done here. Look "
        "whether these are files that you moved or copied yourself"
    )
    if doubt:
        why = (
            f"{plain(doubt[:1].upper() + doubt[1:])}. Look whether this was done with the files that lie there now "
            f"({count_of(len(steps), 'step')})"
        )
    sys.stdout.write(f"{why}:\n{''.join(lines)}")


def _tell_refused(found: Sequence[tuple[int, StepInfo, str]]) -> None:
    if not found:
        return
    lines = [f"  run {run}: {plain(reason)}\n" for run, _, reason in found[:_MOST_SHOWN]]
    if len(found) > _MOST_SHOWN:
        lines.append(f"  and {len(found) - _MOST_SHOWN:,} more\n")
    sys.stdout.write(f"Left untouched ({count_of(len(found), 'step')}):\n{''.join(lines)}")


def _table(runs: Sequence[RunInfo]) -> str:
    from .output.table import Column, render_table
    from .output.write import ellipsis, window_width

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
            plain(info.title),
            info.state,
            *(f"{number:,}" for number in (info.steps, info.done, info.failed, info.undone)),
        )
        for info in runs
    ]
    return render_table(columns, rows, window_width(), ellipsis())


def _when(text: str) -> str:
    """A time in UTC as this machine's clock shows it."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):  # a journal may come from anybody
        return "?"
