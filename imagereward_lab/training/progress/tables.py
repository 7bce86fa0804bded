"""Tables of a training that are gone on with after a kill, and TensorBoard's files where that is installed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from imagereward_core.files.whole import written_whole

BOARD = "tensorboard"
INSTALL = "pip install 'imagereward-curator[train]' brings it"
"""What brings the packages that are left out where they are missing."""


class StepTable:
    """A table as CSV whose first column is the number of a step.

    Args:
        path: Its file. Rows of steps after ``step``, from a run that was killed, are taken out; whatever else is there is replaced.
        columns: Its header.
        step: Steps done already; below 0 the table begins anew.
    """

    def __init__(self, path: Path, columns: Sequence[str], step: int = -1) -> None:
        with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows_until(path, step))
        self._file = path.open("a", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)

    def add(self, row: Sequence[Any]) -> None:
        """Writes a row."""
        self._writer.writerow(row)

    def flush(self) -> None:
        """Has what was written so far on the disk's way."""
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def rows_until(path: Path, step: int) -> Iterable[list[str]]:
    """Rows of a table, without its header, of steps up to and including ``step``."""
    if step < 0 or not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row for row in rows if row and row[0].isdigit() and int(row[0]) <= step]


def has_columns(path: Path, columns: Sequence[str]) -> bool:
    """Whether a file is a table with these columns, by its first line."""
    try:
        if not path.is_file():
            return False
        with path.open(encoding="utf-8", newline="") as file:
            return next(csv.reader([file.readline(4096)]), []) == list(columns)
    except (OSError, ValueError, csv.Error):
        return False


class Board:
    """TensorBoard's files; does nothing where they are not wanted, or the package is not installed.

    Args:
        folder: Where they go.
        step: Steps done already; what was written of later ones is hidden.
        wanted: Whether they are written.
    """

    def __init__(self, folder: Path, step: int = 0, wanted: bool = True) -> None:
        self._writer = _open(folder, step) if wanted else None

    @property
    def is_there(self) -> bool:
        """Whether files are written."""
        return self._writer is not None

    def show(self, numbers: dict[str, float], step: int) -> None:
        """Writes numbers of a step by name."""
        if self._writer is not None:
            for name, number in numbers.items():
                self._writer.add_scalar(name, number, step)

    def close(self) -> None:
        """Closes the files."""
        if self._writer is not None:
            self._writer.close()


def _open(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
