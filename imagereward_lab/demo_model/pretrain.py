"""Teaches the demo's image tower to name what is drawn, before it learns to rank.

ImageReward does not start from nothing either: its towers are BLIP's. This stands in for that: linear heads on the class
token name the shapes, colours, number, arrangement and background of clean scenes, and are thrown away afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imagereward_core.demo.scenes import BACKGROUNDS, COLOURS, SHAPES, Scene, draw, scene_where
from imagereward_core.images.preprocess import normalize
from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.vit import VisionTransformer

from .dataset import stack

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


def pretrain(
    tower: VisionTransformer,
    spec: ImageSpec,
    seed: int,
    scenes: int = 8000,
    steps: int = 1200,
    batch: int = 96,
    learning_rate: float = 1e-3,
    report: Callable[[str], None] = print,
) -> float:
    """Trains ``tower`` in place and returns the share of labels it names correctly over the last 50 batches."""
    rng = random.Random(f"pretrain {seed}")
    drawn = [scene_where(rng, held_out=False) for _ in range(scenes)]
    pixels = torch.cat([stack([draw(scene, rng)], spec) for scene in drawn])
    wanted = torch.tensor([labels(scene) for scene in drawn])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads = nn.Linear(tower.config.width, sum(CLASSES))
    parameters = [*tower.parameters(), *heads.parameters()]
    tower.train()

    def look() -> tuple[Tensor, float]:
        rows = [rng.randrange(scenes) for _ in range(batch)]
        return _loss(heads(tower(normalize(pixels[rows], spec))[:, 0]), wanted[rows])

    return fit(parameters, look, steps, learning_rate, "naming", "named correctly", report)


def fit(
    parameters: list[nn.Parameter],
    look: Callable[[], tuple[Tensor, float]],
    steps: int,
    learning_rate: float,
    called: str,
    share: str,
    report: Callable[[str], None],
) -> float:
    """Trains over one cycle of the learning rate; ``look`` gives the loss of a batch and the share that was right.

    Returns that share over the last 50 batches. ``called`` and ``share`` say in reports what is trained, and what the share is of.
    """
    optimiser = torch.optim.Adam(parameters, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, learning_rate, total_steps=steps, pct_start=0.05
    )
    recent: list[float] = []
    for step in range(1, steps + 1):
        loss, right = look()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        recent = [*recent[-49:], right]
        if step % 100 == 0:
            done = f"{called}: step {step}/{steps}  loss {float(loss.detach()):.4f}"
            report(f"{done}  {share} {100 * sum(recent) / len(recent):.2f} %")
    return sum(recent) / len(recent)


def _loss(logits: Tensor, wanted: Tensor) -> tuple[Tensor, float]:
    """Mean cross entropy over the six questions, and the share answered correctly."""
    parts = logits.split(CLASSES, dim=1)
    loss = torch.stack([F.cross_entropy(part, wanted[:, place]) for place, part in enumerate(parts)]).mean()
    right = torch.stack([(part.argmax(1) == wanted[:, place]).float() for place, part in enumerate(parts)])
    return loss, float(right.mean())
