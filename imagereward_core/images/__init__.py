"""Pictures: decoding, and the exact pixels a scorer was published with.

Importing this package loads nothing; each name is imported when it is first asked for, and those that work on tensors load torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
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

_HOMES = {
    "ImageSource": "decode",
    "open_image": "decode",
    "source_name": "decode",
    "normalize": "preprocess",
    "stack_pixels": "preprocess",
    "to_pixels": "preprocess",
    "CLIP_MEAN": "spec",
    "CLIP_PROCESSOR_SPEC": "spec",
    "CLIP_SPEC": "spec",
    "CLIP_STD": "spec",
    "HPS_SPEC": "spec",
    "IMAGEREWARD_SPEC": "spec",
    "SIGLIP_SPEC": "spec",
    "Framing": "spec",
    "ImageSpec": "spec",
    "differentiable_pixels": "tensors",
    "nan_pictures": "tensors",
    "quantize": "tensors",
    "tensor_to_pixels": "tensors",
}

__getattr__, __dir__ = lazy(__name__, _HOMES)
