"""Squares of pixels as the networks take them."""

from __future__ import annotations

import numpy as np
import torch


def stack_pixels(pictures):
    """``[S, S, 3]`` squares from ``to_pixels`` as a CPU tensor ``[B, 3, S, S]`` of their type."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
