"""ImageReward as a Scorer: batched, independent of batch mates, each picture encoded once however many prompts it meets."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...images.spec import ImageSpec
from ...nets.reward import RewardNetwork, parameter_dtype
from ...nets.skeleton import build_skeleton
from ...runtime import Runtime
from ...weights.card import ScorerCard
from ...weights.checkpoint import head_is_untrained
from ..changes import load_changed
from ..engine import PictureScorer, Tower
from ..family import Parts, family
from ..registry import load_network, make_encoder, network_config
from ..tokenizers.bert import PromptEncoder, pad_ids

PAIRS_AT_ONCE = 64


class ImageRewardScorer(PictureScorer):
    """A reward network with its tokenizer, its picture rules and the runtime it runs in.

    Args as of :class:`PictureScorer`, and:
        network: The network, on any device; the runtime moves it.
        spec: Picture rules; the card's own by default. Others are off-reference.
        packing: See :class:`Tower`.
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
        tower = Tower(network, spec or card.image, lambda pixels: network.encode_images(pixels), packing)
        super().__init__(card, tower, runtime, revision, batch_size, encoder)
        self.network, self.encoder = network, encoder

    def begin(self) -> None:
        """Folds the head, whose weights may have changed since the last call."""
        self._head = self.network.mlp.fold()

    def head_is_constant(self) -> bool:
        """See :func:`...weights.checkpoint.head_is_untrained`."""
        head = self.network.mlp.state_dict()
        return head_is_untrained({f"mlp.{name}": value.cpu() for name, value in head.items()})

    def rewards(self, features: Tensor, prompts: Sequence[str], rows: Sequence[int] | None = None) -> Tensor:
        """Scores of pictures from their image tokens [B, T, width]; see :meth:`PictureScorer.rewards`."""
        weight, bias = self._head
        places = list(range(len(prompts)) if rows is None else rows)
        raw = self._states(features, prompts, places).cpu().double() @ weight + bias
        return self.network.normalise(raw)

    def _states(self, image: Tensor, prompts: Sequence[str], rows: list[int]) -> Tensor:
        """Input of the head for every (picture, prompt) pair, float32 (float64 of a network in it) [pairs, width]."""
        device = image.device
        ids = [self.encoder(prompt).ids for prompt in prompts]
        by_length = sorted(range(len(ids)), key=lambda pair: len(ids[pair]))
        dtype = torch.promote_types(image.dtype, torch.float32)
        states = torch.empty(len(ids), self.network.config.text.width, device=device, dtype=dtype)
        for first in range(0, len(by_length), PAIRS_AT_ONCE):
            pairs = by_length[first : first + PAIRS_AT_ONCE]
            batch_ids, mask = pad_ids([ids[pair] for pair in pairs])
            looked_at = [rows[pair] for pair in pairs]
            index = (
                None if looked_at == list(range(image.shape[0])) else torch.tensor(looked_at, device=device)
            )
            states[pairs] = self.network.text_states(batch_ids.to(device), mask.to(device), image, index)
        return states


@family("imagereward")
def build(parts: Parts) -> ImageRewardScorer:
    """ImageReward itself, the demo model and checkpoints of the user's own."""
    config, dtype = network_config(parts.card), parts.runtime.dtype
    if parts.card.base:
        network = load_changed(
            build_skeleton(lambda: RewardNetwork(config)),
            parts.card,
            parts.found,
            lambda name: parameter_dtype(name, dtype),
        )
    else:
        network = load_network(config, parts.found.checkpoint, dtype)
    encoder = make_encoder(parts.card, parts.found)
    return ImageRewardScorer(parts.card, network, encoder, spec=parts.spec, packing=True, **parts.common)
