"""Float tensors of a host to exact pixels on their own device, and a differentiable way for training.

A ComfyUI picture is a float tensor ``[B, H, W, C]`` in 0..1. Scored through ``tensor_to_pixels`` it gives the
very bytes that saving it as a PNG (``SaveImage``) and scoring that file gives.
"""

from __future__ import annotations

import torch

from ..errors import ImageError
from .geometry import Placement, place, vertical_pass_first
from .interpolate import float_squares, in_square, resize_floats
from .preprocess import normalize
from .resample import chunk_values, resize_bicubic
from .spec import ImageSpec

# A picture of the differentiable path is resized whole, in float32: 3 x 64 Mi values are 768 MiB.
_MOST_PIXELS = 2**26


def quantize(images: torch.Tensor) -> torch.Tensor:
    """Floats in 0..1, of any shape and device, as uint8 as ComfyUI's ``SaveImage`` makes them.

    Times 255 in float32, to which half precision is widened first, clipped to 0..255 (infinities too), truncated. NaN becomes an
    arbitrary level: ask ``nan_pictures`` first.

    Raises:
        ImageError: The tensor is not floating point.
    """
    _check_floating(images)
    return (images.to(torch.float32) * 255.0).clamp_(0, 255).to(torch.uint8)


def nan_pictures(images: torch.Tensor) -> list[int]:
    """Indices of the pictures of ``[B, H, W, C]`` that hold NaN, so that they alone can fail.

    Infinities are not reported: they have a meaning (``quantize`` clips them to 0 or 255).
    """
    return images.isnan().flatten(1).any(dim=1).nonzero().flatten().tolist()


