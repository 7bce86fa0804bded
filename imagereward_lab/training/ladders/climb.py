"""Trains every rung of a ladder with every seed; what is finished is not trained again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from imagereward_core.cli.console import Console
from imagereward_core.files.whole import written_whole

from ...data.ranking_set import RankingSet
from ..errors import TrainingError
from ..jobs.identity import check_same, identity
from ..jobs.job import FACTS, Outcome
from ..jobs.options import JobOptions
from ..jobs.splits import Splits
from ..progress.estimate import time_in_words
from .judge import Measured, judge
from .rungs import Ladder, Rung

RUNG = "rung.json"
"""What a finished training of a ladder is, and how it did, in its folder."""


@dataclass(frozen=True)
class Climbed:
    """A finished training of a ladder.

    Attributes:
        rung: The text of its value.
        seed: Its seed.
        facts: Those of its run, without the history.
        measured: Figures on the test rankings, by name; without a test there are none.
        failures: Pictures of the test without a score, with the reasons.
        path: Its result.
        left_out: How many pictures to learn from could not be read.
    """

    rung: str
    seed: int
    facts: dict[str, Any]
    measured: dict[str, Measured] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    path: Path = Path()
    left_out: int = 0


def climb(
    ladder: Ladder,
    seeds: Sequence[int],
    options: JobOptions,
    splits: Splits,
    test: RankingSet | None,
    *,
    train: Callable[[JobOptions, Splits], Outcome | None],
    device: str,
    console: Console,
    resume: bool = False,
    first: bool = True,
    after: Callable[[list[Climbed]], None] = lambda climbed: None,
) -> list[Climbed]:
    """All trainings of a ladder, seed by seed, so that there is a whole ladder early; [] in processes other than the first.

    Args:
        ladder: What is changed.
        seeds: One training of every rung for each.
        options: The rest, the same for all; trainings lie in folders of their output.
        splits: All data; what judges a state is the same for all.
        test: Rankings that results are measured on; None for none.
        train: Trains one, or goes on with it; None in processes other than the first.
        device: Where results are measured.
        console: Told how far things are.
        resume: Whether trainings that are there are gone on with.
        first: Whether this is the process that writes.
        after: Called with what is finished, after each of them.

    Raises:
        TrainingError: A training cannot begin, or one in the way was made with other settings.
    """
    jobs = [
        (rung, seed, *rung.job(ladder.factor, options, splits, seed))
        for seed in seeds
        for rung in ladder.rungs
    ]
    data = test.sha256() if test is not None else ""
    climbed: list[Climbed] = []
    known = [_finished(each, parts, data, rung) for rung, _, each, parts in jobs]
    if any(known) and not resume:
        raise TrainingError(
            f"there is a ladder in {options.output} already; go on with it with --resume, or name another --output"
        )
    for number, (rung, seed, each, parts) in enumerate(jobs):
        done = known[number]
        console.say(f"{ladder.factor} {rung.text}, seed {seed}{': done before' if done else ':'}")
        if done is None:
            outcome = train(each, parts)
            if not first or outcome is None:
                continue
            done = _judged(rung, each, parts, outcome, test, data, device)
        climbed.append(done)
        after(climbed)
        left = [later for later, found in zip(jobs[number + 1 :], known[number + 1 :]) if found is None]
        if left:
            console.say(
                f"{len(jobs) - len(left):,} of {len(jobs):,} trainings done, about {time_in_words(_seconds(climbed, left))} left"
            )
    return climbed


def _judged(
    rung: Rung,
    options: JobOptions,
    splits: Splits,
    outcome: Outcome,
    test: RankingSet | None,
    data: str,
    device: str,
) -> Climbed:
    """Measures a result, and keeps what was found."""
    measured, failures = ({}, {}) if test is None else judge(outcome.path, test, options.weights, device)
    facts = json.loads((options.output / FACTS).read_text(encoding="utf-8"))
    dropped = ("history", "left_out", "settings", "made_with")
    facts = {name: value for name, value in facts.items() if name not in dropped}
    done = Climbed(
        rung.text, options.config.seed, facts, measured, failures, outcome.path, len(outcome.left_out)
    )
    told = {"made_with": _made_with(options, splits, data), **asdict(done), "path": outcome.path.name}
    with written_whole(options.output / RUNG) as temporary:
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return done


def _finished(options: JobOptions, splits: Splits, data: str, rung: Rung) -> Climbed | None:
    """What was found earlier; None where the training is not finished, or not measured.

    Raises:
        TrainingError: It was made otherwise, so that it is no rung of this ladder.
    """
    path = options.output / RUNG
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        before = dict(told["made_with"])
        measured = {name: Measured(**row) for name, row in told["measured"].items()}
        found = Climbed(
            rung.text,
            options.config.seed,
            dict(told["facts"]),
            measured,
            dict(told["failures"]),
            options.output / str(told["path"]),
            int(told["left_out"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} cannot be read ({error}); expected what an earlier run wrote. Name another --output"
        ) from error
    check_same(before, _made_with(options, splits, data), options.output, "this ladder")
    return found


def _made_with(options: JobOptions, splits: Splits, data: str) -> dict[str, Any]:
    return {**identity(options, splits), "test": data}


def _seconds(climbed: Sequence[Climbed], left: Sequence[tuple[Rung, int, JobOptions, Splits]]) -> float:
    """How long the rest will take: as the same rung took with other seeds, else by the number of rankings."""
    took: dict[str, list[float]] = {}
    for each in climbed:
        took.setdefault(each.rung, []).append(float(each.facts["seconds"]))
    rankings = sum(each.facts["learnt_from"]["rankings"] for each in climbed)
    rate = sum(map(sum, took.values())) / max(1, rankings)
    return sum(
        sum(took[rung.text]) / len(took[rung.text]) if rung.text in took else rate * len(splits.train)
        for rung, _, _, splits in left
    )
