"""The tiny generator's pictures, and a LoRA for it, without a host: by the formulas of k-diffusion that hosts sample with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from imagereward_lab.generator.networks import SCALE, Generator
from imagereward_lab.generator.sampling import signal
from imagereward_lab.refl.lora.adapter import Adapter, attach


@dataclass
class _Tunable:
    kind: str
    denoiser: Any
    text_encoders: dict[str, Any]


def generator_adapter(made: Generator, rank: int = 4, alpha: float = 6.0, size: float = 0.08) -> Adapter:
    """A LoRA of random numbers beside the attention of the UNet and the text tower of a generator."""
    layers = [
        name
        for name, module in made.unet.named_modules()
        if isinstance(module, torch.nn.Linear) and ".attn" in name
    ]
    base = _Tunable("sd", made.unet, {"text_encoder": made.text})
    adapter = attach(base, layers, rank=rank, alpha=alpha, text_encoders=True)
    numbers = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for each in adapter.parameters():
            each.copy_(size * torch.randn(each.shape, generator=numbers))
    return adapter


@torch.no_grad()
def euler(
    made: Generator,
    ids: Any,
    prompt: str,
    *,
    negative: str = "",
    seed: int,
    steps: int,
    guidance: float,
    full_noise: bool = True,
) -> np.ndarray:
    """A picture uint8 [S, S, 3], by Euler's method at the noise levels of the scheduler ``simple`` of ComfyUI and Forge.

    ``full_noise`` makes the first latents as spread as noised ones are; the WebUIs leave that out unless *SGM noise multiplier* is set.

    Source: ``comfy/k_diffusion/sampling.py`` (sample_euler), ``comfy/samplers.py`` (simple_scheduler), ``comfy/model_sampling.py`` (EPS).
    """
    levels = ((1 - signal().double()) / signal().double()).sqrt()
    places = [len(levels) - 1 - int(step * len(levels) / steps) for step in range(steps)]
    sigmas = [*(float(levels[place]) for place in places), 0.0]
    states = made.states(ids([negative, prompt]))
    side = made.config.latent_size
    noise = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(seed))
    latents = noise * ((1 + sigmas[0] ** 2) ** 0.5 if full_noise else sigmas[0])
    for place, sigma, following in zip(places, sigmas, sigmas[1:], strict=False):
        scaled = latents / (1 + sigma**2) ** 0.5
        output = made.noise(torch.cat([scaled] * 2), torch.tensor([place] * 2), states)
        without, towards = output.chunk(2)
        latents = latents + (following - sigma) * (without + guidance * (towards - without))
    image = made.vae.decode(latents / SCALE).sample[0].permute(1, 2, 0)
    return ((image / 2 + 0.5).clamp(0, 1) * 255).numpy().astype(np.uint8)
