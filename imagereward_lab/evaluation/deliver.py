"""Prints or writes an evaluation in every form that a command was asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from imagereward_core.cli.console import Console
from imagereward_core.cli.output.write import put, window_width
from imagereward_core.plain import count_of

from .document import Evaluation
from .page import write_page
from .scoring import ScoredRankings
from .write import not_scored, render, scored_lines


def deliver(
    args: argparse.Namespace,
    form: str,
    evaluation: Evaluation,
    scored: ScoredRankings | None,
    sheets: Sequence[str],
    console: Console,
) -> None:
    """Prints or writes the results and says what must be said.

    Args:
        args: The command line, with ``output``, ``html``, ``scores`` and ``overwrite``.
        form: One of ``write.FORMS``.
        evaluation: What was found.
        scored: What it was made from, for ``--scores``; None where nothing was scored.
        sheets: Sections with pictures for the page, as HTML.
        console: Where messages go.
    """
    width = None if args.output else window_width()
    put(render(evaluation, form, width, bool(args.output)), args.output, form != "table", args.overwrite)
    if args.output:
        console.say(f"Wrote {args.output}")
    if args.scores and scored is not None:
        put("".join(scored_lines(scored)), args.scores, True, args.overwrite)
        console.say(f"Wrote {count_of(len(scored.rankings), 'ranking')} with scores to {args.scores}")
    if args.html:
        write_page(args.html, evaluation, sheets, args.overwrite)
        console.say(f"Wrote the page {args.html}")
    if form != "table" or args.output:
        for line in not_scored(evaluation):
            console.complain(line)
    for warning in evaluation.warnings:
        console.say(warning)
