"""A trained head on CLIP's features of picture and prompt (arXiv 2304.05977, Table 3)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor

from ...errors import WeightsError
from ...nets.feature_reward import FeatureRewardConfig, FeatureRewardNetwork, parameter_dtype
from ...nets.skeleton import build_skeleton
from ...runtime import Runtime
from ...weights.card import ScorerCard
from ...weights.checkpoint import load_into
from ...weights.trained import merged
from ..changes import load_changed
from ..engine import Tower
from ..family import Parts, family
from ..registry import make_clip_encoder
from ..tokenizers.encoder import Encoder
from .cosine import CosineScorer, unit, usable


class FeatureScorer(CosineScorer):
    """CLIP with a head on its features; features of prompts are kept as for a cosine.

    Args as of :class:`PictureScorer`, and:
        network: The network, on any device; the runtime moves it.
        tower: Gives features of pictures, [B, P].
    """

    def __init__(
        self,
        card: ScorerCard,
        network: FeatureRewardNetwork,
        encoder: Encoder,
        runtime: Runtime,
        revision: str,
        tower: Tower,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(card, tower, runtime, revision, encoder, network.encode_texts, batch_size=batch_size)
        self.network = network

    def begin(self) -> None:
        """Copies the head, which is small, into float64 on the CPU."""
        self._head = deepcopy(self.network.mlp).to("cpu", torch.float64).eval()

    def rewards(self, features: Tensor, prompts: Sequence[str], rows: Sequence[int] | None = None) -> Tensor:
        """Scores of pictures from their features [B, P]; see :meth:`PictureScorer.rewards`."""
        images = unit(features)[list(range(len(prompts)) if rows is None else rows)]
        known = self._features(list(dict.fromkeys(prompts)))
        texts = [usable(known[prompt]) for prompt in prompts]
        return self.network.normalise(self._head(images, torch.stack(texts) if texts else images))


def feature_config(card: ScorerCard) -> FeatureRewardConfig:
    """Sizes of the network whose weights ``card`` describes.

    Raises:
        WeightsError: They describe no network.
    """
    try:
        return FeatureRewardConfig.from_dict(merged(FeatureRewardConfig().to_dict(), card.sizes or {}))
    except (TypeError, KeyError, ValueError) as error:
        raise WeightsError(
            f"the card of {card.id} describes no network that can be made ({error}); mend its 'network', or take it away"
        ) from error


@family("clip-mlp")
def build(parts: Parts) -> FeatureScorer:
    """A network that training made; the head alone where its card names a CLIP as its base."""
    network = build_skeleton(lambda: FeatureRewardNetwork(feature_config(parts.card)))

    def dtype_of(name: str) -> torch.dtype:
        return parameter_dtype(name, parts.runtime.dtype)

    if parts.card.base:
        load_changed(network, parts.card, parts.found, dtype_of)
    else:
        load_into(network, parts.found.checkpoint, dtype_of=dtype_of)
    tower = parts.tower(network, lambda pixels: network.clip.encode_images(pixels))
    return FeatureScorer(
        parts.card, network, make_clip_encoder(parts.card, parts.found), tower=tower, **parts.common
    )
