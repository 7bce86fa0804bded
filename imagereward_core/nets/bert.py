"""The text tower: a post-norm BERT with cross-attention to the image tokens in every layer.

Parameter names are those of BLIP's checkpoints (``med.py``), which follow transformers' BERT. Reference implementations: BLIP
``med.py`` and transformers ``BlipTextModel`` (the test oracle). Attention is bidirectional; there are no token-type embeddings
and there is no pooler.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import TextConfig
from .layers import Linear, merge_heads, split_heads


class Embeddings(nn.Module):
    """Word and position embeddings, added and normalised."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.width, padding_idx=0)
        self.position_embeddings = nn.Embedding(config.positions, config.width)
        self.LayerNorm = nn.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.dropout)
        # On the CPU also in a skeleton: arange on the meta device takes a second, to import sympy.
        self.register_buffer("position_ids", torch.arange(config.positions, device="cpu").expand(1, -1))

    def forward(self, ids: Tensor) -> Tensor:
        """int64 [B, L] to [B, L, width]."""
        positions = self.position_embeddings.weight[: ids.shape[1]]
        return self.dropout(self.LayerNorm(self.word_embeddings(ids) + positions))


class Projections(nn.Module):
    """Query, key and value of one attention. Keys and values may come from states of another width."""

    def __init__(self, config: TextConfig, source_width: int) -> None:
        super().__init__()
        self.query = Linear(config.width, config.width)
        self.key = Linear(source_width, config.width)
        self.value = Linear(source_width, config.width)


class Residual(nn.Module):
    """A linear layer whose output is added to the stream, which keeps its dtype (float32), and normalised: BERT's post-norm."""

    def __init__(self, config: TextConfig, inputs: int) -> None:
        super().__init__()
        self.dense = Linear(inputs, config.width)
        self.LayerNorm = nn.LayerNorm(config.width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, branch: Tensor, stream: Tensor) -> Tensor:
        """[B, L, inputs] and [B, L, width] to [B, L, width]."""
        return self.LayerNorm(self.dropout(self.dense(branch)) + stream)


class Attention(nn.Module):
    """Multi-head attention of the text to itself, or to the image tokens."""

    def __init__(self, config: TextConfig, source_width: int) -> None:
        super().__init__()
        self.heads = config.heads
        self.dropout = config.dropout
        self.self = Projections(config, source_width)
        self.output = Residual(config, config.width)

    def keys_and_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of ``source`` [B, T, source_width], each [B, heads, T, size], in the source's dtype."""
        key, value = self.self.key(source), self.self.value(source)
        return split_heads(key, self.heads), split_heads(value, self.heads)

    def forward(self, stream: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """Attends from ``stream`` [B, L, width] to ``key`` and ``value`` [B, heads, T, size] in the dtype of the query projection.

        ``mask`` is bool, broadcastable to [B, heads, L, T], True where attention is allowed; None allows all.
        """
        query = split_heads(self.self.query(stream.to(self.self.query.weight.dtype)), self.heads)
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        return self.output(merge_heads(mixed), stream)


class Intermediate(nn.Module):
    """The first half of the feed-forward part."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.dense = Linear(config.width, config.mlp_width)

    def forward(self, stream: Tensor) -> Tensor:
        """[B, L, width] to [B, L, mlp_width], in the dtype of the layer."""
        return self.dense.gelu(stream.to(self.dense.weight.dtype))


class Layer(nn.Module):
    """Self-attention, cross-attention to the image, feed-forward."""

    def __init__(self, config: TextConfig, image_width: int) -> None:
        super().__init__()
        self.attention = Attention(config, config.width)
        self.crossattention = Attention(config, image_width)
        self.intermediate = Intermediate(config)
        self.output = Residual(config, config.mlp_width)

    def forward(
        self,
        stream: Tensor,
        mask: Tensor | None,
        image: Tensor | None,
        index: Tensor | None,
        first_only: bool,
    ) -> Tensor:
        """One layer; see :meth:`TextEncoder.forward` for the arguments. ``first_only`` computes token 0 alone."""
        key, value = self.attention.keys_and_values(stream)
        asking = stream[:, :1] if first_only else stream
        stream = self.attention(asking, key, value, mask)
        if image is not None:
            key, value = self.crossattention.keys_and_values(image)
            if index is not None:
                key, value = key.index_select(0, index), value.index_select(0, index)
            stream = self.crossattention(stream, key, value, None)
        return self.output(self.intermediate(stream), stream)


class Encoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: TextConfig, image_width: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config, image_width) for _ in range(config.depth))


class TextEncoder(nn.Module):
    """Token ids, grounded in image tokens, to text states."""

    def __init__(self, config: TextConfig, image_width: int) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config, image_width)

    def forward(
        self,
        ids: Tensor,
        mask: Tensor,
        image: Tensor | None = None,
        index: Tensor | None = None,
        first_only: bool = False,
    ) -> Tensor:
        """Text states of a batch of prompts.

        Args:
            ids: int64 [B, L], padded on the right.
            mask: [B, L], non-zero for real tokens.
            image: Image tokens [N, T, image_width]; None leaves cross-attention out (BLIP's text-only mode).
            index: int64 [B], the row of ``image`` each prompt looks at; None means row b for prompt b (then N = B). Keys and
                values are computed once per picture, however many prompts look at it.
            first_only: Return only token 0, and spare the last layer the others.

        Returns:
            [B, L, width], or [B, 1, width] with ``first_only``.
        """
        allowed = mask.bool()
        # A batch without padding needs no mask, and attention without a mask may use a faster kernel. On a GPU the question
        # itself would make the host wait for the device, so it is asked on the CPU only.
        unpadded = allowed.device.type == "cpu" and bool(allowed.all())
        attention_mask = None if unpadded else allowed[:, None, None, :]
        stream = self.embeddings(ids)
        last = len(self.encoder.layer) - 1
        for number, layer in enumerate(self.encoder.layer):
            stream = layer(stream, attention_mask, image, index, first_only and number == last)
        return stream
