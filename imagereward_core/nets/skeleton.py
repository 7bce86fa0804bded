"""Networks without storage: names, shapes and dtypes, ready to have a checkpoint's tensors assigned to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

M = TypeVar("M", bound=nn.Module)


class _WithoutInitialisation(TorchFunctionMode):
    """Leaves out ``torch.nn.init``: on the meta device it computes nothing, but takes seconds and imports sympy to do so."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def build_skeleton(make: Callable[[], M]) -> M:
    """The network that ``make`` builds, on the meta device and in evaluation mode, in milliseconds and without memory for its weights.

    One that holds tables which are in no checkpoint, as some of timm do, is made for real.
    """
    with torch.device("meta"), _WithoutInitialisation():
        network = make().eval()
    if {name for name, _ in network.named_buffers()} <= network.state_dict().keys():
        return network
    return make().eval()
