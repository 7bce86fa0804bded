"""ImageReward as a Scorer: batched, independent of batch mates, each picture encoded once however many prompts it meets."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..images.preprocess import normalize
from ..images.spec import ImageSpec
from ..nets.packing import pack
from ..nets.reward import RewardNetwork
from ..runtime import Runtime
from ..scores import FloatArray, Scores
from ..weights.card import ScorerCard
from .base import prompts_per_picture
from .pictures import as_list, prepared_chunks, unique
from .tokenizer import PromptEncoder, TokenizedPrompt, pad_ids

if TYPE_CHECKING:
    from .base import Picture

log = logging.getLogger(__name__)

PAIRS_AT_ONCE = 64


class ImageRewardScorer:
    """A reward network with its tokenizer, its picture rules and the runtime it runs in.

    Args:
        card: The scorer's card.
        network: The network, on any device; the runtime moves it.
        encoder: Prompts to ids.
        runtime: Device, precision, progress, cancellation.
        revision: Which weights these are.
        spec: Picture rules; the card's own by default. Others are off-reference.
        batch_size: Pictures per forward pass; by default 8 on a CPU (more is slower there) and 32 elsewhere. Halved, for the rest
            of the call, whenever the device is full.
        packing: Whether the network is this scorer's alone and never trained, so that its weights may be rearranged for the CPU
            (``nets/packing.py``) when first used.
    """

    def __init__(
        self,
        card: ScorerCard,
        network: RewardNetwork,
        encoder: PromptEncoder,
        runtime: Runtime,
        revision: str,
        spec: ImageSpec | None = None,
        batch_size: int | None = None,
        packing: bool = False,
    ) -> None:
        self.card, self.network, self.encoder, self.runtime, self.revision = (
            card,
            network,
            encoder,
            runtime,
            revision,
        )
        self.spec = spec or card.image
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; expected 1 or more")
        self.batch_size = batch_size
        self.packing = packing

    def score(self, images: Sequence[Picture] | Tensor, prompts: str | Sequence[str]) -> Scores:
        """One score per picture; see :meth:`imagereward_core.scorers.base.Scorer.score`."""
        pictures = as_list(images)
        texts = prompts_per_picture(prompts, len(pictures))
        different, place = unique(pictures)
        asked: list[list[int]] = [[] for _ in different]
        for index, where in enumerate(place):
            asked[where].append(index)
        tokens = {text: self.encoder(text) for text in dict.fromkeys(texts)}
        values = np.full(len(pictures), math.nan)
        failures: dict[int, str] = {}

        def keep(number: int, rewards: dict[str, float] | str) -> None:
            for index in asked[number]:
                if isinstance(rewards, str):
                    failures[index] = rewards
                elif math.isfinite(rewards[texts[index]]):
                    values[index] = rewards[texts[index]]
                else:
                    failures[index] = (
                        f"the network gave {rewards[texts[index]]}; a score is a finite number. Try precision fp32"
                    )

        wanted = [{texts[index]: tokens[texts[index]] for index in indexes} for indexes in asked]
        self._run(different, wanted, keep)
        cut = tuple(tokens[text].cut for text in texts)
        return Scores.for_card(self.card, self.revision, values, texts, cut, failures, self.spec.on_reference)

    def score_matrix(self, images: Sequence[Picture] | Tensor, prompts: Sequence[str]) -> FloatArray:
        """Every picture against every prompt, float64 [N, P]; NaN in the row of a picture that cannot be read.

        The image tower, nine tenths of the work, runs once per picture.
        """
        pictures = as_list(images)
        tokens = {text: self.encoder(text) for text in prompts}
        values = np.full((len(pictures), len(prompts)), math.nan)

        def keep(number: int, rewards: dict[str, float] | str) -> None:
            if not isinstance(rewards, str):
                values[number] = [rewards[text] for text in prompts]

        self._run(pictures, [tokens for _ in pictures], keep)
        return values

    def _run(
        self,
        pictures: Sequence[Picture],
        wanted: Sequence[dict[str, TokenizedPrompt]],
        keep: Callable[[int, dict[str, float] | str], None],
    ) -> None:
        """Scores picture ``i`` against the prompts ``wanted[i]`` and hands each result, or the reason for none, to ``keep``."""
        if not pictures:
            return
        batch = self.batch_size or (8 if self.runtime.device.type == "cpu" else 32)
        done, total = 0, len(pictures)
        with torch.inference_mode(), self.runtime.resident(self.network):
            if self.packing and self.runtime.device.type == "cpu":
                pack(self.network)
                self.packing = False
            weight, bias = self.network.mlp.fold()
            for chunk in prepared_chunks(pictures, self.spec, batch):
                for number, reason in chunk.failures.items():
                    keep(number, reason)
                start = 0
                while chunk.pixels is not None and start < len(chunk.members):
                    self.runtime.check_cancelled()
                    members = chunk.members[start : start + batch]
                    try:
                        states = self._states(
                            chunk.pixels[start : start + batch], [wanted[i] for i in members]
                        )
                    except Exception as error:
                        if batch == 1 or not self.runtime.is_out_of_memory(error):
                            raise
                        batch = max(1, min(batch, len(members)) // 2)
                        log.warning("the device is full; going on with %d pictures at a time", batch)
                        continue
                    raw = states.cpu().double() @ weight + bias
                    rewards = iter(self.network.normalise(raw).tolist())
                    for number in members:
                        keep(number, {text: next(rewards) for text in wanted[number]})
                    start += len(members)
                    self.runtime.progress(done + start + len(chunk.failures), total)
                done += len(chunk.members) + len(chunk.failures)
                self.runtime.progress(done, total)

    def _states(self, pixels: Tensor, wanted: Sequence[dict[str, TokenizedPrompt]]) -> Tensor:
        """What the head reads for every (picture, prompt) pair, picture by picture, float32 [pairs, width]."""
        device = self.runtime.device
        image = self.network.encode_images(normalize(pixels.to(device), self.spec))
        rows = [row for row, prompts in enumerate(wanted) for _ in prompts]
        ids = [tokens.ids for prompts in wanted for tokens in prompts.values()]
        by_length = sorted(range(len(ids)), key=lambda pair: len(ids[pair]))
        states = torch.empty(len(ids), self.network.config.text.width, device=device)
        for first in range(0, len(by_length), PAIRS_AT_ONCE):
            pairs = by_length[first : first + PAIRS_AT_ONCE]
            batch_ids, mask = pad_ids([ids[pair] for pair in pairs])
            looked_at = [rows[pair] for pair in pairs]
            index = (
                None if looked_at == list(range(image.shape[0])) else torch.tensor(looked_at, device=device)
            )
            states[pairs] = self.network.text_states(batch_ids.to(device), mask.to(device), image, index)
        return states
