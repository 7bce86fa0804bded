"""Sizes of an ImageReward-shaped network by the shapes of its weights, for a checkpoint whose card does not say them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch

from imagereward_core.nets.config import HeadConfig, RewardConfig, TextConfig, VisionConfig

from ..errors import TrainingError

_HEAD_WIDTH = 64
"""Numbers per head of attention, which no shape shows: as in every published ViT and BERT of this kind."""
_IMAGE, _TEXT = "blip.visual_encoder.", "blip.text_encoder."


def config_of(layout: Mapping[str, tuple[torch.dtype, tuple[int, ...]]]) -> RewardConfig:
    """The configuration of the network that weights of these names and shapes belong to; dropout is that of ImageReward.

    Raises:
        TrainingError: They are none of such a network.
    """
    shapes = {name: shape for name, (_, shape) in layout.items()}
    try:
        _, tokens, width = shapes[f"{_IMAGE}pos_embed"]
        patch = shapes[f"{_IMAGE}patch_embed.proj.weight"][-1]
        words, text_width = shapes[f"{_TEXT}embeddings.word_embeddings.weight"]
        head = sorted(
            int(match[1]) for name in shapes if (match := re.fullmatch(r"mlp\.layers\.(\d+)\.weight", name))
        )
        widths = tuple(shapes[f"mlp.layers.{number}.weight"][0] for number in head[:-1])
        vision = VisionConfig(
            image_size=math.isqrt(tokens - 1) * patch,
            patch_size=patch,
            width=width,
            depth=_depth(shapes, rf"{_IMAGE}blocks\.(\d+)\."),
            heads=max(1, width // _HEAD_WIDTH),
            mlp_width=shapes[f"{_IMAGE}blocks.0.mlp.fc1.weight"][0],
        )
        text = TextConfig(
            vocab_size=words,
            positions=shapes[f"{_TEXT}embeddings.position_embeddings.weight"][0],
            width=text_width,
            depth=_depth(shapes, rf"{_TEXT}encoder\.layer\.(\d+)\."),
            heads=max(1, text_width // _HEAD_WIDTH),
            mlp_width=shapes[f"{_TEXT}encoder.layer.0.intermediate.dense.weight"][0],
        )
    except (KeyError, ValueError, IndexError) as error:
        raise TrainingError(
            f"the weights are none of an ImageReward-shaped network ({error} is missing, or has another shape); expected its image tower, "
            "its text tower and its reward head"
        ) from error
    # Behind a layer with dropout the number of the next one leaps.
    leaps = sum(after - before == 2 for before, after in zip(head, head[1:]))
    return RewardConfig(
        vision=vision,
        text=text,
        head=HeadConfig(widths=widths, dropouts=HeadConfig().dropouts[:leaps]),
        projection=shapes.get("blip.vision_proj.weight", (0,))[0],
    )


def _depth(shapes: Mapping[str, tuple[int, ...]], pattern: str) -> int:
    return 1 + max(int(match[1]) for name in shapes if (match := re.match(pattern, name)))
