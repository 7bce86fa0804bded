"""Pictures of every kind people have, made from numbers: odd sizes, every mode, every file format, with structure to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

Picture = Image.Image | Path

PROMPTS = {
    "short": "a cat",
    "usual": "a painting of an ocean with clouds and birds, day time, low depth field effect",
    "long": "portrait of an old fisherman in a yellow raincoat mending his nets on a wooden pier at dawn, volumetric fog, seagulls, "
    "weathered hands, cinematic light, 85mm lens, highly detailed, trending, award winning photograph, muted palette, film grain",
    "empty": "",
    "scripts": "Ein Café in Zürich bei Nacht ☕🌃, 東京の夜景, тихий двор, naïve façade",
    "special": "a robot [MASK] and a dog [SEP] [ENC] in the rain [UNK]",
}


def scene(width: int, height: int, seed: int) -> Image.Image:
    """A landscape of sorts, RGB: a sky of two colours, discs, bars and lines, and a little grain."""
    random = np.random.default_rng(seed)
    rows = np.linspace(0.0, 1.0, height)[:, None, None]
    columns = np.linspace(0.0, 1.0, width)[None, :, None]
    above, below, side = random.uniform(0, 255, (3, 3))
    pixels = (
        above * (1 - rows) + below * rows + 0.4 * (side - 128) * np.sin(6.3 * columns * random.integers(1, 5))
    )
    pixels = pixels + random.normal(0, 6, (height, width, 1))
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(random.integers(4, 14))):
        left, top = random.uniform(-0.1, 0.9, 2) * (width, height)
        across, down = random.uniform(0.05, 0.5, 2) * (width, height)
        box, colour = (
            (left, top, left + across, top + down),
            tuple(int(part) for part in random.integers(0, 256, 3)),
        )
        shape = int(random.integers(0, 3))
        if shape == 0:
            draw.ellipse(box, fill=colour)
        elif shape == 1:
            draw.rectangle(box, fill=colour, outline=(0, 0, 0))
        else:
            draw.line(box, fill=colour, width=max(1, min(width, height) // 40))
    return picture


def make_pictures(folder: Path) -> dict[str, Picture]:
    """Named pictures, some in memory and some as files in ``folder``, for ``score`` of either side."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, Picture] = {
        "rgb 512x512": scene(512, 512, 1),
        "rgb 640x427": scene(640, 427, 2),
        "rgb 223x225": scene(223, 225, 3),
        "rgb 224x224, no resize": scene(224, 224, 4),
        "tall 150x1400": scene(150, 1400, 5),
        "wide 1800x120": scene(1800, 120, 6),
        "tiny 7x5": scene(7, 5, 7),
        "one pixel": Image.new("RGB", (1, 1), (200, 40, 90)),
        "big 3000x2000": scene(3000, 2000, 8),
        "rgba": _with_alpha(scene(400, 300, 9)),
        "la": _with_alpha(scene(301, 400, 10)).convert("LA"),
        "l": scene(333, 500, 11).convert("L"),
        "p": scene(500, 360, 12).quantize(64),
        "p, transparent": _transparent_palette(scene(360, 500, 13)),
        "cmyk": scene(420, 420, 14).convert("CMYK"),
        "1": scene(300, 450, 15).convert("1"),
        "ycbcr": scene(450, 310, 16).convert("YCbCr"),
        "i;16": Image.fromarray(np.asarray(scene(320, 320, 17).convert("L"), dtype=np.uint16) * 2),
        "png file": _save(scene(513, 389, 18), folder / "plain.png"),
        "jpeg file": _save(scene(768, 512, 19), folder / "plain.jpg", quality=88),
        "jpeg with exif rotation": _save(
            scene(600, 400, 20), folder / "rotated.jpg", quality=92, exif=_turned()
        ),
        "webp file": _save(scene(512, 768, 21), folder / "plain.webp", quality=85),
        "webp with alpha": _save(_with_alpha(scene(256, 384, 22)), folder / "alpha.webp", lossless=True),
        "gif, animated": _animation(folder / "moving.gif"),
        "rgb 1024x1024": scene(1024, 1024, 23),
    }
    return pictures


def as_argument(picture: Picture) -> Image.Image | str:
    """The picture in a form that the reference, too, takes: a path as text."""
    return str(picture) if isinstance(picture, Path) else picture


def _save(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def _with_alpha(picture: Image.Image) -> Image.Image:
    alpha = np.add.outer(np.arange(picture.height), np.arange(picture.width)) % 256
    picture.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return picture


def _transparent_palette(picture: Image.Image) -> Image.Image:
    indexed = picture.quantize(32)
    indexed.info["transparency"] = 3
    return indexed


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    return exif


def _animation(path: Path) -> Path:
    frames = [scene(320, 240, 30 + number) for number in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    return path
