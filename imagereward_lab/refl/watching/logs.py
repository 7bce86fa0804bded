"""Tables of a tuning's updates and checks as CSV, and the same for TensorBoard where that is installed."""

from __future__ import annotations

import math
from pathlib import Path

from ...training.progress.tables import BOARD, Board, StepTable
from ..guards.check import Check
from ..tuning.update import Update

UPDATES, CHECKS = "updates.csv", "checks.csv"
UPDATE_COLUMNS = (
    "update",
    "reward",
    "deviation",
    "above_bound",
    "reward_loss",
    "denoising_loss",
    "distance",
    "gradient_norm",
    "learning_rate",
    "seconds",
)

CHECK_COLUMNS = (
    "update",
    "scorer",
    "mean",
    "deviation",
    "own_prompt",
    "diversity",
    "good",
    "seconds",
    "faults",
)
"""There is a row for each scorer of each check."""


class TuningLogs:
    """Writes while a tuning runs, and goes on where a resumed one does.

    Args:
        folder: Of the run.
        update: Updates done already; rows of later ones are taken out. Below 0 the run begins.
        board: Whether TensorBoard's files are written too.
    """

    def __init__(self, folder: Path, update: int = -1, board: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._updates = StepTable(folder / UPDATES, UPDATE_COLUMNS, update)
        self._checks = StepTable(folder / CHECKS, CHECK_COLUMNS, update)
        self._board = Board(folder / BOARD, max(0, update), board)

    @property
    def has_board(self) -> bool:
        """Whether TensorBoard's files are written."""
        return self._board.is_there

    def update(self, update: Update) -> None:
        """Writes an update."""
        numbers = (
            update.reward,
            update.deviation,
            update.above,
            update.reward_loss,
            update.denoising_loss,
            update.distance,
            update.norm,
            update.rate,
        )
        self._updates.add([update.number, *map(_cell, numbers), f"{update.seconds:.3f}"])
        self._updates.flush()
        shown = {
            "reward/drawn": update.reward,
            "loss/reward": update.reward_loss,
            "loss/denoising": update.denoising_loss,
            "guards/distance": update.distance,
            "gradient_norm": update.norm,
            "learning_rate": update.rate,
        }
        self._board.show({name: each for name, each in shown.items() if math.isfinite(each)}, update.number)

    def check(self, check: Check) -> None:
        """Writes a check."""
        for name in check.scores:
            self._checks.add(
                [
                    check.update,
                    name,
                    _cell(check.mean(name)),
                    _cell(check.deviation(name)),
                    _cell(check.own.get(name, math.nan)),
                    _cell(check.diversity),
                    int(not check.faults),
                    f"{check.seconds:.1f}",
                    "; ".join(check.faults),
                ]
            )
        self._checks.flush()
        shown = {f"checks/{each}": check.mean(each) for each in check.scores}
        shown |= {f"own_prompt/{each}": share for each, share in check.own.items()}
        shown["guards/diversity"] = check.diversity
        self._board.show({name: each for name, each in shown.items() if math.isfinite(each)}, check.update)

    def __enter__(self) -> TuningLogs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all files."""
        for each in (self._updates, self._checks, self._board):
            each.close()


def _cell(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""
