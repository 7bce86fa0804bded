"""Checkpoints that training made: networks of other sizes and kinds, heads alone and LoRAs, by their cards."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from imagereward_core.cli.main import main
from imagereward_core.errors import WeightsError
from imagereward_core.images.preprocess import normalize, to_pixels
from imagereward_core.nets.config import HeadConfig, RewardConfig, TextConfig
from imagereward_core.nets.feature_reward import FeatureRewardConfig, FeatureRewardNetwork
from imagereward_core.nets.reward import RewardNetwork
from imagereward_core.nets.timm_tower import TimmError, TimmTower, timm_config
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker, skeleton_of
from imagereward_core.scorers.registry import find, network_config
from imagereward_core.scorers.requests import choices
from imagereward_core.scorers.tokenizers.bert import pad_ids
from imagereward_core.weights.bundled import MODEL_FOLDER
from imagereward_core.weights.locate import WeightSettings
from imagereward_core.weights.own import own_checkpoints, stored_card
from imagereward_core.weights.store import revision_of
from tests.support.oracles import import_timm
from tests.support.pixels import stack_pixels
from tests.support.tiny import telling
from tests.support.tiny_registry import SIZES, tiny_registry

DEMO = MODEL_FOLDER / "demo.safetensors"
PROMPT = "a red circle on a white background"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    models = tmp_path / "models"
    models.mkdir()
    return WeightSettings(folders=(models,), allow_download=False, use_hub_cache=False)


@pytest.fixture
def image():
    return Image.effect_noise((70, 60), 90).convert("RGB")


def prepare(image, spec):
    return normalize(stack_pixels([to_pixels(image, spec)]), spec)[0]


def write(settings, name, state, **card):
    path = settings.folders[0] / f"{name}.safetensors"
    save_file({key: value.contiguous() for key, value in state.items()}, path)
    path.with_name(f"{name}.card.json").write_text(json.dumps(card))
    return path


def score(settings, name, image, prompt=PROMPT):
    return Maker(LocalRuntime("cpu", "fp32"), settings).make(name).score([image], prompt)


def listed(settings):
    names = sorted(path.name for path in settings.folders[0].iterdir())
    return choices(settings.folders, names, lambda name: str(settings.folders[0] / name))


def test_what_training_made_is_listed_by_its_id_unless_another_has_it_too(settings):
    card = {"like": "demo", "family": "imagereward"}
    write(settings, "first", demo_state(), id="Of mine", **card)
    write(settings, "second", demo_state(), id="of Mine", **card)
    write(settings, "third", demo_state(), id="Third", **card)
    write(settings, "fourth", demo_state(), **card, scale="none")
    assert listed(settings)[-4:] == ["first.safetensors", "fourth.safetensors", "second.safetensors", "Third"]


def demo_state():
    return {
        name: value.float() if value.is_floating_point() else value for name, value in load_file(DEMO).items()
    }


def demo_score(state, image, scale=(0.0, 1.0)):
    """The score of the demo's network with other weights, without the engine."""
    card = find("demo", WeightSettings())[0]
    network = RewardNetwork(network_config(card)).eval()
    network.load_state_dict(state)
    scorer = Maker(LocalRuntime("cpu", "fp32")).make("demo")
    ids, mask = pad_ids([scorer.encoder(PROMPT).ids])
    with torch.no_grad():
        states = network.text_states(ids, mask, network.encode_images(prepare(image, card.image)[None]))
        return (float(network.mlp(states)) - scale[0]) / scale[1]


def test_a_network_trained_from_the_demo_is_a_scorer_by_its_card(settings, image):
    state = demo_state()
    state["mlp.layers.0.weight"] += 0.01 * torch.randn(state["mlp.layers.0.weight"].shape)
    path = write(settings, "mine", state, like="demo", family="imagereward", scale={"mean": 0.5, "std": 2.0})
    scores = score(settings, "mine", image)
    assert scores.values[0] == pytest.approx(demo_score(state, image, (0.5, 2.0)), abs=2e-5)
    own = own_checkpoints(settings)["mine"]
    assert own.card.token_limit == 35 and own.card.image.size == 64
    assert listed(settings)[-1] == "mine"
    # The scale is part of the label: a card with another one makes other scores.
    assert scores.revision == f"{revision_of(path)}-{own.card.recipe}"
    assert stored_card("mine", scores.revision, settings).token_limit == 35
    path.with_name("mine.card.json").write_text(
        json.dumps({"like": "demo", "family": "imagereward", "scale": {"mean": 0.0, "std": 2.0}})
    )
    changed = score(settings, "mine", image)
    assert changed.values[0] == pytest.approx(scores.values[0] + 0.25, abs=1e-9)
    assert changed.revision != scores.revision
    assert stored_card("mine", scores.revision, settings).image.size == 224


