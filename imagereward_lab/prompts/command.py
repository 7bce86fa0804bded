"""``imagereward select-prompts``: prompts worth asking people about, out of many."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.cli.arguments import add_setting, number_type
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, SOME_FAILED
from imagereward_core.cli.options import (
    add_overwrite,
    add_talk,
    add_weights,
    check_writable,
    form_by_ending,
    weight_settings,
)
from imagereward_core.plain import count_of

from .errors import SelectionError
from .options import ENDINGS, FORMS, SelectOptions

if TYPE_CHECKING:
    import torch

    from imagereward_core.cli.parser import Parser

    from ..data.notes import Notes
    from .sources.collected import Prompts
    from .vectors.made import Maker
    from .vectors.work import Work

_EXAMPLES = """\
examples:
  imagereward select-prompts prompts.txt --count 200 -o chosen.txt
  imagereward select-prompts outputs --count 50                            the prompts of a folder of pictures
  imagereward select-prompts metadata.parquet --count 10000 --groups 100 --work work -o chosen.csv --map map.svg
  imagereward select-prompts prompts.csv --column text --vectors vectors.npy --count 500 -f json
  zcat prompts.txt.gz | imagereward select-prompts - --count 200 -f text > chosen.txt

docs/prompts.md explains how they are chosen, and every figure.
"""
_EXITS = """\
exit codes:
    0  prompts were chosen
    1  rows were left out, which is told (prompts were chosen among the others)
    2  the command line cannot be understood, or the prompts or vectors are not what they should be
    3  the network for sentences or a package is missing
    4  anything else, for example a file that cannot be written
  130  stopped with Ctrl-C; with --work the same command goes on from there
