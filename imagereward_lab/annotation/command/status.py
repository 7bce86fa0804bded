"""``imagereward annotate status``."""

from __future__ import annotations

import argparse
from typing import Any

from imagereward_core.cli.exits import DONE

from ..protocol.keys import QUICK
from ..quick.session import QuickSession
from ..store.results import results_of
from .shared import add_project, command, opened


def add(commands: Any) -> None:
    """Declares the command."""
    parser = command(commands, "status", "say how far a project is", run)
    add_project(parser)


def run(args: argparse.Namespace) -> int:
    """Says it."""
    with opened(args) as project:
        found = project.database.read(results_of)
        lines = [
            f"mode: {project.options.mode}",
            f"pictures: {project.images}",
            f"store: {project.database.name}",
        ]
        if project.options.mode == QUICK:
            quick = QuickSession(project)
            lines.append(f"questions answered: {project.database.read(quick.count):,}")
            quick.close()
        else:
            lines += [
                f"prompts: {found.tasks:,}",
                f"answers: {found.answers:,} of {found.wanted:,}",
                f"called valid by inspectors: {found.inspected:,}",
                f"called invalid, and asked of somebody else: {found.invalid:,}",
                f"skipped: {found.skipped:,}",
            ]
    print("\n".join(lines))  # noqa: T201 - the result
    return DONE
