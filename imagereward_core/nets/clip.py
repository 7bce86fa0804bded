"""CLIP: a picture tower and a text tower whose outputs live in one space (arXiv 2103.00020).

Parameters bear the names of transformers' ``CLIPModel``, with query, key and value apart. Reference implementation: transformers
``modeling_clip.py`` (the test oracle). CLIP score, the aesthetic head, PickScore, HPSv2 and MPS all stand on this network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Linear, Mlp, add, layer_norm, merge_heads, split_heads


@dataclass(frozen=True)
class TowerConfig:
    """One stack of transformer layers; ``activation`` is that of :class:`.layers.Mlp`."""

    width: int
    depth: int
    heads: int
    mlp_width: int
    activation: str
    layer_norm_eps: float = 1e-5


@dataclass(frozen=True)
class ClipConfig:
    """Sizes of a CLIP network.

    Attributes:
        projection: Width of the space that pictures and texts share.
        positions: Longest text, in tokens.
    """

    vision: TowerConfig
    text: TowerConfig
    projection: int
    image_size: int = 224
    patch_size: int = 14
    vocab_size: int = 49408
    positions: int = 77

    @classmethod
    def vit_l_14(cls) -> ClipConfig:
        """OpenAI's ViT-L/14: CLIP score and the aesthetic head."""
        return cls(
            vision=TowerConfig(width=1024, depth=24, heads=16, mlp_width=4096, activation="quick_gelu"),
            text=TowerConfig(width=768, depth=12, heads=12, mlp_width=3072, activation="quick_gelu"),
            projection=768,
        )

    @classmethod
    def vit_h_14(cls) -> ClipConfig:
        """LAION's ViT-H/14: PickScore, HPSv2, HPSv2.1 and MPS."""
        return cls(
            vision=TowerConfig(width=1280, depth=32, heads=16, mlp_width=5120, activation="gelu"),
            text=TowerConfig(width=1024, depth=24, heads=16, mlp_width=4096, activation="gelu"),
            projection=1024,
        )


