"""DRaFT-K and its low-variance form DRaFT-LV (arXiv 2309.17400, sections 3.2 and 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..bases.base import Base
from ..bases.conditions import Conditions
from ..bases.schedule import every
from .drawing import walk
from .options import DraftOptions
from .rollout import Method, Rollout, Visit


def rollout(
    base: Base, conditions: Conditions, generators: Sequence[torch.Generator], options: DraftOptions
) -> Rollout:
    """A whole drawing, of which the last k steps carry the gradient."""
    if options.low_variance:
        return _low_variance(base, conditions, generators, options)
    schedule = base.schedule(options.steps, options.height, options.width)
    number = len(generators)
    first = len(schedule) - options.k
    latents = walk(
        base,
        schedule,
        conditions,
        base.noise(generators, options.height, options.width),
        [first] * number,
        options,
        generators,
    )
    rows, visits = tuple(range(number)), []
    for place in range(first, len(schedule)):
        at = every(place, number)
        step = base.step(
            schedule,
            at,
            latents,
            conditions,
            guidance=options.guidance,
            eta=options.eta,
            generators=generators,
            again=base.saving_memory and options.k > 1,
        )
        visits.append(
            Visit(latents=latents.detach(), timesteps=schedule.timesteps[at], rows=rows, output=step.output)
        )
        latents = step.latents
    return Rollout(
        images=base.decode(latents), rows=rows, latents=latents, at=(first,) * number, visits=tuple(visits)
    )


def _low_variance(
    base: Base, conditions: Conditions, generators: Sequence[torch.Generator], options: DraftOptions
) -> Rollout:
    """The finished latents, to which noise is added anew several times, and the last step from each: several pictures for a prompt."""
    schedule = base.schedule(options.steps, options.height, options.width)
    number, last = len(generators), len(schedule) - 1
    noise = base.noise(generators, options.height, options.width)
    finished = walk(base, schedule, conditions, noise, [last + 1] * number, options, generators)
    rows = tuple(row for row in range(number) for _ in range(options.low_variance))
    at = every(last, len(rows))
    signal, level = schedule.factors(at, finished)
    fresh = torch.stack([torch.randn(finished.shape[1:], generator=generators[row]) for row in rows])
    latents = signal * finished[list(rows)] + level * fresh.to(finished)
    step = base.step(schedule, at, latents, conditions.rows(rows), guidance=options.guidance)
    visit = Visit(latents=latents, timesteps=schedule.timesteps[at], rows=rows, output=step.output)
    return Rollout(
        images=base.decode(step.clean),
        rows=rows,
        latents=step.clean,
        at=(last,) * len(rows),
        visits=(visit,),
    )


METHOD = Method(
    name="draft-k",
    summary="A gradient through the last k steps of a whole drawing (DRaFT-K), or through the last one from several noises (DRaFT-LV)",
    options=DraftOptions,
    rollout=rollout,
)
