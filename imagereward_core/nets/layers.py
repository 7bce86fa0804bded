"""Small pieces both towers share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import onednn


class Linear(nn.Linear):
    """A linear layer that can apply GELU to its own output, and that takes a faster kernel where there is one (``onednn.py``)."""

    def forward(self, inputs: Tensor) -> Tensor:
        """[..., inputs] to [..., outputs]."""
        if onednn.usable(inputs, self.weight):
            return onednn.linear(inputs, self.weight, self.bias)
        return super().forward(inputs)

    def gelu(self, inputs: Tensor) -> Tensor:
        """``gelu(linear(inputs))`` with the exact (erf) GELU."""
        if onednn.usable(inputs, self.weight):
            return onednn.linear(inputs, self.weight, self.bias, gelu=True)
        return F.gelu(self(inputs))


def layer_norm(norm: nn.LayerNorm, inputs: Tensor, dtype: torch.dtype) -> Tensor:
    """LayerNorm in the input's own precision, rounded once to ``dtype``."""
    return norm(inputs).to(dtype)


def split_heads(states: Tensor, heads: int) -> Tensor:
    """[B, T, heads * size] to [B, heads, T, size]."""
    batch, length, width = states.shape
    return states.view(batch, length, heads, width // heads).transpose(1, 2)


def merge_heads(states: Tensor) -> Tensor:
    """[B, heads, T, size] to [B, T, heads * size]."""
    batch, heads, length, size = states.shape
    return states.transpose(1, 2).reshape(batch, length, heads * size)


def drop_path(branch: Tensor, probability: float) -> Tensor:
    """Drops the whole branch for a random share of the batch and scales the rest up (stochastic depth); 0 changes nothing."""
    if probability == 0.0:
        return branch
    keep = 1.0 - probability
    mask = torch.empty(branch.shape[0], *[1] * (branch.dim() - 1), device=branch.device, dtype=branch.dtype)
    return branch * mask.bernoulli_(keep) / keep