"""


def declare(parser: Parser) -> None:
    """Adds what the command takes."""
    parser.description = (
        "Chooses prompts that differ from one another and stand for many others, to make pictures for and to ask people about. A network "
        "turns "
        "every prompt into a vector by its meaning; each prompt votes for those nearest to it; the one with most votes is taken, and "
        "those who "
        "voted for it count a tenth from then on."
    )
    parser.epilog = f"{_EXAMPLES}\n{_EXITS}"
    parser.add_argument(
        "prompts",
        metavar="PROMPTS",
        help="a text with a prompt on each line, a table (.csv, .tsv), Parquet, a folder of pictures, or - for lines on stdin",
    )
    parser.add_argument(
        "--count", type=number_type(1, whole=True), required=True, metavar="N", help="how many to choose"
    )
    parser.add_argument(
        "--column",
        default="",
        metavar="NAME",
        help="the column with the prompts (default: prompt, caption or text)",
    )
    parser.add_argument(
        "--encoding", default="", metavar="NAME", help="encoding of a text or table (default: utf-8)"
    )
    _add_choice(parser)
    _add_vectors(parser)
    add_weights(parser)
    group = parser.add_argument_group("output")
    group.add_argument(
        "-f",
        "--format",
        choices=FORMS,
        help="form of the results; text has one prompt on each line (default: by the ending of --output, else table)",
    )
    group.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the results to FILE instead of printing them"
    )
    group.add_argument(
        "--map",
        type=Path,
        metavar="FILE",
        help="draw all prompts and the chosen ones in two dimensions, as .svg or .png; needs matplotlib",
    )
    add_overwrite(group)
    add_talk(group)
    parser.set_defaults(run=run)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("choice")
    add_setting(group, SelectOptions, "neighbours", "-k", "--neighbours")
    for name in ("groups", "seed", "search"):
        add_setting(group, SelectOptions, name, f"--{name}")


def _add_vectors(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("vectors")
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER",
        help="another network for sentences, a folder as sentence-transformers publishes it (default: all-MiniLM-L6-v2, which is fetched)",
    )
    which.add_argument(
        "--vectors",
        type=Path,
        metavar="FILE",
        help="vectors that another program made, one for each row: a matrix as .npy, or Parquet",
    )
    group.add_argument(
        "--vectors-column",
        default="",
        metavar="NAME",
        help="the column with the vectors, in Parquet (default: embedding or vector)",
    )
    group.add_argument(
        "--device",
        default="auto",
        metavar="DEVICE",
        help="where vectors and neighbours are computed: auto, cpu, cuda, cuda:1, xpu or mps (default: auto)",
    )
    group.add_argument(
        "--batch-size",
        type=number_type(1, whole=True),
        default=64,
        metavar="N",
        help="prompts that go through the network at once (default: %(default)s)",
    )
    add_setting(group, SelectOptions, "half", "--half")
    group.add_argument(
        "--work",
        type=Path,
        metavar="FOLDER",
        help="keep vectors and neighbours there, so that a run goes on where it was stopped and another --count takes no time; without it "
        "they are made in the system's folder for temporary files and go at the end",
    )


def run(args: argparse.Namespace) -> int:
    """Reads, chooses and writes; returns the exit code.

    Raises:
        SelectionError: The options do not go together, or prompts or vectors are not what they should be.
        NoScorerError: A package is missing.
        WeightsError: The network for sentences is nowhere, or damaged.
    """
    from imagereward_core.runtime import pick_device

    from ..data.options import plainly
    from .choice import check_numbers
    from .vectors.made import given_maker, network_maker

    console = Console(args.quiet)
    read = None if str(args.prompts) == "-" else args.prompts
    check_writable({"--output": args.output}, args.overwrite, [read, args.vectors])
    form = form_by_ending(args, FORMS, ENDINGS)
    options = _options(args)
    if args.vectors_column and not args.vectors:
        raise SelectionError("--vectors-column goes with --vectors; leave it out, or name the file")
    with plainly():
        _check_packages(args, options)
        prompts, notes, title = _read(args, console)
        check_numbers(args.count, len(prompts), options)
        device = pick_device(args.device)
        if args.vectors:
            maker = given_maker(args.vectors, prompts, args.vectors_column)
        else:
            maker = network_maker(
                args.model, weight_settings(args), console, prompts, device, args.batch_size
            )
        with _work(args.work, console, len(prompts)) as work:
            facts = {
                "prompts from": "stdin" if args.prompts == "-" else args.prompts,
                "read as": title,
                "rows": prompts.total,
                "different prompts": len(prompts),
                "rows without a prompt": prompts.blank,
                "rows left out": notes.total,
                "vectors": maker.name,
            }
            try:
                _choose(args, form, prompts, maker, options, work, device, facts, console)
            except KeyboardInterrupt:
                if args.work:
                    console.complain(
                        f"What was made is kept in {args.work}; the same command goes on from there."
                    )
                raise
    return SOME_FAILED if notes.total else DONE


def _options(args: argparse.Namespace) -> SelectOptions:
    try:
        return SelectOptions(
            neighbours=args.neighbours, groups=args.groups, seed=args.seed, search=args.search, half=args.half
        )
    except ValueError as error:
        raise SelectionError(str(error)) from error


def _check_packages(args: argparse.Namespace, options: SelectOptions) -> None:
    """Makes sure before the work that what is needed after it is there."""
    if args.map:
        from .picture import check_picture

        check_picture(args.map)
    if options.search == "faiss":
        from .graph.cells import faiss_module

        faiss_module()


def _read(args: argparse.Namespace, console: Console) -> tuple[Prompts, Notes, str]:
    from ..data.notes import Notes
    from .sources import read_prompts

    notes = Notes()
    with console.count(0, "rows read") as progress:
        prompts, title = read_prompts(args.prompts, notes, args.column, args.encoding, progress)
    for place, note in enumerate(notes):
        if place == 5:
            console.complain(f"left out: {notes.total - 5:,} more")
            break
        console.complain(f"left out: {note}")
    blank = f"; {count_of(prompts.blank, 'row')} had none" if prompts.blank else ""
    joined = prompts.kept - len(prompts)
    again = f", {count_of(joined, 'row')} repeated one that was there" if joined else ""
    console.say(
        f"Read as {title}: {count_of(prompts.total, 'row')} with {count_of(len(prompts), 'different prompt')}{again}{blank}."
    )
    return prompts, notes, title


@contextmanager
def _work(folder: Path | None, console: Console, prompts: int) -> Iterator[Work]:
    from .vectors.work import open_work

    if folder is not None:
        with open_work(folder) as work:
            yield work
        return
    if prompts > 50_000:
        console.say(
            f"{count_of(prompts, 'prompt')} take a while: with --work FOLDER a run that is stopped goes on from there, without it it "
            "begins anew."
        )
    with (
        tempfile.TemporaryDirectory(prefix="imagereward-", ignore_cleanup_errors=True) as temporary,
        open_work(Path(temporary)) as work,
    ):
        yield work


def _choose(
    args: argparse.Namespace,
    form: str,
    prompts: Prompts,
    maker: Maker,
    options: SelectOptions,
    work: Work,
    device: torch.device,
    facts: dict[str, Any],
    console: Console,
) -> None:
    from imagereward_core.cli.output.write import put, window_width

    from .choice import choose
    from .write import Result, render, sentences

    with console.count(len(prompts), "prompts have their vectors") as progress:
        vectors = work.rows(
            "vectors",
            maker.facts,
            (len(prompts), maker.width),
            "<f2" if options.half else "<f4",
            maker.make,
            progress,
        )
    kept = {**maker.facts, "half": options.half}
    choice = choose(work, vectors, kept, args.count, options, device, console)
    facts |= {
        "chosen": len(choice.points),
        "neighbours": options.neighbours,
        "groups": options.groups,
        "seed": options.seed,
        "search": options.search if choice.recall is None else f"{options.search}, finds {choice.recall:.1%}",
    }
    result = Result(prompts, choice, facts)
    width = None if args.output else window_width()
    text = render(result, form, width, bool(args.output))
    put(text, args.output, form != "table", args.overwrite)
    if args.output:
        console.say(f"Wrote {count_of(len(choice.points), 'prompt')} to {args.output}")
    if form != "table" or args.output:
        for sentence in sentences(choice):
            console.say(sentence)
    if args.map:
        from .picture import draw_map

        title = f"{len(choice.points):,} of {len(prompts):,} prompts"
        share = draw_map(args.map, vectors, choice.points, options.seed, title)
        console.say(f"Drew {args.map}; its two directions show {share:.0%} of how the prompts differ.")
    if (choice.scores == 0).any():
        last = int((choice.scores == 0).sum())
        console.say(
            f"{count_of(last, 'prompt')} had no vote left that counts, and came after the others in the order of the file; fewer would do."
        )
