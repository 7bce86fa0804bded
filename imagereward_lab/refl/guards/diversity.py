"""How much pictures for one prompt differ from one another: a model that is tuned too far draws the same picture again and again."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 16
"""Pictures are compared at this size: by what is where, not by their grain."""


def diversity(images: Tensor) -> float:
    """Root mean square difference of two pictures for one prompt, mean over all pairs and prompts; 0 where all are equal, 1 at the most.

    Args:
        images: Float [P, S, 3, H, W] in 0..1: S pictures for each of P prompts. NaN for fewer than two of a prompt.

    >>> pair = torch.stack([torch.zeros(3, 32, 32), torch.ones(3, 32, 32)])
    >>> diversity(pair[None]), diversity(torch.stack([pair, pair[:1].expand(2, -1, -1, -1)]))
    (1.0, 0.5)
    """
    prompts, each = images.shape[:2]
    if each < 2 or not prompts:
        return float("nan")
    small = F.adaptive_avg_pool2d(images.flatten(0, 1).float(), SIDE).reshape(prompts, each, -1)
    first, second = torch.triu_indices(each, each, 1)
    differences = (small[:, first] - small[:, second]).pow(2).mean(dim=2).sqrt()
    return float(differences.mean())
