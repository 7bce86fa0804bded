"""Degrades pictures as generators do, without changing what they show: blur, noise, compression, repetition."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter

Flaw = Literal["blur", "noise", "compression", "repetition"]


def blur(image: Image.Image, rng: random.Random) -> Image.Image:
    """Gaussian blur with a radius of 2.5 to 4.5 % of the picture's side."""
    return image.filter(ImageFilter.GaussianBlur(image.width * rng.uniform(0.025, 0.045)))


def noise(image: Image.Image, rng: random.Random) -> Image.Image:
    """Gaussian noise with a standard deviation of 35 to 60 of 255 levels."""
    generator = np.random.default_rng(rng.getrandbits(32))
    pixels = np.asarray(image, dtype=np.float32)
    pixels = pixels + generator.normal(0.0, rng.uniform(35.0, 60.0), pixels.shape).astype(np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def compression(image: Image.Image, rng: random.Random) -> Image.Image:
    """JPEG at quality 5 to 10 of a half-size copy, enlarged again: blocks and wrong tones."""
    small = image.resize((max(8, image.width // 2), max(8, image.height // 2)), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=rng.randint(5, 10))
    buffer.seek(0)
    with Image.open(buffer) as packed:
        return packed.convert("RGB").resize(image.size, Image.Resampling.NEAREST)


def repetition(image: Image.Image, rng: random.Random) -> Image.Image:
    """The picture repeated within itself, two by two or three by three."""
    times = rng.choice((2, 3))
    tile = image.resize((-(-image.width // times), -(-image.height // times)), Image.Resampling.BICUBIC)
    mosaic = Image.new("RGB", image.size)
    for row in range(times):
        for column in range(times):
            mosaic.paste(tile, (column * tile.width, row * tile.height))
    return mosaic


FLAWS: dict[Flaw, Callable[[Image.Image, random.Random], Image.Image]] = {
    "blur": blur,
    "noise": noise,
    "compression": compression,
    "repetition": repetition,
}
