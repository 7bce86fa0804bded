"""A head on CLIP's features as the trainer sees it: the paper's other backbone (arXiv 2304.05977, Table 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.feature_reward import FeatureHead, FeatureRewardNetwork
from imagereward_core.scorers.tokenizers.bert import pad_ids
from imagereward_core.scorers.tokenizers.encoder import Encoder

from ..trainee import LayeredTower


def initialise_feature_head(head: FeatureHead) -> None:
    """Weights from N(0, 2/fan_in), as layers with an activation like it, the last from N(0, 1/fan_in); biases 0."""
    linear = [layer for layer in head.layers if isinstance(layer, nn.Linear)]
    for layer in linear:
        gain = 1.0 if layer is linear[-1] else 2.0
        nn.init.normal_(layer.weight, std=(gain / layer.in_features) ** 0.5)
        nn.init.zeros_(layer.bias)


class FeatureTrainee:
    """CLIP and a head on its features; see :class:`..trainee.Trainee`. Without a layer left to train, CLIP stays as it is.

    Args:
        network: In float32, on any device.
        spec: How pictures are prepared.
        encoder: Prompts to ids.
    """

    kind = "clip-mlp"

    def __init__(self, network: FeatureRewardNetwork, spec: ImageSpec, encoder: Encoder) -> None:
        self.network, self.spec, self.encoder = network, spec, encoder
        clip = network.clip
        clip.logit_scale.requires_grad_(False)  # the rewards do not read it
        vision, text = clip.vision_model, clip.text_model
        self.towers: tuple[LayeredTower, ...] = (
            LayeredTower(
                "vision",
                (vision.embeddings, vision.pre_layrnorm),
                tuple(vision.encoder.layers),
                (vision.post_layernorm, clip.visual_projection),
            ),
            LayeredTower(
                "text",
                (text.embeddings,),
                tuple(text.encoder.layers),
                (text.final_layer_norm, clip.text_projection),
            ),
        )

    def tokens(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """See :meth:`..trainee.Trainee.tokens`."""
        return pad_ids([self.encoder(prompt).ids for prompt in prompts])

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Unit vectors [N, projection]."""
        return self.network.encode_images(pixels)

    def rewards(self, features: Tensor, ids: Tensor, mask: Tensor, rows: Tensor, texts: Tensor) -> Tensor:
        """See :meth:`..trainee.Trainee.rewards`. Each prompt goes through its tower once."""
        words = self.network.encode_texts(ids, mask)
        with torch.autocast(features.device.type, enabled=False):
            return self.network.mlp(features.float()[rows], words.float()[texts])

    def lower(self, pixels: Tensor, depth: int) -> Tensor:
        """See :meth:`..trainee.Trainee.lower`."""
        vision = self.network.clip.vision_model
        stream = vision.pre_layrnorm(vision.embeddings(pixels))
        for layer in vision.encoder.layers[:depth]:
            stream = layer(stream, None, False)
        return stream

    def upper(self, hidden: Tensor, depth: int) -> Tensor:
        """See :meth:`..trainee.Trainee.upper`."""
        clip, stream = self.network.clip, hidden
        for layer in clip.vision_model.encoder.layers[depth:]:
            stream = layer(stream, None, False)
        first = clip.vision_model.post_layernorm(stream[:, 0])
        return nn.functional.normalize(clip.visual_projection(first).float(), dim=-1)
