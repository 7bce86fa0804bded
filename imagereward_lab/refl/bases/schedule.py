"""From noise to a picture: how much of both is in the latents at each step, and the way from one step to the next.

Latents at a step are ``signal * clean + noise * e`` with normal numbers e. With the two factors, DDPM and DDIM of the older models and the
Euler steps of flow models are one formula: the estimate of the clean latents and of the noise, mixed anew with the next step's factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Prediction = Literal["epsilon", "v_prediction", "flow"]
"""What a denoiser gives: the noise; ``signal * e - noise * clean``; or, of flow models, ``e - clean``."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The steps of a drawing.

    Attributes:
        timesteps: Float64 [S], what the denoiser is told at each step, 0..1000, falling.
        signal: Float64 [S + 1], factor of the clean latents before each step, and at last after all: 1.
        noise: Float64 [S + 1], factor of the noise; at last 0.
    """

    timesteps: Tensor
    signal: Tensor
    noise: Tensor

    def __len__(self) -> int:
        return len(self.timesteps)

    def factors(self, at: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Factors of clean latents and noise before the steps ``at`` int64 [N], as [N, 1, 1, 1] in the device and precision of ``like``."""
        at = at.to(self.signal.device)
        shape = (-1,) + (1,) * (like.ndim - 1)
        return placed(self.signal[at], like).view(shape), placed(self.noise[at], like).view(shape)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a drawing.

    Attributes:
        latents: After it, [N, C, h, w].
        clean: The clean latents as the denoiser guesses them from before it.
        output: What the denoiser gave, guidance included.
    """

    latents: Tensor
    clean: Tensor
    output: Tensor


def estimates(
    prediction: Prediction, latents: Tensor, output: Tensor, signal: Tensor, noise: Tensor
) -> tuple[Tensor, Tensor]:
    """Clean latents and noise, by what the denoiser gave for latents with these factors."""
    if prediction == "epsilon":
        return (latents - noise * output) / signal, output
    if prediction == "v_prediction":
        return signal * latents - noise * output, noise * latents + signal * output
    return latents - noise * output, latents + signal * output


def target(prediction: Prediction, clean: Tensor, noise: Tensor, signal: Tensor, level: Tensor) -> Tensor:
    """What a denoiser should give for ``signal * clean + level * noise``."""
    if prediction == "epsilon":
        return noise
    if prediction == "v_prediction":
        return signal * noise - level * clean
    return noise - clean


def step_on(
    prediction: Prediction,
    schedule: Schedule,
    at: Tensor,
    latents: Tensor,
    output: Tensor,
    fresh: Tensor | None = None,
    eta: float = 0.0,
) -> Step:
    """The step ``at`` int64 [N] of every row.

    Args:
        prediction: What ``output`` is.
        schedule: All steps.
        at: Which each row is at.
        latents: [N, C, h, w] before it.
        output: Of the denoiser.
        fresh: Normal numbers [N, C, h, w] that take the place of a part of the noise where ``eta`` is above 0.
        eta: 0 as DDIM and Euler; 1 as DDPM. Flow models have 0 alone.
    """
    signal, level = schedule.factors(at, latents)
    signal_next, level_next = schedule.factors(at + 1, latents)
    clean, noise = estimates(prediction, latents, output, signal, level)
    if not eta or fresh is None:
        return Step(latents=signal_next * clean + level_next * noise, clean=clean, output=output)
    # DDIM's equation 16 (arXiv 2010.02502): with eta 1 it has DDPM's mean and variance.
    spread = eta * (level_next / level) * (1 - (signal / signal_next) ** 2).clamp(min=0).sqrt()
    kept = (level_next**2 - spread**2).clamp(min=0).sqrt()
    mixed = signal_next * clean + kept * noise + spread * fresh
    return Step(latents=mixed, clean=clean, output=output)


def placed(values: Tensor, like: Tensor) -> Tensor:
    """Numbers in the precision and on the device of another tensor, in this order: not every device has double precision."""
    return values.to(like.dtype).to(like.device)


def every(number: int, rows: int) -> Tensor:
    """The same step for all rows, int64 [rows]."""
    return torch.full((rows,), number, dtype=torch.long)
