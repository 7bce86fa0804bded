"""What happened in one update of a tuning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Update:
    """One update, for logs.

    Attributes:
        number: 1 for the first.
        reward: Mean reward of the pictures drawn.
        deviation: Its standard deviation over them.
        above: Share of them that are above the bound, and not tuned any more.
        reward_loss: Of the reward, with its weight.
        denoising_loss: Of the second loss, without its weight; NaN where there is none.
        distance: To the frozen model, without its weight; NaN where it is not measured.
        norm: Of the gradients, before they are clipped.
        rate: Learning rate.
        seconds: Time it took.
    """

    number: int
    reward: float
    deviation: float
    above: float
    reward_loss: float
    denoising_loss: float
    distance: float
    norm: float
    rate: float
    seconds: float
