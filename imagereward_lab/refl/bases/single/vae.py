"""An autoencoder out of a checkpoint."""

from __future__ import annotations

from typing import Any

import torch

from .layout import Stored, numbers
from .networks import filled

VAE = "first_stage_model."


def vae_config(stored: Stored, prefix: str = VAE) -> dict[str, Any]:
    """Arguments of diffusers' ``AutoencoderKL``, but for the scale of latents, which is in no shape."""
    stored.shape(f"{prefix}decoder.conv_in.weight")  # or it is told that there is none
    names = [name for name in stored.shapes if name.startswith(prefix)]
    levels = numbers(names, rf"{prefix}encoder\.down\.(\d+)\.")
    widths = [stored.shape(f"{prefix}encoder.down.{level}.block.0.conv1.weight")[0] for level in levels]
    return {
        "latent_channels": stored.shape(f"{prefix}decoder.conv_in.weight")[1],
        "block_out_channels": widths,
        "layers_per_block": len(numbers(names, rf"{prefix}encoder\.down\.0\.block\.(\d+)\.")),
        "down_block_types": ["DownEncoderBlock2D"] * len(widths),
        "up_block_types": ["UpDecoderBlock2D"] * len(widths),
        "use_quant_conv": f"{prefix}quant_conv.weight" in stored,
        "use_post_quant_conv": f"{prefix}post_quant_conv.weight" in stored,
    }


def load_vae(stored: Stored, dtype: torch.dtype, prefix: str = VAE, **more: Any) -> Any:
    """The autoencoder under ``prefix``; ``more`` are further arguments of it; errors as of :func:`filled`."""
    from diffusers import AutoencoderKL
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    config = {**vae_config(stored, prefix), **more}
    if config["use_quant_conv"] and config["use_post_quant_conv"]:
        # As all autoencoders once had them; older versions of diffusers do not know the words.
        del config["use_quant_conv"], config["use_post_quant_conv"]
    weights = stored.under(prefix)
    kept = {
        name: value for name, value in weights.items() if ".loss." not in name and "model_ema" not in name
    }
    tensors = convert_ldm_vae_checkpoint(kept, config)
    return filled(lambda: AutoencoderKL(**config), tensors, dtype, stored.path, "autoencoder")
