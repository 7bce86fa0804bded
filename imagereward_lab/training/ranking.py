"""Ranked pictures as tensors: every picture is encoded once, however many prompts and pairs it takes part in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Targets:
    """What people said about the pictures of G rankings.

    Attributes:
        ranks: int64 [G, K], the rank people (or a rule) gave; 1 is best, 0 means "no picture here".
        ties: Bool [G], whether equal ranks of a ranking were judged equally good; None for no ranking.
        preferences: Float [G, K, K], the share of people who prefer picture i to picture j (ties count half), NaN where nobody
            says; None where only ranks are known.
    """

    ranks: Tensor
    ties: Tensor | None = None
    preferences: Tensor | None = None


@dataclass(frozen=True)
class RankedBatch:
    """G rankings over N pictures.

    Attributes:
        pixels: uint8 [N, 3, S, S] (float32 for specs that resize floats), every picture once; [0, 3, S, S] with ``states``.
        ids: int64 [G, L], the token ids of the prompts, padded on the right.
        mask: [G, L], non-zero for real tokens.
        members: int64 [G, K], for every ranking the pictures in it, as rows of ``pixels``.
        ranks: See :class:`Targets`.
        ties: See :class:`Targets`.
        preferences: See :class:`Targets`.
        states: [N, ...], in the place of pixels the hidden states after the frozen layers; None without a cache of them.
    """

    pixels: Tensor
    ids: Tensor
    mask: Tensor
    members: Tensor
    ranks: Tensor
    ties: Tensor | None = None
    preferences: Tensor | None = None
    states: Tensor | None = None

    @property
    def targets(self) -> Targets:
        """What people said."""
        return Targets(self.ranks, self.ties, self.preferences)

    def to(self, device: torch.device) -> RankedBatch:
        """The batch on a device."""
        named = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **{name: value.to(device, non_blocking=True) for name, value in named.items()})


class RankedData(Protocol):
    """Anything that yields the batches of one epoch."""

    def __len__(self) -> int:
        """Number of batches in an epoch."""

    def batches(self, epoch: int) -> Iterator[RankedBatch]:
        """The batches of ``epoch``, in an order that depends on its number."""


class TrainingData(Protocol):
    """What is learnt from, one optimiser step after another."""

    def length(self, epoch: int) -> int:
        """Number of steps in ``epoch``."""

    def steps(self, epoch: int, first: int = 0) -> Iterator[list[RankedBatch]]:
        """For every step of ``epoch`` from number ``first`` on the parts of its batch that this process goes through, in order."""


class ValidationData(Protocol):
    """What a state is judged by."""

    def parts(self) -> Iterator[RankedBatch]:
        """The rankings that this process goes through, always the same in the same order."""


def ranked_pairs(ranks: Tensor) -> Tensor:
    """All pairs of a ranking, ties left out (arXiv 2304.05977, 2.2: up to C(k, 2) pairs of k pictures).

    Args:
        ranks: int64 [G, K]; 0 marks an empty place.

    Returns:
        Bool [G, K, K], True at (g, i, j) where picture i was ranked above picture j.
    """
    present = ranks > 0
    both = present[:, :, None] & present[:, None, :]
    return both & (ranks[:, :, None] < ranks[:, None, :])


def tied_pairs(ranks: Tensor) -> Tensor:
    """Bool [G, K, K], True at (g, i, j) with i < j where both pictures have the same rank."""
    present = ranks > 0
    both = present[:, :, None] & present[:, None, :]
    return (both & (ranks[:, :, None] == ranks[:, None, :])).triu(1)
