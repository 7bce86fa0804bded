"""Keeps gradients of fp16 from vanishing."""

from __future__ import annotations

from typing import Any

import torch

from ..errors import TrainingError


def make_scaler(precision: str, device: torch.device) -> Any:
    """Keeps gradients of fp16 from vanishing; None where none do.

    Raises:
        TrainingError: fp16 on a device that has no such scaler.
    """
    if precision != "fp16":
        return None
    if device.type != "cuda":
        raise TrainingError(
            f"fp16 is for training on NVIDIA and AMD graphics cards, found {device.type}; use --precision bf16 or fp32"
        )
    # torch 2.3 moved it, and warns at the old place from 2.4 on
    newer = getattr(torch.amp, "GradScaler", None)
    return torch.cuda.amp.GradScaler() if newer is None else newer("cuda")
