"""What the benchmarks of tuning share: models with random weights, a tuner of one, and the published script's way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from imagereward_lab.refl.bases.base import Base, Parts
from imagereward_lab.refl.bases.conditions import Conditions
from imagereward_lab.refl.bases.courses import STABLE_DIFFUSION
from imagereward_lab.refl.bases.schedule import every
from imagereward_lab.refl.bases.sd import StableDiffusion
from imagereward_lab.refl.bases.sdxl import StableDiffusionXL
from imagereward_lab.refl.guards.check import Check
from imagereward_lab.refl.guards.options import GuardOptions
from imagereward_lab.refl.lora.adapter import attach
from imagereward_lab.refl.methods.options import ReflOptions
from imagereward_lab.refl.methods.table import METHODS
from imagereward_lab.refl.tuning.config import TuningConfig
from imagereward_lab.refl.tuning.examples import Examples
from imagereward_lab.refl.tuning.tuner import Reward, Tuner

PROMPTS = tuple(f"a picture of a red star left of a blue square, number {number}" for number in range(64))
TOKENS = 77


@dataclass(frozen=True)
class ModelSizes:
    """A UNet and an autoencoder, in arguments of diffusers.

    Attributes:
        unet: Of the UNet.
        vae: Of the autoencoder.
        states: Width of what the UNet attends to.
        pooled: Width of the one vector of a prompt; 0 for none.
    """

    unet: dict[str, Any]
    vae: dict[str, Any]
    states: int
    pooled: int = 0


_VAE = {
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
}
MIDDLE = ModelSizes(
    unet={
        "sample_size": 16,
        "block_out_channels": [64, 128, 256, 256],
        "cross_attention_dim": 128,
        "attention_head_dim": 4,
    },
    vae={**_VAE, "block_out_channels": [32, 64, 128, 128], "sample_size": 128},
    states=128,
)
"""Small enough for a processor, with the blocks of Stable Diffusion 1."""
SD15 = ModelSizes(
    unet={"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8},
    vae={**_VAE, "sample_size": 512},
    states=768,
)
SDXL = ModelSizes(
    unet={
        "sample_size": 128,
        "block_out_channels": [320, 640, 1280],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "transformer_layers_per_block": [1, 2, 10],
        "attention_head_dim": [5, 10, 20],
        "cross_attention_dim": 2048,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
    vae={**_VAE, "sample_size": 1024, "scaling_factor": 0.13025},
    states=2048,
    pooled=1280,
)


def random_base(sizes: ModelSizes, device: torch.device, dtype: torch.dtype) -> Base:
    """A model with random weights; its prompts are random numbers, for text encoders leave the device before an update anyway."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    torch.manual_seed(0)
    with torch.device(device):
        unet, vae = UNet2DConditionModel(**sizes.unet), AutoencoderKL(**sizes.vae)
    kind = StableDiffusionXL if sizes.pooled else StableDiffusion
    base: Base = kind(
        Parts(
            denoiser=unet.to(dtype),
            vae=vae.to(dtype),
            text_encoders={},
            tokens={},
            prediction="epsilon",
            scheduler=STABLE_DIFFUSION,
        )
    )

    def encode(prompts: Sequence[str]) -> Conditions:
        numbers = torch.Generator().manual_seed(len(prompts))
        states = torch.randn(len(prompts), TOKENS, sizes.states, generator=numbers).to(device, dtype)
        pooled = torch.randn(len(prompts), sizes.pooled, generator=numbers).to(device, dtype)
        return Conditions(prompts=tuple(prompts), states=states, pooled=pooled if sizes.pooled else None)

    base.encode = encode  # type: ignore[method-assign]
    return base


def tuner_of(
    base: Base, reward: Reward, updates: int, options: ReflOptions, alone: bool, **changes: Any
) -> Tuner:
    """A tuner with the defaults of ``imagereward refl``.

    Args:
        base: The model.
        reward: Towards what.
        updates: How many.
        options: Of ReFL.
        alone: Without the second loss and the distance to the frozen model, which the published script does not have.
        changes: Other settings of the course.
    """
    config = TuningConfig(updates=updates, check_every=updates, **changes)
    base.save_memory(config.checkpointing)
    adapter = attach(base, base.targets(), rank=config.rank)
    latents = base.noise([torch.Generator().manual_seed(0)], options.height, options.width).cpu()
    return Tuner(
        base=base,
        adapter=adapter,
        reward=reward,
        method=METHODS["refl"],
        options=options,
        config=config,
        guards=GuardOptions(watch="off", distance_weight=0.0 if alone else GuardOptions.distance_weight),
        prompts=PROMPTS,
        examples=None if alone else Examples(latents=latents, prompts=PROMPTS[:1], origin=""),
        check=lambda update: Check(update=update, scores={"reward": [0.0, 1.0]}, diversity=1.0),
        scale=(0.0, 1.0),
    )


class Published:
    """The published script's update (REFERENCE.md section 8; train/refl of the published code): the whole UNet, nothing calculated again.

    Args:
        base: Its UNet is trained, in float32 and in whole.
        reward: Towards what.
        batch: Pictures that go through at once.
        accumulate: Such batches of an update.
    """

    def __init__(self, base: Base, reward: Reward, batch: int, accumulate: int, options: ReflOptions) -> None:
        self.base, self.reward, self.batch, self.accumulate, self.options = (
            base,
            reward,
            batch,
            accumulate,
            options,
        )
        base.save_memory(False)
        base.denoiser.requires_grad_(True)
        self.optimiser = torch.optim.AdamW(base.denoiser.parameters(), lr=1e-5, weight_decay=1e-2)

    def update(self, number: int) -> None:
        """One update."""
        rng, base = random.Random(number), self.base
        for part in range(self.accumulate):
            prompts = [PROMPTS[(number + part + row) % len(PROMPTS)] for row in range(self.batch)]
            generators = [
                torch.Generator().manual_seed(number * 100 + part * 10 + row) for row in range(self.batch)
            ]
            conditions = base.encode(prompts)
            schedule = base.schedule(self.options.steps)
            latents = base.noise(generators)
            last = rng.randint(self.options.first, self.options.last)  # one for all pictures
            with torch.no_grad():
                for step in range(last):
                    latents = base.step(
                        schedule, every(step, self.batch), latents, conditions, eta=1.0, generators=generators
                    ).latents
            clean = base.step(schedule, every(last, self.batch), latents, conditions).clean
            rewards = self.reward(base.decode(clean).clamp(0, 1), prompts)
            (torch.relu(2 - rewards).mean() * 1e-3 / self.accumulate).backward()
        nn.utils.clip_grad_norm_(base.denoiser.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
