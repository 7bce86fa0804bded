"""The drop-in for the reference's object, and none of the reference's known bugs."""

from __future__ import annotations

import math
import shutil
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import imagereward_core as RM
from imagereward_core.errors import ImageError, PromptError, UnknownScorerError, WeightsError
from imagereward_core.nets.skeleton import build_skeleton
from imagereward_core.scorers.tokenizers.bert import PromptEncoder
from imagereward_core.weights import store
from tests.support.tiny import CARD, TINY, telling, tiny_network, write_vocabulary
from tests.support.tiny_registry import tiny_registry


def pictures(number=3):
    rng = np.random.default_rng(7)
    return [
        Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)).resize((50, 70))
        for _ in range(number)
    ]


@pytest.fixture
def model(tmp_path):
    network = build_skeleton(lambda: RM.RewardModel(TINY)).to_empty(device="cpu")
    network.load_state_dict(tiny_network().state_dict())
    return network.attach(CARD, PromptEncoder(write_vocabulary(tmp_path), 12), "random")


@pytest.fixture(scope="module")
def demo():
    return RM.load("demo", device="cpu")


def test_the_three_lines_of_the_paper(demo, tmp_path):
    paths = []
    for number, image in enumerate(pictures(2)):
        image.save(tmp_path / f"{number}.webp")
        paths.append(str(tmp_path / f"{number}.webp"))
    rewards = demo.score("a red star on a gray background", paths)
    assert (
        isinstance(rewards, list)
        and len(rewards) == 2
        and all(isinstance(reward, float) for reward in rewards)
    )


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_list_always_gives_a_list(model, number):
    images = pictures(number)
    ranks, rewards = model.inference_rank("a cat", images)
    assert isinstance(model.score("a cat", images), list) and len(model.score("a cat", images)) == number
    assert isinstance(rewards, list) and sorted(ranks) == list(range(1, number + 1))


def test_one_picture_gives_a_number_and_the_same_as_in_a_list(model):
    images = pictures()
    alone = model.score("a cat", images[0])
    assert isinstance(alone, float)
    assert model.score("a cat", images)[0] == pytest.approx(alone, abs=2e-5)


def test_tuples_arrays_and_paths_are_taken(model, tmp_path):
    image = pictures(1)[0]
    image.save(tmp_path / "a.png")
    expected = model.score("b", image)
    for same in (np.asarray(image), tmp_path / "a.png", str(tmp_path / "a.png")):
        assert model.score("b", same) == pytest.approx(expected, abs=2e-5)
    assert model.score("b", (image,)) == [pytest.approx(expected, abs=2e-5)]
    tensor = torch.from_numpy(np.asarray(image).astype(np.float32) / 255)[None]
    assert model.score("b", tensor) == [pytest.approx(expected, abs=2e-5)]


def test_a_missing_path_never_repeats_the_picture_before_it(model):
    rewards = model.score("a", [pictures(1)[0], "/no/such/file.png"])
    assert math.isfinite(rewards[0]) and math.isnan(rewards[1])
    ranks, _ = model.inference_rank("a", ["/no/such/file.png", pictures(1)[0]])
    assert ranks == [2, 1]


def test_a_single_unreadable_picture_raises_a_clear_error(model):
    with pytest.raises(ImageError, match="no/such"):
        model.score("a", "/no/such/file.png")
    with pytest.raises(ImageError):
        model.score("a", 5)


def test_prompts_are_paired_with_pictures_or_refused(model):
    images = pictures(2)
    together = model.score(["a cat", "b"], images)
    assert together == pytest.approx([model.score("a cat", images[0]), model.score("b", images[1])], abs=2e-5)
    with pytest.raises(PromptError, match="3 prompts for 2 pictures"):
        model.score(["a", "b", "c"], images)


def test_score_keeps_no_gradient_graph_and_leaves_the_model_trainable(model):
    model.requires_grad_(True)
    model.score("a cat", pictures())
    ids = torch.tensor([model.scorer.encoder("a cat").ids])
    pixels = model.preprocess(pictures(1)[0])[None].clone().requires_grad_(True)
    model.score_gard(ids, torch.ones_like(ids), pixels).sum().backward()
    assert pixels.grad.abs().sum() > 0
    assert model.blip.text_encoder.encoder.layer[0].attention.self.query.weight.grad is not None


