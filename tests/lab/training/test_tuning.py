"""A head alone, a LoRA, a head on CLIP's features, and an image tower of timm: what trains, and that it is what scorers read."""

from __future__ import annotations

import builtins
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.feature_reward import FeatureRewardConfig, FeatureRewardNetwork
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.scorers.changes import apply_changes
from imagereward_core.scorers.tokenizers.bert import pad_ids
from imagereward_lab.training.networks.features import FeatureTrainee, initialise_feature_head
from imagereward_lab.training.networks.timm_reward import (
    TimmTrainingError,
    lower,
    timm_image_spec,
    timm_layers,
    upper,
    with_timm_tower,
)
from imagereward_lab.training.networks.tuning import TuningError, changed_tensors, tune
from tests.support.oracles import import_peft, import_timm
from tests.support.tiny import TINY, telling, tiny_network
from tests.support.tiny_registry import SIZES

IDS, MASK = pad_ids([[2, 5, 6, 3], [2, 7, 3]])


class Trainee:
    """As much of a trainee as tuning looks at."""

    kind, towers = "imagereward", ()

    def __init__(self, network):
        self.network = network


def rewards(network):
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    return network.mlp(network.text_states(IDS, MASK, network.encode_images(pixels)))[:, 0]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ModuleNotFoundError("No module named 'peft'", name="peft"),
            r"not installed.*pip install .*\[train\]",
        ),
        (ImportError("operator torchvision::nms does not exist"), "torchvision::nms.*do not fit together"),
    ],
)
def test_a_missing_and_a_broken_peft_are_told_apart(monkeypatch, error, said):
    found = builtins.__import__

    def refuse(name, *rest):
        if name == "peft":
            raise error
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(TuningError, match=said) as raised:
        tune(Trainee(tiny_network()), "lora")
    assert ("pip install" in str(raised.value)) == ("not installed" in str(raised.value))


@pytest.mark.parametrize("how", ["lora", "head"])
def test_what_is_stored_of_a_change_gives_the_network_that_was_trained(how, tmp_path):
    import_peft()
    network, base = tiny_network(), tiny_network()
    with torch.no_grad():
        before = rewards(network)
    factor = tune(Trainee(network), how, rank=3, alpha=6)
    assert factor == (2.0 if how == "lora" else 1.0)
    with torch.no_grad():
        torch.testing.assert_close(rewards(network), before)  # it starts as what it changes
    kept = {name: each.clone() for name, each in network.named_parameters() if not each.requires_grad}
    optimiser = torch.optim.Adam([each for each in network.parameters() if each.requires_grad], lr=1e-2)
    for _ in range(3):
        optimiser.zero_grad()
        rewards(network).sum().backward()
        optimiser.step()
    assert all(torch.equal(each, kept[name]) for name, each in network.named_parameters() if name in kept)
    changes = changed_tensors(network)
    assert any("lora_A" in name for name in changes) == (how == "lora")
    assert sum(name.startswith("mlp.") for name in changes) == 10
    save_file(changes, tmp_path / "change.safetensors")
    apply_changes(base, tmp_path / "change.safetensors", factor)
    with torch.no_grad():
        torch.testing.assert_close(rewards(base), rewards(network), atol=2e-5, rtol=2e-5)
        assert not torch.allclose(rewards(base), before)


def test_a_lora_without_a_layer_and_a_way_nobody_knows_are_refused():
    import_peft()
    network = tiny_network()
    network.requires_grad_(False)
    with pytest.raises(TuningError, match="smaller --freeze"):
        tune(Trainee(network), "lora")
    with pytest.raises(TuningError, match="expected one of full, lora, head"):
        tune(Trainee(network), "everything")


def feature_trainee():
    network = FeatureRewardNetwork(FeatureRewardConfig(clip=SIZES["clip-l"](), hidden=(12, 6), dropout=0.0))
    telling(network)
    initialise_feature_head(network.mlp)
    return FeatureTrainee(network.eval(), ImageSpec(size=32), encoder=None)


def test_a_head_on_features_starts_with_spread_and_its_layers_can_be_run_in_two_parts():
    trainee = feature_trainee()
    pixels = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    ids, mask = pad_ids([[1, 7, 9, 2], [1, 8, 2]])
    rows, texts = torch.arange(6), torch.tensor([0, 0, 0, 1, 1, 1])
    with torch.no_grad():
        features = trainee.encode_images(pixels)
        found = trainee.rewards(features, ids, mask, rows, texts)
        for depth in range(len(trainee.towers[0].layers) + 1):
            torch.testing.assert_close(trainee.upper(trainee.lower(pixels, depth), depth), features)
    assert found.shape == (6,) and found.std() > 0.05
    with torch.no_grad():
        other = trainee.rewards(features, ids, mask, rows, 1 - texts)
    # The order of pictures depends on the prompt, which a sum of both parts would not do.
    assert (found[:3].diff() - other[:3].diff()).abs().max() > 1e-3
    parts = {
        id(each)
        for tower in trainee.towers
        for part in (*tower.stem, *tower.layers, *tower.tail)
        for each in part.parameters()
    }
    rest = [name for name, each in trainee.network.named_parameters() if id(each) not in parts]
    assert all(name.startswith("mlp.") or name == "clip.logit_scale" for name in rest)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "convnext_atto"])
def test_an_image_tower_of_timm_takes_the_place_of_vit(name):
    import_timm()
    start = tiny_network(config=replace(TINY, projection=0))
    network = with_timm_tower(start, name, image_size=32, pretrained=False).eval()
    assert isinstance(network, RewardNetwork)
    assert torch.equal(network.mlp.state_dict()["layers.0.weight"], start.mlp.state_dict()["layers.0.weight"])
    tower = network.blip.visual_encoder
    layered, spec = timm_layers(tower), timm_image_spec(tower.config)
    assert spec.size == 32 and spec.mean == tower.config.mean
    found = [
        id(each)
        for part in (*layered.stem, *layered.layers, *layered.tail)
        for each in (part.parameters() if isinstance(part, nn.Module) else [part])
    ]
    assert sorted(found) == sorted(id(each) for each in tower.parameters())
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        features = tower(pixels)
        assert rewards(network).shape == (2,)
        if name.startswith("vit"):
            for depth in (0, 5, len(layered.layers)):
                torch.testing.assert_close(upper(tower, lower(tower, pixels, depth), depth), features)
        else:
            with pytest.raises(TimmTrainingError, match="--cache-frozen"):
                lower(tower, pixels, 1)