def test_a_head_alone_and_a_lora_change_their_base(settings, image):
    state = demo_state()
    base = {"id": "demo", "revision": find("demo", WeightSettings())[1].revision}
    layer = "blip.text_encoder.encoder.layer.1.attention.self.query"
    generator = torch.Generator().manual_seed(3)
    down = torch.randn(4, state[f"{layer}.weight"].shape[1], generator=generator) * 0.2
    up = torch.randn(state[f"{layer}.weight"].shape[0], 4, generator=generator) * 0.2
    head = {name: value * 1.5 for name, value in state.items() if name.startswith("mlp.")}
    write(settings, "head", head, like="demo", base=base)
    lora = {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up, **head}
    write(settings, "lora", lora, like="demo", base=base, lora_scale=0.5)
    wanted = {**state, **head}
    card = find("demo", WeightSettings())[0]
    scale = (card.sizes["head"]["mean"], card.sizes["head"]["std"])
    assert score(settings, "head", image).values[0] == pytest.approx(
        demo_score(wanted, image, scale), abs=2e-5
    )
    wanted[f"{layer}.weight"] = state[f"{layer}.weight"] + 0.5 * up @ down
    assert score(settings, "lora", image).values[0] == pytest.approx(
        demo_score(wanted, image, scale), abs=2e-5
    )
    assert score(settings, "lora", image).revision.endswith(f"+{base['revision']}")
    assert main(["models", "verify", str(settings.folders[0] / "lora.safetensors")]) == 0


@pytest.mark.parametrize(
    ("state", "card", "says"),
    [
        ({"mlp.layers.0.weight": (128, 128)}, {"base": {"id": "demo", "revision": "0" * 12}}, "0" * 12),
        ({"mlp.layers.0.weight": (3, 3)}, {}, "another shape"),
        ({"mlp.elsewhere": (3,)}, {}, "mlp.elsewhere"),
        ({"mlp.layers.0.lora_A.weight": (2, 128)}, {}, "lora_A"),
        (
            {"mlp.layers.0.lora_A.weight": (2, 128), "mlp.layers.0.lora_B.weight": (128, 3)},
            {},
            "another shape",
        ),
        # Multiplied, these few numbers would take a terabyte.
        (
            {"mlp.layers.0.lora_A.weight": (1, 2**19), "mlp.layers.0.lora_B.weight": (2**19, 1)},
            {},
            "another shape",
        ),
        ({"mlp.layers.0.weight": (128, 128)}, {"base": {"id": "x", "revision": "0" * 12}}, "'x'"),
        (
            {"mlp.layers.0.weight": (128, 128)},
            {"base": {"id": "change", "revision": "0" * 12}},
            "whole network",
        ),
    ],
)
def test_a_change_that_does_not_fit_is_refused(settings, image, state, card, says):
    base = {"id": "demo", "revision": find("demo", WeightSettings())[1].revision}
    tensors = {name: torch.ones(shape) for name, shape in state.items()}
    write(settings, "change", tensors, **{"like": "demo", "base": base, **card})
    with pytest.raises(Exception, match="(?s)" + says):
        score(settings, "change", image)


@pytest.mark.parametrize(
    "card",
    [
        {"family": "os.system"},
        {"family": "imagereward", "like": "nobody"},
        {"family": "imagereward", "like": "Aesthetic"},
        {"family": "imagereward", "network": {"text": {"width": 10**9}}},
        {"family": "imagereward", "network": {"a": {"b": {"c": {"d": {"e": 1}}}}}},
        {"family": "imagereward", "image": {"size": 10**6}},
        {"family": "imagereward", "image": {"mean": [0, 0]}},
        {"family": "imagereward", "image": {"std": [0, 1, 1]}},
        {"family": "imagereward", "scale": {"mean": 0, "std": 0}},
        {"family": "imagereward", "scale": {"mean": float("nan"), "std": 1}},
        {"base": {"id": "demo", "revision": "../../x"}},
        {"base": {"id": "demo"}},
        {"base": "demo"},
        {"family": "imagereward", "lora_scale": "1"},
        {"family": "imagereward", "scale": {"mean": 10**400, "std": 1}},
        {"family": "imagereward", "network": {"text": {"width": 10**400}}},
        {"family": "imagereward", "typical_range": [0, 10**400]},
        {"family": "imagereward", "network": {"text": {"width": -1}}},
        {"family": "imagereward", "network": {"vision": {"heads": 0}}},
        {"family": "imagereward", "network": {"vision": {"depth": 60_000}}},
    ],
)
def test_what_a_card_may_not_say_is_refused_and_the_file_not_listed(settings, image, card, caplog):
    write(settings, "bad", {"mlp.layers.0.weight": torch.ones(2, 2)}, **card)
    with pytest.raises(WeightsError, match="bad.card.json"):
        score(settings, str(settings.folders[0] / "bad.safetensors"), image)
    assert "bad" not in own_checkpoints(settings) and "bad.safetensors is not listed" in caplog.text


