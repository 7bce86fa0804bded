"""A transformer of Flux.1 out of a checkpoint: its sizes follow from shapes.

Names are told here, since diffusers' own conversion takes the width of the published model for granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ....training.errors import TrainingError
from .layout import UNET, Stored, numbers
from .networks import filled

_HEAD = 128
"""Channels of a head of attention, of which 16, 56 and 56 are turned by the three axes of a place, which is in no shape."""
_AXES = (16, 56, 56)
_ENDS = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "final_layer.linear": "proj_out",
}
_DOUBLE = {
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
}
_SINGLE = {
    "modulation.lin": "norm.linear",
    "linear2": "proj_out",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
}
_QKV = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}
_SWAPPED = "final_layer.adaLN_modulation.1"
"""Shift and scale, which diffusers has the other way round."""


def flux_config(stored: Stored) -> dict[str, Any]:
    """Arguments of diffusers' ``FluxTransformer2DModel``.

    Raises:
        TrainingError: Its heads are not those of Flux.1, or a tensor is missing.
    """
    names = [name for name in stored.shapes if name.startswith(UNET)]
    width, channels = stored.shape(f"{UNET}img_in.weight")
    norm = f"{UNET}double_blocks.0.img_attn.norm.query_norm."
    (head,) = stored.shape(f"{norm}weight" if f"{norm}weight" in stored else f"{norm}scale")
    if head != _HEAD or width % head:
        raise TrainingError(
            f"the transformer of {stored.path} is {width} wide and its heads are {head}; expected heads of {_HEAD}, as Flux.1 has them. "
            "A folder of diffusers says its sizes itself"
        )
    return {
        "patch_size": 1,
        "in_channels": channels,
        "num_layers": len(numbers(names, rf"{UNET}double_blocks\.(\d+)\.")),
        "num_single_layers": len(numbers(names, rf"{UNET}single_blocks\.(\d+)\.")),
        "attention_head_dim": head,
        "num_attention_heads": width // head,
        "joint_attention_dim": stored.shape(f"{UNET}txt_in.weight")[1],
        "pooled_projection_dim": stored.shape(f"{UNET}vector_in.in_layer.weight")[1],
        "guidance_embeds": f"{UNET}guidance_in.in_layer.weight" in stored,
        "axes_dims_rope": _AXES,
    }


def flux_tensors(tensors: Mapping[str, Tensor], width: int) -> dict[str, Tensor]:
    """The tensors of a transformer [``width`` wide] under diffusers' names; one of an unknown name keeps it."""
    return {
        name: value
        for key, tensor in tensors.items()
        for name, value in _renamed(key.removeprefix(UNET), tensor, width)
    }


def _renamed(name: str, value: Tensor, width: int) -> Iterator[tuple[str, Tensor]]:
    stem, _, last = name.rpartition(".")
    kind = "weight" if last == "scale" else last  # of norms, as they were published
    if stem == _SWAPPED:
        yield f"norm_out.linear.{kind}", torch.cat(value.chunk(2)[::-1])
        return
    group, _, rest = stem.partition(".")
    if group not in ("double_blocks", "single_blocks"):
        yield f"{_ENDS.get(stem, stem)}.{kind}", value
        return
    number, _, inner = rest.partition(".")
    if group == "double_blocks":
        at = f"transformer_blocks.{number}."
        if inner in _QKV:
            yield from ((f"{at}{part}.{kind}", each) for part, each in zip(_QKV[inner], value.chunk(3)))
        else:
            yield f"{at}{_DOUBLE.get(inner, inner)}.{kind}", value
        return
    at = f"single_transformer_blocks.{number}."
    if inner == "linear1":  # query, key, value and the first layer of the feed-forward network in one
        parts = ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
        cuts = (width, 2 * width, 3 * width)
        yield from ((f"{at}{part}.{kind}", each) for part, each in zip(parts, value.tensor_split(cuts)))
    else:
        yield f"{at}{_SINGLE.get(inner, inner)}.{kind}", value


def load_flux(stored: Stored, dtype: torch.dtype) -> Any:
    """The transformer; errors as of :func:`flux_config` and :func:`filled`."""
    from diffusers import FluxTransformer2DModel

    config = flux_config(stored)
    width = config["attention_head_dim"] * config["num_attention_heads"]
    tensors = flux_tensors(stored.under(UNET), width)
    return filled(lambda: FluxTransformer2DModel(**config), tensors, dtype, stored.path, "transformer")
