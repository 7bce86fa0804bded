"""What the commands of annotation share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import NoScorerError, UsageError
from imagereward_core.cli.options import add_talk

from ...data.extras import MissingPackageError
from ...data.ranking import RankingError
from ..project.folder import Project, project_folder
from ..records import AnnotationError


def command(
    commands: Any, name: str, help: str, run: Callable[[argparse.Namespace], int], description: str = ""
) -> argparse.ArgumentParser:
    """A command with the options that all have."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=description or f"{help[0].upper()}{help[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_talk(parser)
    parser.set_defaults(run=run)
    return parser


def add_project(parser: argparse.ArgumentParser) -> None:
    """Which project."""
    parser.add_argument(
        "project",
        type=Path,
        metavar="PROJECT",
        help="the folder of the project, or one of pictures that was asked about in quick mode",
    )


@contextmanager
def plainly() -> Iterator[None]:
    """Turns errors about what was asked for into those of the command line.

    Raises:
        NoScorerError: A package is missing.
        UsageError: It cannot be done so.
    """
    try:
        yield
    except MissingPackageError as error:
        raise NoScorerError(str(error)) from error
    except (AnnotationError, RankingError) as error:
        raise UsageError(str(error)) from error


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Project]:
    """The project that the command line names.

    Raises:
        UsageError: There is none.
        StoreError: Its store cannot be used.
    """
    with plainly():
        project = Project(project_folder(args.project.expanduser()))
        try:
            yield project
        finally:
            project.close()


def tell_left_out(console: Console, counts: dict[str, int], examples: dict[str, list[str]]) -> None:
    """Says what was left out, by reason, the most frequent first."""
    for reason, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        if count:
            some = ", ".join(examples.get(reason, [])[:2])
            console.say(f"left out: {count:,} × {reason}{f' (such as {some})' if some else ''}")
