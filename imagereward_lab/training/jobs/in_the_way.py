"""Files in the folder of a training that are not its own, and would be replaced by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imagereward_core.weights.own import card_path

from ..progress.curves import CURVES
from ..progress.logs import STEP_COLUMNS, STEPS, VALIDATION_COLUMNS, VALIDATIONS
from ..progress.tables import has_columns
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
