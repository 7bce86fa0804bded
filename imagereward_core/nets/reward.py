"""The reward network: image tower, text tower with cross-attention, and a head of five linear layers (arXiv 2304.05977, 2.2).

The module tree gives exactly the 625 keys of the released ``ImageReward.pt``. Reference implementation: ``ImageReward.py``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .bert import TextEncoder
from .config import HeadConfig, RewardConfig, TimmConfig
from .timm_tower import TimmTower
from .vit import VisionTransformer

POSITION_IDS = "blip.text_encoder.embeddings.position_ids"


class Head(nn.Module):
    """Five linear layers without activations: an affine map, written as the checkpoint stores it."""

    def __init__(self, config: HeadConfig, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number, outputs in enumerate((*config.widths, 1)):
            layers.append(nn.Linear(width, outputs))
            if number < len(config.dropouts):
                layers.append(nn.Dropout(config.dropouts[number]))
            width = outputs
        self.layers = nn.Sequential(*layers)

    def forward(self, states: Tensor) -> Tensor:
        """[B, width] to [B, 1], the raw reward."""
        first = self.layers[0]
        assert isinstance(first, nn.Linear)
        return self.layers(states.to(first.weight.dtype))

    def fold(self) -> tuple[Tensor, Tensor]:
        """The head as one vector and one number: float64 ``weight`` [width] and ``bias`` [], with ``raw = states @ weight + bias``."""
        weight: Tensor | None = None
        bias = torch.zeros(1, dtype=torch.float64)
        for layer in reversed([layer for layer in self.layers if isinstance(layer, nn.Linear)]):
            matrix, offset = layer.weight.detach().cpu().double(), layer.bias.detach().cpu().double()
            bias = bias + (offset if weight is None else weight @ offset)
            weight = matrix if weight is None else weight @ matrix
        assert weight is not None
        return weight[0], bias[0]


class Blip(nn.Module):
    """The two towers, and the two projections that only BLIP score uses."""

    def __init__(self, config: RewardConfig) -> None:
        super().__init__()
        self.visual_encoder: VisionTransformer | TimmTower = (
            TimmTower(config.vision)
            if isinstance(config.vision, TimmConfig)
            else VisionTransformer(config.vision)
        )
        self.text_encoder = TextEncoder(config.text, config.vision.width)
        if config.projection:
            self.vision_proj = nn.Linear(config.vision.width, config.projection)
            self.text_proj = nn.Linear(config.text.width, config.projection)


class RewardNetwork(nn.Module):
    """Pictures and prompts to rewards. Differentiable with respect to pixels and parameters."""

    def __init__(self, config: RewardConfig | None = None) -> None:
        super().__init__()
        self.config = config or RewardConfig()
        self.blip = Blip(self.config)
        self.mlp = Head(self.config.head, self.config.text.width)

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Image tokens [B, T, width] of normalised pixels [B, 3, S, S]."""
        return self.blip.visual_encoder(pixels)

    def text_states(self, ids: Tensor, mask: Tensor, image: Tensor, index: Tensor | None = None) -> Tensor:
        """State of token 0, float32 or float64 [B, width]: what the head reads. Token 0 stays [CLS]; arguments as in TextEncoder."""
        states = self.blip.text_encoder(ids, mask, image, index, first_only=True)[:, 0]
        return states.to(torch.promote_types(states.dtype, torch.float32))

    def normalise(self, raw: Tensor) -> Tensor:
        """Raw rewards to the published scale: mean 0 and standard deviation 1 over the authors' test set."""
        return (raw - self.config.head.mean) / self.config.head.std

    def forward(self, ids: Tensor, mask: Tensor, pixels: Tensor) -> Tensor:
        """Rewards [B, 1] float32 on the published scale, of ids int64 [B, L], mask [B, L] and normalised pixels [B, 3, S, S]."""
        return self.normalise(self.mlp(self.text_states(ids, mask, self.encode_images(pixels))))


def parameter_dtype(name: str, dtype: torch.dtype) -> torch.dtype:
    """The dtype of the parameter ``name`` (a checkpoint key) in a network of precision ``dtype``.

    LayerNorms, embeddings (the projection of pixels among them) and the residual streams of both towers stay in float32, and so
    does the text's attention to itself, to which scores are sensitive and which is a small part of the work. The text's attention
    to the image and its feed-forward part add no measurable error to that of the image tower (``benchmarks/results``).
    """
    if ".visual_encoder.model." in name:
        return dtype  # a network of timm computes in one dtype
    if ".visual_encoder." in name:
        kept = ("norm" in name) or ("patch_embed" in name) or name.endswith(("cls_token", "pos_embed"))
    else:
        kept = not any(part in name for part in (".crossattention.", ".intermediate.", ".output.dense."))
        kept = kept or ".attention." in name or "LayerNorm" in name
    return torch.float32 if kept else dtype
