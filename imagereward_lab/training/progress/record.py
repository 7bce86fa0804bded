"""The history of a training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Record:
    """One entry per validation.

    Attributes:
        steps: Optimiser steps done by then.
        training_loss: Mean since the validation before.
        validation_loss: Over all validation rankings.
        validation_accuracy: Share of their strict pairs, 0 to 1.
        seconds: Time spent, of all runs together.
        best_step: Step of the lowest validation loss; 0 before the first.
        stopped: Why it ended before its last step; empty where it did not.
    """

    steps: list[int] = field(default_factory=list)
    training_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best_step: int = 0
    stopped: str = ""

    @property
    def since_best(self) -> int:
        """Validations since the best one."""
        return sum(step > self.best_step for step in self.steps)

    @property
    def best(self) -> tuple[float, float]:
        """Loss and accuracy of the best validation."""
        place = self.steps.index(self.best_step)
        return self.validation_loss[place], self.validation_accuracy[place]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Record:
        """What :meth:`to_dict` gave."""
        return cls(**data)
