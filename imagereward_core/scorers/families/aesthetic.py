"""Aesthetic scorers: a small head on the features of another model, without a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from ...nets import heads, siglip
from ...runtime import Runtime
from ...weights.card import ScorerCard
from ..engine import PictureScorer, Tower
from ..family import Network, Parts, family
from .cosine import unit


class AestheticScorer(PictureScorer):
    """A head on unit-length picture features. The prompt is not read.

    Args as of :class:`PictureScorer`, and:
        tower: Gives features of pictures, [B, P], not normalised.
        head: Unit features float64 [B, P] on the CPU to scores [B].
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

    def rewards(self, features: Tensor, prompts: Sequence[str], rows: Sequence[int] | None = None) -> Tensor:
        """Scores of pictures from their features [B, P]; see :meth:`PictureScorer.rewards`."""
        values = self.head(unit(features))
        return values if rows is None else values[list(rows)]


@family(
    "aesthetic",
    **{
        "aesthetic": Network(sizes=lambda: 768, make=heads.AestheticHead, dtype=heads.parameter_dtype),
        "aesthetic-v2.5": Network(
            sizes=lambda: 1152, make=heads.SiglipAestheticHead, dtype=heads.parameter_dtype
        ),
        "siglip": Network(
            sizes=siglip.SiglipConfig.so400m_14_384,
            make=siglip.SiglipVision,
            dtype=siglip.parameter_dtype,
        ),
    },
)
def build(parts: Parts) -> AestheticScorer:
    """A head on the picture encoder that its card names."""
    head, body = parts.network(), parts.backbone()
    tower = parts.tower(body, lambda pixels: body.encode_images(pixels))
    # The head stays on the CPU.
    rate = lambda features: head(features.float())[:, 0].double()  # noqa: E731
    return AestheticScorer(parts.card, tower, head=rate, **parts.common)
