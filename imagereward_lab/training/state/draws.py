"""Random choices that follow from words, such as a seed and the number of a step: no generator's state need be kept."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draws:
    """All random choices of one step. They follow from its number alone, so no generator's state is kept.

    Attributes:
        plain: For scenes and prompts.
        numbers: For tensors, on the processor.
    """

    plain: random.Random
    numbers: torch.Generator

    @staticmethod
    def of(*words: object) -> Draws:
        """The same for the same words."""
        plain = random.Random(" ".join(map(str, words)))
        return Draws(plain, torch.Generator().manual_seed(plain.getrandbits(63)))

    def normal(self, like: Tensor) -> Tensor:
        """Normal numbers in the shape of a tensor, on its device."""
        return torch.randn(like.shape, generator=self.numbers).to(like.device)
