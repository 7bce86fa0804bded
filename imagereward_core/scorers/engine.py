"""The engine of all picture scorers: a picture is decoded once and goes through each tower once, in any batch."""

from __future__ import annotations

import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from ..images.preprocess import normalize
from ..images.spec import ImageSpec
from ..metadata.missing import Prompt
from ..nets.packing import pack
from ..runtime import Runtime, batch_size_of
from ..scores import FloatArray, Scores
from ..weights.card import ScorerCard
from .base import objection, prompts_per_picture
from .inputs import Waiting, as_list, decoded_windows, unique
from .meaning import constant_warning
from .variety import Variety

if TYPE_CHECKING:
    from .inputs import Picture
    from .tokenizers.encoder import Encoder

log = logging.getLogger(__name__)

Rewards = list[float]
Keep = Callable[[int, int, "Rewards | str"], None]
"""Told the number of the scorer, that of the picture, and its scores in the order of its prompts, or why it has none."""

Sight = tuple[bytes, tuple[str, ...]]
"""All that the scorers of a tower are shown of a picture: the digest of its pixels, and its prompts."""
Memory = dict[tuple[int, ...], dict[Sight, list[Rewards]]]
"""Ratings of a run so far: by the numbers of the scorers of a tower, for everything they saw, the scores of each.

A score moves in its last digits with the pictures of its batch. What a network has seen before is therefore not shown to it again: two
files of one picture get one score, wherever they stand in a run, and no tie comes apart.
"""


class Tower:
    """A picture encoder with the rules for its pictures. Scorers that hold the same tower share its work.

    Args:
        network: What the runtime keeps on the device: the tower, and whatever else of the network its scorers need.
        spec: How pictures are prepared.
        encode: Normalised pixels float32 [B, 3, S, S] on the device to features [B, ...].
        packing: Whether the network is never trained and belongs to its scorers alone, so that its weights may be rearranged for
            the CPU (``nets/packing.py``) when first used.
    """

    def __init__(
        self, network: nn.Module, spec: ImageSpec, encode: Callable[[Tensor], Tensor], packing: bool = False
    ) -> None:
        self.network, self.spec, self.encode, self.packing = network, spec, encode, packing

    def pack_once(self, device: torch.device) -> None:
        """Rearranges the weights, where that is allowed and of use."""
        if self.packing and device.type == "cpu":
            pack(self.network)
            self.packing = False


