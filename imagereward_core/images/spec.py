"""The preprocessing of a scorer (size, framing, normalisation) as plain data that travels with its weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ..records import record

Framing = Literal["center_crop", "center_crop_floor", "letterbox", "squash", "pad"]
Resizing = Literal["own_mode", "rgb", "floats", "floats_antialias"]

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@record(frozen=True)
class ImageSpec:
    """The preprocessing of a picture, from its file to the network.

    The default is the reference's chain (ImageReward.py, ``_transform``): short side to ``size`` with antialiased bicubic
    resampling, centre crop, conversion to RGB, division by 255, normalisation. Specs are hashable, and equal specs make
    equal pixels, so scorers with equal specs can share them.

    Attributes:
        size: Side of the square the network sees, in pixels.
        framing: How the picture comes into the square.

            - ``center_crop``: short side to ``size``, crop offsets rounded half to even (torchvision).
            - ``center_crop_floor``: the same with crop offsets rounded down (transformers).
            - ``letterbox``: long side to ``size``, the rest black (hpsv2).
            - ``squash``: both sides to ``size`` whatever the shape was (SigLIP).
            - ``pad``: long side to ``size``, the rest in the mean colour. Nobody published a scorer with it: it is for a
              user who wants the whole picture seen, and its scores are off-reference.
        mean: Per-channel mean (RGB, in 0..1) subtracted from the pixels.
        std: Per-channel standard deviation (RGB, in 0..1) the pixels are divided by.
        resizing: What is resized, always bicubic.

            - ``own_mode``: the levels, by Pillow, in the picture's own mode; conversion to RGB comes last.
            - ``rgb``: the levels, by Pillow, after conversion to RGB (alpha is dropped, not composited).
            - ``floats``: floats in 0..1, by torch without antialiasing, after conversion to RGB.
            - ``floats_antialias``: the same with antialiasing.
    """

    size: int = 224
    framing: Framing = "center_crop"
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    resizing: Resizing = "own_mode"

    @property
    def on_reference(self) -> bool:
        """Whether pixels made this way are, at some size, those a scorer was trained and published with.

        Whether they are those of one particular scorer is ``spec == card.image``.
        """
        return replace(self, size=0) in _PUBLISHED

    def whole_picture(self) -> ImageSpec:
        """The spec that shows all of the picture: this one where it already does, otherwise with ``pad``."""
        crops = self.framing in ("center_crop", "center_crop_floor")
        return replace(self, framing="pad") if crops else self


IMAGEREWARD_SPEC = ImageSpec()
"""ImageReward and its BLIP score (ImageReward.py and BLIPScore.py, ``_transform``)."""

CLIP_SPEC = ImageSpec()
"""openai's CLIP, also under the LAION aesthetic head (clip/clip.py, ``_transform``): ImageReward's chain."""

CLIP_PROCESSOR_SPEC = ImageSpec(framing="center_crop_floor", resizing="rgb")
"""PickScore and MPS: transformers' Pillow-based ``CLIPImageProcessor`` with laion/CLIP-ViT-H-14's settings.

PickScore pins 4.27.3; what is followed is 4.30.2, and of opaque pictures 5.23's Pillow-based class makes the same bytes.
The default class of 5.23 resizes with torch (up to 2 levels off), and both of its classes composite alpha onto white.
Pictures of 1 or 3 rows, which 4.30.2 misreads as channels first, are resized like any other.
"""

HPS_SPEC = ImageSpec(framing="letterbox", resizing="floats_antialias")
"""HPSv2 and HPSv2.1 (hpsv2/src/open_clip/transform.py with ``resize_longest_max``).

That chain resizes a tensor and leaves antialiasing to torchvision's default: on from 0.17 (January 2024), off before, when
both models were trained. This is what the package does today, and with it whoever compares numbers; ``resizing="floats"``
is what it did then. On pictures of 512 to 1024 pixels the two are 7 levels of 255 apart on average.
"""

SIGLIP_SPEC = ImageSpec(384, "squash", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "rgb")
"""Aesthetic predictor V2.5: transformers' Pillow-based ``SiglipImageProcessor`` with so400m-patch14-384's settings."""

_PUBLISHED = {replace(spec, size=0) for spec in (CLIP_SPEC, CLIP_PROCESSOR_SPEC, HPS_SPEC, SIGLIP_SPEC)}
