"""Small layers that both towers share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import onednn

# From so many rows on, and up to so many inputs, torch's own float32 product is the faster one; measured at full size. Within both
# bounds its result for a row does not depend on the number of rows, so that a picture has the same score in every batch.
PLAIN_ROWS, PLAIN_INPUTS = 152, 1024


class Linear(nn.Linear):
    """A linear layer that can apply GELU to its own output, and that takes a faster kernel where there is one (``onednn.py``)."""

    def forward(self, inputs: Tensor) -> Tensor:
        """[..., inputs] to [..., outputs]."""
        if self._through_onednn(inputs):
            return onednn.linear(inputs, self.weight, self.bias)
        return super().forward(inputs)

    def gelu(self, inputs: Tensor) -> Tensor:
        """``gelu(linear(inputs))`` with the exact (erf) GELU."""
        if self._through_onednn(inputs):
            return onednn.linear(inputs, self.weight, self.bias, gelu=True)
        outputs = self(inputs)
        if torch.is_inference_mode_enabled():
            # In place: a CPU would spend time on fresh memory for the widest activations of the network.
            return torch.ops.aten.gelu_(outputs)
        return F.gelu(outputs)

    def _through_onednn(self, inputs: Tensor) -> bool:
        rows = inputs.numel() // max(1, self.in_features)
        plain = inputs.dtype == torch.float32 and rows >= PLAIN_ROWS and self.in_features <= PLAIN_INPUTS
        return not plain and onednn.usable(inputs, self.weight)


def layer_norm(norm: nn.LayerNorm, inputs: Tensor, dtype: torch.dtype) -> Tensor:
    """LayerNorm in the input's own precision, rounded once to ``dtype``."""
    return norm(inputs).to(dtype)


def add(stream: Tensor, branch: Tensor) -> Tensor:
    """``stream + branch``; in inference mode into ``stream`` itself, which spares a CPU a fresh piece of memory every time."""
    return stream.add_(branch) if torch.is_inference_mode_enabled() else stream + branch


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
