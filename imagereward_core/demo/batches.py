"""Small batches of drawn scenes for the demo to sort: each a prompt with good, flawed and wrong pictures."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from .degrade import FLAWS, Flaw
from .scenes import Scene, change, draw, possible_differences, scene_where

# Noise and blocks as fine as a large picture's pixels vanish when a scorer shrinks it; the demo model has learnt these.
_SPOILT_AT = 128


@dataclass(frozen=True)
class DrawnPicture:
    """One picture of a batch, RGB and square.

    Attributes:
        truth: What is the matter with it: ``as asked``, ``as asked, spoilt by blur``, ``wrong colour``, ...
        seed: The number it was drawn from.
    """

    image: Image.Image
    truth: str
    seed: int


@dataclass(frozen=True)
class DrawnBatch:
    """Pictures, in random order, made for one prompt."""

    prompt: str
    pictures: tuple[DrawnPicture, ...]


def draw_batches(prompts: int, pictures: int, seed: int = 0, size: int = 384) -> Iterator[DrawnBatch]:
    """Batches for ``prompts`` different prompts, none of which the demo model has met in training.

    Of the pictures of a batch one in three, at least one, shows what was asked for; of the others every second one is right
    but spoilt and every second one is wrong in one respect. Equal arguments give equal pictures.
    """
    chooser = random.Random(f"demo batches {seed}")
    seen: set[str] = set()
    while len(seen) < prompts:
        scene = scene_where(chooser, held_out=True)
        if scene.prompt not in seen:
            seen.add(scene.prompt)
            yield _draw_batch(scene, pictures, chooser, size)


def _draw_batch(scene: Scene, pictures: int, chooser: random.Random, size: int) -> DrawnBatch:
    good = max(1, pictures // 3)
    flaws, differences = list(FLAWS), list(possible_differences(scene))
    chooser.shuffle(flaws)
    chooser.shuffle(differences)
    drawn = []
    for place in range(pictures):
        seed = chooser.randrange(2**32)
        rng = random.Random(seed)
        number = (place - good) // 2
        if place < good:
            image, truth = draw(scene, rng, size), "as asked"
        elif (place - good) % 2:
            flaw = flaws[number % len(flaws)]
            image, truth = _spoilt(scene, flaw, rng, size), f"as asked, spoilt by {flaw}"
        else:
            difference = differences[number % len(differences)]
            image, truth = draw(change(scene, difference, rng), rng, size), f"wrong {difference}"
        drawn.append(DrawnPicture(image, truth, seed))
    chooser.shuffle(drawn)
    return DrawnBatch(scene.prompt, tuple(drawn))


def _spoilt(scene: Scene, flaw: Flaw, rng: random.Random, size: int) -> Image.Image:
    """The right picture, spoilt when it was small and then enlarged."""
    small = FLAWS[flaw](draw(scene, rng, _SPOILT_AT), rng)
    return small.resize((size, size), Image.Resampling.BICUBIC)
