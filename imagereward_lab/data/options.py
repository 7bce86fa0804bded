"""The rankings that a command line names: options, and the data set behind them with errors of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import NoScorerError, UsageError
from imagereward_core.plain import count_of

from .extras import MissingPackageError
from .notes import Note, Notes
from .ranking import Ranking, RankingError
from .ranking_set import RankingSet
from .readers import FORMATS, format_of, open_rankings, streamed, told


def add_rankings(parser: argparse._ActionsContainer, metavar: str = "RANKINGS", images: bool = True) -> None:
    """Which rankings, where their pictures are, and in which format they are.

    Args:
        parser: Where to.
        metavar: What they are called in the help.
        images: Whether the command looks at pictures.
    """
    parser.add_argument("rankings", type=Path, metavar=metavar, help="a file or folder with rankings")
    if images:
        parser.add_argument(
            "--images",
            type=Path,
            metavar="DIR",
            help="the folder of the pictures (default: the one that goes with the format)",
        )
    parser.add_argument(
        "--from",
        dest="rankings_format",
        choices=tuple(FORMATS),
        default="",
        help="the format, where it is not recognised",
    )


@contextmanager
def plainly() -> Iterator[None]:
    """Turns errors about what was asked for into those of the command line.

    Raises:
        NoScorerError: A package that the format needs is missing.
        UsageError: There are no such rankings.
    """
    try:
        yield
    except MissingPackageError as error:
        raise NoScorerError(str(error)) from error
    except RankingError as error:
        raise UsageError(str(error)) from error


def opened(args: argparse.Namespace, console: Console, split: str = "") -> RankingSet:
    """The rankings of a split, or all; says how they were read.

    Raises:
        NoScorerError, UsageError: As :func:`plainly`.
    """
    with plainly(), console.count(0, "rankings") as progress:
        data = open_rankings(args.rankings, args.images, split, args.rankings_format, progress)
    title = FORMATS[data.format].title
    console.say(
        f"Read as {data.format}: {title}. {count_of(len(data), 'ranking')}; pictures in {data.images.root}."
    )
    if args.rankings.is_dir() and not args.rankings_format:
        others = [
            each.name
            for each in FORMATS.values()
            if each.name != data.format and each.recognise(args.rankings)
        ]
        if others:
            console.say(f"It can be read otherwise too: --from {' or --from '.join(others)}.")
    return data


def streamed_rankings(args: argparse.Namespace, console: Console, notes: Notes) -> Iterator[Ranking]:
    """The rankings of ``--split``, or all, one after another; says how they are read.

    Args:
        args: The command line, with ``rankings``, ``rankings_format`` and ``split``.
        console: Where messages go.
        notes: What the reader leaves out.

    Raises:
        NoScorerError, UsageError: As :func:`plainly`.
    """
    with plainly(), console.count(0, "rankings") as progress:
        format = format_of(args.rankings, args.rankings_format)
        console.say(f"Read as {format.name}: {format.title}.")
        yield from told(streamed(args.rankings, format, args.split, notes), progress)


def tell_left_out(data: RankingSet, console: Console) -> None:
    """Says what the reader left out: the first reasons, and how many there are."""
    tell_notes(data.notes, data.left_out, console)


def tell_notes(notes: Iterable[Note], left_out: int, console: Console) -> None:
    """Says what was left out: the first reasons, and how many there are."""
    for note in islice(notes, 5):
        console.complain(f"left out: {note}")
    if left_out:
        console.complain(f"{count_of(left_out, 'row')} left out; 'imagereward rankings check' lists them")
