"""Preprocessing: a Pillow picture to the exact pixels, and those to the exact floats, a scorer was published with.

The default chain and its order are the reference's (ImageReward/ImageReward.py, ``_transform``): resize, centre
crop, conversion to RGB, division by 255, normalisation. Converting last matters: Pillow resizes palette and 1-bit
pictures without interpolation, CMYK in CMYK, and pictures with alpha premultiplied, after which the alpha is
dropped, not composited. Other scorers convert first, or resize floats (``ImageSpec.resizing``). Torchvision is not
needed; tests hold this file to it byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..errors import ImageError
from .geometry import Placement, fill_color, place, vertical_pass_first
from .resample import resize_bicubic
from .spec import ImageSpec

if TYPE_CHECKING:
    import torch

# 8-bit bands that Pillow resamples independently; alpha modes with the mode they are premultiplied to
_BANDED_MODES = {"L", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "La", "RGBa"}
_PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}
_NEAREST_MODES = {"1", "P"}

# Beyond this a resized picture is not made whole, only its crop. 16 Mi pixels of 4 bytes are 64 MiB.
_WHOLE_PIXELS = 2**24
# The modes whose crop cannot be made alone (I, F, I;16, PA) are made whole up to here: 256 MiB.
_MOST_PIXELS = 2**26


def to_pixels(image: Image.Image, spec: ImageSpec) -> np.ndarray:
    """Turn a picture of any mode into the RGB square the network sees, before normalisation.

    Equal byte for byte to torchvision's ``Resize(size, BICUBIC)``, ``CenterCrop(size)`` and
    ``convert("RGB")`` in this order, with the installed Pillow. A very elongated picture gives the same bytes
    without the resized picture, of up to gigabytes, ever being in memory. Other framings and resizings are
    equal to their own references in the same way (the constants of ``spec`` name them); ``framing="pad"`` fits
    the whole picture, with the same resampling, centred on the mean colour.

    Returns:
        ``[size, size, 3]``, RGB, writable and contiguous: uint8 in 0..255, or, where the spec resizes floats,
        float32 in about 0..1, unclamped.

    Raises:
        ImageError: Pillow cannot decode, resize or convert the picture (for instance 16-bit grey before
            Pillow 11).
    """
    placement = place(image.width, image.height, spec)
    try:
        if spec.resizing != "own_mode":
            image = _converted(image)
        if spec.resizing in ("floats", "floats_antialias"):
            return _float_square(image, placement, spec)
        pixels = _cropped_rgb(image, placement)
    except ImageError:
        raise
    except Exception as error:  # unsupported modes, damaged data, missing profiles: Pillow raises many types
        raise ImageError(
            f"A picture of mode {image.mode!r}, {image.width} x {image.height} pixels, could not be resized "
            f"and converted to RGB: {type(error).__name__}: {error}; expected a mode Pillow can resize. "
            f"Save it as an 8-bit RGB picture and score that."
        ) from error
    if pixels.shape[:2] == (spec.size, spec.size):
        return pixels
    square = np.empty((spec.size, spec.size, 3), dtype=np.uint8)
    square[:] = fill_color(spec)
    rows = slice(placement.pad_top, placement.pad_top + placement.height)
    columns = slice(placement.pad_left, placement.pad_left + placement.width)
    square[rows, columns] = pixels
    return square


def normalize(pixels: torch.Tensor, spec: ImageSpec) -> torch.Tensor:
    """Turn pixels ``[B, 3, S, S]`` into float32 ``(x - mean) / std``, on the same device; uint8 is divided by 255 first.

    Equal bit for bit to torchvision's ``ToTensor`` and ``Normalize``, and to the rescaling and normalisation of
    transformers' Pillow-based processors. The divisors are tensors on the device because torch multiplies CUDA
    tensors by the reciprocal of a plain number, which rounds differently.
    """
    import torch

    from .interpolate import levels_to_floats

    device = pixels.device
    floats = pixels if pixels.is_floating_point() else levels_to_floats(pixels)
    mean = torch.tensor(spec.mean, dtype=torch.float32, device=device)[:, None, None]
    std = torch.tensor(spec.std, dtype=torch.float32, device=device)[:, None, None]
    return floats.sub(mean).div_(std)


def _converted(image: Image.Image) -> Image.Image:
    """The picture in RGB, without touching the given one and without Pillow's warning about transparency."""
    if image.mode == "RGB":
        return image
    if "transparency" in image.info:
        image = image.copy()
        image.info.pop("transparency")
    return image.convert("RGB")


