"""Options of ``imagereward compare-models`` that no other command has."""

from __future__ import annotations

import argparse
from pathlib import Path

from imagereward_core.cli.arguments import add_setting
from imagereward_core.library.scan.options import ScanOptions

from ..options import EvaluateOptions


def add_figures(parser: argparse.ArgumentParser) -> None:
    """What is compared with what."""
    group = parser.add_argument_group("figures")
    for name in ("confidence", "resamples", "seed"):
        add_setting(group, EvaluateOptions, name, f"--{name}")
    group.add_argument(
        "--human",
        type=Path,
        metavar="FILE",
        help="what people think of the generators: their names, one a line, the best first, or a table with the columns generator and wins",
    )
    group.add_argument(
        "--fid-reference",
        type=Path,
        metavar="DIR",
        help="compute FID against the pictures of this folder as well; needs --fid-weights and the package torch-fidelity",
    )
    group.add_argument(
        "--fid-weights",
        type=Path,
        metavar="FILE",
        help="weights of the Inception network that torch-fidelity publishes",
    )


def add_task(parser: argparse.ArgumentParser) -> None:
    """A blind task for people, and their answers."""
    group = parser.add_argument_group("people")
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--export-task",
        type=Path,
        metavar="DIR",
        help="put the best picture of each generator for each prompt into a new folder for people to rank, without saying whose it is",
    )
    which.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="count the wins in rankings that people made of such a task; needs --key, and folders only to "
        "compare scorers with the answers",
    )
    group.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="which picture of the task is whose: written with --export-task (default: beside its folder), read with --answers",
    )


def add_prompts(parser: argparse.ArgumentParser) -> None:
    """Where prompts come from."""
    group = parser.add_argument_group("prompts (by default those in the pictures or beside them)")
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--benchmark",
        type=Path,
        metavar="FILE",
        help='a list [{"id": ..., "prompt": ...}]; pictures are called ID_NUMBER, as in the published benchmark',
    )
    which.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="a table with the columns path, prompt and, instead of naming folders, generator",
    )
    add_setting(which, ScanOptions, "prompt_from", "--prompt-from")
    add_setting(group, ScanOptions, "raw_prompt", "--raw-prompt")
    group.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="folder that paths of a table with generators begin at (default: beside the table)",
    )
