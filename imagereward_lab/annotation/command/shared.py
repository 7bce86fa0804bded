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
from imagereward_core.files import STORE_FOLDER

from ...data.extras import MissingPackageError
from ...data.ranking import RankingError
from ..project.folder import Project, is_project
from ..project.new import QUICK_FOLDER
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
    parser.add_argument("project", type=Path, metavar="PROJECT", help="the folder of the project")


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
        project = Project(_folder(args.project.expanduser()))
        try:
            yield project
        finally:
            project.close()


def _folder(named: Path) -> Path:
    """The folder of the project; for a folder of pictures that is none, that of its own quick mode where it has one."""
    own = named / STORE_FOLDER / QUICK_FOLDER
    return own if not is_project(named) and is_project(own) else named


def tell_left_out(console: Console, counts: dict[str, int], examples: dict[str, list[str]]) -> None:
    """Says what was left out, by reason, the most frequent first."""
    for reason, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        if count:
            some = ", ".join(examples.get(reason, [])[:2])
            console.say(f"left out: {count:,} × {reason}{f' (such as {some})' if some else ''}")
