"""ReFL, the paper's own method (REFERENCE section 8; train/refl of the published code).

Mended against the published script: each picture of a batch has its own step, not all of a process one; no clamp that kills gradients;
sizes of latents are the model's; guidance can be had.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..bases.base import Base
from ..bases.conditions import Conditions
from .drawing import walk
from .options import ReflOptions
from .rollout import Method, Rollout, Visit


def rollout(
    base: Base, conditions: Conditions, generators: Sequence[torch.Generator], options: ReflOptions
) -> Rollout:
    """No gradient up to a random late step; from that step's guess of the clean latents, with gradient, the picture."""
    schedule = base.schedule(options.steps, options.height, options.width)
    noise = base.noise(generators, options.height, options.width)
    at = [
        int(torch.randint(options.first, options.last + 1, (), generator=generator))
        for generator in generators
    ]
    latents = walk(base, schedule, conditions, noise, at, options, generators)
    places = torch.tensor(at)
    step = base.step(schedule, places, latents, conditions, guidance=options.guidance)
    rows = tuple(range(len(at)))
    visit = Visit(latents=latents, timesteps=schedule.timesteps[places], rows=rows, output=step.output)
    return Rollout(
        images=base.decode(step.clean), rows=rows, latents=step.clean, at=tuple(at), visits=(visit,)
    )


METHOD = Method(
    name="refl",
    summary="A gradient through one random late step, whose guess of the finished picture is scored (the ImageReward paper)",
    options=ReflOptions,
    rollout=rollout,
)
