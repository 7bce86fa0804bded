"""Resizes float tensors with torch, bit for bit as torchvision does.

A scorer whose reference converts to floats before it resizes (hpsv2) has no levels to quantise afterwards: its pixels are
float32 in about 0..1, unclamped, because a cubic overshoots at edges.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from .geometry import Placement, fill_color
from .spec import ImageSpec


def levels_to_floats(levels: torch.Tensor) -> torch.Tensor:
    """uint8 levels to float32 ``levels / 255``, as torchvision's ``ToTensor`` rounds it on every device."""
    # a tensor, because torch multiplies CUDA tensors by the reciprocal of a plain number
    return levels.to(torch.float32).div_(torch.tensor(255.0, device=levels.device))


def resize_floats(floats: torch.Tensor, placement: Placement, antialias: bool) -> torch.Tensor:
    """Resize float32 ``[B, C, H, W]`` with torch's bicubic and cut out what the placement keeps, not clamped; gradients flow through.

    For torchvision's bits on a CPU, C has to be 3 and the memory contiguous: torch takes another kernel, which rounds
    differently, for a single channel without antialiasing and for channels-last memory with it. ``antialias`` widens the cubic (a = -0.5)
    where the picture shrinks, as Pillow does; without it four pixels each way are read with a = -0.75.
    """
    size = (placement.height, placement.width)
    if tuple(floats.shape[2:]) != size:
        floats = functional.interpolate(
            floats, size=size, mode="bicubic", align_corners=False, antialias=antialias
        )
    rows = slice(placement.top, placement.top + placement.kept_height)
    columns = slice(placement.left, placement.left + placement.kept_width)
    return floats[:, :, rows, columns]


def float_squares(levels: torch.Tensor, placement: Placement, spec: ImageSpec) -> torch.Tensor:
    """uint8 ``[B, 3, H, W]``, RGB, as float32 ``[B, 3, size, size]`` in about 0..1, unclamped, on the same device.

    The whole chain of ``floats`` and ``floats_antialias`` up to normalisation.
    """
    floats = levels_to_floats(levels.contiguous())
    return in_square(resize_floats(floats, placement, spec.resizing == "floats_antialias"), placement, spec)


def in_square(pixels: torch.Tensor, placement: Placement, spec: ImageSpec) -> torch.Tensor:
    """Set uint8 or float (0..1) ``[B, 3, h, w]`` into squares of the spec's fill colour; a full square stays as it is."""
    if tuple(pixels.shape[2:]) == (spec.size, spec.size):
        return pixels
    color = torch.tensor(fill_color(spec), device=pixels.device) * (
        1 / 255 if pixels.is_floating_point() else 1
    )
    squares = color.to(pixels.dtype)[None, :, None, None].repeat(len(pixels), 1, spec.size, spec.size)
    rows = slice(placement.pad_top, placement.pad_top + placement.kept_height)
    columns = slice(placement.pad_left, placement.pad_left + placement.kept_width)
    squares[:, :, rows, columns] = pixels
    return squares
