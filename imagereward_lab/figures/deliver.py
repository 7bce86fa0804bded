"""Prints or writes an evaluation in every form that a command was asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from imagereward_core.cli.console import Console
from imagereward_core.cli.output.write import put, window_width

from .document import Evaluation
from .page import write_page
from .write import not_scored, render


def deliver(
    args: argparse.Namespace,
    form: str,
    evaluation: Evaluation,
    console: Console,
    sheets: Sequence[str] = (),
) -> None:
    """Prints or writes the results and says what must be said.

    Args:
        args: The command line, with ``output``, ``html`` and ``overwrite``.
        form: One of ``write.FORMS``.
        evaluation: What was found.
        console: Where messages go.
        sheets: Sections with pictures for the page, as HTML.
    """
    width = None if args.output else window_width()
    put(render(evaluation, form, width, bool(args.output)), args.output, form != "table", args.overwrite)
    if args.output:
        console.say(f"Wrote {args.output}")
    if args.html:
        write_page(args.html, evaluation, sheets, args.overwrite)
        console.say(f"Wrote the page {args.html}")
    if form != "table" or args.output:
        for line in not_scored(evaluation):
            console.complain(line)
    for warning in evaluation.warnings:
        console.say(warning)
