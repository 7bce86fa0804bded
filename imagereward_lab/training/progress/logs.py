"""Logs of a training: tables of its steps and validations as CSV, and the same for TensorBoard where that is installed."""

from __future__ import annotations

from pathlib import Path

from ..trainer import Step
from .record import Record
from .tables import BOARD, Board, StepTable

STEPS, VALIDATIONS = "steps.csv", "validations.csv"
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
        self._steps = StepTable(folder / STEPS, STEP_COLUMNS, step)
        self._validations = StepTable(folder / VALIDATIONS, VALIDATION_COLUMNS, step)
        self._board = Board(folder / BOARD, step, board)

    @property
    def has_board(self) -> bool:
        """Whether TensorBoard's files are written."""
        return self._board.is_there

    def step(self, step: Step) -> None:
        """Writes a step."""
        self._steps.add(
            [
                step.number,
                f"{step.loss:.6g}",
                f"{step.rate:.6g}",
                f"{step.pairs:g}",
                step.images,
                f"{step.seconds:.3f}",
            ]
        )
        self._board.show({"loss/step": step.loss, "learning_rate": step.rate}, step.number)

    def validation(self, record: Record) -> None:
        """Writes the last validation of a record."""
        step, loss, judged, accuracy = (
            record.steps[-1],
            record.training_loss[-1],
            record.validation_loss[-1],
            record.validation_accuracy[-1],
        )
        best = int(record.best_step == step)
        self._validations.add(
            [step, f"{loss:.6g}", f"{judged:.6g}", f"{accuracy:.6g}", best, f"{record.seconds:.1f}"]
        )
        self._board.show(
            {"loss/training": loss, "loss/validation": judged, "accuracy/validation": accuracy},
            step,
        )
        for table in (self._steps, self._validations):
            table.flush()

    def close(self) -> None:
        """Closes all files."""
        for each in (self._steps, self._validations, self._board):
            each.close()
