"""Networks that turn sentences into vectors by their meaning.

A vector is the mean over the states of all tokens of the sentence, brought to length 1 (Reimers and Gurevych, arXiv 1908.10084).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from imagereward_core.scorers.tokenizers.bert import pad_ids

_BATCHES = 16
"""Batches that are made of texts next to one another: enough that those of one length find together."""

Tokens = Callable[[Sequence[str]], list[list[int]]]
"""Sentences to the ids of their tokens, special ones included, cut where the network ends."""


class Texts(Protocol):
    """Texts by their places."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int, /) -> str:
        """One of them."""


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """A network for sentences.

    Attributes:
        name: What people call it.
        label: Names weights, vocabulary and settings: equal for networks that make the same vectors.
        width: How many numbers a vector has.
        network: Ids and mask, int64 [B, L], to the states of tokens, float32 [B, L, width].
        tokens: Its tokenizer.
        first_token: Whether a vector is the state of the first token, in the place of the mean over all.
        pad: The id that fills sentences up to the longest of a batch.
    """

    name: str
    label: str
    width: int
    network: nn.Module
    tokens: Tokens
    first_token: bool = False
    pad: int = 0

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], device: torch.device, batch_size: int = 64) -> NDArray[np.float32]:
        """Vectors of length 1, float32 [N, width]. Sentences of about the same length go together, so that little is padded."""
        ids = self.tokens(texts)
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        found = np.empty((len(texts), self.width), np.float32)
        for start in range(0, len(order), batch_size):
            places = order[start : start + batch_size]
            batch, mask = pad_ids([ids[place] for place in places])
            batch, mask = batch.masked_fill(mask == 0, self.pad).to(device), mask.to(device)
            found[places] = self._pooled(self.network(batch, mask).float(), mask).cpu().numpy()
        return found

    def _pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        if self.first_token:
            pooled = states[:, 0]
        else:
            weights = mask[..., None].to(states.dtype)
            pooled = (states * weights).sum(1) / weights.sum(1)
        return nn.functional.normalize(pooled, dim=1)


def encoded(
    sentences: Sentences, texts: Texts, begin: int, device: torch.device, batch_size: int
) -> Iterator[NDArray[np.float32]]:
    """Vectors of the texts from ``begin`` on, some at a time."""
    sentences.network.to(device)
    step = _BATCHES * batch_size
    for start in range(begin, len(texts), step):
        part = [texts[place] for place in range(start, min(start + step, len(texts)))]
        yield sentences.encode(part, device, batch_size)
