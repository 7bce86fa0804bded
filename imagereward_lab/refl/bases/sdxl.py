"""Stable Diffusion XL."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .conditions import Conditions
from .sd import UNetBase


class StableDiffusionXL(UNetBase):
    """SDXL: two text encoders, a vector of the second one, and six numbers about the size of pictures."""

    kind = "sdxl"

    @classmethod
    def vae_dtype(cls, dtype: torch.dtype) -> torch.dtype:
        """See :class:`Base`; float16 overflows in SDXL's autoencoder."""
        return torch.float32 if dtype == torch.float16 else dtype

    def read(self, prompts: Sequence[str]) -> Conditions:
        """See :class:`Base`; the last but one layer of both text encoders, and the vector of the second."""
        states, pooled = [], None
        cuts: list[tuple[str, ...]] = []
        for name in ("text_encoder", "text_encoder_2"):
            encoder = self.text_encoders[name]
            found = self.parts.tokens[name](prompts)
            with torch.no_grad():
                given = encoder(found.ids.to(next(encoder.parameters()).device), output_hidden_states=True)
            states.append(given.hidden_states[-2].to(self.dtype))
            pooled = given[0].to(self.dtype)
            cuts.append(found.cut)
        return Conditions(
            prompts=tuple(prompts), states=torch.cat(states, dim=-1), pooled=pooled, cut=cuts[0]
        )

    def denoise(
        self, latents: Tensor, timesteps: Tensor, conditions: Conditions, guidance: float | None = None
    ) -> Tensor:
        """See :class:`Base`; pictures count as of their own size and not cropped."""
        side = self.pixels_per_latent
        height, width = latents.shape[2] * side, latents.shape[3] * side
        assert conditions.pooled is not None
        sizes = torch.tensor([height, width, 0, 0, height, width], device=latents.device, dtype=self.dtype)
        given: Tensor = self.denoiser(
            latents.to(self.dtype),
            timesteps,
            encoder_hidden_states=conditions.states.to(self.dtype),
            added_cond_kwargs={
                "text_embeds": conditions.pooled.to(self.dtype),
                "time_ids": sizes.expand(len(latents), -1),
            },
        ).sample
        return given.to(latents.dtype)
