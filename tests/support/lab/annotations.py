"""Annotations that were made up, for tests of their analysis."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from imagereward_lab.data.jsonl import line_of
from imagereward_lab.data.ranking import Ranking

PROBLEMS = ("repetition", "body", "blurry", "discomfort", "sexual", "violent", "defames_group")
TAILS = ("8k", "highly detailed", "sharp focus", "trending on artstation", "by an old master", "in the fog")


def annotations(
    prompts: int,
    people: Sequence[str] = ("ann",),
    *,
    seed: int = 0,
    categories: Sequence[str] = ("people", "arts", "Outdoor Scenes"),
    means: Sequence[float] = (4.0, 4.0, 4.0),
    noise: float = 0.8,
    ticks: float = 0.2,
    pictures: int = 5,
) -> list[Ranking]:
    """Rankings by everybody of every prompt, whose ratings spread about the mean of the prompt's category.

    Ranks follow the ratings; a box is ticked with the probability ``ticks``.
    """
    rng = np.random.default_rng(seed)
    found = []
    for number in range(prompts):
        which = number % len(categories)
        words = rng.permutation(TAILS)[: rng.integers(0, len(TAILS))].tolist()
        truth = means[which] + rng.normal(0.0, 1.0, pictures)
        for name in people:
            seen = np.clip(np.round(truth + rng.normal(0.0, noise, pictures)), 1, 7)
            found.append(
                Ranking(
                    prompt=", ".join([f"a thing {number}", *words]),
                    images=tuple(f"{number}/{at}.png" for at in range(pictures)),
                    ranks=tuple((np.unique(-seen, return_inverse=True)[1] + 1).tolist()),
                    annotator=name,
                    category=categories[which],
                    ratings=tuple(
                        {"overall": float(each), "alignment": 3.0, "fidelity": float(8 - each)}
                        for each in seen
                    ),
                    problems=tuple(
                        tuple(each for each in PROBLEMS if rng.random() < ticks) for _ in range(pictures)
                    ),
                    intent_unclear=bool(rng.random() < 0.1),
                    seconds=float(rng.integers(20, 90)),
                )
            )
    return found


def written(file: Path, rankings: Iterable[Ranking] | Iterable[dict]) -> Path:
    """A file of rankings, or of objects as they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [line_of(each) if isinstance(each, Ranking) else json.dumps(each) + "\n" for each in rankings]
    file.write_text("".join(lines), encoding="utf-8")
    return file
