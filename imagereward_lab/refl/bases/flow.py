"""Flow models with a transformer: Stable Diffusion 3 and Flux."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .base import Base, Parts, Targets
from .courses import Course, Flow

_ATTENTION = (
    *(".attn.to_q", ".attn.to_k", ".attn.to_v", ".attn.to_out.0"),
    *(".attn.add_q_proj", ".attn.add_k_proj", ".attn.add_v_proj", ".attn.to_add_out"),
    *(".attn2.to_q", ".attn2.to_k", ".attn2.to_v", ".attn2.to_out.0"),
)
_BLOCKS = (*_ATTENTION, ".net.0.proj", ".net.2", ".proj_mlp", ".proj_out")


class FlowBase(Base):
    """What flow models have in common: two by two latents are one place of the transformer."""

    denoiser_folder = "transformer"
    even_steps = False

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._course = Flow(parts.scheduler, even=self.even_steps)

    @property
    def course(self) -> Course:
        """Of noise."""
        return self._course

    @property
    def size_unit(self) -> int:
        """Height and width of pictures are multiples of this."""
        return 2 * self.pixels_per_latent

    def targets(self, which: Targets = "attention") -> list[str]:
        """See :class:`Base`; ``blocks`` has the feed-forward layers as well, and there are no more that a LoRA changes."""
        wanted = _ATTENTION if which == "attention" else _BLOCKS
        return [
            name
            for name, module in self.denoiser.named_modules()
            if "transformer_blocks." in name and name.endswith(wanted) and isinstance(module, nn.Linear)
        ]

    def _clip(self, name: str, prompts: Sequence[str]) -> tuple[Any, tuple[str, ...]]:
        """What a text encoder of CLIP gives, and what it did not read."""
        encoder = self.text_encoders[name]
        found = self.parts.tokens[name](prompts)
        with torch.no_grad():
            return encoder(
                found.ids.to(next(encoder.parameters()).device), output_hidden_states=True
            ), found.cut

    def _t5(self, name: str, prompts: Sequence[str]) -> tuple[Tensor, tuple[str, ...]]:
        """The states [N, L, C] of a text encoder of T5, and what it did not read."""
        encoder = self.text_encoders[name]
        found = self.parts.tokens[name](prompts)
        with torch.no_grad():
            states = encoder(found.ids.to(next(encoder.parameters()).device))[0]
        return states.to(self.dtype), found.cut
