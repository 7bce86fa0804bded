"""The picture tower of SigLIP (arXiv 2303.15343): no class token; a learned probe looks at all patches and becomes the picture's vector.

Parameters bear the names of transformers' ``SiglipVisionModel`` as Google's checkpoints and transformers 4 write them, with the
prefix ``vision_model.``; transformers 5 drops that prefix in memory. Reference implementation: ``modeling_siglip.py`` (the test
oracle).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .clip import Encoder, TowerConfig
from .layers import Linear, Mlp, add, layer_norm, merge_heads, split_heads


@dataclass(frozen=True)
class SiglipConfig:
    """Sizes of a SigLIP picture tower. Where patches do not fill the picture, the rest at the right and below is not looked at."""

    vision: TowerConfig
    image_size: int = 384
    patch_size: int = 14

    @classmethod
    def so400m_14_384(cls) -> SiglipConfig:
        """``siglip-so400m-patch14-384``, the tower of aesthetic predictor v2.5: 729 patches of width 1152."""
        tower = TowerConfig(
            1152, depth=27, heads=16, mlp_width=4304, activation="gelu_tanh", layer_norm_eps=1e-6
        )
        return cls(vision=tower)


class Embeddings(nn.Module):
    """One token per patch, with its position."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        width, patch = config.vision.width, config.patch_size
        self.patch_embedding = nn.Conv2d(3, width, kernel_size=patch, stride=patch)
        self.position_embedding = nn.Embedding((config.image_size // patch) ** 2, width)

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised [B, 3, S, S] to [B, patches, width]."""
        patches = self.patch_embedding(pixels.to(self.patch_embedding.weight.dtype))
        patches = patches.flatten(2).transpose(1, 2).to(self.position_embedding.weight.dtype)
        return patches + self.position_embedding.weight


class ProbeAttention(nn.Module):
    """Attention of the probe to the patches, with query, key and value in one weight as ``torch.nn.MultiheadAttention`` stores them."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * config.width, config.width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * config.width))
        self.out_proj = Linear(config.width, config.width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, probe: Tensor, patches: Tensor) -> Tensor:
        """[1, 1, width] and [B, T, width] to [B, 1, width]."""
        width = patches.shape[-1]
        query_weight, source_weight = self.in_proj_weight.split([width, 2 * width])
        query_bias, source_bias = self.in_proj_bias.split([width, 2 * width])
        query = F.linear(probe, query_weight, query_bias).expand(patches.shape[0], -1, -1)
        key, value = F.linear(patches, source_weight, source_bias).chunk(2, dim=-1)
        query, key, value = (split_heads(part, self.heads) for part in (query, key, value))
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.out_proj(merge_heads(mixed))


class Head(nn.Module):
    """Pools the patches: the probe's attention, and an MLP added to it."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.probe = nn.Parameter(torch.zeros(1, 1, config.width))
        self.attention = ProbeAttention(config)
        self.layernorm = nn.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.mlp = Mlp(config.width, config.mlp_width, config.activation)

    def forward(self, patches: Tensor) -> Tensor:
        """[B, T, width] to [B, width]."""
        compute = self.attention.in_proj_weight.dtype
        stream = self.attention(self.probe.to(compute), patches.to(compute)).to(self.probe.dtype)
        return add(stream, self.mlp(layer_norm(self.layernorm, stream, compute)))[:, 0]


class VisionModel(nn.Module):
    """Embeddings, encoder, LayerNorm and pooling head."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config.vision)
        self.post_layernorm = nn.LayerNorm(config.vision.width, eps=config.vision.layer_norm_eps)
        self.head = Head(config.vision)

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised [B, 3, S, S] to [B, width]."""
        return self.head(self.post_layernorm(self.encoder(self.embeddings(pixels))))


class SiglipVision(nn.Module):
    """Pictures to vectors. Differentiable with respect to pixels and parameters."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_model = VisionModel(config)

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Picture vectors [B, width] float32, not of length one (transformers' ``pooler_output``), of normalised pixels [B, 3, S, S]."""
        return self.vision_model(pixels)


def parameter_dtype(name: str, dtype: torch.dtype) -> torch.dtype:
    """The dtype of the parameter ``name`` in a network of precision ``dtype``.

    The linear layers of the encoder and of the pooling head leave float32; LayerNorms, embeddings, the probe and with them the
    residual stream stay.
    """
    linear = any(part in name for part in (".self_attn.", ".mlp.", ".head.attention."))
    return dtype if linear else torch.float32