class Attention(nn.Module):
    """Multi-head self-attention with query, key and value apart."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.k_proj = Linear(config.width, config.width)
        self.v_proj = Linear(config.width, config.width)
        self.q_proj = Linear(config.width, config.width)
        self.out_proj = Linear(config.width, config.width)

    def forward(self, asking: Tensor, source: Tensor, mask: Tensor | None) -> Tensor:
        """[B, Q, width] that look at [B, T, width], to [B, Q, width]; ``mask`` is bool, True where looking is allowed."""
        query, key, value = (
            split_heads(projected, self.heads)
            for projected in (self.q_proj(asking), self.k_proj(source), self.v_proj(source))
        )
        return self.out_proj(merge_heads(F.scaled_dot_product_attention(query, key, value, attn_mask=mask)))


class Layer(nn.Module):
    """Attention and MLP, each behind a LayerNorm and added to the residual stream.

    The stream keeps its dtype (float32), the layers compute in that of their own weights. In inference mode the stream given is
    overwritten.
    """

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.layer_norm1 = nn.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.mlp = Mlp(config.width, config.mlp_width, config.activation)
        self.layer_norm2 = nn.LayerNorm(config.width, eps=config.layer_norm_eps)

    def forward(self, stream: Tensor, mask: Tensor | None, first_only: bool) -> Tensor:
        """[B, T, width] to [B, T, width], or to [B, 1, width] with ``first_only``."""
        compute = self.self_attn.q_proj.weight.dtype
        source = layer_norm(self.layer_norm1, stream, compute)
        asking, stream = (source[:, :1], stream[:, :1]) if first_only else (source, stream)
        stream = add(stream, self.self_attn(asking, source, mask))
        return add(stream, self.mlp(layer_norm(self.layer_norm2, stream, compute)))


class Encoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.depth))

    def forward(self, stream: Tensor, mask: Tensor | None = None, first_only: bool = False) -> Tensor:
        """[B, T, width] to [B, T, width]; ``first_only`` returns token 0 alone and spares the last layer the others."""
        last = len(self.layers) - 1
        for number, layer in enumerate(self.layers):
            stream = layer(stream, mask, first_only and number == last)
        return stream


class VisionEmbeddings(nn.Module):
    """A class token and one token per patch, with their positions."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        width, patch = config.vision.width, config.patch_size
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.patch_embedding = nn.Conv2d(3, width, kernel_size=patch, stride=patch, bias=False)
        self.position_embedding = nn.Embedding(1 + (config.image_size // patch) ** 2, width)

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised [B, 3, S, S] to [B, 1 + patches, width]."""
        patches = self.patch_embedding(pixels.to(self.patch_embedding.weight.dtype))
        patches = patches.flatten(2).transpose(1, 2).to(self.class_embedding.dtype)
        first = self.class_embedding.expand(patches.shape[0], 1, -1)
        return torch.cat([first, patches], dim=1) + self.position_embedding.weight


class VisionModel(nn.Module):
    """The picture tower."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        width, eps = config.vision.width, config.vision.layer_norm_eps
        self.embeddings = VisionEmbeddings(config)
        self.pre_layrnorm = nn.LayerNorm(width, eps=eps)  # spelt as in the checkpoints
        self.encoder = Encoder(config.vision)
        self.post_layernorm = nn.LayerNorm(width, eps=eps)

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised [B, 3, S, S] to the class token's state [B, width], after the last LayerNorm."""
        return self.post_layernorm(self.states(pixels, first_only=True)[:, 0])

    def states(self, pixels: Tensor, first_only: bool = False) -> Tensor:
        """All states [B, T, width], or that of token 0 [B, 1, width], as the last layer leaves them."""
        return self.encoder(self.pre_layrnorm(self.embeddings(pixels)), first_only=first_only)


class TextEmbeddings(nn.Module):
    """Token and position embeddings, added."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.text.width)
        self.position_embedding = nn.Embedding(config.positions, config.text.width)

    def forward(self, ids: Tensor) -> Tensor:
        """int64 [B, L] to [B, L, width]."""
        return self.token_embedding(ids) + self.position_embedding.weight[: ids.shape[1]]


class TextModel(nn.Module):
    """The text tower: every token looks at itself and at those before it."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        self.embeddings = TextEmbeddings(config)
        self.encoder = Encoder(config.text)
        self.final_layer_norm = nn.LayerNorm(config.text.width, eps=config.text.layer_norm_eps)

    def forward(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        """int64 [B, L] to the states of all tokens [B, L, width], after the last LayerNorm.

        ``mask`` [B, L] is non-zero for tokens that may be looked at; None is a text whose padding counts as text.
        """
        length = ids.shape[1]
        allowed = torch.ones(length, length, dtype=torch.bool, device=ids.device).tril()
        if mask is not None:
            # A token always sees itself, lest attention over nothing turn a row of padding into NaN.
            itself = torch.eye(length, dtype=torch.bool, device=ids.device)
            allowed = (allowed & mask.bool()[:, None, None, :]) | itself
        return self.final_layer_norm(self.encoder(self.embeddings(ids), allowed))


class ClipNetwork(nn.Module):
    """Pictures and texts to vectors in one space. Differentiable with respect to pixels and parameters.

    Without ``text`` there is no text tower, no projection of it and no ``logit_scale``, for scorers that look at pictures only.
    """

    def __init__(self, config: ClipConfig, text: bool = True) -> None:
        super().__init__()
        self.config = config
        if text:
            self.text_model = TextModel(config)
        self.vision_model = VisionModel(config)
        self.visual_projection = Linear(config.vision.width, config.projection, bias=False)
        if text:
            self.text_projection = Linear(config.text.width, config.projection, bias=False)
            # the logarithm of 1 / 0.07, where CLIP's training starts
            self.logit_scale = nn.Parameter(torch.tensor(-math.log(0.07)))

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Picture vectors [B, projection] float32, not of length one, of normalised pixels [B, 3, S, S], S the configured image size."""
        return _project(self.visual_projection, self.vision_model(pixels))

    def encode_texts(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Text vectors, not normalised to length one: the state at each text's last real token, which CLIP's tokenizer makes the end token.

        A text's vector [B, projection] float32 depends neither on its padding nor on the texts beside it. ``ids`` are int64 [B, L] with L
        up to the configured number of positions, padded on the right; ``mask`` [B, L] is non-zero for real tokens.
        """
        return _project(self.text_projection, at_last_token(self.text_model(ids, mask), mask))

    def image_tokens(self, pixels: Tensor) -> Tensor:
        """All picture tokens, projected, without the LayerNorm that :meth:`encode_images` applies: [B, 1 + patches, projection]."""
        return _project(self.visual_projection, self.vision_model.states(pixels))

    def text_tokens(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """All text tokens, projected: [B, L, projection]. Without ``mask`` padding is read as if it were text."""
        return _project(self.text_projection, self.text_model(ids, mask))


def at_last_token(states: Tensor, mask: Tensor) -> Tensor:
    """[B, L, width] to [B, width]: the state at the last place where ``mask`` [B, L] is non-zero, or at place 0 where there is none."""
    places = torch.arange(mask.shape[1], device=mask.device)
    last = (places * mask.bool()).amax(dim=1)
    return states[torch.arange(states.shape[0], device=states.device), last]


def parameter_dtype(name: str, dtype: torch.dtype) -> torch.dtype:
    """The dtype of the parameter ``name`` in a network of precision ``dtype``.

    Only the linear layers of the two encoders leave float32; LayerNorms, embeddings, projections, ``logit_scale`` and with them
    the residual streams stay. Holds for :class:`ClipNetwork` and for whatever carries one under a prefix.
    """
    return dtype if ".encoder.layers." in name and ".layer_norm" not in name else torch.float32


def _project(projection: nn.Linear, states: Tensor) -> Tensor:
    return projection(states.to(projection.weight.dtype))
