"""MPS as a scorer: picture tokens look at the words of the prompt that matter before the two are compared (arXiv 2405.14705)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from ...nets import mps
from ...nets.mps import CONDITION, MpsNetwork
from ...runtime import Runtime
from ...weights.card import ScorerCard
from ..engine import PictureScorer, Tower
from ..family import Network, Parts, family
from ..registry import make_clip_encoder
from ..tokenizers.encoder import Encoder

PAIRS_AT_ONCE = 16
PROMPTS_KEPT = 64
"""Prompts whose tokens are kept: a third of a megabyte each."""


class MpsScorer(PictureScorer):
    """MPS with one of its two published mask thresholds.

    Args as of :class:`PictureScorer`, and:
        tower: Gives picture tokens, [B, T, projection]; both variants share it.
        network: The network the tower belongs to.
        padding: Token id that fills prompts up to all positions; the network reads it like text.
        threshold: Share of its greatest similarity to the condition that a position of the prompt must exceed.
    """

    def __init__(
        self,
        card: ScorerCard,
        tower: Tower,
        network: MpsNetwork,
        runtime: Runtime,
        revision: str,
        encoder: Encoder,
        padding: int,
        threshold: float,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(card, tower, runtime, revision, batch_size, encoder)
        self.network, self.encoder, self.padding, self.threshold = network, encoder, padding, threshold
        self._prompts: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()

    def begin(self) -> None:
        """Reads the condition, the same for all prompts; kept prompts may lie on a device that was left."""
        self._prompts.clear()
        ids, _ = self._padded(CONDITION)
        with torch.no_grad():
            self._condition = self.network.encode_condition(ids[0].to(self.runtime.device))

    def rewards(self, features: Tensor, prompts: Sequence[str], rows: Sequence[int] | None = None) -> Tensor:
        """Scores of pictures from their tokens [B, T, projection]; see :meth:`PictureScorer.rewards`."""
        pairs = list(zip(range(len(prompts)) if rows is None else rows, prompts))
        values = [torch.empty(0, dtype=torch.float64)]
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            group = pairs[start : start + PAIRS_AT_ONCE]
            read = [self._read(prompt) for _, prompt in group]
            tokens, vectors = torch.stack([text for text, _ in read]), torch.stack([one for _, one in read])
            image = features[[row for row, _ in group]]
            seen = self.network.look(image, tokens, self._condition, self.threshold)
            values.append(self.network.compare(seen.float(), vectors).cpu().double())
        return torch.cat(values)

    def _read(self, prompt: str) -> tuple[Tensor, Tensor]:
        """Tokens [L, projection] and vector [projection] of a prompt."""
        if prompt not in self._prompts:
            ids, mask = (each.to(self.runtime.device) for each in self._padded(prompt))
            with torch.no_grad():
                tokens, vectors = self.network.encode_texts(ids, mask)
            self._prompts[prompt] = tokens[0], vectors[0]
            while len(self._prompts) > PROMPTS_KEPT:
                self._prompts.popitem(last=False)
        return self._prompts[prompt]

    def _padded(self, prompt: str) -> tuple[Tensor, Tensor]:
        """Ids and mask, int64 [1, positions], of a prompt padded to all positions."""
        ids = list(self.encoder(prompt).ids)
        positions = self.network.config.clip.positions
        filled = ids + [self.padding] * (positions - len(ids))
        mask = [1] * len(ids) + [0] * (positions - len(ids))
        return torch.tensor([filled]), torch.tensor([mask])


@family("mps", mps=Network(sizes=mps.MpsConfig, make=MpsNetwork, dtype=mps.parameter_dtype))
def build(parts: Parts) -> MpsScorer:
    """MPS with the mask threshold on its card."""
    network, encoder = parts.network(), make_clip_encoder(parts.card, parts.found)
    tower = parts.tower(network, lambda pixels: network.encode_images(pixels))
    assert parts.card.mask_threshold is not None
    return MpsScorer(
        parts.card,
        tower,
        network,
        encoder=encoder,
        padding=encoder.end_id,
        threshold=parts.card.mask_threshold,
        **parts.common,
    )
