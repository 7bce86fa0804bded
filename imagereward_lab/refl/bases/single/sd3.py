"""A transformer of SD 3 out of a checkpoint: its sizes follow from shapes, its names by diffusers' own conversion."""

from __future__ import annotations

import math
from typing import Any

import torch

from .layout import UNET, Stored, numbers
from .networks import filled

_HEAD = 64
"""Channels of a head of attention, which are in no shape."""


def sd3_config(stored: Stored) -> dict[str, Any]:
    """Arguments of diffusers' ``SD3Transformer2DModel``."""
    names = [name for name in stored.shapes if name.startswith(UNET)]
    width, channels, patch, _ = stored.shape(f"{UNET}x_embedder.proj.weight")
    context = stored.shape(f"{UNET}context_embedder.weight")
    config: dict[str, Any] = {
        "sample_size": 128,
        "patch_size": patch,
        "in_channels": channels,
        "num_layers": len(numbers(names, rf"{UNET}joint_blocks\.(\d+)\.")),
        "attention_head_dim": _HEAD,
        "num_attention_heads": width // _HEAD,
        "joint_attention_dim": context[1],
        "caption_projection_dim": context[0],
        "pooled_projection_dim": stored.shape(f"{UNET}y_embedder.mlp.0.weight")[1],
        "out_channels": stored.shape(f"{UNET}final_layer.linear.weight")[0] // patch**2,
        "pos_embed_max_size": math.isqrt(stored.shape(f"{UNET}pos_embed")[1]),
    }
    # Of SD 3.5 only, and unknown to versions of diffusers before it.
    if f"{UNET}joint_blocks.0.x_block.attn.ln_q.weight" in stored:
        config["qk_norm"] = "rms_norm"
    if double := numbers(names, rf"{UNET}joint_blocks\.(\d+)\.x_block\.attn2\."):
        config["dual_attention_layers"] = tuple(double)
    return config


def load_sd3(stored: Stored, dtype: torch.dtype) -> Any:
    """The transformer; errors as of :func:`filled`."""
    from diffusers import SD3Transformer2DModel
    from diffusers.loaders.single_file_utils import convert_sd3_transformer_checkpoint_to_diffusers

    config = sd3_config(stored)
    tensors = convert_sd3_transformer_checkpoint_to_diffusers(stored.under(UNET))
    return filled(lambda: SD3Transformer2DModel(**config), tensors, dtype, stored.path, "transformer")
