"""Stable Diffusion 1 and 2, with noise or v as what the UNet gives, and all models made like them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .base import Base, Parts, Targets
from .conditions import Conditions
from .courses import Course, Diffusion

_ATTENTION = (".to_q", ".to_k", ".to_v", ".to_out.0")
_BLOCKS = (*_ATTENTION, ".ff.net.0.proj", ".ff.net.2", ".proj_in", ".proj_out")
_LEVELS = ("down_blocks.", "mid_block.", "up_blocks.")


class UNetBase(Base):
    """What the models with a UNet have in common."""

    denoiser_class, denoiser_folder = "UNet2DConditionModel", "unet"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._course = Diffusion(parts.scheduler)

    @property
    def course(self) -> Course:
        """Of noise."""
        return self._course

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels that the model was made for."""
        if self.parts.size:
            return self.parts.size
        sides: Any = self.denoiser.config.sample_size or 64
        height, width = sides if isinstance(sides, (list, tuple)) else (sides, sides)
        return int(height) * self.pixels_per_latent, int(width) * self.pixels_per_latent

    @property
    def size_unit(self) -> int:
        """Height and width of pictures are multiples of this: latents are halved once for each further level of the UNet."""
        return int(self.pixels_per_latent * 2 ** (len(self.denoiser.config.block_out_channels) - 1))

    def targets(self, which: Targets = "attention") -> list[str]:
        """See :class:`Base`; ``blocks`` has feed-forward layers and projections around the blocks as well, ``all`` convolutions too."""
        layers = [
            name
            for name, module in self.denoiser.named_modules()
            if name.startswith(_LEVELS) and isinstance(module, (nn.Linear, nn.Conv2d))
        ]
        if which == "all":
            return layers
        wanted = _ATTENTION if which == "attention" else _BLOCKS
        return [name for name in layers if ".attentions." in name and name.endswith(wanted)]


class StableDiffusion(UNetBase):
    """SD 1 and SD 2: one text encoder."""

    kind, needed_encoders = "sd", ("text_encoder",)

    def read(self, prompts: Sequence[str]) -> Conditions:
        """See :class:`Base`; of long prompts the first 75 tokens."""
        encoder = self.text_encoders["text_encoder"]
        found = self.parts.tokens["text_encoder"](prompts)
        ids = found.ids.to(next(encoder.parameters()).device)
        with torch.no_grad():
            states = encoder(ids).last_hidden_state
        return Conditions(prompts=tuple(prompts), states=states.to(self.dtype), cut=found.cut)

    def denoise(
        self, latents: Tensor, timesteps: Tensor, conditions: Conditions, guidance: float | None = None
    ) -> Tensor:
        """See :class:`Base`."""
        given: Tensor = self.denoiser(
            latents.to(self.dtype), timesteps, encoder_hidden_states=conditions.states.to(self.dtype)
        ).sample
        return given.to(latents.dtype)
