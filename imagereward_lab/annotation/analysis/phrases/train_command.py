"""``imagereward train-phrases``: a network that finds phrases, from those that people marked."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from imagereward_core.cli.arguments import add_setting
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, SOME_FAILED, UsageError
from imagereward_core.cli.options import add_overwrite, add_talk, add_weights, weight_settings
from imagereward_core.cli.output.write import put
from imagereward_core.plain import count_of

from ....data.notes import Notes
from ....data.options import add_rankings, tell_notes
from ....figures.write import FORMS
from ..source import check_folder, read_annotations

if TYPE_CHECKING:
    from imagereward_core.cli.parser import Parser

    from .network import PhraseLabels

_EPILOG = """\
examples:
  imagereward train-phrases rankings.jsonl -o phrases
  imagereward train-phrases rankings.jsonl -o phrases --start bert-base-uncased     the folder of another BERT
  imagereward analyse rankings.jsonl --phrases phrases                              uses it

exit codes:
    0  trained; nothing is wrong
    1  trained; some rows could not be read and were left out
    2  the command line cannot be understood, or too few phrases were marked
    3  the start cannot be used: weights missing or damaged, or a package is missing
    4  anything else: a loss that is no number, a full disk
"""


def declare(parser: Parser) -> None:
    """Adds what the command takes."""
    from .training import PhraseOptions

    parser.description = (
        "Trains a small BERT to find the phrases of prompts and to say what each is for (content, style, function), from the phrases that "
        "people marked in annotations, and measures it on prompts that were kept back."
    )
    parser.epilog = _EPILOG
    add_rankings(parser, "ANNOTATIONS", images=False)
    parser.add_argument("--split", default="", metavar="NAME", help="only rankings of this split")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write the network into"
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="DIR",
        help="folder of the BERT to begin with, as transformers or sentence-transformers save it (default: all-MiniLM-L6-v2, found or "
        "downloaded like other weights)",
    )
    group = parser.add_argument_group("course")
    for name in ("held_out", "epochs", "learning_rate", "batch_size", "seed"):
        add_setting(group, PhraseOptions, name, f"--{name.replace('_', '-')}")
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda or cuda:1 (default: auto)"
    )
    parser.add_argument(
        "-f", "--format", choices=FORMS, default="table", help="form of the result (default: table)"
    )
    add_overwrite(parser)
    add_weights(parser)
    add_talk(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Trains, measures, writes and tells; returns the exit code.

    Raises:
        UsageError: The rankings cannot be read, too few phrases are marked, or files are in the way.
        PhraseError, WeightsError: The start cannot be used.
    """
    from imagereward_core.runtime import pick_device

    from ....figures.document import Evaluation
    from ....figures.estimates import IntervalOptions
    from ....figures.write import render
    from .network import CARD, CONFIG, TOKENIZER, WEIGHTS, PhraseError, start_folder
    from .training import PhraseOptions, data_hash, examples_of, learn, measured, parted

    console = Console(args.quiet)
    options = PhraseOptions(
        held_out=args.held_out,
        epochs=args.epochs,
        learning_rate=args.learning_rate,
        batch_size=args.batch_size,
        seed=args.seed,
    )
    check_folder(
        "--start", args.start, "that of a BERT as transformers or sentence-transformers save it", CONFIG
    )
    _check_folder(args.output)
    there = [name for name in (CARD, TOKENIZER, WEIGHTS) if (args.output / name).exists()]
    if there and not args.overwrite:
        raise UsageError(
            f"{args.output / there[0]} is there already; give --output another name, or add --overwrite to replace it"
        )
    notes = Notes()
    examples = examples_of(read_annotations(args, console, notes))
    try:
        learnt, kept = parted(examples, options)
    except PhraseError as error:
        raise UsageError(f"{args.rankings}: {error}") from error
    labels = start_folder(args.start) if args.start else _minilm(args, console)
    try:
        labels.network.to(pick_device(args.device))
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"--device {args.device}: cannot be used ({str(error)[:200]}); expected auto, cpu or cuda"
        ) from error
    console.say(f"Learning from {count_of(len(learnt), 'marked prompt')}; {len(kept):,} are kept back.")
    with console.count(0, "steps") as progress:
        loss = learn(labels, learnt, options, progress)
    section = measured(labels, kept, IntervalOptions(seed=args.seed))
    facts = {
        "annotations": str(args.rankings),
        "data": data_hash(examples),
        "learnt from": len(learnt),
        "kept back": len(kept),
        "left out by the reader": notes.total,
        "loss of the last epoch": round(loss, 4),
        **asdict(options),
    }
    found = Evaluation(
        "Phrases learnt", facts, [section], kind="phrases", command="imagereward train-phrases"
    )
    card = {**labels.card, "training": facts, "figures": found.figures}
    replace(labels, card=card).write(args.output)
    put(render(found, args.format), None, args.format != "table", False)
    tell_notes(notes, notes.total, console)
    console.say(
        f"Wrote {args.output}; use it with: imagereward analyse {args.rankings} --phrases {args.output}"
    )
    return SOME_FAILED if notes.total else DONE


def _check_folder(output: Path) -> None:
    """Raises UsageError, before an hour of training and not after it, where no folder can be made or written to."""
    place = output.absolute()
    nearest = next(each for each in (place, *place.parents) if os.path.lexists(each))
    if not nearest.is_dir():
        raise UsageError(f"--output {output}: {nearest} is no folder; expected the name of a folder to write")
    if not os.access(nearest, os.W_OK):
        raise UsageError(f"--output {output}: nothing may be put into {nearest}; name another place")


def _minilm(args: argparse.Namespace, console: Console) -> PhraseLabels:
    """The network that is begun with where none is named, found on this machine or fetched."""
    from imagereward_core.scorers.tokenizers.bert import build_tokenizer
    from imagereward_core.weights.cards.sentences import MINILM
    from imagereward_core.weights.store import resolve

    from ....prompts.vectors.minilm import SIZES
    from .network import start_from

    with console.bytes() as progress:
        found = resolve(MINILM, weight_settings(args), progress)
    assert found.vocabulary is not None
    card = {"from": {"name": MINILM.id, "revision": found.revision}}
    return start_from(found.checkpoint, SIZES, build_tokenizer(found.vocabulary), card)
