"""A moving average of weights while they are trained, which is steadier than the weights of any one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_EMA = "ema."


def average_of(learns: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """An average that begins with the weights as they are."""
    return {name: each.detach().clone() for name, each in learns.items()}


@torch.no_grad()
def follow(average: Mapping[str, Tensor], learns: Mapping[str, nn.Parameter], keep: float, done: int) -> None:
    """Moves an average towards the weights.

    Args:
        average: Changed in place.
        learns: The weights after a step.
        keep: Share of the average that stays, at the most: early steps keep less, so that the first weights are forgotten.
        done: Steps before this one.
    """
    kept = min(keep, (1 + done) / (10 + done))
    torch._foreach_lerp_(list(average.values()), [each.detach() for each in learns.values()], 1 - kept)


@contextmanager
def exchanged(learns: Mapping[str, nn.Parameter], average: Mapping[str, Tensor]) -> Iterator[None]:
    """The averaged weights in the networks while the context lasts, and no gradients."""
    own = average_of(learns)
    put(learns, average)
    try:
        with torch.no_grad():
            yield
    finally:
        put(learns, own)


@torch.no_grad()
def put(learns: Mapping[str, nn.Parameter], values: Mapping[str, Tensor]) -> None:
    """Writes values into the weights of the same names."""
    for name, each in learns.items():
        each.copy_(values[name])


def stored(average: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An average as a checkpoint has it, as ``ema.<name>``."""
    return {f"{_EMA}{name}": each for name, each in average.items()}


def of_stored(tensors: Mapping[str, Tensor], like: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """What :func:`stored` gave, from among other tensors, on the device of the weights."""
    return {name: tensors[f"{_EMA}{name}"].to(each.device) for name, each in like.items()}
