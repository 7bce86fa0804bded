"""Scorers that look at the picture alone: a small head on the features of somebody else's tower."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from ...runtime import Runtime
from ...weights.card import ScorerCard
from ..engine import PictureScorer, Rewards, Tower
from .cosine import unit


class AestheticScorer(PictureScorer):
    """A head on unit-length picture features. The prompt is not read.

    Args:
        card: The scorer's card.
        tower: Gives features of pictures, [B, P], not normalised.
        runtime: See :class:`PictureScorer`.
        revision: See :class:`PictureScorer`.
        head: Unit features float64 [B, P] on the CPU to scores [B].
        batch_size: See :class:`PictureScorer`.
    """

    def __init__(
        self,
        card: ScorerCard,
        tower: Tower,
        runtime: Runtime,
        revision: str,
        head: Callable[[Tensor], Tensor],
        batch_size: int | None = None,
    ) -> None:
        super().__init__(card, tower, runtime, revision, batch_size)
        self.head = head

    def rate(self, features: Tensor, wanted: Sequence[Sequence[str]]) -> list[Rewards]:
        """Scores of pictures from their features [B, P]; see :meth:`PictureScorer.rate`."""
        values = self.head(unit(features)).tolist()
        return [[value] * len(prompts) for value, prompts in zip(values, wanted)]
