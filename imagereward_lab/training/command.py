"""``imagereward train``: a reward model from rankings of pictures."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from imagereward_core.cli.arguments import add_setting
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, SOME_FAILED, UsageError
from imagereward_core.cli.options import add_talk, add_weights, weight_settings
from imagereward_core.cli.output.write import put
from imagereward_core.cli.parser import Parser
from imagereward_core.cli.refused import why_no_folder
from imagereward_core.plain import count_of
from imagereward_core.weights.own import id_of

from ..data.ranking import RankingError
from ..data.readers import open_rankings
from .config import TrainingConfig
from .errors import TrainingError
from .jobs.in_the_way import in_the_way
from .jobs.job import FACTS, Job, Outcome
from .jobs.options import JobOptions
from .jobs.splits import Splits, splits_of
from .jobs.sweep import accuracy_in_words, read_sweep
from .jobs.sweeping import run_sweep
from .ladders.command import add_ladder, run_ladder
from .ladders.rungs import read_ladder
from .progress.curves import CURVES
from .state.checkpoints import CheckpointFolder, is_kept
from .state.processes import Processes, processes

_CACHE = "frozen"
_EPILOG = """\
examples:
  imagereward train rankings.jsonl -o runs/mine --start ImageReward-v1.0      go on from the published model
  imagereward train ImageRewardDB -o runs/paper --precision bf16              as the paper did, from BLIP
  imagereward train rankings.jsonl -o runs/mine --resume                      go on after a kill
  imagereward train rankings.jsonl -o runs/search --sweep learning_rate=1e-5,3e-6 --sweep freeze=0.5,0.7,0.9
  imagereward train rankings.jsonl -o runs/how-much --ladder data=25%,50%,100% --seeds 3
  torchrun --nproc_per_node 4 -m imagereward_core train rankings.jsonl -o runs/mine --start-from BLIP      four GPUs

exit codes:
    0  trained; nothing is wrong
    1  trained; some pictures could not be read and were left out (0 under torchrun, which takes 1 for a crash)
    2  the command line cannot be understood, or no rankings were found
    3  the start cannot be used: weights missing or damaged, or a package is missing
    4  anything else: a loss that is no number, a full disk
  130  stopped with Ctrl-C; --resume goes on
