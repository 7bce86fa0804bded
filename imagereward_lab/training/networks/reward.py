"""ImageReward-shaped networks as the trainer sees them, of any size: from BLIP, from a checkpoint of that shape, or the demo's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.timm_tower import TimmTower
from imagereward_core.nets.vit import VisionTransformer
from imagereward_core.scorers.tokenizers.bert import PromptEncoder, pad_ids

from ..trainee import LayeredTower
from . import timm_reward


class RewardTrainee:
    """A reward network that is trained; see :class:`..trainee.Trainee`.

    Args:
        network: In float32, on any device. The two projections of BLIP score, which its rewards do not read, are frozen.
        spec: How pictures are prepared.
        encoder: Prompts to ids; None for a caller whose batches have ids already.
    """

    kind = "imagereward"

    def __init__(self, network: RewardNetwork, spec: ImageSpec, encoder: PromptEncoder | None = None) -> None:
        self.network, self.spec, self.encoder = network, spec, encoder
        blip = network.blip
        for unused in ("vision_proj", "text_proj"):
            if hasattr(blip, unused):
                getattr(blip, unused).requires_grad_(False)
        text = blip.text_encoder
        self.towers: tuple[LayeredTower, ...] = (
            _image_tower(blip.visual_encoder),
            LayeredTower("text", (text.embeddings,), tuple(text.encoder.layer)),
        )

    def tokens(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """See :meth:`..trainee.Trainee.tokens`."""
        if self.encoder is None:
            raise TypeError("this network was given without a tokenizer; expected batches that have ids")
        return pad_ids([self.encoder(prompt).ids for prompt in prompts])

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Image tokens [N, T, width]."""
        return self.network.encode_images(pixels)

    def rewards(self, features: Tensor, ids: Tensor, mask: Tensor, rows: Tensor, texts: Tensor) -> Tensor:
        """See :meth:`..trainee.Trainee.rewards`."""
        states = self.network.text_states(ids[texts], mask[texts], features, rows)
        # The head is a ten-thousandth of the work, and its last layers end in the number itself.
        with torch.autocast(states.device.type, enabled=False):
            return self.network.mlp(states.float())[:, 0]

    def lower(self, pixels: Tensor, depth: int) -> Tensor:
        """See :meth:`..trainee.Trainee.lower`."""
        tower = self.network.blip.visual_encoder
        return (
            tower.lower(pixels, depth)
            if isinstance(tower, VisionTransformer)
            else timm_reward.lower(tower, pixels, depth)
        )

    def upper(self, hidden: Tensor, depth: int) -> Tensor:
        """See :meth:`..trainee.Trainee.upper`."""
        tower = self.network.blip.visual_encoder
        return (
            tower.upper(hidden, depth)
            if isinstance(tower, VisionTransformer)
            else timm_reward.upper(tower, hidden, depth)
        )


def _image_tower(tower: VisionTransformer | TimmTower) -> LayeredTower:
    if not isinstance(tower, VisionTransformer):
        return timm_reward.timm_layers(tower)
    stem = (tower.cls_token, tower.pos_embed, tower.patch_embed)
    return LayeredTower("vision", stem, tuple(tower.blocks), (tower.norm,))
