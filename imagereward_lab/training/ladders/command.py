"""The part of ``imagereward train`` that climbs ladders."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from imagereward_core.cli.arguments import number_type
from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import DONE, SOME_FAILED, UsageError
from imagereward_core.cli.output.write import put, window_width
from imagereward_core.report.own_results import written_by_us

from ...data.options import plainly
from ...data.prompts import prompt_key
from ...data.ranking_set import RankingSet
from ...data.readers import open_rankings
from ...data.split import TEST
from ...figures.write import render
from ..jobs.job import Outcome
from ..jobs.options import JobOptions
from ..jobs.splits import Splits
from .climb import Climbed, climb
from .rungs import Ladder
from .table import DRAWING, FILES, document, write

SEEDS = 3


def add_ladder(parser: argparse.ArgumentParser) -> None:
    """What is changed, how often each training is repeated, and what results are measured on."""
    group = parser.add_argument_group("ladder")
    group.add_argument(
        "--ladder",
        metavar="FACTOR=V,V",
        help="train once for each of these values and each seed, all else the same, and compare: data=25%%,50%%,100%% (or 1k,2k,4k "
        "rankings), backbone=BLIP,CLIP:head, freeze=0,30%%,70%%,100%%, learning_rate=1e-5,3e-5, or another setting",
    )
    group.add_argument(
        "--seeds",
        type=number_type(1, whole=True),
        default=SEEDS,
        metavar="N",
        help=f"trainings of each value of --ladder, from --seed on upwards (default: {SEEDS})",
    )
    group.add_argument(
        "--test",
        type=Path,
        metavar="FILE",
        help="rankings that results of --ladder are measured on (default: those of the split 'test')",
    )
    group.add_argument("--test-images", type=Path, metavar="DIR", help="the folder of their pictures")


def run_ladder(
    args: argparse.Namespace,
    ladder: Ladder,
    options: JobOptions,
    data: RankingSet,
    splits: Splits,
    console: Console,
    train: Callable[[JobOptions, Splits], Outcome | None],
    first: bool = True,
) -> int:
    """Climbs a ladder, and prints and writes its table; returns the exit code.

    Args:
        args: The command line.
        ladder: What is changed.
        options: The rest.
        data: All rankings as read, of which those for a test are measured on unless others are named.
        splits: What is learnt from and judged by.
        console: Told how far things are.
        train: Trains one.
        first: Whether this is the process that writes.

    Raises:
        TrainingError: A training cannot begin or go on.
        UsageError: The test rankings cannot be read, or order nothing.
    """
    seeds = [options.config.seed + number for number in range(args.seeds)]
    test = _test(args, data)
    if args.dry_run:
        for rung in ladder.rungs:
            console.say(f"{ladder.factor} {rung.text}, one of {args.seeds:,} seeds:")
            train(*rung.job(ladder.factor, options, splits, seeds[0]))
        return DONE
    _check_free(options.output)
    met = _met(splits, test)
    changed = {"seed", *(name for rung in ladder.rungs for name in (*rung.settings, *rung.start))}
    facts = {
        "rankings": str(args.rankings),
        **({} if "start" in changed else {"start": options.start}),
        "test": "none" if test is None else f"{len(test):,} rankings of {test.path}",
        "settings": [
            f"{name} {value}" for name, value in options.config.facts().items() if name not in changed
        ],
    }

    def after(climbed: list[Climbed]) -> None:
        write(document(ladder.factor, climbed, facts, met), options.output, drawn=False)

    climbed = climb(
        ladder,
        seeds,
        options,
        splits,
        test,
        train=train,
        device=args.device,
        console=console,
        resume=args.resume,
        first=first,
        after=after,
    )
    if not first:
        return DONE
    found = document(ladder.factor, climbed, facts, met)
    write(found, options.output)
    as_json = args.format == "json"
    put(render(found, "json" if as_json else "table", None if as_json else window_width()), None, as_json)
    for warning in found.warnings:
        console.say(warning)
    names = [name for name in (*FILES, DRAWING) if (options.output / name).is_file()]
    console.say(f"Wrote {', '.join(names)} in {options.output}")
    return SOME_FAILED if any(each.failures or each.left_out for each in climbed) else DONE


def _check_free(folder: Path) -> None:
    """Raises where a file of the user's would be replaced."""
    theirs = [
        folder / name for name in FILES if (folder / name).exists() and not written_by_us(folder / name)
    ]
    first = folder / next(iter(FILES))
    if (folder / DRAWING).exists() and not first.exists():  # drawings are made after the figures
        theirs.append(folder / DRAWING)
    if theirs:
        raise UsageError(f"{theirs[0]} is there already, and is none of a ladder; choose another --output")


def _met(splits: Splits, test: RankingSet | None) -> int:
    """How many prompts of the test are learnt from or judged by."""
    known = {prompt_key(ranking.prompt) for ranking in (*splits.train, *splits.validation)}
    return len({prompt_key(ranking.prompt) for ranking in (test.rankings if test else ())} & known)


def _test(args: argparse.Namespace, data: RankingSet) -> RankingSet | None:
    """The rankings to measure on."""
    if args.test is None:
        kept = [ranking for ranking in data.rankings if ranking.split == TEST]
        found = replace(data, rankings=kept)
    else:
        with plainly():
            found = open_rankings(args.test, args.test_images)
    if any(ranking.pairs for ranking in found.rankings):
        return found
    if args.test is not None:
        raise UsageError(
            f"{args.test}: no two pictures of a prompt have different ranks; expected rankings in which one picture is better than another"
        )
    return None