"""
_COURSE = {
    "--epochs": "epochs",
    "--learning-rate": "learning_rate",
    "--batch-pairs": "batch_pairs",
    "--freeze": "freeze",
    "--freezing": "freezing",
    "--loss": "loss",
    "--mean": "mean",
    "--warmup": "warmup",
    "--clip-norm": "clip_norm",
    "--validations": "validations_per_epoch",
    "--patience": "patience",
    "--seed": "seed",
}
_MACHINE = {"--precision": "precision", "--accumulate": "accumulate", "--checkpointing": "checkpointing"}
_START = {
    "--start": "start",
    "--fresh-head": "fresh_head",
    "--tuning": "tuning",
    "--lora-rank": "lora_rank",
    "--vision": "vision",
    "--vision-size": "vision_size",
    "--vision-random": "vision_random",
}
_RESULT = {"--name": "name", "--title": "title", "--licence": "licence", "--half": "half"}
_ALSO = {"--start": ("--start-from",)}
"""Torchrun takes ``--start`` for the beginning of an option of its own."""
OPTIONS: tuple[tuple[type, dict[str, str]], ...] = (
    (JobOptions, _START),
    (TrainingConfig, _COURSE),
    (TrainingConfig, _MACHINE),
    (JobOptions, _RESULT),
)
"""Options that are made from settings, by the dataclass these stand in."""
_METAVARS = {"--start": "ID|FILE", "--vision": "NAME", "--name": "ID", "--title": "TEXT", "--licence": "TEXT"}


def declare(parser: Parser) -> None:
    """Adds the arguments."""
    parser.description = (
        "Trains a reward model on rankings of pictures, as the ImageReward paper did, and writes it with its card: put into a models "
        "folder it is a scorer of every host by its name."
    )
    parser.epilog = _EPILOG
    parser.add_argument("rankings", type=Path, metavar="RANKINGS", help="a file or folder with rankings")
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="the folder of the pictures (default: the one that goes with the format)",
    )
    parser.add_argument("--validation", type=Path, metavar="FILE", help="other rankings to validate on")
    parser.add_argument("--validation-images", type=Path, metavar="DIR", help="the folder of their pictures")
    add_setting(parser, JobOptions, "validation", "--validation-share")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the training: checkpoints, logs and the result",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in --output, if there is one"
    )
    parser.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="NAME=V,V",
        help="train once for each of these values, in folders of --output; several times for all combinations",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would train, and what memory and time it takes"
    )
    for title, owner, named in (
        ("start", JobOptions, _START),
        ("course", TrainingConfig, _COURSE),
        ("machine", TrainingConfig, _MACHINE),
    ):
        group = parser.add_argument_group(title)
        for option, name in named.items():
            add_setting(group, owner, name, option, *_ALSO.get(option, ()), **_metavar(option))
    group.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda or cuda:1 (default: auto)"
    )
    group.add_argument(
        "--cache-frozen",
        nargs="?",
        type=Path,
        const=True,
        metavar="DIR",
        help="compute what the frozen layers make of a picture once and keep it, by default in --output; the size is told before",
    )
    add_setting(group, JobOptions, "workers", "--workers")
    group = parser.add_argument_group("result")
    for option, name in _RESULT.items():
        add_setting(group, JobOptions, name, option, **_metavar(option))
    group.add_argument("--no-tensorboard", action="store_true", help="write no logs for TensorBoard")
    group.add_argument(
        "-f",
        "--format",
        choices=("table", "json"),
        default="table",
        help="form of the result (default: table)",
    )
    add_ladder(parser)
    add_weights(parser)
    add_talk(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Trains and prints what came of it; returns the exit code.

    Raises:
        UsageError: The rankings cannot be read, or a training is in the way.
        TrainingError: It cannot begin or go on.
    """
    options = _options(args)
    if reason := why_no_folder(args.output):
        raise UsageError(f"{args.output} cannot be the folder of a training: {reason}; name another --output")
    sweep = read_sweep(args.sweep)
    ladder = read_ladder(args.ladder) if args.ladder else None
    if sweep and ladder:
        raise UsageError("--sweep and --ladder cannot be combined; a ladder changes one thing at a time")
    with processes(args.device) as among:
        console = Console(args.quiet or not among.first)
        with _plainly():
            data = open_rankings(args.rankings, args.images)
            judged = None
            if args.validation is not None:
                judged = open_rankings(args.validation, args.validation_images)
            splits = splits_of(data, judged, options)
        for note in [*data.notes[:5], *(judged.notes[:5] if judged else ())]:
            console.say(f"left out: {note}")
        if ladder:
            train = partial(_train, args, among=among, console=console)
            return run_ladder(args, ladder, options, data, splits, console, train, among.first)
        if sweep:
            train = partial(_train, args, among=among, console=console)
            return _code(run_sweep(args, sweep, options, splits, console, train, among.first), among)
        outcome = _train(args, options, splits, among, console)
    if outcome is None:
        return DONE
    _tell(args, outcome)
    return _code(outcome.left_out, among)


def _options(args: argparse.Namespace) -> JobOptions:
    name = args.name or id_of(args.output.absolute().name)
    if id_of(name) != name:
        raise UsageError(
            f"--name {name!r} is that of a registered scorer, or cannot be a name; {id_of(name)!r} could"
        )
    if is_kept(f"{name}.safetensors"):
        raise UsageError(
            f"the model cannot be called {name!r}, as files that a training keeps for itself are; give it another --name"
        )
    for option, text in (("--title", args.title), ("--licence", args.licence)):
        if len(text) > 500 or not (text or "-").isprintable():
            raise UsageError(
                f"{option} is longer than 500 characters, or holds a line break; expected one line"
            )
    course = {**_COURSE, **_MACHINE}
    config = TrainingConfig(**{each: _given(args, option) for option, each in course.items()})
    cache = args.cache_frozen
    return JobOptions(
        config=config,
        output=args.output,
        weights=weight_settings(args),
        cache=args.output / _CACHE if cache is True else cache,
        validation=args.validation_share,
        workers=args.workers,
        **{
            **{each: _given(args, option) for option, each in {**_START, **_RESULT}.items()},
            "name": name,
        },
    )


