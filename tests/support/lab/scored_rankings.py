"""Rankings with scores that were made up, and folders of drawn ones, for tests of evaluation."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imagereward_core.demo.batches import draw_batches
from imagereward_core.scores import Scores
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.evaluation.scoring import ScoredRankings, different_pictures


def ranking(prompt: str, ranks: Sequence[int] = (), images: int = 0, **more: Any) -> Ranking:
    """A ranking of pictures with names of their own."""
    number = images or len(ranks)
    names = more.pop("names", tuple(f"{prompt}-{at}.png" for at in range(number)))
    return Ranking(prompt=prompt, images=tuple(names), ranks=tuple(ranks), **more)


def scored(
    rankings: Sequence[Ranking],
    values: Mapping[str, Mapping[str, float]] | Mapping[str, Sequence[Sequence[float]]],
) -> ScoredRankings:
    """Rankings with the scores that ``values`` give, by scorer: for each ranking a list, NaN for none."""
    pictures, places = different_pictures(rankings)
    made = []
    for scorer, rows in values.items():
        numbers = np.full(len(pictures), np.nan)
        for at, row in zip(places, rows, strict=True):
            numbers[at] = row
        made.append(
            Scores(
                values=numbers,
                scorer=scorer,
                revision="r",
                prompts=tuple(prompt for prompt, _ in pictures),
                cut=("",) * len(pictures),
                failures={int(at): "unreadable" for at in np.flatnonzero(np.isnan(numbers))},
            )
        )
    return ScoredRankings(tuple(rankings), tuple(made), tuple(name for _, name in pictures), tuple(places))


def drawn_folder(
    folder: Path, prompts: int = 4, pictures: int = 5, annotators: Sequence[str] = ("ann",)
) -> Path:
    """A folder of drawn pictures with a file of rankings; returns the file."""
    rng = random.Random(0)
    lines = []
    folder.mkdir(parents=True, exist_ok=True)
    for number, batch in enumerate(draw_batches(prompts, pictures, size=64)):
        names = [f"{number}_{at}.png" for at in range(pictures)]
        for name, picture in zip(names, batch.pictures):
            picture.image.save(folder / name)
        true = [
            1 if each.truth == "as asked" else 2 if "spoilt" in each.truth else 3 for each in batch.pictures
        ]
        for who in annotators:
            ranks = [max(1, each + rng.choice((0, 0, 1))) for each in true]
            lines.append(
                {
                    "id": f"{number}-{who}",
                    "prompt": batch.prompt,
                    "images": names,
                    "ranks": ranks,
                    "annotator": who,
                }
            )
    file = folder / "rankings.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file
