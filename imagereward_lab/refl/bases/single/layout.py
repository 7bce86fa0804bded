"""The tensors of a checkpoint, and what kind of model they are by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from imagereward_core.errors import WeightsError
from imagereward_core.weights.checkpoint import StateFile

from ....training.errors import TrainingError

UNET = "model.diffusion_model."
_KINDS = {
    "sdxl": f"{UNET}label_emb.0.0.weight",
    "sd": f"{UNET}input_blocks.0.0.weight",
    "sd3": f"{UNET}joint_blocks.0.x_block.attn.qkv.weight",
    "flux": f"{UNET}double_blocks.0.img_attn.qkv.weight",
}
EXPECTED = (
    "a whole checkpoint of SD 1, SD 2, SDXL, SD 3 or Flux with its text encoders and autoencoder (names such as "
    f"{UNET}... and first_stage_model...), or a folder of diffusers"
)


class Stored:
    """The tensors of a file: a memory map that is read when looked at.

    Raises:
        TrainingError: It is no checkpoint that can be read without running it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = StateFile(path)
            self.shapes = {name: shape for name, (_, shape) in self._file.layout().items()}
        except WeightsError as error:
            raise TrainingError(str(error)) from error

    def under(self, prefix: str) -> dict[str, Tensor]:
        """All tensors whose names begin so."""
        return self._file.map(name for name in self.shapes if name.startswith(prefix))

    def __contains__(self, name: str) -> bool:
        return name in self.shapes

    def value(self, name: str) -> Tensor:
        """One tensor."""
        return self._file.map([name])[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor.

        Raises:
            TrainingError: It is not there.
        """
        if name not in self.shapes:
            raise TrainingError(
                f"{self.path} lacks {name}, and has {len(self.shapes)} other tensors; expected {EXPECTED}"
            )
        return self.shapes[name]


def kind_of(stored: Stored) -> str:
    """``sd``, ``sdxl``, ``sd3`` or ``flux``.

    Raises:
        TrainingError: It is none of them, says what it looks like instead.
    """
    for kind, name in _KINDS.items():
        if name in stored:
            return kind
    raise TrainingError(f"{stored.path} is {_looks_like(stored.shapes)}; expected {EXPECTED}")


def _looks_like(names: Iterable[str]) -> str:
    """What a file that is no checkpoint of a known kind seems to be.

    >>> _looks_like(["lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"])
    'a LoRA, which is a change of a checkpoint'
    """
    listed = list(names)
    if any(".lora_" in name or "lora_unet" in name or ".lora." in name for name in listed):
        return "a LoRA, which is a change of a checkpoint"
    if any(name.startswith("control_model.") for name in listed):
        return "a ControlNet"
    if all(name.startswith(("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")) for name in listed):
        return "an autoencoder alone"
    if any(name.startswith(("double_blocks.", "joint_blocks.", "input_blocks.")) for name in listed):
        return "a denoiser alone, without text encoders and autoencoder"
    if any(name.startswith(("down_blocks.", "transformer_blocks.")) for name in listed):
        return "a single part of a folder of diffusers"
    return f"of no known kind: its {len(listed)} tensors begin with {', '.join(sorted(listed)[:3])}"


def numbers(names: Iterable[str] | Mapping[str, object], pattern: str) -> list[int]:
    r"""The numbers that stand where ``pattern`` has its group, each once, in order.

    >>> numbers(["a.2.x", "a.0.x", "a.0.y", "b.7.x"], r"a\.(\d+)\.")
    [0, 2]
    """
    found = (re.match(pattern, name) for name in names)
    return sorted({int(each.group(1)) for each in found if each})
