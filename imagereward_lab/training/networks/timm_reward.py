"""A reward network whose image tower is one of timm's: the paper's wish for stronger backbones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from imagereward_core.errors import CuratorError
from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.config import RewardConfig, TimmConfig
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.timm_tower import TimmTower, timm_config, timm_library

from ..trainee import LayeredTower


class TimmTrainingError(CuratorError):
    """A network of timm cannot be trained in the way that was asked for."""


def with_timm_tower(
    network: RewardNetwork, name: str, image_size: int = 0, pretrained: bool = True
) -> RewardNetwork:
    """A network with the text tower and the head of another and an image tower of timm.

    Keys and values of the cross-attention fit the width of the image tower, so they are new where that is another: drawn from
    N(0, 0.02), as BERT's layers are.

    Args:
        network: Where the text tower and the head come from; it is not changed.
        name: Of the network, with the tag of its pretrained weights or without.
        image_size: Side of the picture in pixels; 0 for the network's own.
        pretrained: Whether its published weights are fetched; without them it starts from random ones.

    Raises:
        TimmError: timm is missing, or does not know the name.
        TimmTrainingError: The pretrained weights cannot be had.
    """
    tower = timm_config(name, image_size, drop_path=0.1)
    config: RewardConfig = replace(network.config, vision=tower, projection=0)
    made = RewardNetwork(config)
    own, old = made.state_dict(), network.state_dict()
    for key, value in own.items():
        if key in old and old[key].shape == value.shape and ".visual_encoder." not in key:
            own[key] = old[key].clone()
        elif ".crossattention.self." in key:
            own[key] = (
                torch.zeros_like(value)
                if key.endswith("bias")
                else nn.init.normal_(torch.empty_like(value), std=0.02)
            )
    if pretrained:
        published = _published(name, tower)
        own.update({f"blip.visual_encoder.model.{key}": value for key, value in published.items()})
    made.load_state_dict(own)
    return made


def _published(name: str, tower: TimmConfig) -> dict[str, Tensor]:
    options: dict[str, Any] = {"img_size": tower.image_size} if tower.sized else {}
    try:
        model = timm_library().create_model(name, pretrained=True, num_classes=0, **options)
    except Exception as error:
        raise TimmTrainingError(
            f"the published weights of {name} cannot be had ({type(error).__name__}: {error}); expected timm to fetch them. Connect "
            "to the network, or start from random ones with --vision-random"
        ) from error
    return dict(model.state_dict())


def timm_image_spec(tower: TimmConfig) -> ImageSpec:
    """How pictures are prepared for a tower: ImageReward's framing, at its size and with its normalisation."""
    return ImageSpec(size=tower.image_size, mean=tower.mean, std=tower.std)


def timm_layers(tower: TimmTower) -> LayeredTower:
    """The tower as the trainer freezes it: blocks or stages, and everything before and after them."""
    layers = tower.layers
    inside = {id(each) for layer in layers for each in layer.parameters()}
    tail = tuple(
        module
        for name, module in tower.model.named_children()
        if name in ("norm", "fc_norm", "head", "norm_head", "conv_head", "final_conv")
    )
    behind = {id(each) for module in tail for each in module.parameters()}
    stem = tuple(each for each in tower.parameters() if id(each) not in inside | behind)
    return LayeredTower("vision", stem, layers, tail)


def lower(tower: TimmTower, pixels: Tensor, depth: int) -> Tensor:
    """Hidden states of a plain vision transformer; see :meth:`..trainee.Trainee.lower`.

    Raises:
        TimmTrainingError: It is another kind of network, whose layers cannot be run one by one.
    """
    model = tower.model
    if not all(hasattr(model, name) for name in ("patch_embed", "_pos_embed", "norm_pre", "blocks")):
        raise TimmTrainingError(
            f"the layers of {tower.config.name} cannot be run one by one, so what its frozen ones give cannot be kept; train without "
            "--cache-frozen"
        )
    states = model.norm_pre(model.patch_drop(model._pos_embed(model.patch_embed(pixels))))
    for block in model.blocks[:depth]:
        states = block(states)
    return states


def upper(tower: TimmTower, hidden: Tensor, depth: int) -> Tensor:
    """Tokens from hidden states; see :meth:`..trainee.Trainee.upper`."""
    for block in tower.model.blocks[depth:]:
        hidden = block(hidden)
    return tower.model.norm(hidden)
