"""Linear layers whose weights lie the way oneDNN's CPU kernels read them.

A plain linear layer rearranges its weight on every call; for half precision on a CPU with matrix units that is a good part of the
work. Here it is done once, the plain weight is let go, and GELU runs inside the same kernel. Scores differ from those of the
plain layers by rounding only. For scoring, never for training: a packed weight has no gradient and is no parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .layers import Linear


class PackedLinear(Linear):
    """A linear layer after :func:`pack`: computes the same, cannot be trained.

    ``weight`` is an opaque tensor with the shape and dtype of the plain one. ``state_dict`` gives the plain weight, and moving the
    layer to another device or dtype turns it back into a plain one.
    """

    @classmethod
    def from_plain(cls, plain: Linear, rows: int) -> None:
        """Packs ``plain`` in place, tuned for inputs of about ``rows`` rows."""
        weight = plain.weight.detach()
        del plain.weight
        plain.__class__ = cls
        plain.weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)

    def forward(self, inputs: Tensor) -> Tensor:
        """[..., inputs] to [..., outputs]."""
        return _linear(inputs, self.weight, self.bias, "none", [], "")

    def gelu(self, inputs: Tensor) -> Tensor:
        """``gelu(linear(inputs))`` with the exact (erf) GELU, in one kernel."""
        return _linear(inputs, self.weight, self.bias, "gelu", [], "none")

    def unpack(self) -> None:
        """Becomes a plain layer again."""
        weight = self.weight.to_dense()
        del self.weight
        self.__class__ = Linear
        self.weight = nn.Parameter(weight, requires_grad=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        probe = torch.empty(0, dtype=self.weight.dtype)
        moved = fn(probe)
        if moved.device != probe.device or moved.dtype != probe.dtype:
            self.unpack()
        return super()._apply(fn, recurse)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "weight"] = self.weight.to_dense()


def _linear(*arguments: Any) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(*arguments)


def pack(network: nn.Module, rows: int = 197 * 4) -> int:
    n = 0
    for name, module in network.named_modules():
        if type(module) is Linear:
            PackedLinear.from_plain(
                module,
                rows
                if "text" not in name
                or "crossattention.self.key" in name
                or "crossattention.self.value" in name
                else 76,
            )
            n += 1
    return n
