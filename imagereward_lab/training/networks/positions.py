"""An image tower for pictures of another size: its position embeddings are interpolated, as BLIP does it (``interpolate_pos_embed``)."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imagereward_core.nets.config import VisionConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.vit import VisionTransformer

from ..errors import TrainingError


def with_image_size(network: RewardNetwork, size: int) -> RewardNetwork:
    """The same network, changed in place, for square pictures of ``size`` pixels.

    Raises:
        TrainingError: Its tower is not of the kind that has positions, or its patches do not fit into that size.
    """
    config = network.config.vision
    tower = network.blip.visual_encoder
    if not isinstance(config, VisionConfig) or not isinstance(tower, VisionTransformer):
        raise TrainingError(
            "--vision-size needs the image tower of BLIP, whose positions can be interpolated, or one that --vision names; found "
            f"{type(tower).__name__}. Leave it out"
        )
    if size % config.patch_size:
        raise TrainingError(
            f"--vision-size {size}: found patches of {config.patch_size} pixels; expected a multiple of that, such as "
            f"{max(1, round(size / config.patch_size)) * config.patch_size}"
        )
    changed = replace(config, image_size=size)
    tower.pos_embed = nn.Parameter(interpolated(tower.pos_embed.detach(), size // config.patch_size))
    tower.config = changed
    network.config = replace(network.config, vision=changed)
    return network


def interpolated(positions: Tensor, side: int) -> Tensor:
    """Position embeddings [1, 1 + n², width] for ``side``² patches; that of the class token stays.

    Bicubic between the patches' centres, as published: ``align_corners=False``, no smoothing where it shrinks.
    """
    extra, grid = positions[:, :1], positions[:, 1:]
    old = round(grid.shape[1] ** 0.5)
    if old == side:
        return positions
    plane = grid.reshape(1, old, old, -1).permute(0, 3, 1, 2)
    plane = F.interpolate(plane, size=(side, side), mode="bicubic", align_corners=False)
    return torch.cat([extra, plane.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)
