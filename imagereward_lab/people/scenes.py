"""Drawn scenes as tasks for annotators: pictures for one prompt, with what each is really worth."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from imagereward_core.demo.degrade import FLAWS
from imagereward_core.demo.scenes import scene_where

from ..data.ranking import Ranking
from ..demo_model.dataset import MATCH, WRONG_AND_FLAWED, pictures_for
from .annotator import Annotator

_QUALITY = {MATCH: 3.0, WRONG_AND_FLAWED: 0.0}
_FLAWED, _WRONG = 2.0, 1.0
_SPREAD = 0.4
"""Standard deviation of the quality of pictures of one kind."""


@dataclass(frozen=True)
class Task:
    """Pictures for one prompt.

    Attributes:
        prompt: What they should show.
        images: Their names, by prompt number and place.
        kinds: What is the matter with each: ``match``, a flaw, a difference, or ``wrong and flawed``.
        ranks: Their ranks as the demo model learns them, 1 is best.
        qualities: What each is worth to everybody, before errors and tastes.
    """

    prompt: str
    images: tuple[str, ...]
    kinds: tuple[str, ...]
    ranks: tuple[int, ...]
    qualities: tuple[float, ...]

    def ranked_by(self, annotator: Annotator, seed: int = 0) -> Ranking:
        """The ranking by an annotator; the same for an equal name and seed, whoever else ranks."""
        rng = np.random.default_rng(list(f"{seed}\n{annotator.name}\n{self.images[0]}".encode()))
        ranks = annotator.ranks(self.qualities, rng, self.kinds)
        return Ranking(
            self.prompt,
            self.images,
            ranks,
            id=f"{self.images[0]} by {annotator.name}",
            annotator=annotator.name,
        )


def scene_task(
    number: int, *, held_out: bool = True, pictures: int = 0, size: int = 64, seed: int = 0
) -> tuple[Task, list[Image.Image]]:
    """A task and its pictures, RGB; equal arguments give equal ones.

    Args:
        number: Which.
        held_out: Whether the prompt is one that the demo model has not met in training.
        pictures: How many of the nine or so are taken, the best and the worst among them; 0 takes all.
        size: Side in pixels.
        seed: Another one gives other tasks.
    """
    rng = random.Random(f"task {seed} {number} {held_out}")
    scene = scene_where(rng, held_out)
    found = pictures_for(scene, rng, size)
    if pictures:
        inner = rng.sample(found[1:-1], max(0, pictures - 2))
        found = [found[0], *inner, found[-1]]
    rng.shuffle(found)
    task = Task(
        scene.prompt,
        tuple(
            f"{seed}-{'held-out' if held_out else 'learnt'}-{number}-{place}.png"
            for place in range(len(found))
        ),
        tuple(kind for _, _, kind in found),
        tuple(rank for _, rank, _ in found),
        tuple(_worth(rank, kind) + rng.gauss(0.0, _SPREAD) for _, rank, kind in found),
    )
    return task, [picture for picture, _, _ in found]


def scenes_of_one_prompt(number: int, *, size: int = 64, seed: int = 0) -> tuple[Task, list[Image.Image]]:
    """A task of ``number`` pictures of all kinds for one prompt, and these, RGB; equal arguments give equal ones."""
    rng = random.Random(f"one prompt {seed}")
    scene = scene_where(rng, True)
    found: list[tuple[Image.Image, int, str]] = []
    while len(found) < number:
        found += pictures_for(scene, rng, size)
    found = rng.sample(found, number)
    task = Task(
        scene.prompt,
        tuple(f"{seed}-{place}.png" for place in range(number)),
        tuple(kind for _, _, kind in found),
        tuple(rank for _, rank, _ in found),
        tuple(_worth(rank, kind) + rng.gauss(0.0, _SPREAD) for _, rank, kind in found),
    )
    return task, [picture for picture, _, _ in found]


def _worth(rank: int, kind: str) -> float:
    return _QUALITY.get(rank, _FLAWED if kind in FLAWS else _WRONG)


def ranked(tasks: Iterable[Task], annotators: Sequence[Annotator], seed: int = 0) -> list[Ranking]:
    """Rankings of all tasks by everybody."""
    return [task.ranked_by(each, seed) for task in tasks for each in annotators]


def write_scenes(
    folder: Path,
    numbers: Iterable[int],
    annotators: Sequence[Annotator] = (),
    *,
    split: str = "",
    held_out: bool = True,
    pictures: int = 0,
    size: int = 64,
    seed: int = 0,
) -> list[Ranking]:
    """Draws tasks into a folder as PNG files; returns their rankings, by everybody, or by the truth where there is nobody.

    Args:
        folder: Made if it is not there; pictures of these names that are there are replaced.
        numbers: Which tasks, as for :func:`scene_task`.
        annotators: Who ranks; without any the ranks are those that the demo model learns.
        split: The split of all these rankings.
        held_out: See :func:`scene_task`, as for the rest.
        pictures: How many for each prompt.
        size: Side in pixels.
        seed: Of tasks and errors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number in numbers:
        task, drawn = scene_task(number, held_out=held_out, pictures=pictures, size=size, seed=seed)
        for name, picture in zip(task.images, drawn):
            picture.save(folder / name)
        own = ranked([task], annotators, seed) or [Ranking(task.prompt, task.images, task.ranks)]
        found += [replace(ranking, split=split) for ranking in own]
    return found
