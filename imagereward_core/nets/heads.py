"""Aesthetic heads: five linear layers without activations on a picture vector of length one.

Layouts: LAION's improved-aesthetic-predictor (``simple_inference.py``), and the published weights of aesthetic
predictor v2.5.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import HeadConfig
from .reward import Head


class AestheticHead(nn.Module):
    """LAION's head on OpenAI's ViT-L/14: 768-1024-128-64-16-1, state names ``layers.{0,2,4,6,7}.*``; ``width`` is that of the vectors."""

    def __init__(self, width: int = 768) -> None:
        super().__init__()
        self.layers = Head(HeadConfig(dropouts=(0.2, 0.2, 0.1)), width).layers

    def forward(self, features: Tensor) -> Tensor:
        """Picture vectors [B, width] of any length to aesthetic scores [B, 1], roughly 1 to 10, higher is better."""
        return _rate(self.layers, features)


class SiglipAestheticHead(nn.Module):
    """The head of aesthetic predictor v2.5 on SigLIP: 1152-1024-128-64-16-1, state names ``scoring_head.{0,2,4,6,8}.*``."""

    def __init__(self, width: int = 1152) -> None:
        super().__init__()
        self.scoring_head = Head(HeadConfig(dropouts=(0.5, 0.5, 0.5, 0.2)), width).layers

    def forward(self, features: Tensor) -> Tensor:
        """Picture vectors [B, width] of any length to aesthetic scores [B, 1], roughly 1 to 10, higher is better."""
        return _rate(self.scoring_head, features)


def parameter_dtype(name: str, dtype: torch.dtype) -> torch.dtype:
    """Float32 whatever the precision asked for: a head is too small for another to gain anything."""
    return torch.float32


def _rate(layers: nn.Sequential, features: Tensor) -> Tensor:
    """Brings the vectors to length one, as both heads were trained, and applies the layers."""
    first = layers[0]
    assert isinstance(first, nn.Linear)
    return layers(F.normalize(features.to(first.weight.dtype), dim=-1))
