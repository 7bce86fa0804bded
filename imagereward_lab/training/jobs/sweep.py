"""A grid of trainings, as in the paper's search over learning rate, batch and frozen share (arXiv 2304.05977, 3.1)."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagereward_core.files.whole import written_whole
from imagereward_core.settings import settings_of

from ..config import TrainingConfig
from ..errors import TrainingError

TABLE = "sweep.csv"


@dataclass(frozen=True)
class Row:
    """How one training of a grid did.

    Attributes:
        settings: What was chosen for it.
        loss: Of its best validation.
        accuracy: There, with the ends of its 95 % interval, None where unknown.
        steps: Optimiser steps it took.
        path: Its result.
    """

    settings: dict[str, Any]
    loss: float
    accuracy: Sequence[float | None]
    steps: int
    path: Path


def read_sweep(texts: Sequence[str]) -> dict[str, list[Any]]:
    """The values to try by name of the setting.

    Args:
        texts: Each ``name=value,value``; dashes and underscores are the same.

    Raises:
        TrainingError: There is no such setting, or a value is none of its.

    >>> read_sweep(["learning-rate=1e-5,3e-6", "freeze=0.7"])
    {'learning_rate': [1e-05, 3e-06], 'freeze': [0.7]}
    """
    known = settings_of(TrainingConfig)
    found: dict[str, list[Any]] = {}
    for text in texts:
        name, _, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if name not in known or known[name].kind == "bool" or not values.strip():
            names = ", ".join(each for each, about in known.items() if about.kind != "bool")
            raise TrainingError(
                f"--sweep {text!r} is no setting with values; expected one such as learning_rate=1e-5,3e-6. There are {names}"
            )
        kind: Any = {"int": int, "float": float}.get(known[name].kind, str)
        if name in found:
            raise TrainingError(f"--sweep {text!r}: {name} is there twice; expected all its values in one")
        try:
            found[name] = [_read(kind, value.strip()) for value in values.split(",")]
            for value in found[name]:
                known[name].check(value)
                if found[name].count(value) > 1:
                    raise ValueError(f"{value!r} is there twice; expected every value once")
        except ValueError as error:
            raise TrainingError(f"--sweep {text!r}: {error}") from error
    return found


def accuracy_in_words(accuracy: Sequence[float | None]) -> str:
    """Preference accuracy and the ends of its interval in percent.

    >>> accuracy_in_words([0.5, 0.25, 0.75]), accuracy_in_words([None, None, None])
    ('50.0 % (95 % interval 25.0 to 75.0)', 'unknown')
    """
    middle, low, high = (None if each is None or not math.isfinite(each) else 100 * each for each in accuracy)
    if middle is None:
        return "unknown"
    ends = f" (95 % interval {low:.1f} to {high:.1f})" if low is not None and high is not None else ""
    return f"{middle:.1f} %{ends}"


def _read(kind: Any, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{text!r} is no {'whole number' if kind is int else 'number'}") from None


def grid(sweep: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """All combinations, in order.

    >>> grid({"freeze": [0.0, 0.7], "batch_pairs": [64]})
    [{'freeze': 0.0, 'batch_pairs': 64}, {'freeze': 0.7, 'batch_pairs': 64}]
    """
    return [dict(zip(sweep, values)) for values in itertools.product(*sweep.values())]


def folder_name(settings: dict[str, Any]) -> str:
    """A name for the folder of one of them.

    >>> folder_name({"learning_rate": 1e-05, "freeze": 0.7})
    'learning_rate-1e-05_freeze-0.7'
    """
    return "_".join(f"{name}-{value}" for name, value in settings.items())


def columns(names: Iterable[str]) -> list[str]:
    """Columns of the table of a grid over these settings.

    >>> columns(["freeze"])[:3]
    ['freeze', 'validation_loss', 'accuracy']
    """
    return [*names, "validation_loss", "accuracy", "accuracy_low", "accuracy_high", "steps", "result"]


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Writes how they did as CSV, the lowest validation loss first."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    names = list(rows[0].settings)
    writer.writerow(columns(names))
    for row in sorted(rows, key=lambda each: each.loss):
        numbers = ["" if each is None else f"{each:.6g}" for each in (row.loss, *row.accuracy)]
        where = row.path.relative_to(path.parent) if row.path.is_relative_to(path.parent) else row.path
        writer.writerow([*(row.settings[name] for name in names), *numbers, row.steps, where])
    with written_whole(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8", newline="")
