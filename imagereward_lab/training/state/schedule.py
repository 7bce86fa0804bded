"""The learning rate over the steps, and when the state is validated."""

from __future__ import annotations

import math


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Share of the full learning rate at ``step`` of ``steps``: linear warm-up, then a cosine to 0.

    >>> [round(rate_at(step, 4, 0.0), 2) for step in range(5)]
    [1.0, 0.85, 0.5, 0.15, 0.0]
    """
    rising = int(warmup * steps)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - rising) / max(1, steps - rising))))


def is_validated(done: int, length: int, validations: int) -> bool:
    """Whether the state after ``done`` of the ``length`` steps of an epoch is validated: evenly, at most once a step, and at its end.

    >>> [done for done in range(1, 11) if is_validated(done, 10, 4)]
    [3, 5, 8, 10]
    >>> [done for done in range(1, 3) if is_validated(done, 2, 4)]
    [1, 2]
    """
    return done * validations // length > (done - 1) * validations // length
