"""Families of drawn scenes as a data set in the documented form: ``families.jsonl`` and the pictures in ``pictures.zip`` beside it."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from imagereward_core.demo.degrade import FLAWS
from imagereward_core.demo.scenes import (
    OPENINGS,
    Scene,
    change,
    draw,
    is_held_out,
    possible_differences,
    scene_where,
)
from imagereward_core.files.whole import written_whole
from imagereward_core.images.preprocess import to_pixels
from imagereward_core.images.spec import ImageSpec

from ..data.jsonl import write_rankings
from ..data.ranking import Ranking
from ..data.split import TRAIN, VALIDATION
from .dataset import FLAWED, MATCH, UNRELATED, WRONG, WRONG_AND_FLAWED

RANKINGS, PICTURES = "families.jsonl", "pictures.zip"
SCENES_PER_FAMILY = 5
PROMPTS_PER_FAMILY = 3
UNRELATED_PER_FAMILY = 2

Member = tuple[Image.Image, Scene, bool]


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """What families are made of.

    Attributes:
        place_weight: How often near misses are wrong in place; colour has 1, and shape and number 2.
        flawed: Flawed pictures, each with another flaw.
        flawed_scenes: They show one of the first so many scenes; more of them are right but for the flaw the fewer these are.
    """

    place_weight: int = 2
    flawed: int = 3
    flawed_scenes: int = SCENES_PER_FAMILY


def write_families(
    folder: Path, train: int, validation: int, spec: ImageSpec, seed: int, mixture: Mixture = Mixture()
) -> Path:
    """Draws families and writes them as rankings, unless they are there already; returns the file of the rankings.

    A family holds a scene, four scenes that differ from it in one respect, and some flawed pictures. The prompts of the first three
    scenes each rank all of them, and two pictures of other families below them. A picture that is wrong for one prompt is right
    for another, so only the prompt says which. No training prompt is held out, and every validation prompt is. Pictures are stored as the
    network sees them: prepared, so that reading them changes nothing.

    Raises:
        OSError: The files cannot be written.
    """
    path = folder / RANKINGS
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / PICTURES) as temporary, zipfile.ZipFile(temporary, "w") as pictures:
        rankings = [
            *_drawn(pictures, TRAIN, train, spec, seed, mixture),
            *_drawn(pictures, VALIDATION, validation, spec, seed + 1, mixture),
        ]
    write_rankings(path, rankings)
    return path


def _drawn(
    pictures: zipfile.ZipFile, split: str, number: int, spec: ImageSpec, seed: int, mixture: Mixture
) -> Iterator[Ranking]:
    """The rankings of ``number`` families, whose pictures are written as they are drawn."""
    held_out = split == VALIDATION
    for row in range(number):
        rng = random.Random(f"family {seed} {row}")
        scenes, members = family(rng, held_out, mixture)
        for place, (picture, _, _) in enumerate(members):
            stored = io.BytesIO()
            Image.fromarray(to_pixels(picture, spec)).save(stored, "png")
            pictures.writestr(f"{split}/{row}-{place}.png", stored.getvalue())
        others = _others(rng, row, number)
        places = [*((row, place) for place in range(len(members))), *others]
        names = tuple(f"{PICTURES}#{split}/{family}-{place}.png" for family, place in places)
        for asked, scene in enumerate(scenes[:PROMPTS_PER_FAMILY]):
            prompt = rng.choice(OPENINGS) + scene.prompt
            if held_out and not is_held_out(scene):
                continue
            ranks = [rank_of(scene, shown, flawed) for _, shown, flawed in members]
            yield Ranking(
                prompt,
                names,
                (*ranks, *(UNRELATED for _ in others)),
                id=f"{split}-{row}-{asked}",
                split=split,
                coarse=True,  # a blurred picture of the right thing and a sharp one of the wrong are no tie
            )


def _others(rng: random.Random, own: int, number: int) -> list[tuple[int, int]]:
    """Clean pictures of other families: their numbers and places."""
    every = range((number - 1) * SCENES_PER_FAMILY)
    chosen = rng.sample(every, min(UNRELATED_PER_FAMILY, len(every)))
    return [((own + 1 + each // SCENES_PER_FAMILY) % number, each % SCENES_PER_FAMILY) for each in chosen]


def family(rng: random.Random, held_out: bool, mixture: Mixture) -> tuple[list[Scene], list[Member]]:
    """The scenes of a family, and its pictures with the scene each shows and whether it is flawed.

    No scene of a training family has a held-out prompt; in a held-out family the first one has.
    """
    # Pairs, and in them place and shape, are the hardest to learn and come more often.
    scenes = [scene_where(rng, held_out, pairs=3)]
    differences = possible_differences(scenes[0])
    weights = [
        mixture.place_weight if difference == "place" else 1 if difference == "colour" else 2
        for difference in differences
    ]
    while len(scenes) < SCENES_PER_FAMILY:
        difference = rng.choices(differences, weights)[0]
        near = change(scenes[0], difference, rng)
        if near not in scenes and (held_out or not is_held_out(near)):
            scenes.append(near)
    drawn = [(draw(scene, rng), scene, False) for scene in scenes]
    for spoil in rng.sample(list(FLAWS.values()), mixture.flawed):
        scene = rng.choice(scenes[: mixture.flawed_scenes])
        drawn.append((spoil(draw(scene, rng), rng), scene, True))
    return scenes, drawn


def rank_of(wanted: Scene, shown: Scene, flawed: bool) -> int:
    """Rank of a picture, 1 best, for the prompt of ``wanted``."""
    if shown == wanted:
        return FLAWED if flawed else MATCH
    return WRONG_AND_FLAWED if flawed else WRONG
