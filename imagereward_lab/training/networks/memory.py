"""Gradient checkpointing: layers that are calculated again for the gradients, in the place of keeping what they did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


@contextmanager
def checkpointed(layers: Iterable[nn.Module]) -> Iterator[None]:
    """A context in which each of ``layers`` keeps only its inputs; results stay the same to the last bit, dropout included."""
    chosen = list(layers)
    for layer in chosen:
        layer.forward = partial(_forward, layer, layer.forward)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in chosen:
            del layer.__dict__["forward"]


def _forward(layer: nn.Module, forward: Any, *arguments: Any, **named: Any) -> Any:
    if not torch.is_grad_enabled() or not _differentiated(layer, (*arguments, *named.values())):
        return forward(*arguments, **named)
    return checkpoint(forward, *arguments, use_reentrant=False, **named)


def _differentiated(layer: nn.Module, inputs: Iterable[Any]) -> bool:
    """Whether gradients go through a layer; through a frozen one of the text tower too, on their way to the image tower."""
    return any(each.requires_grad for each in layer.parameters()) or any(
        isinstance(each, torch.Tensor) and each.requires_grad for each in inputs
    )
