"""Ranked groups of drawn scenes, for training (families that share pictures) and for held-out measurement (one prompt each)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

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
from imagereward_core.images.preprocess import to_pixels
from imagereward_core.images.spec import ImageSpec
from imagereward_core.scorers.tokenizers.bert import pad_ids

from ..training.ranking import RankedBatch

Encode = Callable[[str], Sequence[int]]

# Whether a blurred picture of the right thing or a sharp picture of the wrong thing is better is a matter of taste: a tie, so no pair.
MATCH, FLAWED, WRONG, WRONG_AND_FLAWED, UNRELATED = 1, 2, 2, 3, 4
SCENES_PER_FAMILY = 5
FLAWED_PER_FAMILY = 3
PROMPTS_PER_FAMILY = 3
UNRELATED_PER_PROMPT = 2


@dataclass(frozen=True)
class HeldOutGroup:
    """One prompt with pictures ranked for it.

    Attributes:
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
    pictures, ranks, kinds = [draw(scene, rng, size)], [MATCH], ["match"]
    for name, spoil in FLAWS.items():
        pictures.append(spoil(draw(scene, rng, size), rng))
        ranks.append(FLAWED)
        kinds.append(name)
    for difference in possible_differences(scene):
        pictures.append(draw(change(scene, difference, rng), rng, size))
        ranks.append(WRONG)
        kinds.append(difference)
    other = change(scene, rng.choice(possible_differences(scene)), rng)
    pictures.append(rng.choice(list(FLAWS.values()))(draw(other, rng, size), rng))
    ranks.append(WRONG_AND_FLAWED)
    kinds.append("wrong and flawed")
    return HeldOutGroup(scene.prompt, stack(pictures, spec), tuple(ranks), tuple(kinds))


def stack(pictures: Sequence[Image.Image], spec: ImageSpec) -> Tensor:
    """Exactly prepared pixels of RGB pictures, uint8 [N, 3, S, S]."""
    return (
        torch.from_numpy(np.stack([to_pixels(picture, spec) for picture in pictures]))
        .permute(0, 3, 1, 2)
        .contiguous()
    )


class Families:
    """Training data: families of a scene and its near misses, where every member's own prompt ranks all pictures.

    A family holds a scene, four scenes that differ from it in one respect, and three flawed pictures. The prompts of the first three
    scenes each rank all eight pictures, and two pictures of other families in the batch below them. A picture that is wrong for one
    prompt is right for another, so only the prompt says which. Families are drawn once and kept as pixels (S = 64: 98 kB each).
    """

    def __init__(
        self,
        number: int,
        batch: int,
        spec: ImageSpec,
        encode: Encode,
        seed: int,
        held_out: bool = False,
        place_weight: int = 2,
    ) -> None:
        self.batch, self.seed = batch, seed
        pictures = SCENES_PER_FAMILY + FLAWED_PER_FAMILY
        self.pixels = torch.empty(number, pictures, 3, spec.size, spec.size, dtype=torch.uint8)
        self.ranks = torch.empty(number, PROMPTS_PER_FAMILY, pictures, dtype=torch.long)
        self.ids: list[list[Sequence[int]]] = []
        for row in range(number):
            rng = random.Random(f"family {seed} {row}")
            scenes, drawn = _family(rng, held_out, place_weight)
            asking = scenes[:PROMPTS_PER_FAMILY]
            self.pixels[row] = stack([picture for picture, _, _ in drawn], spec)
            self.ranks[row] = torch.tensor(
                [[_rank(scene, shown, flawed) for _, shown, flawed in drawn] for scene in asking]
            )
            self.ids.append([encode(rng.choice(OPENINGS) + scene.prompt) for scene in asking])

    def __len__(self) -> int:
        return len(self.ids) // self.batch

    def batches(self, epoch: int) -> Iterator[RankedBatch]:
        """Whole batches in an order drawn from the seed and the epoch."""
        order = list(range(len(self.ids)))
        rng = random.Random(f"order {self.seed} {epoch}")
        rng.shuffle(order)
        for start in range(0, len(self) * self.batch, self.batch):
            yield self._batch(order[start : start + self.batch], rng)

    def _batch(self, rows: list[int], rng: random.Random) -> RankedBatch:
        prompts, pictures = self.ranks.shape[1:]
        ids, mask = pad_ids([ids for row in rows for ids in self.ids[row]])
        family = torch.arange(len(rows)).repeat_interleave(prompts)
        members, ranks = family[:, None] * pictures + torch.arange(pictures), self.ranks[rows].flatten(0, 1)
        if len(rows) > 1:
            others = torch.tensor([self._unrelated(own, len(rows), pictures, rng) for own in family.tolist()])
            members = torch.cat([members, others], dim=1)
            ranks = torch.cat([ranks, torch.full_like(others, UNRELATED)], dim=1)
        return RankedBatch(self.pixels[rows].flatten(0, 1), ids, mask, members, ranks)

    @staticmethod
    def _unrelated(own: int, families: int, pictures: int, rng: random.Random) -> list[int]:
        """Clean pictures of families other than ``own``."""
        found = []
        for _ in range(UNRELATED_PER_PROMPT):
            family = (own + rng.randrange(1, families)) % families
            found.append(family * pictures + rng.randrange(SCENES_PER_FAMILY))
        return found


def _family(
    rng: random.Random, held_out: bool, place_weight: int
) -> tuple[list[Scene], list[tuple[Image.Image, Scene, bool]]]:
    """The scenes of a family, and its pictures with the scene each shows and whether it is flawed.

    No scene of a training family has a held-out prompt; in a held-out family the first one has.
    """
    # Pairs, and in them place and shape, are the hardest to learn and come more often.
    scenes = [scene_where(rng, held_out, pairs=3)]
    differences = possible_differences(scenes[0])
    weights = [
        place_weight if difference == "place" else 1 if difference == "colour" else 2
        for difference in differences
    ]
    while len(scenes) < SCENES_PER_FAMILY:
        difference = rng.choices(differences, weights)[0]
        near = change(scenes[0], difference, rng)
        if near not in scenes and (held_out or not is_held_out(near)):
            scenes.append(near)
    drawn = [(draw(scene, rng), scene, False) for scene in scenes]
    for spoil in rng.sample(list(FLAWS.values()), FLAWED_PER_FAMILY):
        scene = rng.choice(scenes)
        drawn.append((spoil(draw(scene, rng), rng), scene, True))
    return scenes, drawn


def _rank(wanted: Scene, shown: Scene, flawed: bool) -> int:
    if shown == wanted:
        return FLAWED if flawed else MATCH
    return WRONG_AND_FLAWED if flawed else WRONG
