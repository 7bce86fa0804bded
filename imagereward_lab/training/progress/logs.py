"""Logs of a training: tables of its steps and validations as CSV, and the same for TensorBoard where that is installed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from imagereward_core.files.whole import written_whole

from ..trainer import Step
from .record import Record

STEPS, VALIDATIONS, BOARD = "steps.csv", "validations.csv", "tensorboard"
STEP_COLUMNS = ("step", "loss", "learning_rate", "pairs", "images", "seconds")
VALIDATION_COLUMNS = ("step", "training_loss", "validation_loss", "validation_accuracy", "best", "seconds")


class Logs:
    """Writes while a training runs, and goes on where a resumed one does.

    Args:
        folder: Of the training.
        step: Steps done already; rows of later ones, from a run that was killed, are taken out.
        board: Whether TensorBoard's files are written too.
    """

    def __init__(self, folder: Path, step: int = 0, board: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files: list[TextIO] = []
        self._steps = self._table(folder / STEPS, STEP_COLUMNS, step)
        self._validations = self._table(folder / VALIDATIONS, VALIDATION_COLUMNS, step)
        self._board = _open_board(folder / BOARD, step) if board else None

    @property
    def has_board(self) -> bool:
        """Whether TensorBoard's files are written."""
        return self._board is not None

    def step(self, step: Step) -> None:
        """Writes a step."""
        self._steps.writerow(
            [
                step.number,
                f"{step.loss:.6g}",
                f"{step.rate:.6g}",
                f"{step.pairs:g}",
                step.images,
                f"{step.seconds:.3f}",
            ]
        )
        self._show({"loss/step": step.loss, "learning_rate": step.rate}, step.number)

    def validation(self, record: Record) -> None:
        """Writes the last validation of a record."""
        step, loss, judged, accuracy = (
            record.steps[-1],
            record.training_loss[-1],
            record.validation_loss[-1],
            record.validation_accuracy[-1],
        )
        best = int(record.best_step == step)
        self._validations.writerow(
            [step, f"{loss:.6g}", f"{judged:.6g}", f"{accuracy:.6g}", best, f"{record.seconds:.1f}"]
        )
        self._show(
            {"loss/training": loss, "loss/validation": judged, "accuracy/validation": accuracy},
            step,
        )
        for file in self._files:
            file.flush()

    def close(self) -> None:
        """Closes all files."""
        for file in self._files:
            file.close()
        if self._board is not None:
            self._board.close()

    def _table(self, path: Path, columns: Sequence[str], step: int) -> Any:
        with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(_rows_until(path, step))
        self._files.append(path.open("a", encoding="utf-8", newline=""))
        return csv.writer(self._files[-1])

    def _show(self, numbers: dict[str, float], step: int) -> None:
        if self._board is not None:
            for name, number in numbers.items():
                self._board.add_scalar(name, number, step)


def _rows_until(path: Path, step: int) -> Iterable[list[str]]:
    if not step or not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row for row in rows if row and row[0].isdigit() and int(row[0]) <= step]


def _open_board(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
