"""Whole layers are frozen, the report says exactly what trains, and the published selection can be had by name."""

from __future__ import annotations

import pytest
import torch

from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.skeleton import build_skeleton
from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.networks.freezing import freeze
from imagereward_lab.training.networks.reward import RewardTrainee
from tests.support.rankings import SPEC, STEADY
from tests.support.tiny import TINY


def full_size():
    """ImageReward on the meta device."""
    return RewardTrainee(build_skeleton(RewardNetwork), ImageSpec())


def test_the_published_selection_has_the_published_count():
    """REFERENCE.md, 7: 140.5 M trainable at 0.7 (text 38.8, vision 100.8, head 0.9)."""
    trainee = full_size()
    frozen = freeze(trainee, 0.7, "reference")
    counts = {name: round(count / 1e6, 1) for name, count in frozen.counts.items()}
    assert counts == {"vision": 100.8, "text": 38.8, "head": 0.9}
    assert round(frozen.trained / 1e6, 1) == 140.5
    state = dict(trainee.network.named_parameters())
    text, vision = "blip.text_encoder.encoder.layer.", "blip.visual_encoder.blocks."
    for name in (f"{text}8.attention.self.query.weight", f"{vision}16.norm1.weight"):
        assert not state[name].requires_grad, "the first tensor of the next layer too"
    for name in (f"{text}8.attention.self.query.bias", f"{vision}16.norm1.bias"):
        assert state[name].requires_grad
    # In the order of their definition, all up to those.
    for tower, last in (
        (trainee.network.blip.text_encoder, "layer.8."),
        (trainee.network.blip.visual_encoder, "blocks.16."),
    ):
        flags = [each.requires_grad for _, each in tower.named_parameters()]
        names = [name for name, _ in tower.named_parameters()]
        stop = next(place for place, name in enumerate(names) if last in name)
        assert flags == [False] * (stop + 1) + [True] * (len(flags) - stop - 1)


def test_whole_layers_are_frozen_with_what_comes_before_them():
    trainee = full_size()
    frozen = freeze(trainee, 0.7)
    assert frozen.depths == {"vision": 16, "text": 8}
    trained = {name for name, each in trainee.network.named_parameters() if each.requires_grad}
    expected = {
        name
        for name in trained
        if name.startswith("mlp.")
        or any(f".blocks.{layer}." in name for layer in range(16, 24))
        or any(f".layer.{layer}." in name for layer in range(8, 12))
        or ".visual_encoder.norm." in name
    }
    assert trained == expected == set(frozen.names)
    assert sum(".blocks.16." in name for name in trained) == 12
    assert frozen.trained == sum(each.numel() for each in trainee.network.parameters() if each.requires_grad)
    assert "trains 141.1 M of 446.7 M parameters in 212 tensors" in frozen.describe()
    assert "layers 17 to 24 of 24" in frozen.describe()


@pytest.mark.parametrize("how", ["layers", "reference"])
def test_nothing_and_everything(how):
    assert set(freeze(full_size(), 0.0, how).counts) == {"vision", "text", "head"}
    trainee = full_size()
    assert all("proj" not in name.split(".")[1] for name in freeze(trainee, 0.0, how).names)
    head = freeze(full_size(), 1.0, how)
    assert head.counts["vision"] == head.counts["text"] == 0 and len(head.names) == 10


def test_frozen_layers_have_no_dropout_but_in_the_reference_mode():
    for how, drops in (("layers", False), ("reference", True)):
        trainee = RewardTrainee(RewardNetwork(TINY), SPEC)
        freeze(trainee, 0.7, how).set_modes(trainee.network)
        blip = trainee.network.blip
        assert blip.visual_encoder.blocks[0].training is drops
        assert blip.text_encoder.embeddings.dropout.training is drops
        assert blip.visual_encoder.blocks[2].training and trainee.network.mlp.training


def test_what_cannot_be_frozen_is_an_error():
    with pytest.raises(TrainingError, match="0 to 1"):
        freeze(RewardTrainee(RewardNetwork(STEADY), SPEC), 70)
    trainee = RewardTrainee(RewardNetwork(STEADY), SPEC)
    trainee.network.mlp.requires_grad_(False)
    with pytest.raises(TrainingError, match="nothing|everything|every parameter"):
        freeze(trainee, 1.0)


def test_features_in_two_parts_are_the_features():
    trainee = RewardTrainee(RewardNetwork(STEADY).eval(), SPEC)
    pixels = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        whole = trainee.encode_images(pixels)
        for depth in range(4):
            assert torch.equal(whole, trainee.upper(trainee.lower(pixels, depth), depth))
