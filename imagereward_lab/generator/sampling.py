"""Pictures by the generator: DDIM with classifier-free guidance, as hosts sample Stable Diffusion 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..training.state.draws import Draws
from .networks import LATENTS, Generator
from .prompts import PromptIds

NOISE: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}
"""Stable Diffusion 1's own course of noise, as diffusers' schedulers are told it."""
_AT_ONCE = 64


def signal() -> Tensor:
    """Share of the picture's variance that is left at each of the 1000 timesteps."""
    betas = (
        torch.linspace(NOISE["beta_start"] ** 0.5, NOISE["beta_end"] ** 0.5, NOISE["num_train_timesteps"])
        ** 2
    )
    return torch.cumprod(1 - betas, 0)


@torch.no_grad()
def sample(
    generator: Generator,
    ids: PromptIds,
    prompts: Sequence[str],
    *,
    seed: int,
    steps: int = 25,
    guidance: float = 4.0,
) -> Tensor:
    """Images [N, 3, S, S], about -1..1, one for each prompt; the noise of each follows from the seed and its place."""
    from diffusers import DDIMScheduler

    device = next(generator.unet.parameters()).device
    side = generator.config.latent_size
    made = []
    for first in range(0, len(prompts), _AT_ONCE):
        some = prompts[first : first + _AT_ONCE]
        scheduler = DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False, steps_offset=1)
        scheduler.set_timesteps(steps)
        states = generator.states(ids(["", *some]).to(device))
        both = torch.cat([states[:1].expand(len(some), -1, -1), states[1:]])
        empty = torch.empty(LATENTS, side, side, device=device)
        latents = torch.stack(
            [Draws.of("sample", seed, first + place).normal(empty) for place in range(len(some))]
        )
        for step in scheduler.timesteps:
            without, towards = generator.noise(torch.cat([latents] * 2), step.to(device), both).chunk(2)
            latents = scheduler.step(without + guidance * (towards - without), step, latents).prev_sample
        made.append(generator.decoded(latents))
    return torch.cat(made)
