"""Files in the folder of a run that are not its own, and would be replaced by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..training.progress.tables import has_columns
from ..training.state.checkpoints import CheckpointFolder
from .result import FACTS
from .tuning.examples import EXAMPLES, is_examples
from .watching.curves import CURVES
from .watching.logs import CHECK_COLUMNS, CHECKS, UPDATE_COLUMNS, UPDATES
from .watching.page import PAGE
from .watching.sheets import PREVIEWS, SHEET


def in_the_way(folder: CheckpointFolder, name: str) -> Iterator[Path]:
    """Files that a run which is begun now would replace.

    What an earlier one that was stopped before its first checkpoint has left is none: tables with the columns of the logs, and pictures of
    the second loss.

    Args:
        folder: Without a checkpoint to go on from.
        name: Of the LoRA.
    """
    where = folder.folder
    once = (f"{name}.safetensors", FACTS, CURVES, SHEET, PAGE, PREVIEWS)
    yield from (where / each for each in once if (where / each).exists() or (where / each).is_symlink())
    for table, columns in ((UPDATES, UPDATE_COLUMNS), (CHECKS, CHECK_COLUMNS)):
        if (where / table).exists() and not has_columns(where / table, columns):
            yield where / table
    if (where / EXAMPLES).exists() and not is_examples(where / EXAMPLES):
        yield where / EXAMPLES
    yield from folder.strangers()
