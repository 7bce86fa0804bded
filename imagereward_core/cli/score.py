"""``imagereward score``: the score of every picture, in the order given."""

from __future__ import annotations

import argparse

from .options import ROWS, add_output, add_pictures, add_scorer, add_weights


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    from .exits import EXPLANATION

    parser = commands.add_parser(
        "score",
        help="score pictures against their prompts",
        description="Scores pictures against their prompts and prints one row per picture, in the order given.",
        epilog=f"{ROWS}\n{EXPLANATION}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pictures(parser)
    add_scorer(parser)
    add_weights(parser)
    add_output(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Scores and prints; returns the exit code."""
    from ..selection import select
    from .score_run import deliver, score_pictures

    job = score_pictures(args)
    selection = select(job.scored.scores)
    return deliver(args, job, selection, order=list(range(len(job.scored.inputs))), rule=None)
