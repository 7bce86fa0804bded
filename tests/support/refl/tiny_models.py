"""The smallest denoisers and text encoders of each kind, by diffusers and transformers, with numbers by a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from tests.support.oracles import import_torchvision

TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}
"""Sizes of text encoders."""
KINDS = ("sd", "sd2", "sdxl", "sd3", "flux", "generator")


@dataclass
class TinyModel:
    """As much of a model as a LoRA needs."""

    kind: str
    denoiser: Any
    text_encoders: dict[str, Any] = field(default_factory=dict)


def tiny_model(which: str, seed: int = 0) -> TinyModel:
    """A model with the blocks of the real one, so that layers have the names they have there, and hardly any width.

    Args:
        which: One of :data:`KINDS`; ``generator`` is the project's own, which has other numbers of blocks than Stable Diffusion 1.
        seed: Of its numbers.
    """
    import_torchvision()
    import diffusers

    torch.manual_seed(seed)
    if which == "generator":
        from imagereward_lab.generator.networks import Generator, GeneratorConfig

        made = Generator(
            GeneratorConfig(width=32, heads=4, text_layers=1, text_width=32, text_mlp=48, vocabulary=100),
            seed,
        )
        return TinyModel("sd", made.unet, {"text_encoder": made.text})
    if which == "sd3":
        return TinyModel(
            "sd3",
            diffusers.SD3Transformer2DModel(
                sample_size=8,
                patch_size=2,
                in_channels=4,
                out_channels=4,
                num_layers=2,
                attention_head_dim=64,  # the hosts' own network has no other, and as many layers as heads
                num_attention_heads=2,
                joint_attention_dim=32,
                caption_projection_dim=128,
                pooled_projection_dim=64,
                dual_attention_layers=(0,),
                qk_norm="rms_norm",
            ),
        )
    if which == "flux":
        return TinyModel(
            "flux",
            diffusers.FluxTransformer2DModel(
                in_channels=4,
                num_layers=2,
                num_single_layers=2,
                attention_head_dim=16,
                num_attention_heads=2,
                joint_attention_dim=32,
                pooled_projection_dim=32,
                axes_dims_rope=(4, 4, 8),
            ),
        )
    large = which == "sdxl"
    down = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]
    up = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3
    unet = diffusers.UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 32, 64) if large else (32, 32, 64, 64),
        norm_num_groups=32,
        down_block_types=["DownBlock2D", *down[:2]] if large else down,
        up_block_types=[*up[1:3], "UpBlock2D"] if large else up,
        cross_attention_dim={"sd": 24, "sd2": 1024, "sdxl": 64}[which],
        attention_head_dim=[4, 4, 8] if large else 8,
        transformer_layers_per_block=(1, 1, 2) if large else 1,
        use_linear_projection=which != "sd",
        addition_embed_type="text_time" if large else None,
        addition_time_embed_dim=8 if large else None,
        projection_class_embeddings_input_dim=80 if large else None,
    )
    text = {"text_encoder": _text(False)}
    if large:
        text["text_encoder_2"] = _text(True)
    return TinyModel("sdxl" if large else "sd", unet, text)


def _text(projected: bool) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(**TEXT, vocab_size=50, bos_token_id=48, eos_token_id=49, pad_token_id=49)
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def attention(model: TinyModel) -> list[str]:
    """Names of the linear layers of a denoiser's blocks: attention, and the layers around it."""
    return [
        name
        for name, module in model.denoiser.named_modules()
        if isinstance(module, torch.nn.Linear)
        and (".attn" in name or ".ff" in name or ".proj_" in name)
        and ("blocks" in name or "mid_block" in name)
        and ".norm" not in name
    ]


def all_layers(model: TinyModel) -> list[str]:
    """Names of all layers that a LoRA can change: of a UNet's blocks the convolutions too."""
    if model.kind not in ("sd", "sdxl"):
        return attention(model)
    return [
        name
        for name, module in model.denoiser.named_modules()
        if name.split(".")[0] in ("down_blocks", "mid_block", "up_blocks")
        and isinstance(module, torch.nn.Linear | torch.nn.Conv2d)
    ]


def shake(parameters: Any, seed: int = 0, size: float = 0.05) -> None:
    """Gives parameters other numbers, so that no matrix is zero."""
    numbers = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in parameters:
            each.copy_(size * torch.randn(each.shape, generator=numbers))
