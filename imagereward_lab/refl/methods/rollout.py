"""What a method gives: images that carry a gradient, and what guards need to know of how they came about."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..bases.base import Base
from ..bases.conditions import Conditions
from .options import MethodOptions


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A call of the denoiser that carries a gradient: what a guard compares with the frozen model.

    Attributes:
        latents: It was given, [M, C, h, w], without gradient.
        timesteps: And these, float [M].
        rows: Which prompts they are about: M places.
        output: What it gave, guidance included, with its gradient.
    """

    latents: Tensor
    timesteps: Tensor
    rows: tuple[int, ...]
    output: Tensor


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """Pictures drawn for tuning.

    Attributes:
        images: Float [M, 3, H, W] in 0..1, with the gradient of the method.
        rows: Which prompt each is about: M places, mostly 0..N-1, or several times each.
        latents: The clean latents they were decoded from, [M, C, h, w].
        at: The step the gradient began at, for each picture.
        visits: Calls of the denoiser with gradient.
    """

    images: Tensor
    rows: tuple[int, ...]
    latents: Tensor
    at: tuple[int, ...]
    visits: tuple[Visit, ...] = ()


RolloutOf = Callable[[Base, Conditions, Sequence[torch.Generator], Any], Rollout]
"""Draws a picture for each prompt, with gradients where they are enabled; a generator of the processor for each."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way from a reward back into the denoiser.

    Attributes:
        name: In options and files.
        summary: A sentence.
        options: The dataclass of what can be chosen.
        rollout: Draws. Under ``torch.no_grad()`` nothing carries a gradient, and the pictures are the same.
    """

    name: str
    summary: str
    options: type[MethodOptions]
    rollout: RolloutOf


def loss(rewards: Tensor, options: MethodOptions) -> Tensor:
    """Loss of each picture, [M]: ``ReLU(bound - reward) * weight``, or without a bound (None, infinity) ``-reward * weight``.

    >>> loss(torch.tensor([0.5, 3.0]), MethodOptions(bound=2.0, weight=1.0)).tolist()
    [1.5, 0.0]
    """
    if options.bound is None or math.isinf(options.bound):
        return -rewards * options.weight
    return torch.relu(options.bound - rewards) * options.weight
