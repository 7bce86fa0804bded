"""MPS, the multi-dimensional preference score (arXiv 2405.14705): picture tokens look at prompt tokens before the two are compared.

How a score comes about, as in the published ``trainer/models/clip_model.py``, ``cross_modeling.py`` and evaluation scripts:

1. CLIP reads the prompt, and a fixed *condition* (:data:`CONDITION`), each padded to all 77 positions and without a padding mask, and
   projects the states of every position. Padding is thus text like any other: it must not be trimmed.
2. A position of the prompt is kept where its greatest dot product with any of the condition's 77 positions, divided by the greatest
   such product of the prompt, exceeds a threshold: 0.01 in the published forward, 0.3 in both published evaluation scripts.
   The start token and the padding take part in this, on both sides.
3. CLIP's picture tokens, projected and not normalised, pass four layers that look at the kept positions and at each other. The
   first of them, the class token's, is the picture's vector.
4. The score is the cosine between that vector and the prompt's (its state at the end token), times ``exp(logit_scale)``.

The published forward divides by the greatest product of the *whole batch*, which makes a score depend on the prompts beside it; here
every prompt has its own divisor, as in the evaluation scripts, which take one picture at a time.

State names are the published ones, ``model.*`` for CLIP and ``cross_model.*``, without the constants among them: ``norm.bias`` (zeros),
``rotary_emb.inv_freq`` and ``position_ids``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import PromptError
from . import clip
from .clip import ClipConfig, ClipNetwork, at_last_token
from .layers import Linear, layer_norm, merge_heads, split_heads

CONDITION = (
    "light, color, clarity, tone, style, ambiance, artistry, shape, face, hair, hands, limbs, structure, instance, texture, quantity, "
    "attributes, position, number, location, word, things."
)
"""The published condition for the overall score, the only one whose weights were released; tokenized like a prompt."""


@dataclass(frozen=True)
class MpsConfig:
    """Sizes of an MPS network; the defaults are the published ones.

    Attributes:
        depth: Pairs of cross-attention and self-attention.
        head_width: Width of one head; all heads of a layer share one key and one value.
        mlp_ratio: Width of the feed-forward parts over that of the tokens, after gating.
        half_angles: Whether rotary angles are rounded to float16. The published module is float16 throughout, its angles with it,
            which are then off by up to 0.1 radians; this gives the same ones in every precision.
    """

    clip: ClipConfig = field(default_factory=ClipConfig.vit_h_14)
    depth: int = 4
    heads: int = 16
    head_width: int = 64
    mlp_ratio: int = 4
    half_angles: bool = True


class SwiGlu(nn.Module):
    """The first half of the channels, each times the SiLU of its partner in the second."""

    def forward(self, states: Tensor) -> Tensor:
        """[..., 2 * width] to [..., width]."""
        values, gates = states.chunk(2, dim=-1)
        return F.silu(gates) * values


class CrossAttention(nn.Module):
    """Picture tokens look at prompt tokens, beside a gated feed-forward part."""

    def __init__(self, config: MpsConfig) -> None:
        super().__init__()
        self.heads = config.heads
        width, inner = config.clip.projection, config.heads * config.head_width
        hidden = config.mlp_ratio * width
        self.norm = nn.LayerNorm(width, bias=False)
        self.to_q = Linear(width, inner, bias=False)
        self.to_kv = Linear(width, 2 * config.head_width, bias=False)
        self.to_out = Linear(inner, width, bias=False)
        self.ff = nn.Sequential(
            Linear(width, 2 * hidden, bias=False), SwiGlu(), Linear(hidden, width, bias=False)
        )

    def forward(self, stream: Tensor, text: Tensor, kept: Tensor) -> Tensor:
        """[B, T, width], [B, L, width] and bool [B, L] to what is added to the stream."""
        compute = self.to_q.weight.dtype
        states = layer_norm(self.norm, stream, compute)
        key, value = self.to_kv(text.to(compute)).chunk(2, dim=-1)
        query = split_heads(self.to_q(states), self.heads)
        mixed = _attend(query, key, value, kept[:, None, None, :])
        return self.to_out(merge_heads(mixed)) + self.ff(states)


class SelfAttention(nn.Module):
    """Picture tokens look at each other, with rotary positions, beside a gated feed-forward part; one projection feeds both."""

    def __init__(self, config: MpsConfig) -> None:
        super().__init__()
        self.heads, self.head_width, self.half_angles = config.heads, config.head_width, config.half_angles
        width, inner = config.clip.projection, config.heads * config.head_width
        hidden = config.mlp_ratio * width
        self.parts = (inner, config.head_width, config.head_width, 2 * hidden)
        self.norm = nn.LayerNorm(width, bias=False)
        self.fused_attn_ff_proj = Linear(width, sum(self.parts), bias=False)
        self.attn_out = Linear(inner, width, bias=False)
        self.ff_out = nn.Sequential(SwiGlu(), Linear(hidden, width, bias=False))

    def forward(self, stream: Tensor) -> Tensor:
        """[B, T, width] to what is added to the stream."""
        states = layer_norm(self.norm, stream, self.fused_attn_ff_proj.weight.dtype)
        query, key, value, hidden = self.fused_attn_ff_proj(states).split(self.parts, dim=-1)
        angles = rotary_angles(stream.shape[1], self.head_width, self.half_angles, stream.device)
        query = _rotate(split_heads(query, self.heads), angles)
        mixed = _attend(query, _rotate(key, angles), value, None)
        return self.attn_out(merge_heads(mixed)) + self.ff_out(hidden)


class Residual(nn.Module):
    """Adds what ``fn`` answers to the stream, which keeps its dtype (float32)."""

    def __init__(self, fn: nn.Module) -> None:
        super().__init__()
        self.fn = fn

    def forward(self, stream: Tensor, *others: Tensor) -> Tensor:
        """[B, T, width] to [B, T, width]; the stream given is left as it is."""
        return stream + self.fn(stream, *others)


class CrossModel(nn.Module):
    """The layers in which picture tokens look at prompt tokens and at each other in turn."""

    def __init__(self, config: MpsConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList([Residual(CrossAttention(config)), Residual(SelfAttention(config))])
            for _ in range(config.depth)
        )

    def forward(self, stream: Tensor, text: Tensor, kept: Tensor) -> Tensor:
        """[B, T, width], [B, L, width] and bool [B, L] to [B, T, width]."""
        for pair in self.layers:
            assert isinstance(pair, nn.ModuleList)
            look_at_text, look_at_picture = pair
            stream = look_at_picture(look_at_text(stream, text, kept))
        return stream


class MpsNetwork(nn.Module):
    """Pictures and prompts to vectors, and these to preference scores. Differentiable with respect to pixels and parameters."""

    def __init__(self, config: MpsConfig | None = None) -> None:
        super().__init__()
        self.config = config or MpsConfig()
        self.model = ClipNetwork(self.config.clip)
        self.cross_model = CrossModel(self.config)

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Picture tokens [B, T, projection] of normalised pixels [B, 3, S, S]; they do not depend on the prompt."""
        return self.model.image_tokens(pixels)

    def encode_texts(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Prompt tokens [B, L, projection] and prompt vectors [B, projection]; they do not depend on the picture.

        ``ids`` are int64 [B, L], L the configured number of positions (else PromptError), padded as the tokenizer pads: padding is read
        like text. ``mask`` [B, L], non-zero for real tokens, says only where the end token stands.
        """
        tokens = self._read(ids)
        return tokens, at_last_token(tokens, mask)

    def encode_condition(self, ids: Tensor) -> Tensor:
        """Tokens [L, projection] of the condition, int64 [L], padded like a prompt (else PromptError); the same for all prompts."""
        return self._read(ids[None])[0]

    def kept_positions(self, text: Tensor, condition: Tensor, threshold: float) -> Tensor:
        """Which prompt positions pictures look at, bool [B, L], of ``text`` [B, L, width] and ``condition`` [C, width].

        Those whose greatest similarity to the condition exceeds ``threshold`` times that of the most similar one, which is always kept.
        """
        similarity = (text.float() @ condition.float().T).amax(dim=-1)
        return similarity / similarity.amax(dim=-1, keepdim=True) > threshold

    def look(self, image: Tensor, text: Tensor, condition: Tensor, threshold: float) -> Tensor:
        """Picture vectors [B, width] of picture tokens [B, T, width], seen with the prompt tokens [B, L, width] of the same row."""
        return self.cross_model(image, text, self.kept_positions(text, condition, threshold))[:, 0]

    def compare(self, picture: Tensor, prompt: Tensor) -> Tensor:
        """Scores [B] of picture and prompt vectors [B, width]: their cosine times ``exp(logit_scale)``, higher is better."""
        return self.model.logit_scale.exp() * F.cosine_similarity(picture, prompt, dim=-1)

    def _read(self, ids: Tensor) -> Tensor:
        positions = self.config.clip.positions
        if ids.shape[1] != positions:
            raise PromptError(
                f"found a prompt of {ids.shape[1]} token ids, expected {positions}: MPS reads padding like text. Pad the ids to full "
                "length with the tokenizer's padding token"
            )
        return self.model.text_tokens(ids)


def rotary_angles(length: int, width: int, half: bool, device: torch.device) -> Tensor:
    """Rotary angles (arXiv 2104.09864), float32 [length, width]: position over 10000^(2i / width), the same for channels i and i + width/2.

    With ``half`` positions, frequencies and their products are float16 numbers, as they are in a module cast to float16.
    """
    frequencies = 1.0 / 10000 ** (torch.arange(0, width, 2, device=device, dtype=torch.float32) / width)
    dtype = torch.float16 if half else torch.float32
    angles = torch.arange(length, device=device, dtype=dtype)[:, None] * frequencies.to(dtype)
    return angles.float().repeat(1, 2)


def parameter_dtype(name: str, dtype: torch.dtype) -> torch.dtype:
    """The dtype of the parameter ``name`` in a network of precision ``dtype``: as in CLIP, and the linear layers of the cross model."""
    if name.startswith("cross_model."):
        return torch.float32 if ".norm." in name else dtype
    return clip.parameter_dtype(name, dtype)


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention of all heads [B, heads, T, size] to one key and one value [B, L, size]."""
    key, value = (part[:, None].expand(-1, query.shape[1], -1, -1) for part in (key, value))
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def _rotate(states: Tensor, angles: Tensor) -> Tensor:
    """Turns the channel pairs (i, i + width/2) of [..., T, width] by ``angles`` [T, width], rounded once to the dtype of ``states``."""
    first, second = states.chunk(2, dim=-1)
    turned = states * angles.cos() + torch.cat([-second, first], dim=-1) * angles.sin()
    return turned.to(states.dtype)
