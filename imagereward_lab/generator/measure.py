"""How well pictures follow their prompts, by the embedded demo scorer."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from imagereward_core.demo.degrade import FLAWS
from imagereward_core.demo.scenes import Scene, change, draw, possible_differences

from .places import places

Judge = Callable[[Sequence[Image.Image], Sequence[str]], np.ndarray]
"""Scores float64 [N] of pictures, each with its own prompt."""

OTHERS = 5
GOAL_OWN = 0.98


def demo_judge() -> Judge:
    """The embedded demo scorer."""
    return judge_of("demo")


@lru_cache(maxsize=4)
def judge_of(scorer: str) -> Judge:
    """A scorer by its id, or by the path of its checkpoint, on the processor."""
    import imagereward_core

    model = imagereward_core.load(scorer, device="cpu")

    def judge(pictures: Sequence[Image.Image], prompts: Sequence[str]) -> np.ndarray:
        return np.asarray(model.scorer.score(list(pictures), list(prompts)).values, dtype=np.float64)

    return judge


@dataclass(frozen=True)
class Bounds:
    """Mean scores of drawn pictures: what the generator's are compared with."""

    right: float
    degraded: float

    @property
    def half_way(self) -> float:
        """What a generator should reach."""
        return (self.right + self.degraded) / 2


def bounds(scenes: Sequence[Scene], judge: Judge, seed: int = 0) -> Bounds:
    """Mean scores of right drawings of the scenes, and of such drawings degraded, each in one of the demo's ways."""
    rng = random.Random(f"bounds {seed}")
    prompts = [scene.prompt for scene in scenes]
    right = [draw(scene, rng) for scene in scenes]
    degraded = [rng.choice(list(FLAWS.values()))(draw(scene, rng), rng) for scene in scenes]
    return Bounds(float(judge(right, prompts).mean()), float(judge(degraded, prompts).mean()))


def own_over_others(
    scenes: Sequence[Scene],
    pictures: Sequence[Image.Image],
    judge: Judge,
    others: int = OTHERS,
    seed: int = 0,
) -> tuple[float, np.ndarray]:
    """Share of pairs in which a picture scores higher with its own prompt than with another picture's, and the own scores.

    A picture has ``others`` pairs, or as many as there are other prompts. A tie counts as wrong.
    """
    rng = random.Random(f"others {seed}")
    prompts = [scene.prompt for scene in scenes]
    own = judge(pictures, prompts)
    pairs = []
    for place, prompt in enumerate(prompts):
        different = [each for each in range(len(prompts)) if prompts[each] != prompt]
        pairs += [(place, other) for other in rng.sample(different, min(others, len(different)))]
    against = judge([pictures[at] for at, _ in pairs], [prompts[other] for _, other in pairs])
    return float(np.mean([own[at] > each for (at, _), each in zip(pairs, against)])), own


def by_aspect(
    scenes: Sequence[Scene], pictures: Sequence[Image.Image], own: np.ndarray, judge: Judge, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Share of pictures that score higher with their own prompt than with one that is wrong in one respect, for each respect."""
    rng = random.Random(f"aspects {seed}")
    asked = [
        (place, difference, change(scene, difference, rng).prompt)
        for place, scene in enumerate(scenes)
        for difference in possible_differences(scene)
    ]
    against = judge([pictures[place] for place, _, _ in asked], [prompt for _, _, prompt in asked])
    right: dict[str, list[bool]] = defaultdict(list)
    for (place, difference, _), each in zip(asked, against):
        right[difference].append(bool(own[place] > each))
    return {
        name: {"share": float(np.mean(found)), "pairs": len(found)} for name, found in sorted(right.items())
    }


def measure(scenes: Sequence[Scene], pictures: Sequence[Image.Image], judge: Judge) -> dict[str, Any]:
    """All of it for pictures made for the scenes' prompts."""
    limits = bounds(scenes, judge)
    share, own = own_over_others(scenes, pictures, judge)
    return {
        "prompts": len(scenes),
        "pairs": len(scenes) * min(OTHERS, len(scenes) - 1),
        "own_over_others": share,
        "by_aspect": by_aspect(scenes, pictures, own, judge),
        "places": places(scenes, pictures),
        "mean": float(own.mean()),
        "standard_deviation": float(own.std()),
        "mean_of_drawings": limits.right,
        "mean_of_degraded": limits.degraded,
        "half_way": limits.half_way,
    }


def reaches_goal(found: dict[str, Any]) -> bool:
    """Whether a picture's own prompt is preferred in 98 % of pairs, and the mean is half way from degraded drawings to right ones."""
    return bool(found["own_over_others"] >= GOAL_OWN and found["mean"] >= found["half_way"])
