"""``imagereward rank``: pictures from best to worst, and which of them are kept."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..selection import Rule
from .arguments import add_setting
from .options import ROWS, Commands, add_command, add_output, add_pictures, add_scorer, add_weights
from .scorers import check_percentiles

if TYPE_CHECKING:
    from ..scores import Within


def add_parser(commands: Commands) -> None:
    """Declares the command."""
    parser = add_command(
        commands,
        "rank",
        run,
        help="sort pictures from best to worst and filter them",
        description=(
            "Scores pictures, prints them from best to worst, and keeps those that pass the filter: every condition that is "
            "given must hold. No file is moved or deleted."
        ),
        notes=ROWS,
    )
    add_pictures(parser)
    add_filter(parser)
    add_scorer(parser)
    add_weights(parser)
    add_output(parser)


def add_filter(parser: argparse.ArgumentParser, shown: str = "kept") -> None:
    """Adds the options of the rule; ``shown`` is what is shown by default, the kept pictures or all."""
    group = parser.add_argument_group("filter")
    add_conditions(group)
    add_setting(group, Rule, "within", "--within", "--per")
    group.add_argument(
        "--show",
        choices=("kept", "all"),
        default=shown,
        help="print only what is kept, or all (default: %(default)s)",
    )


def add_conditions(group: argparse._ArgumentGroup) -> None:
    """The conditions of a rule."""
    for option, name in {
        "--top": "top_k",
        "--top-percent": "top_percent",
        "--min-score": "min_score",
        "--min-percentile": "min_percentile",
        "--keep-at-least": "keep_at_least",
    }.items():
        add_setting(group, Rule, name, option)


def rule_of(args: argparse.Namespace, within: Within) -> Rule:
    """The filter as a rule."""
    return Rule(
        top_k=args.top,
        top_percent=args.top_percent,
        min_score=args.min_score,
        min_percentile=args.min_percentile,
        keep_at_least=args.keep_at_least,
        within=within,
    )


def run(args: argparse.Namespace) -> int:
    """Scores, sorts, filters and prints; returns the exit code."""
    from dataclasses import asdict

    from ..selection import select
    from .output.rows import order_by_prompt
    from .score_run import deliver, score_pictures

    check_percentiles(args)
    rule = rule_of(args, args.within)
    job = score_pictures(args)
    scores = job.scored.scores
    selection = select(scores, rule)
    order = order_by_prompt(selection, scores) if args.within == "prompt" else selection.order.tolist()
    if args.show == "kept":
        kept = set(selection.kept.tolist())
        order = [index for index in order if index in kept]
    return deliver(args, job, selection, order, asdict(rule))
