"""What a training starts from: a scorer's network by its name, in the form the trainer takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from imagereward_core.nets.config import TimmConfig
from imagereward_core.nets.feature_reward import FeatureRewardConfig, FeatureRewardNetwork
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.families.imagereward import ImageRewardScorer
from imagereward_core.scorers.family import network_of
from imagereward_core.scorers.registry import card_of, find, load_network, make_clip_encoder, make_encoder
from imagereward_core.weights.card import ScorerCard
from imagereward_core.weights.cards import CARDS
from imagereward_core.weights.checkpoint import StateFile
from imagereward_core.weights.locate import FoundWeights, WeightSettings

from ..errors import TrainingError
from ..initialise import initialise_head
from ..trainee import Trainee
from .features import FeatureTrainee, initialise_feature_head
from .positions import with_image_size
from .reward import RewardTrainee
from .sizes import config_of
from .timm_reward import timm_image_spec, with_timm_tower


@dataclass(frozen=True)
class Start:
    """A network to train, and what its card will have to say of where it comes from.

    Attributes:
        trainee: The network, in float32 on the CPU.
        scorer: Id of the scorer it was.
        revision: Label of that scorer's weights.
        like: Registered scorer whose rules for prompts it follows.
        new: Parts whose weights are new, in words.
        whole: Whether the towers are the scorer's, so that a head alone or a LoRA may name it as its base.
    """

    trainee: Trainee
    scorer: str
    revision: str
    like: str
    new: tuple[str, ...]
    whole: bool = True


def open_start(
    name: str,
    settings: WeightSettings | None = None,
    *,
    vision: str = "",
    vision_size: int = 0,
    vision_random: bool = False,
    seed: int = 1234,
    fresh_head: bool = False,
) -> Start:
    """The network of a scorer, ready to be trained.

    Args:
        name: ``BLIP``, as the paper did; ``ImageReward-v1.0``, ``demo`` or a checkpoint of that kind; ``CLIP``, ``PickScore`` or
            ``HPSv2``, which get a head on their features.
        settings: Where weights are found.
        vision: A network of timm to put in the place of the image tower; empty for the scorer's own.
        vision_size: Side of pictures in pixels, for which the scorer's own tower gets interpolated positions; 0 for its own.
        vision_random: Whether it starts from random weights, and not from its published ones.
        seed: Of everything that is new.
        fresh_head: Whether the reward head is new also where the scorer has one.

    Raises:
        TrainingError: Networks of this kind cannot be trained.
        WeightsError, UnknownScorerError: The scorer cannot be loaded.
    """
    settings = settings or WeightSettings()
    _check_kind(card_of(name, settings)[0], vision, vision_size)  # before gigabytes are fetched
    card, found = find(name, settings)
    maker = Maker(LocalRuntime("cpu", "fp32"), settings)
    new: list[str] = []
    resized = False
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trainee: Trainee
        if card.family == "clip":
            trainee = _features(maker.network(card, found), card, found)
            new.append("a head on its features")
        else:
            spec = card.image
            if card.family == "blip":
                network = _blip(maker, card, found)
            elif card.own and card.sizes is None and not card.base:
                network = _by_shapes(found)
                spec = replace(spec, size=network.config.vision.image_size)
            else:
                network = _copy(maker, name)
            if card.family == "blip" or fresh_head:
                initialise_head(network.mlp)
                new.append("a reward head")
            if vision:
                network = with_timm_tower(network, vision, vision_size, not vision_random)
                assert isinstance(network.config.vision, TimmConfig)
                spec = timm_image_spec(network.config.vision)
                new.append(f"the image tower {vision}{' with random weights' if vision_random else ''}")
            elif vision_size and vision_size != spec.size:
                network = with_image_size(network, vision_size)
                spec, resized = replace(spec, size=vision_size), True
                new.append(f"interpolated positions for pictures of {vision_size} pixels")
            trainee = RewardTrainee(network, spec, make_encoder(card, found))
    like = next(known.id for known in CARDS.values() if known.folder == card.folder and known.text)
    if card.family == "blip":
        like = "ImageReward-v1.0"
    return Start(
        trainee, card.id, found.revision, like, tuple(new), whole=not vision and not resized and not card.base
    )


def _check_kind(card: ScorerCard, vision: str, vision_size: int) -> None:
    """Raises where networks of this kind cannot be trained."""
    if card.family not in ("imagereward", "blip", "clip") or (vision and card.family == "clip"):
        raise TrainingError(
            f"{card.id} cannot be trained{' with an image tower of timm' if vision and card.family == 'clip' else ''}; expected "
            "BLIP, ImageReward-v1.0, demo, a checkpoint of their kind, or a CLIP (CLIP, PickScore, HPSv2)"
        )
    if vision_size and card.family == "clip":
        raise TrainingError(
            f"--vision-size {vision_size}: the size of {card.id}'s pictures cannot be changed; leave it out, or start from BLIP or "
            "ImageReward-v1.0"
        )


def _own_storage(network: nn.Module) -> None:
    """Copies weights that are views of a file, and lets all of them train."""
    state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    network.load_state_dict(state, assign=True)
    for parameter in network.parameters():
        parameter.data = parameter.data.float()
        parameter.requires_grad_(True)


def _blip(maker: Maker, card: ScorerCard, found: FoundWeights) -> RewardNetwork:
    network = RewardNetwork(network_of(card.layout).sizes())
    network.blip = maker.network(card, found)
    _own_storage(network)
    return network


def _by_shapes(found: FoundWeights) -> RewardNetwork:
    """The network of a checkpoint whose card says nothing of its sizes."""
    network = load_network(config_of(StateFile(found.checkpoint).layout()), found.checkpoint, torch.float32)
    _own_storage(network)
    return network


def _copy(maker: Maker, name: str) -> RewardNetwork:
    scorer = maker.make(name)
    assert isinstance(scorer, ImageRewardScorer)
    _own_storage(scorer.network)
    return scorer.network


def _features(clip: Any, card: ScorerCard, found: FoundWeights) -> FeatureTrainee:
    network = FeatureRewardNetwork(FeatureRewardConfig(clip=clip.config))
    network.clip = clip
    initialise_feature_head(network.mlp)
    _own_storage(network)
    return FeatureTrainee(network, card.image, make_clip_encoder(card, found))