def tensor_to_pixels(images: torch.Tensor, spec: ImageSpec) -> torch.Tensor:
    """Float ``[B, H, W, C]`` in 0..1, C of 1, 3 or 4, as the squares ``[B, 3, size, size]`` the network sees, on their own device.

    Byte for byte what ``to_pixels`` makes of the same picture saved as a PNG: one channel as grey, three as
    RGB, four as RGBA (resized premultiplied, then the alpha is dropped, as Pillow and so the reference do;
    dropped before where the spec converts first): uint8 in 0..255. Where the spec resizes floats, they are float32 in about 0..1, the same
    bits on a CPU; a CUDA device rounds a few of them differently.

    Raises:
        ImageError: Wrong shape or dtype, an empty picture, or one too elongated to be resized.
    """
    _check_shape(images, (1, 3, 4))
    placement = place(images.shape[2], images.shape[1], spec)
    # a few pictures at a time: the working memory stays small and, on a CPU, near its caches
    step = max(1, chunk_values(images.device) // images[:1].numel()) if len(images) else 1
    return torch.cat([_squares(quantize(part), placement, spec) for part in images.split(step)])


def differentiable_pixels(images: torch.Tensor, spec: ImageSpec) -> torch.Tensor:
    """Float ``[B, H, W, C]`` in 0..1, C of 1 or 3, as normalised float32 ``[B, 3, size, size]``, through which gradients flow back.

    Float64 stays float64. The geometry is the reference's; the resize is torch's antialiased bicubic, or the reference's own
    where the spec resizes floats, which leaves no gap to the exact path. Nothing is clamped or rounded: a sharp
    edge may overshoot 0..1, and its gradient survives.

    Gap to the exact path in levels of 0..255 (size 224, torch 2.13 on a CPU, inputs of 100 x 150 to 2000 x
    2600, input already at whole levels): smooth pictures 1.1 at most, 0.31 on average. Uniform noise shrunk
    at least twice 3.0 at most, 0.28 on average; at 300 x 300 16 at most, 0.32 on average; enlarged from 100 x
    150 39 at most, 0.42 on average, because the exact path clips the overshoot to 0..255 after each pass.
    Where nothing is resized both are equal. Input between two levels, which the exact path truncates, adds up
    to 1.0, 0.5 on average.

    Raises:
        ImageError: Wrong shape or dtype, an empty picture, or one too elongated to be resized whole.
    """
    _check_shape(images, (1, 3))
    _check_floating(images)
    _, height, width, _ = images.shape
    placement = place(width, height, spec)
    if placement.width * placement.height > _MOST_PIXELS:
        raise ImageError(
            f"A picture of {width} x {height} pixels would be resized to {placement.width} x "
            f"{placement.height}; expected at most {_MOST_PIXELS} pixels. Crop it to a less extreme shape."
        )
    floats = images.to(torch.promote_types(images.dtype, torch.float32)).permute(0, 3, 1, 2)
    if spec.resizing in ("floats", "floats_antialias"):
        floats = floats.expand(-1, 3, -1, -1).contiguous()
    floats = resize_floats(floats, placement, antialias=spec.resizing != "floats")
    return normalize(in_square(floats.expand(-1, 3, -1, -1), placement, spec), spec)


def _check_floating(images: torch.Tensor) -> None:
    if not images.is_floating_point():
        raise ImageError(
            f"The picture tensor holds {images.dtype}; expected floats in 0..1. Divide uint8 levels by 255."
        )


def _check_shape(images: torch.Tensor, channels: tuple[int, ...]) -> None:
    if images.ndim != 4 or images.shape[3] not in channels:
        expected = ", ".join(str(count) for count in channels)
        raise ImageError(
            f"The picture tensor has shape {list(images.shape)}; expected [batch, height, width, channels] "
            f"with channels one of {expected}. Move the channels last, add a batch dimension with "
            f"tensor[None], or drop the extra channels."
        )


def _squares(levels: torch.Tensor, placement: Placement, spec: ImageSpec) -> torch.Tensor:
    """Squares of uint8 ``[B, H, W, C]``."""
    pixels = levels.permute(0, 3, 1, 2)
    if spec.resizing != "own_mode":
        pixels = pixels[:, :3]
    if spec.resizing in ("floats", "floats_antialias"):
        return float_squares(pixels.expand(-1, 3, -1, -1), placement, spec)
    return in_square(_resize(pixels, placement)[:, :3].expand(-1, 3, -1, -1), placement, spec).contiguous()


def _resize(pixels: torch.Tensor, placement: Placement) -> torch.Tensor:
    """Resize and crop uint8 ``[B, C, H, W]``; with alpha, premultiplied around the resize as Pillow does."""
    _, channels, height, width = pixels.shape
    size = (placement.height, placement.width)
    crop = (placement.top, placement.left, placement.kept_height, placement.kept_width)
    resized = size != (height, width)
    if channels == 4 and resized:
        pixels = _premultiply(pixels)
    pixels = resize_bicubic(
        pixels, size, crop, vertical_pass_first(width, height, placement.width, placement.height)
    )
    return _unpremultiply(pixels) if channels == 4 and resized else pixels


def _premultiply(pixels: torch.Tensor) -> torch.Tensor:
    """RGBA to RGBa with Pillow's rounding (``ImagingUtils.h``, ``MULDIV255``)."""
    alpha = pixels[:, 3:]
    product = pixels[:, :3].to(torch.int32).mul_(alpha).add_(128)
    color = product.add_(product >> 8).bitwise_right_shift_(8)
    return torch.cat([color.to(torch.uint8), alpha], dim=1)


def _unpremultiply(pixels: torch.Tensor) -> torch.Tensor:
    """RGBa to RGB with Pillow's rounding (``Convert.c``): an alpha of 0 or 255 leaves the colour as it is."""
    color, alpha = pixels[:, :3].to(torch.int32), pixels[:, 3:].to(torch.int32)
    divided = torch.div(color * 255, alpha.clamp(min=1), rounding_mode="floor").clamp_(max=255)
    return torch.where((alpha == 0) | (alpha == 255), color, divided).to(torch.uint8)
