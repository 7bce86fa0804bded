"""Text encoders out of a checkpoint: CLIP by the names of transformers or of open_clip, and T5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ....training.errors import TrainingError
from .layout import Stored, numbers
from .networks import filled

END = 49407


def load_clip(
    stored: Stored,
    prefix: str,
    dtype: torch.dtype,
    *,
    projected: bool = False,
    act: str = "quick_gelu",
    heads: int | None = None,
) -> Any:
    """CLIP's text encoder under the names of transformers.

    Args:
        stored: The checkpoint.
        prefix: What stands before ``text_model.``.
        dtype: Of its weights.
        projected: Whether it gives its projected vector (``CLIPTextModelWithProjection``).
        act: Its activation.
        heads: Of its attention, which are in no shape; by default one for 64 channels.
    """
    tensors = stored.under(prefix)
    tensors = {_full(name.removeprefix(prefix)): value for name, value in tensors.items()}
    return _clip(stored, tensors, dtype, projected, act, heads)


def load_open_clip(stored: Stored, prefix: str, dtype: torch.dtype, *, projected: bool, last: bool) -> Any:
    """CLIP's text encoder under the names of open_clip.

    Args:
        stored: The checkpoint.
        prefix: What stands before ``transformer.resblocks.``.
        dtype: Of its weights.
        projected: Whether it gives its projected vector.
        last: Whether the last layer is there; SD 2 reads the one before, after the last norm.
    """
    blocks = numbers(stored.shapes, rf"{prefix}transformer\.resblocks\.(\d+)\.")
    tensors: dict[str, Tensor] = {}
    for name, value in stored.under(prefix).items():
        inner = name.removeprefix(prefix)
        if not last and inner.startswith(f"transformer.resblocks.{blocks[-1]}."):
            continue
        tensors |= _of_open_clip(inner, value)
    if not projected:
        tensors.pop("text_projection.weight", None)
    return _clip(stored, tensors, dtype, projected, "gelu", None)


def load_t5(stored: Stored, prefix: str, dtype: torch.dtype) -> Any:
    """T5's encoder, version 1.1 (gated), as SD 3 and Flux read it."""
    from transformers import T5Config, T5EncoderModel

    tensors = {name.removeprefix(prefix): value for name, value in stored.under(prefix).items()}
    layers = numbers(tensors, r"encoder\.block\.(\d+)\.")
    width = stored.shape(f"{prefix}shared.weight")
    inner = stored.shape(f"{prefix}encoder.block.0.layer.0.SelfAttention.q.weight")[0]
    buckets, heads = stored.shape(
        f"{prefix}encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    )
    config = T5Config(
        vocab_size=width[0],
        d_model=width[1],
        d_kv=inner // heads,
        d_ff=stored.shape(f"{prefix}encoder.block.0.layer.1.DenseReluDense.wi_0.weight")[0],
        num_layers=len(layers),
        num_heads=heads,
        relative_attention_num_buckets=buckets,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
        use_cache=False,
    )
    tensors["encoder.embed_tokens.weight"] = tensors["shared.weight"]
    return filled(lambda: T5EncoderModel(config), tensors, dtype, stored.path, "text encoder (T5)")


def _clip(
    stored: Stored,
    tensors: Mapping[str, Tensor],
    dtype: torch.dtype,
    projected: bool,
    act: str,
    heads: int | None,
) -> Any:
    """CLIP's text encoder of tensors by their full names."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    embedding = tensors.get("text_model.embeddings.token_embedding.weight")
    positions = tensors.get("text_model.embeddings.position_embedding.weight")
    inner = tensors.get("text_model.encoder.layers.0.mlp.fc1.weight")
    if embedding is None or positions is None or inner is None:
        raise TrainingError(
            f"{stored.path} lacks a text encoder; expected a whole checkpoint. Denoisers alone cannot be tuned from prompts"
        )
    width = embedding.shape[1]
    if heads is None and width % 64:
        raise TrainingError(
            f"the text encoder of {stored.path} is {width} wide, and how many heads it has is not known; expected a multiple of 64"
        )
    kind: Any = CLIPTextModelWithProjection if projected else CLIPTextModel
    if projected and "text_projection.weight" not in tensors:
        tensors = {**tensors, "text_projection.weight": torch.eye(width)}  # as diffusers reads files of SD 3
    projection = tensors.get("text_projection.weight")
    end = embedding.shape[0] - 1
    config = CLIPTextConfig(
        vocab_size=embedding.shape[0],
        hidden_size=width,
        intermediate_size=inner.shape[0],
        num_hidden_layers=len(numbers(tensors, r"text_model\.encoder\.layers\.(\d+)\.")),
        num_attention_heads=heads or width // 64,
        max_position_embeddings=positions.shape[0],
        projection_dim=width if projection is None else projection.shape[0],
        hidden_act=act,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )
    if not projected:
        tensors = {name: value for name, value in tensors.items() if name != "text_projection.weight"}
    short = not any(name.startswith("text_model.") for name in _names(kind, config))
    if short:  # transformers 5 leaves out the name of the only module
        tensors = {name.removeprefix("text_model."): value for name, value in tensors.items()}
    return filled(lambda: kind(config), tensors, dtype, stored.path, "text encoder")


def _names(kind: Any, config: Any) -> list[str]:
    """Names of the parameters of a text encoder in the installed transformers."""
    with torch.device("meta"):
        return [name for name, _ in kind(config).named_parameters()]


def _full(name: str) -> str:
    """The name with ``text_model.``, which old programs left out."""
    known = ("text_model.", "text_projection")
    return name if name.startswith(known) else f"text_model.{name}"


_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}
_ENDS = {
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
}


def _of_open_clip(name: str, value: Tensor) -> dict[str, Tensor]:
    """What a tensor of open_clip is called in transformers; what that does not have is left out."""
    if name in _ENDS:
        return {_ENDS[name]: value}
    if name == "text_projection":
        return {"text_projection.weight": value.T}
    if not name.startswith("transformer.resblocks."):
        return {}  # logit_scale, and the mask of older files
    _, _, number, rest = name.split(".", 3)
    layer = f"text_model.encoder.layers.{number}."
    if rest.startswith("attn.in_proj_"):
        kind = rest.removeprefix("attn.in_proj_")
        return {f"{layer}self_attn.{part}_proj.{kind}": each for part, each in zip("qkv", value.chunk(3))}
    stem, _, kind = rest.rpartition(".")
    return {f"{layer}{_LAYER.get(stem, stem)}.{kind}": value}
