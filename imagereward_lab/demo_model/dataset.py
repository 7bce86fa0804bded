"""Ranked groups of drawn scenes for held-out measurement: one prompt each. What is learnt from is made in :mod:`.families`."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from imagereward_core.demo.degrade import FLAWS
from imagereward_core.demo.scenes import Scene, change, draw, possible_differences, scene_where
from imagereward_core.images.preprocess import to_pixels
from imagereward_core.images.spec import ImageSpec

Encode = Callable[[str], Sequence[int]]

# Whether a blurred picture of the right thing or a sharp picture of the wrong thing is better is a matter of taste: a tie, so no pair.
MATCH, FLAWED, WRONG, WRONG_AND_FLAWED, UNRELATED = 1, 2, 2, 3, 4


@dataclass(frozen=True)
class HeldOutGroup:
    """One prompt with pictures ranked for it.

    Attributes:
        prompt: What the pictures should show.
        pixels: uint8 [K, 3, S, S].
        ranks: Rank of every picture, 1 best.
        kinds: What is the matter with every picture: ``match``, a flaw, a difference, or ``wrong and flawed``.
    """

    prompt: str
    pixels: Tensor
    ranks: tuple[int, ...]
    kinds: tuple[str, ...]


def held_out_group(seed: int, spec: ImageSpec, size: int = 128) -> HeldOutGroup:
    """The matching scene, one picture per flaw, one per possible difference, and one that is both wrong and flawed."""
    rng = random.Random(f"held out {seed}")
    scene = scene_where(rng, held_out=True)
    pictures, ranks, kinds = zip(*pictures_for(scene, rng, size))
    return HeldOutGroup(scene.prompt, stack(pictures, spec), ranks, kinds)


def pictures_for(scene: Scene, rng: random.Random, size: int = 128) -> list[tuple[Image.Image, int, str]]:
    """Pictures for the prompt of a scene, each with its rank and its kind as in :class:`HeldOutGroup`, the best first, the worst last."""
    found = [(draw(scene, rng, size), MATCH, "match")]
    for name, spoil in FLAWS.items():
        found.append((spoil(draw(scene, rng, size), rng), FLAWED, str(name)))
    for difference in possible_differences(scene):
        found.append((draw(change(scene, difference, rng), rng, size), WRONG, str(difference)))
    other = change(scene, rng.choice(possible_differences(scene)), rng)
    spoil = rng.choice(list(FLAWS.values()))
    found.append((spoil(draw(other, rng, size), rng), WRONG_AND_FLAWED, "wrong and flawed"))
    return found


def stack(pictures: Sequence[Image.Image], spec: ImageSpec) -> Tensor:
    """Exactly prepared pixels of RGB pictures, uint8 [N, 3, S, S]."""
    return (
        torch.from_numpy(np.stack([to_pixels(picture, spec) for picture in pictures]))
        .permute(0, 3, 1, 2)
        .contiguous()
    )