def _train(
    args: argparse.Namespace, options: JobOptions, splits: Splits, among: Processes, console: Console
) -> Outcome | None:
    """One training, begun or resumed."""
    folder = CheckpointFolder(options.output)
    _check_free(folder, options, args.resume)
    with folder.held() if among.first and not args.dry_run else _nothing():
        _check_free(folder, options, args.resume)  # another program may have trained here in between
        job = Job(options, splits, among, console.say, keep=not args.dry_run)
        if not folder.begun():
            console.say(f"needs {job.estimate().describe()}")
        if args.dry_run:
            return None
        if folder.begun():
            job.trainer.resume()
            console.say(f"goes on after step {job.trainer.step:,} of {job.trainer.steps:,}")
        try:
            with console.count(job.trainer.steps, "steps") as progress:
                return job.run(progress, board=not args.no_tensorboard)
        except KeyboardInterrupt:
            if folder.begun():
                console.say(f"the same command with --resume goes on from {folder.path}")
            raise


def _check_free(folder: CheckpointFolder, options: JobOptions, resume: bool) -> None:
    """Raises where a training, or a file of the user's, is in the way."""
    if folder.begun() and not resume:
        raise UsageError(
            f"there is a training in {options.output} already; go on with it with --resume, or name another --output"
        )
    found = None if folder.begun() else next(in_the_way(folder, options.name), None)
    if found is not None:
        raise UsageError(
            f"{found} is there already, and a training would replace it; choose another --output or --name"
        )


def _tell(args: argparse.Namespace, outcome: Outcome) -> None:
    loss, _ = outcome.record.best
    if args.format == "json":
        facts = {
            "result": str(outcome.path),
            "accuracy": [each if math.isfinite(each) else None for each in outcome.accuracy],
            "validation_loss": loss,
            "best_step": outcome.record.best_step,
            "seconds": round(outcome.record.seconds),
            "left_out": outcome.left_out,
        }
        put(json.dumps(facts, indent=1) + "\n", None, data=True)
        return
    lines = [
        f"{outcome.path}",
        f"preference accuracy on the validation rankings: {accuracy_in_words(outcome.accuracy)}",
        f"best state: step {outcome.record.best_step}, validation loss {loss:.4f}",
    ]
    if (outcome.path.parent / CURVES).is_file():
        lines.append(f"curves: {outcome.path.parent / CURVES}")
    if outcome.left_out:
        lines.append(f"{count_of(len(outcome.left_out), 'picture')} could not be read; see {FACTS}")
    lines.append(
        f"try it: imagereward rank PICTURES --models-dir {outcome.path.parent} --scorer {outcome.path.stem}"
    )
    put("\n".join(lines) + "\n", None, data=False)


def _code(left_out: Collection[str], among: Processes) -> int:
    """The exit code; among several processes torchrun would call any but 0 a crash."""
    return SOME_FAILED if left_out and among.number == 1 else DONE


def _given(args: argparse.Namespace, option: str) -> Any:
    return getattr(args, option.lstrip("-").replace("-", "_"))


def _metavar(option: str) -> dict[str, str]:
    return {"metavar": _METAVARS[option]} if option in _METAVARS else {}


@contextmanager
def _plainly() -> Iterator[None]:
    """Rankings that cannot be read are the command line's affair."""
    try:
        yield
    except (RankingError, TrainingError) as error:
        raise UsageError(str(error)) from error


@contextmanager
def _nothing() -> Iterator[None]:
    yield
