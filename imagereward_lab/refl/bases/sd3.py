"""Stable Diffusion 3 and 3.5."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from .conditions import Conditions
from .flow import FlowBase

TOKENS = 256
"""That the third text encoder reads."""


class StableDiffusion3(FlowBase):
    """SD 3: two text encoders of CLIP, and one of T5 that may be left out."""

    kind, denoiser_class = "sd3", "SD3Transformer2DModel"

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels that the model was made for."""
        side = int(self.denoiser.config.sample_size) * self.pixels_per_latent
        return self.parts.size or (side, side)

    def read(self, prompts: Sequence[str]) -> Conditions:
        """See :class:`Base`: the last but one layers of CLIP side by side, those of T5 (or zeros) after them; what T5 reads is not cut."""
        found = [self._clip(name, prompts) for name in ("text_encoder", "text_encoder_2")]
        clip = torch.cat([given.hidden_states[-2] for given, _ in found], dim=-1).to(self.dtype)
        pooled = torch.cat([given[0] for given, _ in found], dim=-1).to(self.dtype)
        width = int(self.denoiser.config.joint_attention_dim)
        if self.text_encoders.get("text_encoder_3") is not None:
            more, cut = self._t5("text_encoder_3", prompts)
        else:
            more, cut = clip.new_zeros(len(prompts), TOKENS, width), found[0][1]
        states = torch.cat([pad(clip, (0, width - clip.shape[-1])), more.to(clip.device)], dim=1)
        return Conditions(prompts=tuple(prompts), states=states, pooled=pooled, cut=cut)

    def denoise(
        self, latents: Tensor, timesteps: Tensor, conditions: Conditions, guidance: float | None = None
    ) -> Tensor:
        """See :class:`Base`."""
        assert conditions.pooled is not None
        given: Tensor = self.denoiser(
            hidden_states=latents.to(self.dtype),
            timestep=timesteps,
            encoder_hidden_states=conditions.states.to(self.dtype),
            pooled_projections=conditions.pooled.to(self.dtype),
        ).sample
        return given.to(latents.dtype)
