"""What lets the generator's networks learn faster on a processor without learning anything else.

Where the processor multiplies bfloat16 in tiles (AMX), products are taken in that. Torch's own group norm and fused attention are
slow backwards on processors, in bfloat16 most of all; while a network learns, both are done in forms that give the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PRECISIONS = ("auto", "fp32", "bf16")


def chosen_precision(asked: str, device: torch.device) -> str:
    """``fp32`` or ``bf16`` for one of :data:`PRECISIONS`: ``auto`` is bf16 where this is quick, on graphics cards and with AMX."""
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # newer torch has it
    return "bf16" if device.type == "cpu" and capabilities.get("amx_bf16") else "fp32"


@contextmanager
def quick_on_processors(*networks: Any) -> Iterator[None]:
    """A context in which the networks, of diffusers or transformers, compute the same in forms that are quick on processors."""
    from diffusers.models.attention_processor import AttnProcessor

    norms = [each for network in networks for each in network.modules() if isinstance(each, nn.GroupNorm)]
    attending = [network for network in networks if hasattr(network, "attn_processors")]
    processors = [network.attn_processors for network in attending]
    fused = [
        (network, network.config._attn_implementation)
        for network in networks
        if hasattr(network, "set_attn_implementation")
    ]
    try:
        for norm in norms:
            vars(norm)["forward"] = partial(_normalised, norm)
        for network in attending:
            network.set_attn_processor(AttnProcessor())
        for network, _ in fused:
            network.set_attn_implementation("eager")
        yield
    finally:
        for norm in norms:
            norm.__dict__.pop("forward", None)
        for network, before in zip(attending, processors):
            network.set_attn_processor(dict(before))
        for network, name in fused:
            network.set_attn_implementation(name)


def _normalised(norm: nn.GroupNorm, images: Tensor) -> Tensor:
    """What a group norm gives, by torch's layer norm over each group: several times as fast backwards."""
    rows = images.contiguous().view(len(images), norm.num_groups, -1)
    even = F.layer_norm(rows, rows.shape[-1:], eps=norm.eps).view(images.shape)
    one_each = (1, -1, *[1] * (images.dim() - 2))
    return even * norm.weight.to(even.dtype).view(one_each) + norm.bias.to(even.dtype).view(one_each)
