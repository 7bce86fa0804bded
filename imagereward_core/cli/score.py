"""``imagereward score``: the score of every picture, in the order given."""

from __future__ import annotations

import argparse

from .options import ROWS, Commands, add_command, add_output, add_pictures, add_scorer, add_weights


def add_parser(commands: Commands) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "score",
        run,
        help="score pictures against their prompts",
        description="Scores pictures against their prompts and prints one row per picture, in the order given.",
        notes=ROWS,
    )
    add_pictures(parser)
    add_scorer(parser)
    add_weights(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Scores and prints; returns the exit code."""
    from ..selection import select
    from .score_run import deliver, score_pictures

    job = score_pictures(args)
    selection = select(job.scored.scores)
    return deliver(args, job, selection, order=list(range(len(job.scored.inputs))), rule=None)