def test_cards_that_go_in_circles_are_refused(settings, image):
    for name, base in (("one", "two"), ("two", "one.safetensors")):
        changed = {"id": base, "revision": "0" * 12}
        write(settings, name, {"mlp.layers.0.weight": torch.ones(128, 128)}, like="demo", base=changed)
    for name in ("one", "two"):
        with pytest.raises(WeightsError, match="no whole network of its kind"):
            score(settings, name, image)


def test_sizes_that_make_no_network_are_said(settings, image):
    write(
        settings,
        "odd",
        {"a": torch.ones(1)},
        like="demo",
        family="imagereward",
        network={"text": {"colour": 3}},
    )
    with pytest.raises(WeightsError, match="describes no network"):
        score(settings, "odd", image)


def test_an_image_tower_of_timm(settings, image):
    import_timm()
    tower = timm_config("vit_tiny_patch16_224", image_size=32, drop_path=0.0)
    text = TextConfig(vocab_size=30, positions=64, width=32, depth=2, heads=2, mlp_width=48)
    card = find("demo", WeightSettings())[0]
    text = replace(text, vocab_size=card.sizes["text"]["vocab_size"])
    config = RewardConfig(tower, text, HeadConfig(widths=(16, 8, 4, 4), mean=0.0, std=1.0), projection=0)
    assert RewardConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    network = RewardNetwork(config).eval()
    telling(network, spread=0.1)
    spec = {"size": 32, "mean": list(tower.mean), "std": list(tower.std)}
    write(
        settings,
        "timm",
        network.state_dict(),
        like="demo",
        family="imagereward",
        network=config.to_dict(),
        image=spec,
    )
    scorer = Maker(LocalRuntime("cpu", "fp32"), settings).make("timm")
    ids, mask = pad_ids([scorer.encoder(PROMPT).ids])
    with torch.no_grad():
        expected = float(network(ids, mask, prepare(image, scorer.spec)[None]))
    assert scorer.score([image], PROMPT).values[0] == pytest.approx(expected, abs=2e-5)
    half = Maker(LocalRuntime("cpu", "bf16"), settings).make("timm").score([image], PROMPT).values[0]
    assert half == pytest.approx(expected, rel=0.3, abs=0.5)
    assert skeleton_of(scorer.card).state_dict().keys() == network.state_dict().keys()


@pytest.mark.parametrize("name", ["hf-hub:somebody/model", "local-dir:/tmp/x", "no_such_network", "../x"])
def test_a_name_that_timm_would_fetch_or_does_not_know_is_refused(name):
    import_timm()
    with pytest.raises(TimmError, match="has no network called"):
        timm_config(name)
    with pytest.raises(TimmError, match="has no network called"):
        TimmTower(replace(timm_config("vit_tiny_patch16_224"), name=name))


def test_without_timm_a_sentence_says_what_is_lacking(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(TimmError, match="pip install timm"):
        timm_config("vit_tiny_patch16_224")


def test_a_head_on_clip_whole_and_alone(tmp_path, monkeypatch, image):
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = tiny_registry(tmp_path / "models", monkeypatch)
    config = FeatureRewardConfig(clip=SIZES["clip-l"](), hidden=(12, 6), mean=0.25, std=0.5)
    base = find("CLIP", settings)[1]
    network = FeatureRewardNetwork(config).eval()
    telling(network, 4)
    network.clip.load_state_dict(load_file(base.checkpoint))
    facts = {"like": "CLIP", "family": "clip-mlp", "network": config.to_dict()}
    write(settings, "whole", network.state_dict(), **facts)
    head = {name: value for name, value in network.state_dict().items() if name.startswith("mlp.")}
    write(settings, "alone", head, **facts, base={"id": "CLIP", "revision": base.revision})
    scorer = Maker(LocalRuntime("cpu", "fp32"), settings).make("whole")
    ids, mask = pad_ids([scorer.encoder("an red cat").ids])
    with torch.no_grad():
        pictures = network.encode_images(prepare(image, scorer.spec)[None])
        expected = float(network.normalise(network.mlp(pictures, network.encode_texts(ids, mask))))
    for name in ("whole", "alone"):
        assert score(settings, name, image, "an red cat").values[0] == pytest.approx(expected, abs=2e-5)
    pictures = torch.stack([prepare(image, scorer.spec)] * 2).requires_grad_()
    scorer.begin()
    scorer.rewards(scorer.tower.encode(pictures), ["a dog", "a cat"]).sum().backward()
    assert bool(torch.isfinite(pictures.grad).all()) and pictures.grad.abs().sum() > 0
