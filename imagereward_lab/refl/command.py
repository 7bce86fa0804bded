"""``imagereward refl``: a text-to-image model tuned to a reward, as a LoRA that hosts load."""

from __future__ import annotations

import argparse
import json
import math
from contextlib import nullcontext

from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, SOME_FAILED, UsageError
from imagereward_core.cli.options import check_given
from imagereward_core.cli.output.write import put
from imagereward_core.cli.parser import Parser
from imagereward_core.cli.refused import why_no_folder
from imagereward_core.cli.scorers import saved_blends

from ..training.state.checkpoints import CheckpointFolder
from ..training.state.processes import Processes, processes
from .arguments import add_arguments, options_of
from .bases.load import check_base
from .in_the_way import in_the_way
from .judges import Judges, judges_of
from .options import RunOptions
from .run import Outcome, Run
from .tuning.prompts import PromptSplits, prompt_splits
from .watching.curves import CURVES
from .watching.page import PAGE, change_of
from .watching.sheets import SHEET


def declare(parser: Parser) -> None:
    """Adds the arguments."""
    add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tunes and prints what came of it; returns the exit code.

    Raises:
        UsageError: The prompts cannot be read, options do not fit, or a run is in the way.
        TrainingError: It cannot begin or go on.
    """
    check_given({"--model": args.model, "--pictures": args.pictures, "--merges": args.merges})
    options = options_of(args)
    if reason := why_no_folder(args.output):
        raise UsageError(f"{args.output} cannot be the folder of a run: {reason}; name another --output")
    check_base(options.model, options.merges)
    config = options.config
    with processes(args.device) as among:
        console = Console(args.quiet or not among.first)
        splits = prompt_splits(
            args.prompts, args.validation, config.held_out, config.previews, config.seed, args.column
        )
        for note in splits.notes[:5]:
            console.say(f"left out: {note}")
        folder = CheckpointFolder(options.output)
        _check_free(folder, options, args.resume)
        job = _set_up(
            options, splits, among, console
        )  # before the folder is made, which a refusal leaves alone
        if args.dry_run:
            return DONE
        with folder.held() if among.first else nullcontext():
            _check_free(folder, options, args.resume)  # another program may have tuned here in between
            outcome = _tune(args, job, console)
    if outcome is None:
        return DONE
    _tell(args, outcome)
    wrong = outcome.found.left_out or outcome.found.history.stopped
    return SOME_FAILED if wrong and among.number == 1 else DONE  # torchrun would call any but 0 a crash


def _set_up(options: RunOptions, splits: PromptSplits, among: Processes, console: Console) -> Run:
    """Everything is loaded, and what it takes is told; nothing is written."""
    with console.bytes() as report:
        judges: Judges = judges_of(options, among.device, report, saved_blends(options.weights))
    job = Run(options, splits, judges, among, console.say)
    console.say(f"needs {job.estimate().describe()}")
    return job


def _tune(args: argparse.Namespace, job: Run, console: Console) -> Outcome | None:
    """One tuning, begun or resumed; None in processes other than the first."""
    job.prepare()
    try:
        with console.count(job.options.config.updates, "updates") as progress:
            return job.run(progress, board=not args.no_tensorboard)
    except KeyboardInterrupt:
        if job.begun:
            console.say(f"the same command with --resume goes on from {job.folder.path}")
        raise


def _check_free(folder: CheckpointFolder, options: RunOptions, resume: bool) -> None:
    """Raises where a run, or a file of the user's, is in the way."""
    if folder.begun() and not resume:
        raise UsageError(
            f"there is a run in {options.output} already; go on with it with --resume, or name another --output"
        )
    found = None if folder.begun() else next(in_the_way(folder, options.name), None)
    if found is not None:
        raise UsageError(
            f"{found} is there already, and a run would replace it; choose another --output or --name"
        )


def _tell(args: argparse.Namespace, outcome: Outcome) -> None:
    found = outcome.found
    change, better = change_of(found.first, found.last, found.first.reward, found.before.seeds)
    if args.format == "json":
        facts = {
            "result": str(outcome.path),
            "update": found.history.good,
            "stopped": found.history.stopped,
            "before": {name: _known(found.first.mean(name)) for name in found.first.scores},
            "after": {name: _known(found.last.mean(name)) for name in found.last.scores},
            "change": [_known(each) for each in (change.value, change.low, change.high)],
            "better": _known(better),
            "diversity": [_known(found.first.diversity), _known(found.last.diversity)],
            "seconds": round(found.history.seconds),
            "left_out": found.left_out,
        }
        put(json.dumps(facts, indent=1) + "\n", None, data=True)
        return
    folder = outcome.path.parent
    lines = [f"{outcome.path}", f"state after update {found.history.good}"]
    for name in found.first.scores:
        each, _ = change_of(found.first, found.last, name, found.before.seeds)
        lines.append(
            f"{name}: {found.first.mean(name):.3f} before, {found.last.mean(name):.3f} after; change {each.plain()}"
        )
    if found.history.stopped:
        lines.append(f"stopped by the guards: {found.history.stopped}")
    if found.left_out:
        lines.append(f"left out of --pictures: {len(found.left_out)}")
    lines += [f"look at {folder / each}" for each in (SHEET, PAGE, CURVES) if (folder / each).is_file()]
    lines.append("put the LoRA into models/loras (ComfyUI) or models/Lora (WebUIs)")
    put("\n".join(lines) + "\n", None, data=False)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
