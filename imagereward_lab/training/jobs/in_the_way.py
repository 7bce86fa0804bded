"""Files in the folder of a training that are not its own, and would be replaced by it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagereward_core.weights.own import card_path

from ..progress.curves import CURVES
from ..progress.logs import STEP_COLUMNS, STEPS, VALIDATION_COLUMNS, VALIDATIONS
from ..state.checkpoints import CheckpointFolder
from .job import FACTS


def in_the_way(folder: CheckpointFolder, name: str) -> Iterator[Path]:
    """Files that a training which is begun now would replace.

    What an earlier one that was stopped before its first checkpoint has left, tables with the columns of the logs, is none.

    Args:
        folder: Without a checkpoint to go on from.
        name: Id of the result.
    """
    result = folder.folder / f"{name}.safetensors"
    once = (result, card_path(result), folder.folder / FACTS, folder.folder / CURVES)
    yield from (path for path in once if path.exists())
    for table, columns in ((STEPS, STEP_COLUMNS), (VALIDATIONS, VALIDATION_COLUMNS)):
        path = folder.folder / table
        if path.exists() and not has_columns(path, columns):
            yield path
    yield from folder.strangers()


def has_columns(path: Path, columns: Sequence[str]) -> bool:
    """Whether a file is a table with these columns, by its first line."""
    try:
        if not path.is_file():
            return False
        with path.open(encoding="utf-8", newline="") as file:
            return next(csv.reader([file.readline(4096)]), []) == list(columns)
    except (OSError, ValueError, csv.Error):
        return False
