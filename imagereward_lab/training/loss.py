"""The pairwise ranking loss of arXiv 2304.05977, equation 1."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from .ranking import ranked_pairs


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
