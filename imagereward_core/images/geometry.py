"""Geometry of the scorer's square: sizes, offsets and the order of the two resampling passes.

Every way a picture can take (Pillow, tensor, differentiable) asks this module, so that they agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import PIL

from ..errors import ImageError
from .spec import ImageSpec

_INT_MAX = 2**31 - 1


@dataclass(frozen=True)
class Placement:
    """How a picture of one size is brought into the square; all in pixels.

    Attributes:
        width, height: What the whole picture is resized to.
        left, top: First column and row of the resized picture that are kept (center_crop), else 0.
        pad_left, pad_top: Columns and rows of the fill colour before the picture (pad, letterbox), else 0.
        kept_width, kept_height: Columns and rows of the resized picture that are kept.
    """

    width: int
    height: int
    left: int
    top: int
    pad_left: int
    pad_top: int
    kept_width: int
    kept_height: int


def place(width: int, height: int, spec: ImageSpec) -> Placement:
    """Work out the geometry for a picture of ``width`` x ``height`` pixels.

    - ``center_crop`` is torchvision's rule, which the reference uses: the short side becomes ``spec.size``, the
      long side ``int(size * long / short)``, and the crop starts at ``int(round((x - size) / 2.0))``, with
      Python's rounding of halves to the even number. The long side is never below ``size``, so torchvision's
      zero padding cannot occur.
    - ``center_crop_floor`` is transformers' rule (``image_transforms.center_crop``): the same size, but the crop
      starts at ``(x - size) // 2``, one pixel earlier when ``x - size`` is 3 more than a multiple of 4.
    - ``letterbox`` is hpsv2's (``ResizeMaxSize``): both sides become ``round(side * (size / long))``, halves to
      the even number, and an odd remainder leaves its extra pixel at the right or the bottom. Where the
      reference fails we go on: a side that rounds to 0 becomes 1, and a picture whose long side is ``size``
      already is padded too.
    - ``squash`` makes both sides ``spec.size``.
    - ``pad`` makes the long side ``spec.size`` and the short side at least 1.

    Raises:
        ImageError: A side is zero, or the resized picture would have a side that Pillow cannot address.
    """
    size = spec.size
    if width < 1 or height < 1:
        raise ImageError(
            f"The picture is {width} x {height} pixels; expected at least 1 x 1. Replace the picture."
        )
    new_width, new_height = _resized(width, height, spec)
    if max(new_width, new_height) > _INT_MAX:
        raise ImageError(
            f"The picture is {width} x {height} pixels: with its short side at {size} its long side would be "
            f"{max(new_width, new_height)} pixels; expected at most {_INT_MAX}. Crop the picture to a less extreme shape."
        )
    if spec.framing == "center_crop":
        left, top = round((new_width - size) / 2.0), round((new_height - size) / 2.0)
        return Placement(new_width, new_height, left, top, 0, 0, size, size)
    if spec.framing == "center_crop_floor":
        left, top = (new_width - size) // 2, (new_height - size) // 2
        return Placement(new_width, new_height, left, top, 0, 0, size, size)
    pad_left, pad_top = (size - new_width) // 2, (size - new_height) // 2
    return Placement(new_width, new_height, 0, 0, pad_left, pad_top, new_width, new_height)


def _resized(width: int, height: int, spec: ImageSpec) -> tuple[int, int]:
    """Width and height of the whole resized picture."""
    size = spec.size
    short, long = min(width, height), max(width, height)
    if spec.framing == "squash":
        return size, size
    if spec.framing == "letterbox":
        # the scale first, as the reference does: size * side / long rounds some halves the other way
        scale = size / float(long)
        return max(1, round(width * scale)), max(1, round(height * scale))
    if spec.framing == "pad":
        new_short, new_long = max(1, int(size * short / long)), size
    else:
        new_short, new_long = size, int(size * long / short)
    return (new_short, new_long) if width <= height else (new_long, new_short)


def mean_color(spec: ImageSpec) -> tuple[int, int, int]:
    """The colour ``pad`` fills with: the spec's mean in 0..255, rounded; it normalises to nearly zero."""
    red, green, blue = (round(255 * value) for value in spec.mean)
    return red, green, blue


def fill_color(spec: ImageSpec) -> tuple[int, int, int]:
    """The colour around a picture that does not fill the square: black, or the mean colour for ``pad``."""
    return mean_color(spec) if spec.framing == "pad" else (0, 0, 0)


def vertical_pass_first(
    width: int, height: int, new_width: int, new_height: int, pillow: tuple[int, int] | None = None
) -> bool:
    """Whether Pillow resamples the columns before the rows, which changes some pixels by one level.

    Measured on 9.5, 10.4, 11.3, 12.1 to 12.3 and 13.0, and read in their sources (``Image.resize`` and
    ``libImaging/Resample.c``, pull requests 9524 and 9549):

    - up to 12.1: never;
    - 12.2 and 12.3: pictures over 100 times as tall as wide whose height shrinks;
    - from 13.0: when the height loses over twice as many pixels as the width, so also for an ordinary picture
      of 600 x 1300.

    ``pillow`` is the major and minor version of Pillow to follow, the installed one by default; sizes are in pixels.
    """
    version = pillow or tuple(map(int, PIL.__version__.split(".")[:2]))
    lost = height - new_height
    if version >= (13, 0):
        return lost > 0 and lost > 2 * (width - new_width)
    if version >= (12, 2):
        return lost > 0 and height > 100 * width
    return False
