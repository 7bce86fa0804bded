"""Trains every combination of a grid; what is finished is not trained again."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagereward_core.cli.console import Console
from imagereward_core.cli.exits import UsageError
from imagereward_core.cli.output.write import put

from ..errors import TrainingError
from ..progress.tables import has_columns
from .identity import check_same, identity
from .job import FACTS, Outcome
from .options import JobOptions
from .splits import Splits
from .sweep import TABLE, Row, accuracy_in_words, columns, folder_name, grid, write_table


def run_sweep(
    args: argparse.Namespace,
    sweep: dict[str, list[Any]],
    options: JobOptions,
    splits: Splits,
    console: Console,
    train: Callable[[JobOptions, Splits], Outcome | None],
    first: bool = True,
) -> Collection[str]:
    """Trains, and prints and writes how every combination did; returns the pictures that could not be read.

    Args:
        args: The command line.
        sweep: Values to try by name of the setting.
        options: The rest; trainings lie in folders of their output.
        splits: What is learnt from and judged by.
        console: Told how far things are.
        train: Trains one.
        first: Whether this is the process that writes.

    Raises:
        TrainingError: A training cannot begin, or one in the way was made with other settings.
        UsageError: A file of the user's is in the way.
    """
    table = options.output / TABLE
    if table.exists() and not has_columns(table, columns(sweep)):
        raise UsageError(f"{table} is there already, and is not of this sweep; choose another --output")
    jobs = [
        (
            chosen,
            replace(
                options,
                config=replace(options.config, **chosen),
                output=options.output / folder_name(chosen),
                name=f"{options.name}-{number}",
            ),
        )
        for number, chosen in enumerate(grid(sweep), 1)
    ]
    done = [_finished(chosen, each, splits) if args.resume else None for chosen, each in jobs]
    rows: list[Row] = []
    left_out: set[str] = set()
    for (chosen, each), before in zip(jobs, done):
        shown = ", ".join(f"{name} {value}" for name, value in chosen.items())
        console.say(f"{shown}:{' done before' if before else ''}")
        if before is not None:
            rows.append(before)
        elif (outcome := train(each, splits)) is not None:
            left_out |= outcome.left_out.keys()
            rows.append(_row_of(chosen, _facts(each.output), each.output))
        if rows and first and not args.dry_run:
            write_table(rows, table)
    if first and not args.dry_run:
        _tell(args, rows)
    return left_out


def _finished(chosen: dict[str, Any], options: JobOptions, splits: Splits) -> Row | None:
    """How a combination did earlier; None where its training is not finished.

    Raises:
        TrainingError: It was made otherwise, so that it is not of this sweep.
    """
    if not (options.output / FACTS).is_file():
        return None
    facts = _facts(options.output)
    row = _row_of(chosen, facts, options.output)
    now = identity(options, splits)
    before = facts.get("made_with", facts["settings"])  # earlier versions kept the settings alone
    check_same(before, {name: now[name] for name in now if name in before}, options.output, "this sweep")
    return row if row.path.is_file() else None


def _facts(folder: Path) -> dict[str, Any]:
    path = folder / FACTS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and isinstance(found.get("made_with", found["settings"]), dict):
            return found
        why = "it is none of a training"
    except (OSError, ValueError, KeyError) as error:
        why = str(error)
    raise TrainingError(
        f"{path} cannot be read ({why}); expected what an earlier run wrote. Name another --output"
    )


def _row_of(chosen: dict[str, Any], facts: dict[str, Any], folder: Path) -> Row:
    try:
        history = facts["history"]
        loss = float(history["validation_loss"][history["steps"].index(history["best_step"])])
        return Row(chosen, loss, list(facts["accuracy"]), int(facts["steps"]), folder / str(facts["result"]))
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise TrainingError(
            f"{folder / FACTS} cannot be read ({type(error).__name__}: {error}); expected what an earlier run wrote. Name another --output"
        ) from error


def _tell(args: argparse.Namespace, rows: Sequence[Row]) -> None:
    best = min(rows, key=lambda row: row.loss)
    if args.format == "json":
        facts = [
            {
                **row.settings,
                "validation_loss": row.loss,
                "accuracy": list(row.accuracy),
                "result": str(row.path),
            }
            for row in rows
        ]
        put(json.dumps({"trainings": facts, "best": str(best.path)}, indent=1) + "\n", None, data=True)
        return
    lines = [
        f"{row.loss:.4f}  {accuracy_in_words(row.accuracy)}  {', '.join(f'{n} {v}' for n, v in row.settings.items())}"
        for row in sorted(rows, key=lambda row: row.loss)
    ]
    put("\n".join([*lines, f"best: {best.path}"]) + "\n", None, data=False)
