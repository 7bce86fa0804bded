"""Pictures: decoding, and the exact pixels a scorer was published with.

Importing this package does not import torch; the names that work on tensors load it at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .decode import ImageSource, open_image, source_name
from .preprocess import normalize, stack_pixels, to_pixels
from .spec import (
    CLIP_MEAN,
    CLIP_PROCESSOR_SPEC,
    CLIP_SPEC,
    CLIP_STD,
    HPS_SPEC,
    IMAGEREWARD_SPEC,
    SIGLIP_SPEC,
    Framing,
    ImageSpec,
)

if TYPE_CHECKING:
    from .tensors import differentiable_pixels, nan_pictures, quantize, tensor_to_pixels

__all__ = [
    "CLIP_MEAN",
    "CLIP_PROCESSOR_SPEC",
    "CLIP_SPEC",
    "CLIP_STD",
    "HPS_SPEC",
    "IMAGEREWARD_SPEC",
    "SIGLIP_SPEC",
    "Framing",
    "ImageSource",
    "ImageSpec",
    "differentiable_pixels",
    "nan_pictures",
    "normalize",
    "open_image",
    "quantize",
    "source_name",
    "stack_pixels",
    "tensor_to_pixels",
    "to_pixels",
]

_NEED_TORCH = ("differentiable_pixels", "nan_pictures", "quantize", "tensor_to_pixels")


def __getattr__(name: str) -> Any:
    if name not in _NEED_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import tensors

    return getattr(tensors, name)
