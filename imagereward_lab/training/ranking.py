"""Ranked pictures as tensors, and the loss over them: every picture is encoded once, however many prompts and pairs it takes part in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class RankedBatch:
    """G rankings over N pictures.

    Attributes:
        pixels: uint8 [N, 3, S, S], every picture once.
        ids: int64 [G, L], the token ids of the prompts, padded on the right.
        mask: [G, L], non-zero for real tokens.
        members: int64 [G, K], for every ranking the pictures in it, as rows of ``pixels``.
        ranks: int64 [G, K], the rank people (or a rule) gave; 1 is best, equal ranks are ties, 0 means "no picture here".
    """

    pixels: Tensor
    ids: Tensor
    mask: Tensor
    members: Tensor
    ranks: Tensor


class RankedData(Protocol):
    """Anything that yields the batches of one epoch."""

    def __len__(self) -> int:
        """Number of batches in an epoch."""

    def batches(self, epoch: int) -> Iterator[RankedBatch]:
        """The batches of ``epoch``, in an order that depends on its number."""


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


def ranking_loss(rewards: Tensor, ranks: Tensor) -> Tensor:
    """``-log sigmoid(better - worse)``, averaged over all pairs of all rankings; ties are left out.

    Equals the reference's ``cross_entropy([r_better, r_worse], 0)`` (train/src/train.py).

    Args:
        rewards: Float [G, K], raw rewards.
        ranks: int64 [G, K]; 1 is best, 0 marks an empty place.

    Returns:
        Scalar; ln 2 for a model that cannot tell pictures apart.

    Raises:
        ValueError: No ranking holds two pictures of different rank.
    """
    pairs = ranked_pairs(ranks)
    if not bool(pairs.any()):
        raise ValueError(
            "no ranking in this batch has two pictures of different rank; expected at least one pair to learn from"
        )
    differences = rewards[:, :, None] - rewards[:, None, :]
    return -F.logsigmoid(differences[pairs]).mean()
