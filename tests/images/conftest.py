"""What the picture tests share: two independent reference chains, and pictures with known, awkward
content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.oracles import import_torchvision

Chain = Callable[[Image.Image, int], np.ndarray]


def _pillow_chain(image: Image.Image, size: int) -> np.ndarray:
    """Resize, centre crop and convert with Pillow alone, written out for one picture."""
    width, height = image.size
    if width <= height:
        target = (size, int(size * height / width))
    else:
        target = (int(size * width / height), size)
    if target != image.size:
        image = image.resize(target, Image.BICUBIC)
    left = round((target[0] - size) / 2.0)
    top = round((target[1] - size) / 2.0)
    return np.asarray(image.crop((left, top, left + size, top + size)).convert("RGB"))


def _torchvision_chain(image: Image.Image, size: int) -> np.ndarray:
    import_torchvision()
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

    steps: list[Any] = [
        Resize(size, InterpolationMode.BICUBIC),
        CenterCrop(size),
        lambda crop: crop.convert("RGB"),
    ]
    return np.asarray(Compose(steps)(image))


@pytest.fixture(scope="session", params=["pillow", "torchvision"])
def reference_chain(request: pytest.FixtureRequest) -> Chain:
    """The reference's geometry as ``(picture, size) -> uint8 [size, size, 3]``, from two sources."""
    if request.param == "pillow":
        return _pillow_chain
    import_torchvision()
    return _torchvision_chain


@pytest.fixture(scope="session")
def pillow_chain() -> Chain:
    """The chain that needs nothing but Pillow."""
    return _pillow_chain


@pytest.fixture(scope="session")
def noise_levels() -> Callable[..., np.ndarray]:
    """A maker of uint8 ``[H, W, C]`` noise; every third picture is pure black and white, which makes
    overshoot clip."""

    def make(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
        levels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
        return np.where(levels > 127, 255, 0).astype(np.uint8) if seed % 3 == 2 else levels

    return make
