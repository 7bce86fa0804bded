"""What a denoiser is told of prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Prompts as a denoiser reads them, a row each.

    Attributes:
        prompts: The texts.
        states: Float [N, L, C]: what the denoiser attends to.
        pooled: Float [N, C], of kinds that also have one vector for a prompt; else None.
        cut: For each prompt the part that did not fit; empty where all was read.
    """

    prompts: tuple[str, ...]
    states: Tensor
    pooled: Tensor | None = None
    cut: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.prompts)

    def rows(self, places: Sequence[int]) -> Conditions:
        """Some of the rows, any of them more than once."""
        index = torch.tensor(list(places), dtype=torch.long, device=self.states.device)
        return Conditions(
            prompts=tuple(self.prompts[place] for place in places),
            states=self.states[index],
            pooled=None if self.pooled is None else self.pooled[index],
            cut=tuple(self.cut[place] for place in places) if self.cut else (),
        )

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Conditions:
        """The same on a device, and in a precision where one is given."""
        return Conditions(
            prompts=self.prompts,
            states=self.states.to(device, dtype),
            pooled=None if self.pooled is None else self.pooled.to(device, dtype),
            cut=self.cut,
        )

    @staticmethod
    def joined(parts: Sequence[Conditions]) -> Conditions:
        """The rows of several, in order."""
        pooled = [each.pooled for each in parts if each.pooled is not None]
        return Conditions(
            prompts=tuple(prompt for each in parts for prompt in each.prompts),
            states=torch.cat([each.states for each in parts]),
            pooled=torch.cat(pooled) if pooled else None,
            cut=tuple(cut for each in parts for cut in (each.cut or ("",) * len(each))),
        )
