"""What training makes is a scorer the same minute: exported, it gives the numbers that the network gave."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image

from imagereward_core.errors import WeightsError
from imagereward_core.images.preprocess import normalize, to_pixels
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.families import imagereward
from imagereward_core.scorers.registry import network_config
from imagereward_core.weights.locate import WeightSettings
from imagereward_lab.training.errors import TrainingError
from imagereward_lab.training.export import ExportError, Made, export
from imagereward_lab.training.networks.starts import open_start
from imagereward_lab.training.networks.tuning import tune
from tests.support.oracles import import_peft, import_timm
from tests.support.pixels import stack_pixels
from tests.support.tiny import TINY, telling
from tests.support.tiny_registry import tiny_registry

PROMPT = "an red cat"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    registry = tiny_registry(tmp_path / "models", monkeypatch)
    # The registered ones are tiny; what a card says of a trained one holds.
    monkeypatch.setattr(
        imagereward, "network_config", lambda card: network_config(card) if card.recipe else TINY
    )
    return registry


@pytest.fixture
def images():
    return [Image.effect_noise((60, 50), 40 + 40 * number).convert("RGB") for number in range(4)]


def raw_rewards(trainee, images):
    pixels = normalize(stack_pixels([to_pixels(image, trainee.spec) for image in images]), trainee.spec)
    ids, mask = trainee.tokens([PROMPT])
    trainee.network.eval()
    with torch.no_grad():
        features = trainee.encode_images(pixels)
        return trainee.rewards(
            features, ids, mask, torch.arange(len(images)), torch.zeros(len(images)).long()
        )


def nudge(network):
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))


@pytest.mark.parametrize("how", ["full", "lora", "head"])
@pytest.mark.parametrize("name", ["BLIP", "ImageReward-v1.0", "CLIP"])
def test_what_is_exported_scores_as_it_did_while_it_trained(settings, images, name, how, tmp_path):
    if how == "lora":
        import_peft()
    start = open_start(name, settings)
    assert all(
        each.requires_grad
        for part in start.trainee.towers
        for layer in part.layers
        for each in layer.parameters()
    )
    factor = tune(start.trainee, how, rank=2, alpha=4)
    nudge(start.trainee.network)
    raw = raw_rewards(start.trainee, images)
    made = Made(
        "mine",
        raw.tolist(),
        data="ab" * 32,
        splits={"train": 3},
        accuracy=(0.7, 0.6, 0.8),
        tuning=how,
        lora_scale=factor,
    )
    export(start, made, settings.folders[0])
    scorer = Maker(LocalRuntime("cpu", "fp32"), settings).make("mine")
    expected = (raw.double() - raw.double().mean()) / raw.double().std(correction=0)
    scores = scorer.score(images, PROMPT)
    torch.testing.assert_close(torch.tensor(scores.values), expected, atol=2e-4, rtol=2e-4)
    assert scores.distribution is not None and scores.distribution.percentile(10.0) == 100.0
    assert any("70.0 %" in note for note in scorer.card.notes) and any(
        start.scorer in note for note in scorer.card.notes
    )
    whole = how == "full"
    card = json.loads((settings.folders[0] / "mine.card.json").read_text())
    assert ("base" in card) != whole and card["training"]["splits"] == {"train": 3}
    with pytest.raises(ExportError, match="--overwrite"):
        export(start, made, settings.folders[0])


def test_a_change_of_another_base_is_refused(settings, images):
    start = open_start("ImageReward-v1.0", settings)
    tune(start.trainee, "head")
    export(start, Made("mine", [0.0, 1.0], tuning="head"), settings.folders[0])
    other = open_start("ImageReward-v1.0", settings)
    telling(other.trainee.network, 9)
    from safetensors.torch import save_file

    base = next((settings.folders[0] / "ImageReward-v1.0").glob("*.safetensors"))
    save_file(other.trainee.network.state_dict(), base)
    with pytest.raises(WeightsError, match="put the checkpoint it was trained from in their place"):
        Maker(LocalRuntime("cpu", "fp32"), settings).make("mine")


def test_a_tower_of_timm_is_exported_with_its_name(settings, images):
    import_timm()
    start = open_start(
        "ImageReward-v1.0", settings, vision="vit_tiny_patch16_224", vision_size=32, vision_random=True
    )
    assert start.trainee.spec.mean == (0.5, 0.5, 0.5) and not start.whole
    raw = raw_rewards(start.trainee, images)
    export(start, Made("stronger", raw.tolist()), settings.folders[0])
    scores = Maker(LocalRuntime("cpu", "fp32"), settings).make("stronger").score(images, PROMPT)
    expected = (raw.double() - raw.double().mean()) / raw.double().std(correction=0)
    torch.testing.assert_close(torch.tensor(scores.values), expected, atol=5e-4, rtol=5e-4)
    with pytest.raises(ExportError, match="leave out --tuning"):
        export(start, Made("change", raw.tolist(), tuning="head"), settings.folders[0])


def test_what_cannot_be_trained_or_written_is_said(settings, tmp_path):
    with pytest.raises(TrainingError, match="Aesthetic cannot be trained"):
        open_start("Aesthetic", settings)
    for name, vision in (("Aesthetic", ""), ("CLIP", "vit_tiny_patch16_224")):
        with pytest.raises(TrainingError, match=f"{name} cannot be trained"):  # and nothing is fetched before
            open_start(name, WeightSettings(folders=(tmp_path,), allow_download=False), vision=vision)
    start = open_start("ImageReward-v1.0", settings)
    for rewards in ([], [1.0], [2.0, 2.0], [float("nan"), 1.0]):
        with pytest.raises(ExportError, match="no scale"):
            export(start, Made("mine", rewards), tmp_path / "out")
    assert not (tmp_path / "out").exists()
