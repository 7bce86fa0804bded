"""Teaches the demo's image tower to name what is drawn, before it learns to rank.

ImageReward does not start from nothing either: its towers are BLIP's. This stands in for that: linear heads on the class
token name the shapes, colours, number, arrangement and background of clean scenes, and are thrown away afterwards.
"""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F
from torch import Tensor

from imagereward_core.demo.scenes import BACKGROUNDS, COLOURS, SHAPES, Scene, draw, scene_where
from imagereward_core.images.preprocess import normalize
from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.vit import VisionTransformer

from .dataset import stack
from .teaching import Lesson, new_heads, parameters_of

ARRANGEMENTS = ("one", "two", "three", "four", "side by side", "one above the other")
CLASSES = (len(SHAPES), len(COLOURS), len(SHAPES) + 1, len(COLOURS) + 1, len(ARRANGEMENTS), len(BACKGROUNDS))


def labels(scene: Scene) -> list[int]:
    """What is drawn, as class numbers. Of two things the left or upper one comes first, however the prompt puts it."""
    first, second = scene.thing, scene.other
    if scene.relation in ("right of", "below") and second is not None:
        first, second = second, first
    arrangement = scene.count - 1 if second is None else 4 if scene.relation in ("left of", "right of") else 5
    return [
        SHAPES.index(first.shape),
        list(COLOURS).index(first.colour),
        len(SHAPES) if second is None else SHAPES.index(second.shape),
        len(COLOURS) if second is None else list(COLOURS).index(second.colour),
        arrangement,
        list(BACKGROUNDS).index(scene.background),
    ]


def naming(
    tower: VisionTransformer, spec: ImageSpec, seed: int, scenes: int = 8000, batch: int = 96
) -> Lesson:
    """The lesson: ``scenes`` clean scenes are drawn, and come back about ``steps * batch / scenes`` times."""
    rng = random.Random(f"naming {seed}")
    drawn = [scene_where(rng, held_out=False) for _ in range(scenes)]
    pixels = torch.cat([stack([draw(scene, rng)], spec) for scene in drawn])
    wanted = torch.tensor([labels(scene) for scene in drawn])
    heads = new_heads(tower.config.width, sum(CLASSES), seed)

    def one_batch(rng: random.Random) -> tuple[Tensor, float]:
        rows = [rng.randrange(scenes) for _ in range(batch)]
        return _loss(heads(tower(normalize(pixels[rows], spec))[:, 0]), wanted[rows])

    tower.train()
    return Lesson("naming", parameters_of(tower=tower, heads=heads), one_batch, "named correctly")


def _loss(logits: Tensor, wanted: Tensor) -> tuple[Tensor, float]:
    """Mean cross entropy over the six questions, and the share answered correctly."""
    parts = logits.split(CLASSES, dim=1)
    loss = torch.stack([F.cross_entropy(part, wanted[:, place]) for place, part in enumerate(parts)]).mean()
    right = torch.stack([(part.argmax(1) == wanted[:, place]).float() for place, part in enumerate(parts)])
    return loss, float(right.mean())
