"""What hosts call the layers that a LoRA changes.

Kohya's sd-scripts set the names for Stable Diffusion 1, 2 and XL; ComfyUI (``comfy/lora.py``), Automatic1111
(``extensions-builtin/Lora/networks.py``), Forge and Forge Neo read them. For the newer models the hosts agree on less, and a LoRA gets
the names that all hosts which know the model take without a layer left over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...generator.layout import unet_name
from ...training.errors import TrainingError

DENOISER = "denoiser"
"""How UNet and transformer are called among the networks that a LoRA changes; text encoders are called as in diffusers' folders."""

_USUAL_LAYERS = 2


@dataclass(frozen=True)
class Place:
    """Where a layer's change stands in a file.

    Attributes:
        name: The layer's name, without what follows for each tensor.
        part: Which part of the host's own layer it is, from the top, where that stands for several.
        parts: How many they are.
    """

    name: str
    part: int = 0
    parts: int = 1


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a file calls the tensors of a layer.

    Attributes:
        down: What follows a layer's name for the first matrix, [rank, in].
        up: The same for the second, [out, rank].
        alpha: The same for the number that is divided by the rank to give the factor; empty where a host would fail at it. Then the
            second matrix is multiplied by the factor.
    """

    down: str = ".lora_down.weight"
    up: str = ".lora_up.weight"
    alpha: str = ".alpha"


_KOHYA = Style()
STYLES = {
    "sd": _KOHYA,
    "sdxl": _KOHYA,
    # Automatic1111 cuts two parts off every name of a LoRA for SD3, and fails at one that has fewer.
    "sd3": Style(alpha=""),
    "flux": Style(down=".lora_A.weight", up=".lora_B.weight"),
}
"""By kind of model."""


def place_of(kind: str, network: str, layer: str, denoiser: Any) -> Place:
    """Where hosts look for the change of a layer.

    Args:
        kind: ``sd``, ``sdxl``, ``sd3`` or ``flux``.
        network: :data:`DENOISER`, or the name of a text encoder.
        layer: The layer's full name in the network, of diffusers or transformers.
        denoiser: The UNet or transformer, which tells how its blocks are counted.

    Raises:
        TrainingError: Hosts have no place for it.
    """
    if network != DENOISER:
        return Place(_text_name(kind, network, layer))
    try:
        return _DENOISERS[kind](layer, denoiser)
    except KeyError:
        raise TrainingError(
            f"a model of kind {kind!r} has no names for a LoRA; expected one of {', '.join(STYLES)}"
        ) from None


def _text_name(kind: str, network: str, layer: str) -> str:
    prefix = {
        ("sd", "text_encoder"): "lora_te",
        ("sdxl", "text_encoder"): "lora_te1",
        ("sdxl", "text_encoder_2"): "lora_te2",
    }.get((kind, network))
    # Transformers 5 leaves out the name of the only module.
    inner = layer.removeprefix("text_model.")
    if prefix is None or not re.fullmatch(
        r"encoder\.layers\.\d+\.(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])", inner
    ):
        raise _nowhere(f"{network}.{layer}", kind)
    return f"{prefix}_text_model_{_flat(inner)}"


def _unet(layer: str, denoiser: Any) -> Place:
    """Of Stable Diffusion 1 and 2: diffusers' names, where Automatic1111 counts their blocks right; else the checkpoint's."""
    layers = denoiser.config.layers_per_block
    if layers != _USUAL_LAYERS:
        return _checkpoint_unet(layer, denoiser)
    if not re.fullmatch(r"(down_blocks|up_blocks|mid_block|conv_in|conv_out|time_embedding)\b.*", layer):
        raise _nowhere(layer, "sd")
    return Place(f"lora_unet_{_flat(layer)}")


def _checkpoint_unet(layer: str, denoiser: Any) -> Place:
    """The names of the checkpoint, which sd-scripts writes for SDXL and all hosts take for every UNet."""
    layers = denoiser.config.layers_per_block
    if not isinstance(layers, int):
        raise _nowhere(layer, "UNet")
    name = unet_name(f"{layer}.weight", layers).removesuffix(".weight")
    block = re.match(r"up_blocks\.(\d+)\.upsamplers\.", layer)
    if block and not hasattr(denoiser.up_blocks[int(block.group(1))], "attentions"):
        # What stands before it in the block is counted.
        name = re.sub(r"(output_blocks\.\d+)\.2\.", r"\1.1.", name)
    return Place(f"lora_unet_{_flat(name)}")


_SD3 = {
    "to_q": ("x_block", "{}.qkv", 0),
    "to_k": ("x_block", "{}.qkv", 1),
    "to_v": ("x_block", "{}.qkv", 2),
    "to_out.0": ("x_block", "{}.proj", None),
    "add_q_proj": ("context_block", "{}.qkv", 0),
    "add_k_proj": ("context_block", "{}.qkv", 1),
    "add_v_proj": ("context_block", "{}.qkv", 2),
    "to_add_out": ("context_block", "{}.proj", None),
    "net.0.proj": (None, "mlp.fc1", None),
    "net.2": (None, "mlp.fc2", None),
}


def _sd3(layer: str, denoiser: Any) -> Place:
    """The checkpoint's own names, where one layer gives query, key and value: the only ones that Automatic1111 has for all of them."""
    found = re.fullmatch(r"transformer_blocks\.(\d+)\.(attn2?|ff|ff_context)\.(.+)", layer)
    entry = _SD3.get(found.group(3)) if found else None
    if found is None or entry is None or (entry[0] is None) != found.group(2).startswith("ff"):
        raise _nowhere(layer, "sd3")
    number, group, _ = found.groups()
    block, inner, part = entry
    block = block or ("context_block" if group == "ff_context" else "x_block")
    name = f"lora_unet_joint_blocks_{number}_{block}_{_flat(inner.format(group))}"
    return Place(name) if part is None else Place(name, part, 3)


def _flux(layer: str, denoiser: Any) -> Place:
    """Diffusers' own names: in the checkpoint one layer stands for up to four, which would make files four times as large."""
    if not re.fullmatch(
        r"transformer_blocks\.\d+\.(attn\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)|ff(_context)?\.net\.(0\.proj|2))"
        r"|single_transformer_blocks\.\d+\.(attn\.to_[qkv]|proj_mlp|proj_out)",
        layer,
    ):
        raise _nowhere(layer, "flux")
    return Place(f"transformer.{layer}")


_DENOISERS: dict[str, Callable[[str, Any], Place]] = {
    "sd": _unet,
    "sdxl": _checkpoint_unet,
    "sd3": _sd3,
    "flux": _flux,
}


def _flat(name: str) -> str:
    return name.replace(".", "_")


def _nowhere(layer: str, kind: str) -> TrainingError:
    return TrainingError(
        f"the layer {layer} of a model of kind {kind} has no name in a LoRA that hosts read; expected layers of attention, or of the "
        "blocks around them"
    )
