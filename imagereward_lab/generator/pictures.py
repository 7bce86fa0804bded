"""Scenes as tensors, and tensors as pictures."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from imagereward_core.demo.scenes import OPENINGS, Scene, draw, scene_where
from imagereward_core.images.spec import ImageSpec

from ..demo_model.dataset import stack

PAIRS = 3
"""Scenes of two things are so many times as frequent as those of one and of several: they are the hardest."""


def some_scenes(rng: random.Random, number: int, *, held_out: bool = False) -> list[Scene]:
    """Random scenes, of the prompts that are learnt from or of the others."""
    return [scene_where(rng, held_out, pairs=PAIRS) for _ in range(number)]


def a_prompt(scene: Scene, rng: random.Random) -> str:
    """One of the ways to ask for a scene."""
    return rng.choice(OPENINGS) + scene.prompt


def drawn(scenes: Sequence[Scene], rng: random.Random, size: int) -> Tensor:
    """The scenes as images float32 [N, 3, size, size] in -1..1, made small as the demo scorer's are."""
    return stack([draw(scene, rng) for scene in scenes], ImageSpec(size=size)).float() / 127.5 - 1


def as_pictures(images: Tensor) -> list[Image.Image]:
    """RGB pictures of images [N, 3, S, S] in -1..1; what is beyond is cut."""
    levels = ((images.detach().float().cpu() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return [Image.fromarray(np.ascontiguousarray(each.permute(1, 2, 0).numpy())) for each in levels]
