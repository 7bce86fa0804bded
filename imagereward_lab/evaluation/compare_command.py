"""``imagereward compare-models``: generators ranked by the pictures they made for the same prompts."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from imagereward_core.cli.batches import Steps, StopSwitch
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, EXPLANATION, INTERRUPTED, SOME_FAILED, UsageError
from imagereward_core.cli.options import (
    add_scorer,
    add_weights,
    check_given,
    check_writable,
    form_by_ending,
    weight_settings,
)
from imagereward_core.files.regular import is_folder
from imagereward_core.plain import count_of

from ..figures.output_options import add_output
from ..figures.write import ENDINGS, FORMS
from .generators.options import add_figures, add_prompts, add_task
from .options import EvaluateOptions

if TYPE_CHECKING:
    from imagereward_core.cli.parser import Parser

    from .generators.fid import Distances
    from .generators.people.answers import Answers
    from .generators.people.key import Key
    from .generators.pictures import Matched
    from .generators.results import Compared

_EXAMPLES = """\
examples:
  imagereward compare-models outputs/sd15 outputs/sdxl --scorer ImageReward-v1.0 --also CLIP
  imagereward compare-models generations/* --benchmark benchmark-prompts.json --html comparison.html --sheet 20
  imagereward compare-models old=runs/a new=runs/b --table prompts.csv --human order.txt -o comparison.json
  imagereward compare-models old=runs/a new=runs/b --export-task task
  imagereward compare-models --answers answers.csv --key task.key.json

docs/compare-models.md explains every figure.
"""


def declare(parser: Parser) -> None:
    """Adds what the command takes."""
    parser.description = (
        "Compares generators by the pictures they made for the same prompts: mean score with an interval, rank, wins, and for every two of "
        "them whether they can be told apart with this many pictures. No picture is changed."
    )
    parser.epilog = f"{_EXAMPLES}\n{EXPLANATION}"
    parser.add_argument(
        "folders",
        nargs="*",
        metavar="DIR",
        help="a folder of pictures for each generator, which is called as the folder; NAME=DIR gives it another name",
    )
    parser.add_argument("-r", "--recursive", action="store_true", help="look into subfolders as well")
    add_prompts(parser)
    add_scorer(parser)
    add_weights(parser)
    add_figures(parser)
    add_task(parser)
    add_output(
        parser,
        sheet="show on the page the generators' best pictures side by side for the first N prompts",
        scores="write every prompt with the scores of its pictures as well, one JSON object per line",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Matches, scores, compares and writes; returns the exit code.

    Raises:
        UsageError: The options do not go together, or a file cannot be written.
        MatchError: Pictures cannot be brought together.
        CuratorError: A scorer cannot be made ready.
    """
    console = Console(args.quiet)
    targets = {"--output": args.output, "--html": args.html, "--scores": args.scores}
    read = {
        "--table": args.table,
        "--benchmark": args.benchmark,
        "--human": args.human,
        "--answers": args.answers,
        "--fid-weights": args.fid_weights,
    }
    if args.export_task:
        args.key = args.key or args.export_task.with_name(f"{args.export_task.name}.key.json")
        targets["--key"] = args.key
    else:
        read["--key"] = args.key
    _check_task(args)
    check_given({**read, "--images": args.images})
    check_writable(targets, args.overwrite, read.values())
    if args.sheet and not args.html:
        raise UsageError(
            "--sheet shows pictures on the page; expected the name of one, such as --html comparison.html"
        )
    if bool(args.fid_reference) != bool(args.fid_weights):
        from .generators.inception import WHERE

        raise UsageError(
            f"FID needs a folder to compare with, --fid-reference DIR, and the weights of its network, --fid-weights FILE: {WHERE}"
        )
    form = form_by_ending(args, FORMS, ENDINGS)
    options = EvaluateOptions(confidence=args.confidence, resamples=args.resamples, seed=args.seed)
    if args.answers and not args.folders and not args.table:
        return _count(args, form, options, console)
    return _compare(args, form, options, console)


def _check_task(args: argparse.Namespace) -> None:
    """Makes sure that options about people go together and a task can be written, before anything is scored."""
    if args.answers and not args.key:
        raise UsageError(
            f"--answers {args.answers} needs --key FILE, the key that --export-task wrote; by default it lies beside the folder of the "
            "task, as task.key.json"
        )
    if args.key and not (args.answers or args.export_task):
        raise UsageError("--key goes with --answers or --export-task; expected one of them")
    if args.export_task:
        from .generators.people.task import check_folder

        check_folder(args.export_task, args.key)


def _count(args: argparse.Namespace, form: str, options: EvaluateOptions, console: Console) -> int:
    """Counts wins from answers; nothing is scored."""
    from ..figures.deliver import deliver
    from .generators.people.answers import evaluation_of

    for option in ("sheet", "scores", "human", "fid_reference"):
        if getattr(args, option):
            raise UsageError(
                f"--{option.replace('_', '-')} needs the pictures of the generators; name their folders as well, or leave it out"
            )
    answers, key = _answers(args, console)
    facts = {
        "generators": list(key.generators),
        "answers": str(args.answers),
        "key": str(args.key),
        "number of answers": len(answers.rankings),
        "left out": answers.left_out,
        "confidence of intervals, %": args.confidence,
        "resamples": args.resamples,
        "seed": args.seed,
    }
    deliver(args, form, evaluation_of(answers, options, facts, key.scorer), console)
    return DONE


def _answers(args: argparse.Namespace, console: Console) -> tuple[Answers, Key]:
    from .generators.people.answers import read_answers
    from .generators.people.key import read_key

    key = read_key(args.key)
    answers = read_answers(args.answers, key)
    for note in answers.notes[:5]:
        console.complain(f"left out: {note}")
    if answers.left_out > 5:
        console.complain(f"left out: {answers.left_out - 5:,} more")
    return answers, key


def _compare(args: argparse.Namespace, form: str, options: EvaluateOptions, console: Console) -> int:
    from imagereward_core.cli.scorers import load_panel

    from ..figures.deliver import deliver
    from .generators.compare import compare, standing
    from .generators.fid import fid_section
    from .generators.people.answers import answers_section
    from .generators.people.human import human_of, human_section, read_human
    from .generators.pictures import MatchError
    from .generators.results import compared
    from .generators.sheet import sheets
    from .scored_lines import put_scores
    from .scoring import score_rankings

    found = _matched(args, console)
    for each in found.unmatched[:5]:
        known = each.reason.startswith(f"{each.image}: ")
        console.complain(f"left out: {each.reason if known else f'{each.image}: {each.reason}'}")
    if len(found.unmatched) > 5:
        console.complain(f"left out: {len(found.unmatched) - 5:,} more; json and the page list them")
    human = read_human(args.human, found.generators) if args.human else None
    answers = _answers(args, console)[0] if args.answers else None
    fid = _distances(args, found, console) if args.fid_reference else None
    stop, steps = StopSwitch(console), Steps()
    panel = load_panel(args, weight_settings(args), console, steps.progress, stop.asked)
    scored = score_rankings(panel, found.rankings, found.images, console, stop, steps)
    results = compared(scored, found.generators)
    if not results.scored.rankings:
        reason = f" Of one picture: {scored.failures[0].reason}" if scored.failures else ""
        raise MatchError(f"there is no prompt for which every generator has a picture with a score.{reason}")
    standings = [standing(each, options) for each in results.results]
    further = [fid_section(fid, str(args.fid_reference))] if fid else []
    if answers:
        further.append(answers_section(answers, options))
        human = human or human_of(answers, found.generators)
    if human:
        further.append(human_section(human, found.generators, standings, fid.values if fid else {}, options))
    evaluation = compare(found, results, standings, options, _facts(args, found, results), further)
    pictures = list(sheets(results, found.images, args.sheet)) if args.sheet else []
    deliver(args, form, evaluation, console, pictures)
    put_scores(args, results.scored, console)
    if args.export_task and scored.stopped:
        console.complain("No task was written: the best pictures are not known before all are scored.")
    elif args.export_task:
        _export(args, found, results, console)
    return INTERRUPTED if scored.stopped else SOME_FAILED if evaluation.failures else DONE


def _export(args: argparse.Namespace, found: Matched, results: Compared, console: Console) -> None:
    from .generators.people.task import TABLE, TASKS, export_task

    number, notes = export_task(args.export_task, args.key, results, found.images, args.overwrite)
    for note in notes:
        console.complain(note)
    console.say(
        f"Wrote a task of {count_of(number, 'prompt')} to {args.export_task}: people fill in the column rank of {TABLE} (1 is best, equal "
        f"numbers are ties), or the ranks of {TASKS}. Whose pictures they are says {args.key}; do not give it to them. Then: imagereward "
        f"compare-models --answers {args.export_task / TABLE} --key {args.key}"
    )


def _matched(args: argparse.Namespace, console: Console) -> Matched:
    """Pictures of all generators by their prompts."""
    from .generators.folders import match_folders, named_folders
    from .generators.prompts import (
        OwnPrompts,
        PromptFinder,
        by_table,
        match_table,
        read_benchmark,
        read_table,
    )

    rows = read_table(args.table) if args.table else []
    if rows and "generator" in rows[0]:
        if args.folders:
            raise UsageError(
                f"{args.table} names the generators in its column generator, and folders were given as well; leave out the folders, or the "
                "column"
            )
        return match_table(rows, args.table, args.images or args.table.parent)
    if args.images:
        raise UsageError("--images goes with a table that has the column generator; leave it out")
    folders = named_folders(args.folders)
    prompt_of = (
        by_table(rows, args.table)
        if args.table
        else read_benchmark(args.benchmark)
        if args.benchmark
        else OwnPrompts(PromptFinder(None, args.prompt_from, args.raw_prompt))
    )
    with console.count(0, "prompts read") as tell:
        return match_folders(folders, prompt_of, args.recursive, tell)


def _distances(args: argparse.Namespace, found: Matched, console: Console) -> Distances:
    """FID of every generator, computed before the scores: without its package or weights nothing is scored."""
    import sys

    from imagereward_core.cli.inputs import find_pictures
    from imagereward_core.runtime import pick_device

    from .generators.fid import distances, moments_of, pictures_by_generator
    from .generators.inception import WIDTH, load_inception
    from .generators.pictures import Files

    if not is_folder(args.fid_reference):
        raise UsageError(
            f"--fid-reference {args.fid_reference}: no such folder; expected a folder of pictures"
        )
    inception = load_inception(args.fid_weights, pick_device(args.device))
    others = [
        each.name for each in find_pictures([str(args.fid_reference)], args.recursive, sys.stdin).pictures
    ]
    own = pictures_by_generator(found.generators, found.rankings)
    with console.count(len(others) + sum(map(len, own.values())), "pictures for FID") as report:
        done = count(1)

        def tell() -> None:
            report(next(done))

        reference = moments_of(Files(), others, inception, WIDTH, tell)
        return distances(found.images, own, reference, len(others) - reference.count, inception, tell)


def _facts(args: argparse.Namespace, found: Matched, results: Compared) -> Mapping[str, Any]:
    return {
        "generators": list(found.generators),
        "folders": list(args.folders),
        "matched by": found.how,
        "prompts": len(results.scored.rankings),
        "prompts that only some have": found.partial,
        "prompts without scores of all": results.empty,
        "pictures without a prompt": len(found.unmatched),
        "pictures with scores": [
            f"{name}: {len(values):,}" for name, values in zip(found.generators, results.results[0].values)
        ],
        "scorers": [f"{each.scorer}, weights {each.revision}" for each in results.scored.scores],
        "FID against": str(args.fid_reference or ""),
        "on reference": all(each.on_reference for each in results.scored.scores),
        "confidence of intervals, %": args.confidence,
        "resamples": args.resamples,
        "seed": args.seed,
    }
