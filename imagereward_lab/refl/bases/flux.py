"""Flux.1, dev and schnell."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .base import Parts
from .conditions import Conditions
from .flow import FlowBase

TOKENS = 512
"""That the second text encoder of dev reads."""
_SIDE = 1024


def tokens_of(guided: bool) -> int:
    """Ids of a prompt for T5: schnell, which is told no guidance, was trained with half as many as dev."""
    return TOKENS if guided else TOKENS // 2


class Flux(FlowBase):
    """Flux.1: a vector of CLIP and the states of T5. Guidance is a number that the transformer is told, where it was trained with it."""

    kind, denoiser_class = "flux", "FluxTransformer2DModel"
    even_steps = True
    latents_at_once = 4

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.guided_by_embedding = True

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels that the model was made for."""
        return self.parts.size or (_SIDE, _SIDE)

    def read(self, prompts: Sequence[str]) -> Conditions:
        """See :class:`Base`; what T5 reads is not cut."""
        given, _ = self._clip("text_encoder", prompts)
        states, cut = self._t5("text_encoder_2", prompts)
        return Conditions(
            prompts=tuple(prompts), states=states, pooled=given.pooler_output.to(self.dtype), cut=cut
        )

    def denoise(
        self, latents: Tensor, timesteps: Tensor, conditions: Conditions, guidance: float | None = None
    ) -> Tensor:
        """See :class:`Base`; two by two latents are told as one row of numbers, with its place."""
        assert conditions.pooled is not None
        number, channels, height, width = latents.shape
        rows, columns = height // 2, width // 2
        packed = latents.view(number, channels, rows, 2, columns, 2).permute(0, 2, 4, 1, 3, 5)
        packed = packed.reshape(number, rows * columns, channels * 4)
        places = torch.zeros(rows, columns, 3)
        places[..., 1] = torch.arange(rows)[:, None]
        places[..., 2] = torch.arange(columns)[None, :]
        told = None
        if self.denoiser.config.guidance_embeds:
            told = torch.full((number,), 1.0 if guidance is None else guidance, device=latents.device)
        given: Tensor = self.denoiser(
            hidden_states=packed.to(self.dtype),
            timestep=(timesteps / 1000).to(self.dtype),
            guidance=told,
            pooled_projections=conditions.pooled.to(self.dtype),
            encoder_hidden_states=conditions.states.to(self.dtype),
            txt_ids=torch.zeros(conditions.states.shape[1], 3).to(latents.device, self.dtype),
            img_ids=places.view(-1, 3).to(latents.device, self.dtype),
        ).sample
        unpacked = given.view(number, rows, columns, channels, 2, 2).permute(0, 3, 1, 4, 2, 5)
        return unpacked.reshape(number, channels, height, width).to(latents.dtype)
