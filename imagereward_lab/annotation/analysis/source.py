"""The annotations that a command line names: rankings of any format, or a project of annotation."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import NoScorerError, UsageError
from imagereward_core.files.regular import is_folder

from ...data.notes import Notes
from ...data.options import streamed_rankings
from ...data.ranking import Ranking

_PROJECT = "project.json"


def read_annotations(args: argparse.Namespace, console: Console, notes: Notes) -> Iterator[Ranking]:
    """The rankings of ``--split``, or all, one after another; says how they are read.

    Args:
        args: The command line, with ``rankings``, ``rankings_format`` and ``split``.
        console: Where messages go.
        notes: What a reader leaves out.

    Raises:
        NoScorerError: A package that they need is missing.
        UsageError: There are none.
    """
    if not args.rankings_format and (args.rankings / _PROJECT).is_file():
        return _of_project(args, console)
    return streamed_rankings(args, console, notes)


def check_folder(option: str, folder: Path | None, expected: str, holding: str) -> None:
    """Raises UsageError where an option names what is no folder, or one without the file by which folders of its kind are known.

    A folder of the kind that cannot be used is a fault of what it holds.
    """
    if folder is None:
        return
    if not is_folder(folder):
        found = "this is no folder" if folder.exists() else "there is no such folder"
        raise UsageError(f"{option} {folder}: {found}; expected {expected}")
    if not (folder / holding).is_file():
        raise UsageError(f"{option} {folder}: found no {holding} in this folder; expected {expected}")


def _of_project(args: argparse.Namespace, console: Console) -> Iterator[Ranking]:
    """The answers that count in a project."""
    try:
        from ..command.shared import plainly
        from ..exchange.rankings import rankings_in
        from ..project.folder import Project
    except ModuleNotFoundError as error:
        raise NoScorerError(
            f"{args.rankings} is a project of annotation, which cannot be read: {error}. Install what it needs with: "
            "pip install 'imagereward-curator[server]'"
        ) from error
    with plainly():
        project = Project(args.rankings)
        try:
            found = rankings_in(project)
        finally:
            project.close()
    console.say(
        "Read as a project of annotation: the last version of each answer, without those that an inspector called invalid."
    )
    if args.split:
        raise UsageError(f"--split {args.split}: the answers of a project have no splits; leave it out")
    if not found:
        raise UsageError(
            f"{args.rankings}: found no answer yet; expected a project in which somebody has answered"
        )
    yield from found
