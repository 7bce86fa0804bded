"""A UNet of SD 1, SD 2 or SDXL out of a checkpoint: its sizes follow from shapes, its names by diffusers' own conversion."""

from __future__ import annotations

from typing import Any

import torch

from .layout import UNET, Stored, numbers
from .networks import filled


def unet_config(stored: Stored) -> dict[str, Any]:
    """Arguments of diffusers' ``UNet2DConditionModel``.

    How many heads attention has is in no shape: SD 1, whose projections around attention are convolutions, has 8 everywhere, the others one
    for 64 channels.
    """
    first = stored.shape(f"{UNET}input_blocks.0.0.weight")
    levels: list[list[int]] = [[]]
    depths: list[int] = [0]
    widths: list[int] = [first[0]]
    linear, context = False, 0
    names = [name for name in stored.shapes if name.startswith(UNET)]
    for block in numbers(names, rf"{UNET}input_blocks\.(\d+)\.")[1:]:
        prefix = f"{UNET}input_blocks.{block}."
        if f"{prefix}0.op.weight" in stored:
            levels.append([])
            depths.append(0)
            widths.append(0)
            continue
        levels[-1].append(block)
        widths[-1] = stored.shape(f"{prefix}0.out_layers.3.weight")[0]
        depth = len(numbers(names, rf"{prefix}1\.transformer_blocks\.(\d+)\."))
        depths[-1] = max(depths[-1], depth)
        if depth:
            linear = len(stored.shape(f"{prefix}1.proj_in.weight")) == 2
            context = stored.shape(f"{prefix}1.transformer_blocks.0.attn2.to_k.weight")[1]
    crossed = ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths]
    config: dict[str, Any] = {
        "in_channels": first[1],
        "out_channels": stored.shape(f"{UNET}out.2.weight")[0],
        "block_out_channels": widths,
        "layers_per_block": len(levels[0]),
        "down_block_types": crossed,
        "up_block_types": [each.replace("Down", "Up") for each in reversed(crossed)],
        "transformer_layers_per_block": [max(depth, 1) for depth in depths],
        "cross_attention_dim": context or None,
        "use_linear_projection": linear,
        # The number of heads: diffusers keeps this name for the sake of old files.
        "attention_head_dim": [width // 64 for width in widths] if linear else 8,
    }
    label = f"{UNET}label_emb.0.0.weight"
    if label in stored:
        config |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": stored.shape(label)[1],
        }
    return config


def load_unet(stored: Stored, dtype: torch.dtype, side: int) -> Any:
    """The UNet, for latents of ``side`` by ``side``; errors as of :func:`filled`."""
    from diffusers import UNet2DConditionModel
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    config = {**unet_config(stored), "sample_size": side}
    tensors = convert_ldm_unet_checkpoint(stored.under(UNET), config)
    return filled(lambda: UNet2DConditionModel(**config), tensors, dtype, stored.path, "UNet")
