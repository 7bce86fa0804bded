"""The command ``imagereward``: parses the command line, runs one command, and turns errors into one line and an exit code."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from ..errors import Cancelled, CuratorError, UnknownScorerError, WeightsError
from . import blends, curate, demo, doctor, lab, models, rank, report, score, stars, undo, watch
from .console import Console, discard, logging_to, plain_streams
from .exits import EXPLANATION, INTERRUPTED, NO_SCORER, OTHER, PIPE_CLOSED, USAGE, NoScorerError, UsageError
from .parser import Parser
from .refused import sentence

_DESCRIPTION = "Scores, sorts and filters pictures by how much people would prefer them for their prompt."
_EXAMPLES = """\
examples:
  imagereward demo                                     see it work, without a network
  imagereward score outputs --recursive                prompts are read from the pictures or the text files beside them
  imagereward score *.png --prompt "a red fox"         one prompt for all
  imagereward rank outputs --top-percent 20 --within prompt --html best.html
  imagereward curate outputs --top 2 --within prompt            sort a folder into kept and rejected, after showing what would happen
  imagereward score outputs --also CLIP --also Aesthetic
  imagereward rank outputs --scorer ImageReward-v1.0=0.6,Aesthetic=0.4@standard --top 10
  imagereward models download ImageReward-v1.0         fetch the weights (1.8 GB) beforehand
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = Parser(
        prog="imagereward",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n{EXPLANATION}\n'imagereward COMMAND --help' lists the options of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = import_module("..", __package__).__version__
    parser.add_argument("--version", action="version", version=f"imagereward {version}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in (score, rank, curate, watch, undo, report, stars, blends, models, doctor, demo):
        command.add_parser(commands)
    lab.add_parsers(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line ``argv`` (by default that of this process) and returns the exit code."""
    with plain_streams():
        code = _main(argv)
        try:
            sys.stdout.flush()  # here and not when Python ends, where it is too late to say anything
        except OSError as error:
            if code not in (OTHER, PIPE_CLOSED):
                code = _explain(error, Console())
            discard(sys.stdout)
        return code


def _main(argv: Sequence[str] | None) -> int:
    console, debug = Console(), False
    try:
        parser = build_parser()
        args = parser.parse_args(argv)
        if args.command is None:
            parser.print_help()
            return USAGE
        console, debug = Console(getattr(args, "quiet", False)), args.debug
        with logging_to(console, debug):
            return int(args.run(args))
    except SystemExit as stop:  # argparse has printed what there is to say
        return stop.code if isinstance(stop.code, int) else USAGE
    except BaseException as error:
        if debug and not _is_closed_pipe(error):
            console.trace(error)
        return _explain(error, console)


def _explain(error: BaseException, console: Console) -> int:
    """Says in one line what went wrong; returns the exit code for it."""
    if isinstance(error, (KeyboardInterrupt, Cancelled)):
        console.complain("imagereward: stopped")
        return INTERRUPTED
    if _is_closed_pipe(error):
        discard(sys.stdout)  # whoever read the results has seen enough
        return PIPE_CLOSED
    if isinstance(error, CuratorError):
        console.complain(f"imagereward: {error}")
        if isinstance(error, (UsageError, UnknownScorerError)):
            return USAGE
        return NO_SCORER if isinstance(error, (NoScorerError, WeightsError)) else OTHER
    if isinstance(error, ImportError):
        console.complain(
            f"imagereward: a package cannot be loaded ({error}); the command 'imagereward doctor' says which one and what to do"
        )
        return NO_SCORER
    if isinstance(error, OSError):
        console.complain(f"imagereward: {sentence(error)}")
        return OTHER
    if isinstance(error, Exception):
        console.complain(
            f"imagereward: unexpected error, {type(error).__name__}: {error}. With --debug it shows where it arose"
        )
        return OTHER
    raise error


def _is_closed_pipe(error: BaseException) -> bool:
    """Whether nobody reads what is printed any more, which Windows calls an invalid argument."""
    invalid = (
        os.name == "nt" and isinstance(error, OSError) and error.errno == errno.EINVAL and not error.filename
    )
    return isinstance(error, BrokenPipeError) or invalid
