"""Linear layers through oneDNN's own operator, for scoring on x86 processors.

The operator is what torch's compiler puts in place of linear layers (``mkldnn::_linear_pointwise``, there since torch 2.0). It
applies GELU inside the matrix product, before the result is rounded, and spares the copy of the widest activations; on one picture
at a time its float32 product is faster too. It computes the same up to rounding, keeps nothing, and knows no gradient.
"""

from __future__ import annotations

import platform
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

X86 = ("x86_64", "amd64")


def usable(inputs: Tensor, weight: Tensor) -> bool:
    """Whether :func:`linear` may take the place of a plain linear layer here: on an x86 CPU, where no gradient is wanted."""
    return (
        inputs.device.type == "cpu"
        and not torch.is_grad_enabled()
        and inputs.dtype == weight.dtype
        and supported(weight.dtype)
    )


@cache
def supported(dtype: torch.dtype) -> bool:
    """Whether this torch on this processor has the operator for ``dtype`` and gets a small product right; tried once."""
    if platform.machine().lower() not in X86 or not torch.backends.mkldnn.is_available():
        return False
    with torch.inference_mode():
        inputs = torch.linspace(-2.0, 2.0, 3 * 32).view(3, 32).to(dtype)
        weight = torch.linspace(-0.5, 0.7, 16 * 32).view(16, 32).to(dtype)
        bias = torch.linspace(-1.0, 1.0, 16).to(dtype)
        try:
            given = linear(inputs, weight, bias, gelu=True)
        except (AttributeError, RuntimeError, NotImplementedError):
            return False
        expected = F.gelu(F.linear(inputs.float(), weight.float(), bias.float()))
        # the result is rounded once: to half of the last digit of the largest number
        allowed = torch.finfo(dtype).eps * float(expected.abs().max()) * 4
        return bool((given.float() - expected).abs().max() <= allowed)


def linear(inputs: Tensor, weight: Tensor, bias: Tensor, gelu: bool = False) -> Tensor:
    """``inputs`` [..., I] times ``weight`` [O, I] plus ``bias`` [O] as [..., O], and with ``gelu`` the exact (erf) GELU of it."""
    kind, algorithm = ("gelu", "none") if gelu else ("none", "")
    output: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, kind, [], algorithm)
    return output
