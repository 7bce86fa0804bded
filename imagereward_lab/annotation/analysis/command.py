"""``imagereward analyse``: what annotations say about prompts, pictures and people."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.cli.arguments import add_setting
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, SOME_FAILED
from imagereward_core.cli.options import check_writable, form_by_ending

from ...data.notes import Notes
from ...data.options import add_rankings, tell_notes
from ...figures.estimates import IntervalOptions
from ...figures.output_options import add_output
from ...figures.write import ENDINGS, FORMS
from .source import check_folder, read_annotations

if TYPE_CHECKING:
    from imagereward_core.cli.parser import Parser

    from ...data.ranking import Phrase
    from .answers import Answers
    from .function_share import Finder

_EPILOG = """\
examples:
  imagereward analyse rankings.jsonl --html analysis.html
  imagereward analyse project --html analysis.html                     a project of imagereward annotate
  imagereward analyse ImageRewardDB --split train -o analysis.json
  imagereward analyse mine.jsonl --researchers ann,bob -o analysis.md
  imagereward analyse mine.jsonl --phrases phrases                     phrases found by what train-phrases wrote

docs/analysis.md explains every figure.

exit codes:
    0  analysed; nothing is wrong
    1  analysed; some rows could not be read and were left out
    2  the command line cannot be understood, or no rankings were found
    3  a package that the format needs is missing
    4  anything else, for example a file that cannot be written
"""


def declare(parser: Parser) -> None:
    """Adds what the command takes."""
    parser.description = (
        "Counts what people said in annotations, as the ImageReward paper did: prompts, mean ratings and problems by category and by the "
        "share "
        "of words that ask for quality alone, each with intervals, and how far people agree. No picture is opened, and no file is changed."
    )
    parser.epilog = _EPILOG
    add_rankings(parser, "ANNOTATIONS", images=False)
    group = parser.add_argument_group("annotations")
    group.add_argument("--split", default="", metavar="NAME", help="only rankings of this split")
    group.add_argument(
        "--researchers",
        action="append",
        default=[],
        metavar="NAME",
        help="an annotator that others are measured against; several with commas, or the option several times. Who is a researcher in a "
        "project of annotation is one without being named",
    )
    group.add_argument(
        "--phrases",
        type=Path,
        metavar="DIR",
        help="find phrases that nobody marked by the network of this folder, which imagereward train-phrases wrote (default: by a list and "
        "rules)",
    )
    group = parser.add_argument_group("figures")
    for name in ("confidence", "resamples", "seed"):
        add_setting(group, IntervalOptions, name, f"--{name}")
    add_output(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Counts and writes; returns the exit code.

    Raises:
        UsageError: The options do not go together, a file cannot be written, or there are no rankings.
        NoScorerError: A package that the format needs is missing.
    """
    from ...figures.deliver import deliver
    from .answers import collect
    from .measure import analyse

    console = Console(args.quiet)
    check_writable({"--output": args.output, "--html": args.html}, args.overwrite, [args.rankings])
    form = form_by_ending(args, FORMS, ENDINGS)
    options = IntervalOptions(confidence=args.confidence, resamples=args.resamples, seed=args.seed)
    notes = Notes()
    find, found_by = _finder(args, console)
    answers = collect(read_annotations(args, console, notes))
    researchers = tuple(part.strip() for text in args.researchers for part in text.split(",") if part.strip())
    evaluation = analyse(answers, options, _facts(args, answers, notes), researchers, find, found_by)
    tell_notes(notes, notes.total, console)
    deliver(args, form, evaluation, console)
    return SOME_FAILED if notes.total else DONE


def _finder(args: argparse.Namespace, console: Console) -> tuple[Finder, str]:
    """What finds the phrases that nobody marked, and what it is in words."""
    from .phrases.rules import BY_RULES, find_function_phrases

    if not args.phrases:
        return find_function_phrases, BY_RULES
    from imagereward_core.runtime import pick_device

    from .phrases.network import CARD, load_labels

    check_folder("--phrases", args.phrases, "one that imagereward train-phrases wrote", CARD)
    labels = load_labels(args.phrases, pick_device())

    def find(prompts: Sequence[str]) -> Sequence[Sequence[Phrase]]:
        with console.count(len(prompts), "prompts") as progress:
            return labels.find(prompts, progress)

    return find, f"the network in {args.phrases}"


def _facts(args: argparse.Namespace, answers: Answers, notes: Notes) -> Mapping[str, Any]:
    return {
        "annotations": str(args.rankings),
        "split": args.split,
        "phrases by": str(args.phrases or ""),
        "answers": len(answers.prompt),
        "prompts": len(answers.prompts),
        "pictures": len(answers.picture_prompt),
        "people": len(answers.people),
        "left out by the reader": notes.total,
        "confidence of intervals, %": args.confidence,
        "resamples": args.resamples,
        "seed": args.seed,
    }