def _float_square(image: Image.Image, placement: Placement, spec: ImageSpec) -> np.ndarray:
    import torch

    from .interpolate import float_squares

    levels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
    square: np.ndarray = float_squares(levels, placement, spec)[0].permute(1, 2, 0).contiguous().numpy()
    return square


def _cropped_rgb(image: Image.Image, placement: Placement) -> np.ndarray:
    too_large_whole = placement.width * placement.height > _WHOLE_PIXELS
    if too_large_whole and image.mode in _NEAREST_MODES:
        return _nearest_crop(image, placement)
    if too_large_whole and image.mode in _BANDED_MODES | _PREMULTIPLIED.keys():
        return _rgb(_bicubic_crop(image, placement))
    if placement.width * placement.height > _MOST_PIXELS:
        raise ImageError(
            f"A picture of mode {image.mode!r} and {image.width} x {image.height} pixels would be resized to "
            f"{placement.width} x {placement.height}; expected at most {_MOST_PIXELS} pixels in this mode. "
            f"Save it as an 8-bit RGB picture or crop it to a less extreme shape."
        )
    if image.size != (placement.width, placement.height):
        image = image.resize((placement.width, placement.height), Image.Resampling.BICUBIC)
    return _rgb(image.crop(_crop_box(placement)))


def _crop_box(placement: Placement) -> tuple[int, int, int, int]:
    right, bottom = placement.left + placement.kept_width, placement.top + placement.kept_height
    return placement.left, placement.top, right, bottom


def _rgb(image: Image.Image) -> np.ndarray:
    # Without this entry Pillow neither warns nor converts the transparent colour; the pixels are the same.
    image.info.pop("transparency", None)
    return np.array(image.convert("RGB"))


def _bicubic_crop(image: Image.Image, placement: Placement) -> Image.Image:
    """Compute the crop alone, with our own resampler, in the picture's own mode."""
    import torch

    working = image.convert(_PREMULTIPLIED[image.mode]) if image.mode in _PREMULTIPLIED else image
    bands = np.stack([np.asarray(band) for band in working.split()])
    resized = resize_bicubic(
        torch.from_numpy(bands)[None],
        (placement.height, placement.width),
        (placement.top, placement.left, placement.kept_height, placement.kept_width),
        vertical_pass_first(*image.size, placement.width, placement.height),
    )
    crop = Image.merge(working.mode, [Image.fromarray(band) for band in resized[0].contiguous().numpy()])
    return crop.convert(image.mode) if image.mode in _PREMULTIPLIED else crop


def _nearest_crop(image: Image.Image, placement: Placement) -> np.ndarray:
    """Compute the crop alone as Pillow's NEAREST does: picking pixels and converting them can swap places."""
    columns = _nearest_positions(image.width, placement.width, placement.left, placement.kept_width)
    rows = _nearest_positions(image.height, placement.height, placement.top, placement.kept_height)
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    picked: np.ndarray = _rgb(image.crop(box))[rows[:, None] - rows[0], columns - columns[0]]
    return picked


def _nearest_positions(in_size: int, out_size: int, start: int, length: int) -> np.ndarray:
    """Input positions of outputs ``start`` onwards.

    Pillow adds the step to the position once per output (``Geometry.c``, ``ImagingScaleAffine``), so its
    rounding errors accumulate from the first output on, and are repeated here in the same order.
    """
    step = in_size / out_size
    position = step * 0.5
    while start:
        ahead = min(start, 2**20)
        position = _running_sums(position, step, ahead)[-1]
        start -= ahead
    return _running_sums(position, step, length - 1).astype(np.int64)


def _running_sums(position: float, step: float, count: int) -> np.ndarray:
    terms = np.full(count + 1, step)
    terms[0] = position
    return np.cumsum(terms)
