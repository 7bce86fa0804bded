"""Teaches the demo network, before it learns to rank, which words of a prompt a picture contradicts.

It stands in for BLIP's matching of pictures and captions, from which ImageReward starts. A prompt that is wrong in one or two
respects is shown with a clean picture; linear heads say of every word whether it is wrong, and of the class token whether
any is. The heads are thrown away afterwards. No prompt of the held-out tenth is among them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imagereward_core.demo.scenes import (
    OPENINGS,
    Scene,
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
from .pretrain import fit

PROMPTS_PER_PICTURE = 4
_NO_WORD = -1.0


def asked(shown: Scene, rng: random.Random, place_weight: int) -> Scene:
    """A scene to ask for when ``shown`` is drawn: the same, or wrong in one respect (half of them) or in two.

    Place, the hardest to see, is ``place_weight`` times as often wrong as each of the others.
    """
    while True:
        scene = shown
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


def ground(
    network: RewardNetwork,
    spec: ImageSpec,
    encode: Encode,
    seed: int,
    scenes: int = 16000,
    steps: int = 2000,
    batch: int = 64,
    learning_rate: float = 1e-3,
    place_weight: int = 2,
    report: Callable[[str], None] = print,
) -> float:
    """Trains both towers in place; returns the share of prompts judged rightly as a whole over the last 50 batches.

    ``scenes`` clean scenes are drawn; each comes back about ``steps * batch / scenes`` times, with other prompts. ``batch`` counts
    pictures, each with four prompts. ``encode`` gives the token ids of a prompt, with one token before the words and one after them.
    """
    rng = random.Random(f"grounding {seed}")
    drawn = [scene_where(rng, held_out=False, pairs=3) for _ in range(scenes)]
    pixels = torch.cat([stack([draw(scene, rng)], spec) for scene in drawn])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads = nn.Linear(network.config.text.width, 2)
    parameters = [
        *network.blip.visual_encoder.parameters(),
        *network.blip.text_encoder.parameters(),
        *heads.parameters(),
    ]
    network.train()
    index = torch.arange(batch).repeat_interleave(PROMPTS_PER_PICTURE)

    def look() -> tuple[Tensor, float]:
        rows = [rng.randrange(scenes) for _ in range(batch)]
        ids, mask, marks = _prompts([drawn[row] for row in rows], encode, rng, place_weight)
        image = network.encode_images(normalize(pixels[rows], spec))
        return _loss(heads(network.blip.text_encoder(ids, mask, image, index)), marks)

    return fit(parameters, look, steps, learning_rate, "grounding", "prompts judged rightly", report)


def _prompts(
    shown: Sequence[Scene], encode: Encode, rng: random.Random, place_weight: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and marks [pictures * PROMPTS_PER_PICTURE, L] of prompts for every picture."""
    made = [
        wrong_words(asked(scene, rng, place_weight), scene, rng.choice(OPENINGS), encode)
        for scene in shown
        for _ in range(PROMPTS_PER_PICTURE)
    ]
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
