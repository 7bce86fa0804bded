"""Steps of drawing, each row of a batch as far as it shall go."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..bases.base import Base
from ..bases.conditions import Conditions
from ..bases.schedule import Schedule, every
from .options import MethodOptions


@torch.no_grad()
def walk(
    base: Base,
    schedule: Schedule,
    conditions: Conditions,
    latents: Tensor,
    stops: Sequence[int],
    options: MethodOptions,
    generators: Sequence[torch.Generator],
) -> Tensor:
    """Latents [N, C, h, w] after the steps 0 .. stops[n] - 1 of row n, without gradients."""
    latents = latents.clone()
    for number in range(max(stops, default=0)):
        rows = [row for row, stop in enumerate(stops) if stop > number]
        latents[rows] = base.step(
            schedule,
            every(number, len(rows)),
            latents[rows],
            conditions.rows(rows),
            guidance=options.guidance,
            eta=options.eta,
            generators=[generators[row] for row in rows],
        ).latents
    return latents


@torch.no_grad()
def draw(
    base: Base, conditions: Conditions, generators: Sequence[torch.Generator], options: MethodOptions
) -> Tensor:
    """Finished images [N, 3, H, W] in 0..1, without gradients: for previews and measurement."""
    schedule = base.schedule(options.steps, options.height, options.width)
    latents = base.noise(generators, options.height, options.width)
    stops = [len(schedule)] * len(conditions)
    return base.decode(walk(base, schedule, conditions, latents, stops, options, generators))
