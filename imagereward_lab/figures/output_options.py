"""Where results go, as options of a command."""

from __future__ import annotations

import argparse
from pathlib import Path

from imagereward_core.cli.arguments import number_type
from imagereward_core.cli.options import add_overwrite, add_talk

from .write import FORMS


def add_output(parser: argparse.ArgumentParser, sheet: str = "", scores: str = "") -> None:
    """Adds the options.

    Args:
        parser: Of the command.
        sheet: What ``--sheet N`` shows; empty where there is no such option.
        scores: What ``--scores FILE`` writes; empty likewise.
    """
    group = parser.add_argument_group("output")
    group.add_argument(
        "-f",
        "--format",
        choices=FORMS,
        help="form of the results (default: by the ending of --output, else table)",
    )
    group.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the results to FILE instead of printing them"
    )
    group.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page with tables and drawings as well"
    )
    if sheet:
        group.add_argument("--sheet", type=number_type(1, whole=True), metavar="N", help=sheet)
    if scores:
        group.add_argument("--scores", type=Path, metavar="FILE", help=scores)
    add_overwrite(group)
    add_talk(group)