class PictureScorer(ABC):
    """A scorer that reads features of a picture and, most of them, a prompt.

    Args:
        card: What it is.
        tower: Where features come from.
        runtime: Device, precision, progress, cancellation.
        revision: Which weights these are.
        batch_size: Pictures per forward pass; by default 8 on a CPU (more is slower there) and 32 elsewhere. Halved, for the rest
            of the call, whenever the device is full.
        encoder: Prompts to ids; None where prompts are not read.
    """

    def __init__(
        self,
        card: ScorerCard,
        tower: Tower,
        runtime: Runtime,
        revision: str,
        batch_size: int | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self.card, self.tower, self.runtime, self.revision = card, tower, runtime, revision
        self.batch_size = batch_size
        self._encoder = encoder
        self.variety = Variety()
        self.former: Callable[[], tuple[tuple[str, str], ...]] = tuple
        """Asked for the ids and revisions under which earlier versions kept scores of these very weights; it may read their files."""

    @property
    def batch_size(self) -> int | None:
        """Pictures per forward pass; None picks by device. NumberError where it is set to less than 1, or to no whole number."""
        return self._batch_size

    @batch_size.setter
    def batch_size(self, value: int | None) -> None:
        self._batch_size = None if value is None else batch_size_of(value)

    @property
    def spec(self) -> ImageSpec:
        """How this scorer's pictures are prepared."""
        return self.tower.spec

    def begin(self) -> None:  # noqa: B027 (most scorers have nothing to do)
        """Called before every hundred or so pictures, with the network in place."""

    @abstractmethod
    def rewards(self, features: Tensor, prompts: Sequence[str], rows: Sequence[int] | None = None) -> Tensor:
        """Scores float64 [P] of P prompts, differentiable in the ``features`` [B, ...] of ``tower.encode``; :meth:`score` is built on it.

        Call :meth:`begin` first, in the same mode (with gradients or without), with the network on the runtime's device. Prompts are
        read without gradients; a scorer that reads none still gets one for each score. ``rows`` has for every prompt the row of
        ``features`` it is about; by default one after the other (P = B).
        """

    def cut(self, prompt: str) -> str:
        """The part of the prompt that the scorer does not read, for one that reads prompts; empty where it reads all."""
        return self._encoder(prompt).cut if self._encoder else ""

    def head_is_constant(self) -> bool:
        """Whether the weights alone show that every picture gets the same score."""
        return False

    @property
    def notice(self) -> str:
        """How its runtime departs from what was asked, such as another precision; empty where it does not."""
        return str(getattr(self.runtime, "notice", ""))

    def warnings(self) -> list[str]:
        """Warnings about all numbers of this scorer, by its weights and by what it has scored so far."""
        if self.head_is_constant() or self.variety.is_missing:
            return [constant_warning(self.card.id)]
        return []

    def score(self, images: Sequence[Picture] | Tensor, prompts: str | Sequence[Prompt]) -> Scores:
        """One score per picture; see :meth:`imagereward_core.scorers.base.Scorer.score`."""
        return score_together([self], images, prompts)[0]

    def score_matrix(self, images: Sequence[Picture] | Tensor, prompts: Sequence[str]) -> FloatArray:
        """Every picture against every prompt, float64 [N, P], each picture encoded once; NaN in the row of one that cannot be read."""
        pictures = as_list(images)
        values = np.full((len(pictures), len(prompts)), math.nan)

        def keep(_: int, picture: int, rewards: Rewards | str) -> None:
            if not isinstance(rewards, str):
                values[picture] = rewards

        _run([self], pictures, [prompts for _ in pictures], keep, {})
        return values


def score_together(
    scorers: Sequence[PictureScorer],
    images: Sequence[Picture] | Tensor,
    prompts: str | Sequence[Prompt],
    memory: Memory | None = None,
) -> list[Scores]:
    """The Scores of several scorers over the same pictures, as if each had been called alone; errors as of :meth:`.base.Scorer.score`.

    Every picture is decoded once, resized once for all scorers with the same rules, and goes once through every tower, also where several
    files hold it. One whose prompt is missing is shown to the scorers that read none. ``memory`` is what these very scorers rated in
    earlier parts of the run, and will remember of this one.
    """
    given = as_list(images)
    told = prompts_per_picture(prompts, len(given))
    texts = [str(prompt) for prompt in told]
    objections = [[objection(scorer.card, prompt) for prompt in told] for scorer in scorers]
    shown = [index for index in range(len(given)) if not all(each[index] for each in objections)]
    different, place = unique([given[index] for index in shown])
    asked: list[list[int]] = [[] for _ in different]
    for index, where in zip(shown, place):
        asked[where].append(index)
    wanted = [list(dict.fromkeys(texts[index] for index in indexes)) for indexes in asked]
    values = np.full((len(scorers), len(given)), math.nan)
    failures = [{index: why for index, why in enumerate(each) if why} for each in objections]

    def keep(scorer: int, picture: int, rewards: Rewards | str) -> None:
        for index in asked[picture]:
            if isinstance(rewards, str):  # a picture that cannot be read says so first, also without a prompt
                failures[scorer][index] = rewards
                continue
            if objections[scorer][index]:
                continue
            reward = rewards[wanted[picture].index(texts[index])]
            if math.isfinite(reward):
                values[scorer, index] = reward
            else:
                why = f"the network gave {reward}; a score is a finite number. Try precision fp32"
                failures[scorer][index] = why

    cuts = [{text: scorer.cut(text) for text in dict.fromkeys(texts)} for scorer in scorers]
    _run(scorers, different, wanted, keep, {} if memory is None else memory)
    unshown = sorted(set(range(len(given))) - set(shown))
    for index, why in _unreadable([given[index] for index in unshown], scorers):
        for each in failures:
            each[unshown[index]] = why
    return [
        Scores.for_card(
            scorer.card,
            scorer.revision,
            values[number],
            texts,
            [cuts[number][text] for text in texts],
            failures[number],
            scorer.spec == scorer.card.image,
        )
        for number, scorer in enumerate(scorers)
    ]


def _unreadable(pictures: Sequence[Picture], scorers: Sequence[PictureScorer]) -> Iterator[tuple[int, str]]:
    """Which of some pictures cannot be read, and why; they are decoded like those that are scored."""
    specs = [scorers[0].spec] if scorers else []
    for window in decoded_windows(pictures, specs) if pictures and specs else ():
        for number, get in window.of(specs[0]):
            if isinstance(got := get(), str):
                yield number, got


def _run(
    scorers: Sequence[PictureScorer],
    pictures: Sequence[Picture],
    wanted: Sequence[Sequence[str]],
    keep: Keep,
    memory: Memory,
) -> None:
    """Scores picture ``i`` against the prompts ``wanted[i]`` with every scorer and hands on each result, or the reason for none."""
    if not pictures or not scorers:
        return
    passes = [_Pass(members, wanted, keep, memory) for members in _by_tower(scorers)]
    lead = scorers[0].runtime
    total = len(pictures) * len(passes)
    done = 0

    def advance(number: int) -> None:
        nonlocal done
        done += number
        lead.progress(len(pictures) if done == total else done // len(passes), len(pictures))

    specs = list(dict.fromkeys(each.spec for each in passes))
    with torch.inference_mode():
        for window in decoded_windows(pictures, specs):
            for each in passes:
                each.score_window(window.of(each.spec), advance)


def _by_tower(scorers: Sequence[PictureScorer]) -> list[list[tuple[int, PictureScorer]]]:
    """Scorers with their numbers, those that share a tower together."""
    groups: dict[int, list[tuple[int, PictureScorer]]] = {}
    for number, scorer in enumerate(scorers):
        groups.setdefault(id(scorer.tower), []).append((number, scorer))
    return list(groups.values())


class _Pass:
    """The scorers of one tower on their way through the pictures."""

    def __init__(
        self,
        members: list[tuple[int, PictureScorer]],
        wanted: Sequence[Sequence[str]],
        keep: Keep,
        memory: Memory,
    ) -> None:
        self.members, self.wanted, self.keep = members, wanted, keep
        self.rated = memory.setdefault(tuple(number for number, _ in members), {})
        first = members[0][1]
        self.tower, self.runtime, self.spec = first.tower, first.runtime, first.spec
        sizes = [scorer.batch_size for _, scorer in members if scorer.batch_size is not None]
        self.batch = min(sizes) if sizes else 8 if self.runtime.device.type == "cpu" else 32

    def score_window(self, pictures: list[tuple[int, Waiting]], advance: Callable[[int], None]) -> None:
        """Scores pictures given as their numbers and a call that waits for their pixels (or the reason why there are none)."""
        with self.runtime.resident(self.tower.network):
            self.tower.pack_once(self.runtime.device)
            for _, each in self.members:
                each.begin()
            start = 0
            while start < len(pictures):
                self.runtime.check_cancelled()
                group = pictures[start : start + self.batch]
                new: dict[Sight, list[int]] = {}
                pixels: list[Tensor] = []
                for number, get in group:
                    got = get()
                    if isinstance(got, str):
                        for scorer, _ in self.members:
                            self.keep(scorer, number, got)
                        continue
                    sight = (got.digest, tuple(self.wanted[number]))
                    if sight in self.rated:
                        self._tell([number], self.rated[sight])
                        continue
                    if sight not in new:
                        pixels.append(got.pixels)
                    new.setdefault(sight, []).append(number)
                if new and not self._score(new, pixels):
                    continue
                start += len(group)
                advance(len(group))

    def _score(self, new: dict[Sight, list[int]], pixels: list[Tensor]) -> bool:
        """Scores what was not seen before; False when the device was full and a smaller batch is to be tried.

        ``new`` has for everything that is shown the numbers of the pictures that look so, ``pixels`` what it looks like, in that order.
        """
        device = self.runtime.device
        prompts = [texts for _, texts in new]
        try:
            batch = torch.stack([each.to(device) for each in pixels])
            features = self.tower.encode(normalize(batch, self.spec))
            places = [row for row, texts in enumerate(prompts) for _ in texts]
            flat = [text for texts in prompts for text in texts]
            given = [iter(scorer.rewards(features, flat, places).tolist()) for _, scorer in self.members]
            rated = [[[next(values) for _ in texts] for texts in prompts] for values in given]
        except Exception as error:
            if self.batch == 1 or not self.runtime.is_out_of_memory(error):
                raise
            self.batch = max(1, min(self.batch, len(new)) // 2)
            log.warning("the device is full; going on with %d pictures at a time", self.batch)
            return False
        for (_, each), rows in zip(self.members, rated):
            if each.variety.note((digest for digest, _ in new), rows):
                log.warning(constant_warning(each.card.id))
        for (sight, numbers), found in zip(new.items(), zip(*rated)):
            self.rated[sight] = list(found)
            self._tell(numbers, found)
        return True

    def _tell(self, numbers: Sequence[int], rows: Sequence[Rewards]) -> None:
        """Hands on the scores of pictures that look alike, one row for each scorer."""
        for (scorer, _), row in zip(self.members, rows):
            for number in numbers:
                self.keep(scorer, number, row)
