"""AlignProp with its randomised truncation (arXiv 2310.03739, section 4).

One cut is drawn for each picture, as in the paper's own code; TRL's version drew at every step anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..bases.base import Base
from ..bases.conditions import Conditions
from ..bases.schedule import every
from .drawing import walk
from .options import AlignPropOptions
from .rollout import Method, Rollout, Visit


def rollout(
    base: Base, conditions: Conditions, generators: Sequence[torch.Generator], options: AlignPropOptions
) -> Rollout:
    """A whole drawing; from a random step on, each picture's own, it carries the gradient."""
    schedule = base.schedule(options.steps, options.height, options.width)
    noise = base.noise(generators, options.height, options.width)
    cuts = [_cut(len(schedule), options, generator) for generator in generators]
    latents = walk(base, schedule, conditions, noise, cuts, options, generators)
    visits = []
    for place in range(min(cuts), len(schedule)):
        rows = [row for row, cut in enumerate(cuts) if cut <= place]
        index = torch.tensor(rows, device=latents.device)
        before, at = latents[index], every(place, len(rows))
        step = base.step(
            schedule,
            at,
            before,
            conditions.rows(rows),
            guidance=options.guidance,
            eta=options.eta,
            generators=[generators[row] for row in rows],
            again=base.saving_memory,
        )
        visits.append(
            Visit(
                latents=before.detach(),
                timesteps=schedule.timesteps[at],
                rows=tuple(rows),
                output=step.output,
            )
        )
        latents = latents.index_copy(0, index, step.latents)
    return Rollout(
        images=base.decode(latents),
        rows=tuple(range(len(cuts))),
        latents=latents,
        at=tuple(cuts),
        visits=tuple(visits),
    )


def _cut(steps: int, options: AlignPropOptions, generator: torch.Generator) -> int:
    drawn = float(torch.randn((), generator=generator)) * options.deviation + options.mean
    return min(max(round(drawn * steps), 0), steps - 1)


METHOD = Method(
    name="alignprop",
    summary="A gradient through the end of a whole drawing, which begins at a random step (AlignProp)",
    options=AlignPropOptions,
    rollout=rollout,
)
