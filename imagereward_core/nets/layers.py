"""Small layers that both towers share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import onednn

# From so many rows on, and up to so many inputs, torch's own float32 product is the faster one; measured at full size. Within both
# bounds its result for a row does not depend on the number of rows, so that a picture has the same score in every batch.
PLAIN_ROWS, PLAIN_INPUTS = 152, 1024
_PIECE = 1 << 18
"""Numbers that a CPU's cache holds twice."""


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


class Mlp(nn.Module):
    """Two linear layers, between them ``quick_gelu`` (x times sigmoid of 1.702 x), ``gelu`` (exact) or ``gelu_tanh`` (approximate)."""

    def __init__(self, width: int, hidden: int, activation: str = "gelu") -> None:
        super().__init__()
        self.activation = activation
        self.fc1 = Linear(width, hidden)
        self.fc2 = Linear(hidden, width)

    def forward(self, states: Tensor) -> Tensor:
        """[B, T, width] to [B, T, width]."""
        if self.activation == "gelu":
            return self.fc2(self.fc1.gelu(states))
        hidden = self.fc1(states)
        if self.activation == "quick_gelu":
            return self.fc2(quick_gelu(hidden))
        if torch.is_inference_mode_enabled():
            return self.fc2(torch.ops.aten.gelu_(hidden, approximate="tanh"))
        return self.fc2(F.gelu(hidden, approximate="tanh"))


def quick_gelu(hidden: Tensor) -> Tensor:
    """``x * sigmoid(1.702 x)``; in inference mode into ``hidden`` itself, with the same bits.

    On a CPU piece by piece, so that three passes over the widest activations of the network find them in its cache.
    """
    if not torch.is_inference_mode_enabled():
        return hidden * torch.sigmoid(1.702 * hidden)
    for piece in hidden.view(-1).split(_PIECE) if hidden.device.type == "cpu" else (hidden,):
        piece.mul_(torch.mul(piece, 1.702).sigmoid_())
    return hidden


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
