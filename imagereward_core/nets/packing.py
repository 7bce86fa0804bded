"""Linear layers with their weights in the order in which oneDNN reads them.

oneDNN rearranges a half-precision weight on every call. Done once, it saves about a twentieth of the time of a batch of pictures and a
seventh of that of a single one. The plain weight is let go, so memory stays what it was. For scoring only: a packed weight is no
parameter and has no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from . import onednn
from .layers import Linear

# oneDNN chooses the arrangement for a number of input rows: here those of eight pictures of 197 tokens. Others run well with it.
ROWS = 8 * 197


class PackedLinear(Linear):
    """A linear layer after :func:`pack`.

    Its ``weight`` is opaque, with the shape and dtype of the plain one. ``state_dict`` gives the plain weight, and the layer turns
    plain again when it is moved to another device or dtype.
    """

    def _through_onednn(self, inputs: Tensor) -> bool:
        return True  # nothing else can read the weight

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        probe = torch.empty(0, dtype=self.weight.dtype)
        moved = fn(probe)
        if (moved.device, moved.dtype) != (probe.device, probe.dtype):
            _unpack(self)
        return nn.Module._apply(self, fn)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        destination[f"{prefix}weight"] = self.weight.to_dense()
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def _load_from_state_dict(self, *arguments: Any) -> None:
        _unpack(self)
        self._load_from_state_dict(*arguments)


def pack(network: nn.Module) -> int:
    """Packs the half-precision linear layers of a network on the CPU, in place; returns how many.

    Float32 layers are left alone: they would gain little, and a memory-mapped weight would become one in memory. Packing one layer
    at a time needs room for one weight more.
    """
    layers = [
        layer
        for layer in network.modules()
        if type(layer) is Linear
        and layer.weight.device.type == "cpu"
        and layer.weight.dtype in (torch.bfloat16, torch.float16)
        and onednn.supported(layer.weight.dtype)
    ]
    for layer in layers:
        with torch.inference_mode(False):
            packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().contiguous(), ROWS)
        # In this order every moment finds a usable layer, should another thread be scoring.
        layer.__dict__["weight"] = packed
        layer.__class__ = PackedLinear
        del layer._parameters["weight"]
    return len(layers)


def _unpack(layer: Linear) -> None:
    """Turns a packed layer into a plain one."""
    with torch.inference_mode(False):
        weight = nn.Parameter(layer.weight.to_dense())
    layer._parameters = {"weight": weight, **layer._parameters}  # before the bias, as in any linear layer
    layer.__class__ = Linear
    del layer.__dict__["weight"]