def test_score_gard_equals_score(model):
    image = pictures(1)[0]
    text = model.blip.tokenizer(
        "a cat", padding="max_length", truncation=True, max_length=35, return_tensors="pt"
    )
    reward = model.score_gard(text.input_ids, text.attention_mask, model.preprocess(image)[None])
    assert reward.shape == (1, 1)
    assert reward.item() == pytest.approx(model.score("a cat", image), abs=2e-5)


def test_attributes_third_parties_use(model):
    assert (model.mean, model.std) == (0.16717362830052426, 1.0333394966054072)
    assert model.device == torch.device("cpu")
    assert model.blip.tokenizer.enc_token_id == len(model.blip.tokenizer) - 1
    assert model.preprocess(pictures(1)[0]).shape == (3, 32, 32)
    assert {name.split(".")[0] for name in model.state_dict()} == {"blip", "mlp"}


def test_precision_follows_a_cast(model):
    image = pictures(1)[0]
    exact = model.score("a cat", image)
    model.to(torch.bfloat16)
    assert math.isfinite(model.score("a cat", image))
    assert abs(model.score("a cat", image) - exact) < 2.0
    ids = torch.tensor([model.scorer.encoder("a cat").ids])
    assert torch.isfinite(
        model.score_gard(ids, torch.ones_like(ids), model.preprocess(image)[None].bfloat16())
    )


def test_scores_follow_changed_weights(model):
    image = pictures(1)[0]
    before = model.score("a cat", image)
    telling(model, seed=9)
    assert abs(model.score("a cat", image) - before) > 1e-3


def test_a_checkpoint_of_another_size_is_refused_with_the_difference(tmp_path, bert_vocabulary):
    folder = tmp_path / "mödel folder"
    folder.mkdir()
    save_file(
        {name: value.clone() for name, value in tiny_network().state_dict().items()},
        folder / "own.safetensors",
    )
    shutil.copy(bert_vocabulary, folder / "vocab.txt")
    with pytest.raises(WeightsError, match="expected"):
        RM.load(folder / "own.safetensors", device="cpu")


@pytest.fixture
def every_scorer(tmp_path, monkeypatch):
    return tiny_registry(tmp_path, monkeypatch).folders[0]


@pytest.mark.parametrize(
    "name", [name for name in RM.available_models() if name not in ("ImageReward-v1.0", "demo")]
)
def test_every_name_that_is_listed_can_be_loaded_and_says_what_it_lacks(every_scorer, name):
    model = RM.load(name.lower(), device="cpu", download_root=every_scorer)
    ranks, rewards = model.inference_rank("a cat", pictures(3))
    assert sorted(ranks) == [1, 2, 3] and rewards == model.score("a cat", pictures(3))
    assert (
        isinstance(model.score("a cat", pictures(1)[0]), float)
        and model.preprocess(pictures(1)[0]).dim() == 3
    )
    assert model.to("cpu") is model and model.device.type == "cpu"
    with pytest.raises(AttributeError, match=f"{name} has no score_gard, which belongs to ImageReward"):
        model.score_gard(None, None, None)
    assert not hasattr(model, "no_such_thing")


def test_what_cannot_be_loaded_is_refused_before_anything_is_fetched(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "download_file", lambda *_, **__: pytest.fail("something was fetched"))
    with pytest.raises(ValueError, match="PickScore has another"):
        RM.load("PickScore", download_root=tmp_path, med_config=tmp_path / "med_config.json")


def test_unknown_names_are_refused():
    with pytest.raises(UnknownScorerError, match="ImageReward-v1.0"):
        RM.load("ImageReward-v9")
    assert RM.available_models()[0] == "ImageReward-v1.0"


def test_med_config_must_be_a_configuration(tmp_path):
    path = tmp_path / "med_config.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(WeightsError, match="med_config"):
        RM.load("demo", device="cpu", med_config=path)


def test_loading_and_scoring_are_silent(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RM.load("demo", device="cpu").score("a red star on a gray background", pictures(1))
    assert capsys.readouterr().out == ""
