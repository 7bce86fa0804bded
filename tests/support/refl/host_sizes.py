"""The sizes of the tiny models in the words of ComfyUI, which Forge Neo has taken over, and hosts' weights in the words of diffusers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tests.support.refl.tiny_models import TEXT, tiny_model

_UNET: dict[str, Any] = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "use_spatial_transformer": True,
    "num_heads": 4,
    "num_head_channels": -1,
}
_FOUR = {
    "channel_mult": [1, 1, 2, 2],
    "num_res_blocks": [2, 2, 2, 2],
    "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
    "transformer_depth_output": [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
    "transformer_depth_middle": 1,
}
_DENOISERS: dict[str, dict[str, Any]] = {
    "sd": {**_UNET, **_FOUR, "context_dim": 24, "use_linear_in_transformer": False},
    "sd2": {**_UNET, **_FOUR, "context_dim": 1024, "use_linear_in_transformer": True},
    "sdxl": {
        **_UNET,
        "channel_mult": [1, 1, 2],
        "num_res_blocks": [2, 2, 2],
        "transformer_depth": [0, 0, 1, 1, 2, 2],
        "transformer_depth_output": [0, 0, 0, 1, 1, 1, 2, 2, 2],
        "transformer_depth_middle": 2,
        "context_dim": 64,
        "use_linear_in_transformer": True,
        "num_classes": "sequential",
        "adm_in_channels": 80,
    },
    "sd3": {
        "in_channels": 4,
        "out_channels": 4,
        "patch_size": 2,
        "depth": 2,
        "input_size": None,
        "adm_in_channels": 64,
        "context_embedder_config": {
            "target": "torch.nn.Linear",
            "params": {"in_features": 32, "out_features": 128},
        },
        "num_patches": 96 * 96,
        "pos_embed_max_size": 96,
        "pos_embed_scaling_factor": None,
        "qk_norm": "rms",
        "x_block_self_attn_layers": [0],
    },
    "flux": {
        "in_channels": 1,
        "out_channels": 1,
        "vec_in_dim": 32,
        "context_in_dim": 32,
        "hidden_size": 32,
        "mlp_ratio": 4.0,
        "num_heads": 2,
        "depth": 2,
        "depth_single_blocks": 2,
        "axes_dim": [4, 4, 8],
        "theta": 10000,
        "patch_size": 2,
        "qkv_bias": True,
        "guidance_embed": False,
        "txt_ids_dims": [],
    },
    "generator": {
        **_UNET,
        "channel_mult": [1, 1],
        "num_res_blocks": [1, 1],
        "transformer_depth": [1, 1],
        "transformer_depth_output": [1, 1, 1, 1],
        "transformer_depth_middle": 1,
        "context_dim": 32,
        "use_linear_in_transformer": False,
    },
}
_TEXTS = {"sd": ["clip_l"], "sd2": ["clip_h"], "sdxl": ["clip_l", "clip_g"], "generator": ["clip_l"]}
ENCODERS = {"clip_l": "text_encoder", "clip_h": "text_encoder", "clip_g": "text_encoder_2"}
"""Names of text encoders: the hosts' and diffusers'."""


def host_sizes(which: str) -> dict[str, Any]:
    """What ``host_merge.py`` makes a host's model of."""
    sizes = {**TEXT, "num_hidden_layers": 1} if which == "generator" else TEXT
    return {
        "kind": "sd" if which == "generator" else which,
        "denoiser": _DENOISERS[which],
        "text": dict.fromkeys(_TEXTS.get(which, []), sizes),
    }


def in_diffusers_words(
    which: str, weights: dict[str, Tensor], shapes: dict[str, list[int]]
) -> dict[str, Tensor]:
    """Weights of a host's model by network and layer, as an adapter has them; diffusers' own conversion of checkpoints is used.

    Args:
        which: Of the tiny models.
        weights: By the host's names.
        shapes: Of all weights of the host's model; what is not among ``weights`` is zero.
    """
    from diffusers.loaders import single_file_utils as convert

    found: dict[str, Tensor] = {}
    whole = {name: weights.get(name, torch.zeros(shape)) for name, shape in shapes.items()}
    for name, each in whole.items():
        encoder, _, rest = name.partition(".transformer.text_model.")
        if encoder in ENCODERS and rest:
            found[f"{ENCODERS[encoder]}/{rest}"] = each
    denoiser = {
        name.removeprefix("diffusion_model."): each
        for name, each in whole.items()
        if name.startswith("diffusion_model.")
    }
    if which == "flux":
        made = _flux(denoiser)
    elif which == "sd3":
        made = convert.convert_sd3_transformer_checkpoint_to_diffusers(denoiser)
    else:
        ldm = {f"model.diffusion_model.{name}": each for name, each in denoiser.items()}
        made = convert.convert_ldm_unet_checkpoint(ldm, tiny_model(which).denoiser.config)
    return found | {f"denoiser/{name}": each for name, each in made.items()}


def _flux(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of the blocks; diffusers' own conversion knows one width only."""
    made: dict[str, Tensor] = {}
    plain = {
        "img_attn.proj": "attn.to_out.0",
        "txt_attn.proj": "attn.to_add_out",
        "img_mlp.0": "ff.net.0.proj",
    }
    plain |= {"img_mlp.2": "ff.net.2", "txt_mlp.0": "ff_context.net.0.proj", "txt_mlp.2": "ff_context.net.2"}
    for name, each in weights.items():
        blocks, _, rest = name.partition(".")
        number, _, inner = rest.partition(".")
        layer, _, kind = inner.rpartition(".")
        if kind != "weight" or blocks not in ("double_blocks", "single_blocks"):
            continue
        if blocks == "single_blocks":
            at = f"single_transformer_blocks.{number}"
            if layer == "linear1":
                width = each.shape[1]
                parts = each.split([width, width, width, each.shape[0] - 3 * width])
                names = ["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"]
                made |= {f"{at}.{part}.weight": value for part, value in zip(names, parts, strict=True)}
            elif layer == "linear2":
                made[f"{at}.proj_out.weight"] = each
            continue
        at = f"transformer_blocks.{number}"
        if layer in plain:
            made[f"{at}.{plain[layer]}.weight"] = each
        elif layer in ("img_attn.qkv", "txt_attn.qkv"):
            names = (
                ["to_q", "to_k", "to_v"]
                if layer.startswith("img")
                else ["add_q_proj", "add_k_proj", "add_v_proj"]
            )
            made |= {
                f"{at}.attn.{part}.weight": value for part, value in zip(names, each.chunk(3), strict=True)
            }
    return made
