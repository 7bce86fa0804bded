"""How a scorer wants its pictures: size, framing and normalisation, as plain data that travels with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Framing = Literal["center_crop", "pad"]

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class ImageSpec:
    """What happens to a picture between its file and the network.

    The default is the reference's chain (ImageReward.py, ``_transform``): short side to ``size`` with antialiased bicubic
    resampling, centre crop, conversion to RGB, division by 255, normalisation.

    Attributes:
        size: Side of the square the network sees, in pixels.
        framing: ``center_crop`` is the reference. ``pad`` fits the longest side and fills the rest with the mean colour,
            so that the whole picture is seen; scores made that way are off-reference.
        mean: Per-channel mean (RGB, in 0..1) subtracted from the pixels.
        std: Per-channel standard deviation (RGB, in 0..1) the pixels are divided by.
    """

    size: int = 224
    framing: Framing = "center_crop"
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD

    @property
    def on_reference(self) -> bool:
        """Whether pixels made this way are those the scorer was trained and published with."""
        return self.framing == "center_crop"
