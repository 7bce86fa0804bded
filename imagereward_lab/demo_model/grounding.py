"""Teaches the demo network, before it learns to rank, which words of a prompt a picture contradicts.

It stands in for BLIP's matching of pictures and captions, from which ImageReward starts. A prompt that is wrong in one or two
respects is shown with a clean picture; linear heads say of every word whether it is wrong, of the class token whether any is, and
of the words for one of two things on which side of the other it is. The heads are thrown away afterwards. No prompt of the held-out
tenth is among them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from imagereward_core.demo.scenes import (
    OPENINGS,
    OPPOSITE,
    RELATIONS,
    Scene,
    Thing,
    change,
    draw,
    is_held_out,
    possible_differences,
    scene_where,
)
from imagereward_core.images.preprocess import normalize
from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.scorers.tokenizers.bert import pad_ids

from .dataset import Encode, stack
from .teaching import Lesson, new_heads, parameters_of

PROMPTS_PER_PICTURE = 4
_NO_WORD = -1.0
_NO_SIDE = -100


def asked(shown: Scene, rng: random.Random, place_weight: int, opposites: float = 0.0) -> Scene:
    """A scene to ask for when ``shown`` is drawn: the same, or wrong in one respect (half of them) or in two.

    Place, the hardest to see, is ``place_weight`` times as often wrong as each of the others. Of two things, a share ``opposites`` of
    all is either right or wrong in nothing but having changed places, the hardest of all.
    """
    while True:
        scene = shown
        if shown.other is not None and rng.random() < opposites:
            if rng.random() < 0.5:
                scene = replace(shown, relation=OPPOSITE[shown.relation])
            if not is_held_out(scene):
                return scene
            continue
        for _ in range(rng.choice((0, 1, 1, 2))):
            differences = possible_differences(scene)
            weights = [place_weight if difference == "place" else 1 for difference in differences]
            scene = change(scene, rng.choices(differences, weights)[0], rng)
        if not is_held_out(scene):
            return scene


def wrong_words(wanted: Scene, shown: Scene, opening: str, encode: Encode) -> tuple[list[int], list[float]]:
    """Token ids of the prompt of ``wanted``, and for every token 1 where ``shown`` contradicts it, 0 where not.

    The first token stands for the whole prompt; the last, the separator, says nothing (-1).
    """
    aspects, seen = wanted.aspects(), shown.aspects()
    words = [*((word, "") for word in opening.split()), *wanted.described()]
    marks = [float(wanted != shown)]
    for word, aspect in words:
        wrong = float(bool(aspect) and aspects[aspect] != seen[aspect])
        marks += [wrong] * (len(encode(word)) - 2)
    ids = list(encode(opening + wanted.prompt))
    return ids, [*marks, _NO_WORD]


def sides(wanted: Scene, shown: Scene, opening: str, encode: Encode) -> list[int]:
    """For every token of the prompt of ``wanted`` the side, as a place in ``RELATIONS``, on which ``shown`` has what it names.

    -100 for tokens that name none of two things, and for things that are not there as they are named.
    """
    where: dict[Thing | None, str] = {}
    if shown.other is not None:
        where = {shown.thing: shown.relation, shown.other: OPPOSITE[shown.relation]}
    found = [_NO_SIDE]
    for word, aspect in [*((word, "") for word in opening.split()), *wanted.described()]:
        named = {"colour": wanted.thing, "shape": wanted.thing}.get(aspect) or (
            wanted.other if aspect.startswith("other") else None
        )
        side = where.get(named)
        found += [_NO_SIDE if side is None else RELATIONS.index(side)] * (len(encode(word)) - 2)
    return [*found, _NO_SIDE]


def grounding(
    network: RewardNetwork,
    spec: ImageSpec,
    encode: Encode,
    seed: int,
    scenes: int = 8000,
    batch: int = 64,
    place_weight: int = 2,
    pairs: int = 3,
    opposites: float = 0.0,
    sides_weight: float = 0.0,
) -> Lesson:
    """The lesson, for both towers.

    Args:
        network: What learns.
        spec: How pictures are prepared.
        encode: Gives the token ids of a prompt, with one token before the words and one after them.
        seed: Of the scenes and heads.
        scenes: Clean scenes that are drawn; each comes back about ``steps * batch / scenes`` times, with other prompts.
        batch: Pictures, each with four prompts.
        place_weight: As in :func:`asked`.
        pairs: How often two things are drawn; one thing, and several equal ones, have 1 each.
        opposites: As in :func:`asked`.
        sides_weight: Of the loss of sides; 0 leaves it out.
    """
    rng = random.Random(f"grounding {seed}")
    drawn = [scene_where(rng, held_out=False, pairs=pairs) for _ in range(scenes)]
    pixels = torch.cat([stack([draw(scene, rng)], spec) for scene in drawn])
    heads = new_heads(network.config.text.width, 2 + (len(RELATIONS) if sides_weight else 0), seed)
    index = torch.arange(batch).repeat_interleave(PROMPTS_PER_PICTURE)
    vision, text = network.blip.visual_encoder, network.blip.text_encoder

    def one_batch(rng: random.Random) -> tuple[Tensor, float]:
        rows = [rng.randrange(scenes) for _ in range(batch)]
        shown = [drawn[row] for row in rows for _ in range(PROMPTS_PER_PICTURE)]
        wanted = [(asked(each, rng, place_weight, opposites), rng.choice(OPENINGS)) for each in shown]
        ids, mask, marks = _prompts(wanted, shown, encode)
        image = network.encode_images(normalize(pixels[rows], spec))
        logits = heads(text(ids, mask, image, index))
        loss, right = _loss(logits, marks)
        if sides_weight:
            loss = loss + sides_weight * _loss_of_sides(logits[..., 2:], wanted, shown, encode)
        return loss, right

    network.train()
    learns = parameters_of(vision=vision, text=text, heads=heads)
    return Lesson("grounding", learns, one_batch, "prompts judged rightly")


def _prompts(
    wanted: Sequence[tuple[Scene, str]], shown: Sequence[Scene], encode: Encode
) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and marks [N, L] of prompts, each a scene and an opening, for what is shown."""
    made = [wrong_words(scene, seen, opening, encode) for (scene, opening), seen in zip(wanted, shown)]
    ids, mask = pad_ids([ids for ids, _ in made])
    marks = torch.full(ids.shape, _NO_WORD)
    for row, (_, values) in enumerate(made):
        marks[row, : len(values)] = torch.tensor(values)
    return ids, mask, marks


def _loss(logits: Tensor, marks: Tensor) -> tuple[Tensor, float]:
    """Cross entropy of the words plus that of the whole prompts, and the share of whole prompts judged rightly."""
    words = marks[:, 1:] != _NO_WORD
    of_words = F.binary_cross_entropy_with_logits(logits[:, 1:, 0][words], marks[:, 1:][words])
    whole, wrong = logits[:, 0, 1], marks[:, 0]
    right = ((whole > 0) == (wrong > 0.5)).float().mean()
    return of_words + F.binary_cross_entropy_with_logits(whole, wrong), float(right)


def _loss_of_sides(
    logits: Tensor, wanted: Sequence[tuple[Scene, str]], shown: Sequence[Scene], encode: Encode
) -> Tensor:
    """Cross entropy of the sides; 0 where no picture shows two things."""
    expected = torch.full(logits.shape[:2], _NO_SIDE)
    for row, ((scene, opening), seen) in enumerate(zip(wanted, shown)):
        found = sides(scene, seen, opening, encode)
        expected[row, : len(found)] = torch.tensor(found)
    named = expected != _NO_SIDE
    return F.cross_entropy(logits[named], expected[named], reduction="sum") / named.sum().clamp(min=1)
