"""The image tower: a pre-norm vision transformer whose parameters bear the names of BLIP's checkpoints.

Reference implementations: BLIP ``vit.py`` and timm ``VisionTransformer`` (the test oracle).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import VisionConfig
from .layers import Linear, Mlp, add, drop_path, layer_norm, merge_heads


class PatchEmbed(nn.Module):
    """Cuts the picture into patches and projects each to the tower's width."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.width, kernel_size=config.patch_size, stride=config.patch_size)

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, 3, S, S] to [B, patches, width]."""
        return self.proj(pixels).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Multi-head self-attention with query, key and value in one projection."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = Linear(config.width, 3 * config.width)
        self.proj = Linear(config.width, config.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, T, width] to [B, T, width]."""
        batch, length, width = tokens.shape
        qkv = self.qkv(tokens).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.proj(merge_heads(mixed))


class Block(nn.Module):
    """Attention and MLP, each behind a LayerNorm and added to the residual stream.

    The residual stream keeps the dtype it comes in with (float32), the layers compute in the dtype of their own weights: in
    half precision this halves the error of a stream that would be rounded after every addition. In inference mode the stream
    given is overwritten.
    """

    def __init__(self, config: VisionConfig, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.norm1 = nn.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.attn = Attention(config)
        self.norm2 = nn.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.mlp = Mlp(config.width, config.mlp_width)

    def forward(self, stream: Tensor) -> Tensor:
        """[B, T, width] to [B, T, width]."""
        drop = self.drop if self.training else 0.0
        compute = self.attn.qkv.weight.dtype
        stream = add(stream, drop_path(self.attn(layer_norm(self.norm1, stream, compute)), drop))
        return add(stream, drop_path(self.mlp(layer_norm(self.norm2, stream, compute)), drop))


class VisionTransformer(nn.Module):
    """Normalised pixels to one feature vector per token; all tokens go on to cross-attention, there is no pooling."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_embed = PatchEmbed(config)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, config.tokens, config.width))
        last = max(config.depth - 1, 1)
        self.blocks = nn.ModuleList(Block(config, config.drop_path * i / last) for i in range(config.depth))
        self.norm = nn.LayerNorm(config.width, eps=config.layer_norm_eps)

    def forward(self, pixels: Tensor) -> Tensor:
        """Image tokens [B, 1 + patches, width], in the dtype of the tower's linear layers, of normalised pixels [B, 3, S, S]."""
        return self.upper(self.lower(pixels, 0), 0)

    def lower(self, pixels: Tensor, depth: int) -> Tensor:
        """The residual stream [B, 1 + patches, width] after the first ``depth`` blocks; arguments as in :meth:`forward`."""
        patches = self.patch_embed(pixels.to(self.patch_embed.proj.weight.dtype)).to(self.pos_embed.dtype)
        stream = torch.cat([self.cls_token.expand(patches.shape[0], -1, -1), patches], dim=1) + self.pos_embed
        for block in self.blocks[:depth]:
            stream = block(stream)
        return stream

    def upper(self, stream: Tensor, depth: int) -> Tensor:
        """What :meth:`forward` returns, from the stream of :meth:`lower`."""
        for block in self.blocks[depth:]:
            stream = block(stream)
        last = self.blocks[-1]
        assert isinstance(last, Block)
        return layer_norm(self.norm, stream, last.mlp.fc2.weight.dtype)
