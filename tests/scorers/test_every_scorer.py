"""Promises every registered scorer keeps. A new scorer is tested here by being registered."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from imagereward_core.images.preprocess import normalize, to_pixels
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.engine import score_together
from imagereward_core.scorers.factory import Maker
from imagereward_core.weights.cards import CARDS
from tests.support.pixels import stack_pixels
from tests.support.tiny_registry import tiny_registry

NAMES = list(CARDS)
ROUNDING = 2e-5
LAST_DIGITS = 2e-6
PROMPTS = ["a cat", "red square", "", "dog, cat", "a cat", "z" * 200]


def pictures(number: int = 6) -> list[Image.Image]:
    """Smooth pictures of odd sizes."""
    rng = np.random.default_rng(8)
    sizes = [(48, 40), (33, 71), (200, 64), (32, 32), (31, 90), (64, 20)]
    return [
        Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)).resize(sizes[i % 6], Image.BICUBIC)
        for i in range(number)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models with spaces é")


@pytest.fixture
def settings(folder, monkeypatch):
    return tiny_registry(folder, monkeypatch)


def make(name, settings, precision="fp32", **more):
    return Maker(LocalRuntime("cpu", precision), settings, **more).make(name)


def tolerance(scorer) -> float:
    """PickScore and MPS multiply a cosine by a large number, and its rounding with it."""
    return ROUNDING * max(1.0, abs(scorer.card.typical_range[1]))


@pytest.mark.parametrize("name", NAMES)
def test_numbers_tell_pictures_apart_and_do_not_depend_on_batch_or_company(name, settings):
    scorer = make(name, settings)
    alone = [scorer.score([image], prompt).values[0] for image, prompt in zip(pictures(), PROMPTS)]
    assert np.isfinite(alone).all() and np.ptp(alone) > 1e-3
    for batch_size in (1, 4, None):
        together = make(name, settings, batch_size=batch_size).score(pictures(), PROMPTS)
        np.testing.assert_allclose(together.values, alone, atol=tolerance(scorer), rtol=0)
    order = [3, 0, 5, 1, 4, 2]
    shuffled = scorer.score([pictures()[i] for i in order], [PROMPTS[i] for i in order]).values
    np.testing.assert_allclose(shuffled, np.array(alone)[order], atol=tolerance(scorer), rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_prompt_matters_exactly_where_the_card_says_so(name, settings):
    scorer = make(name, settings)
    one, two = scorer.score(pictures(2)[:1] * 2, ["a cat", "dog on a red square"]).values
    assert (abs(one - two) > 1e-4) == scorer.card.needs_prompt


@pytest.mark.parametrize("name", NAMES)
def test_what_a_scorer_does_not_read_of_a_prompt_is_told_and_changes_nothing(name, settings):
    scorer = make(name, settings)
    if scorer.card.token_limit is None:
        assert not scorer.score(pictures(1), "word " * 300).truncated[0]
        return
    long = "red square " * 60
    scores = scorer.score(pictures(1) * 3, [long + "cat", long + "dog", "a cat"])
    assert scores.truncated == (True, True, False)
    assert scores.cut[0].endswith("cat") and scores.cut[1].endswith("dog")
    same, other = abs(scores.values[0] - scores.values[1]), abs(scores.values[0] - scores.values[2])
    # Places in a batch can differ in the last digit of a float32 product (several threads, sizes as small as these).
    assert same <= LAST_DIGITS * abs(scores.values[0]) + LAST_DIGITS < other


@pytest.mark.parametrize("name", NAMES)
def test_a_tensor_scores_like_the_png_it_would_be_saved_as(name, settings):
    scorer = make(name, settings)
    floats = torch.rand(2, 50, 70, 3, generator=torch.Generator().manual_seed(4))
    saved = []
    for each in floats:
        file = io.BytesIO()
        Image.fromarray((each.numpy() * 255.0).clip(0, 255).astype(np.uint8)).save(file, "PNG")
        saved.append(Image.open(file))
    np.testing.assert_allclose(
        scorer.score(floats, "a cat").values,
        scorer.score(saved, "a cat").values,
        atol=tolerance(scorer),
        rtol=0,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_picture_fails_for_itself(name, settings, tmp_path):
    scorer = make(name, settings)
    broken = tmp_path / "broken ü.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnot much")
    nan = torch.full((40, 40, 3), float("nan"))
    scores = scorer.score([pictures(1)[0], broken, nan, pictures(1)[0]], "a cat")
    assert sorted(scores.failures) == [1, 2] and "NaN" in scores.failures[2]
    assert np.isfinite(scores.values[[0, 3]]).all()
    assert scores.values[0] == pytest.approx(scores.values[3], rel=LAST_DIGITS, abs=LAST_DIGITS)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("name", NAMES)
def test_half_precision_stays_near(name, settings, precision, monkeypatch):
    monkeypatch.setattr("imagereward_core.runtime.cpu_has_fp16", lambda: True)
    exact = make(name, settings).score(pictures(), PROMPTS).values
    half = make(name, settings, precision).score(pictures(), PROMPTS).values
    assert np.isfinite(half).all()
    assert np.abs(half - exact).max() < 0.15 * max(np.ptp(exact), 1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_scores_say_whose_they_are(name, settings):
    scorer = make(name, settings)
    scores = scorer.score(pictures(1), "a cat")
    assert scores.scorer == name and scores.revision == scorer.revision != ""
    assert scores.on_reference and (scores.distribution is None) == (scorer.card.distribution is None)
    whole = make(name, settings, whole_picture=True).score(pictures(1), "a cat")
    crops = "center_crop" in scorer.card.image.framing
    assert whole.on_reference == (not crops)


def test_all_scorers_in_one_pass_give_the_numbers_of_each_alone(settings):
    scorers = Maker(LocalRuntime("cpu", "fp32"), settings).make_all(NAMES)
    for scorer, scores in zip(scorers, score_together(scorers, pictures(), PROMPTS)):
        alone = make(scorer.card.id, settings).score(pictures(), PROMPTS).values
        np.testing.assert_allclose(scores.values, alone, atol=tolerance(scorer), rtol=0)


def test_scorers_on_the_same_weights_share_one_tower(settings):
    scorers = {
        scorer.card.id: scorer for scorer in Maker(LocalRuntime("cpu", "fp32"), settings).make_all(NAMES)
    }
    assert scorers["CLIP"].tower is scorers["Aesthetic"].tower
    assert scorers["MPS"].tower is scorers["MPS-0.3"].tower
    assert len({id(scorer.tower) for scorer in scorers.values()}) == len(NAMES) - 2


def test_a_head_alone_leaves_the_text_half_of_its_backbone_on_disk(settings):
    maker = Maker(LocalRuntime("cpu", "fp32"), settings)
    (alone,) = maker.make_all(["Aesthetic"])
    assert not any(name.startswith("text_") for name in alone.tower.network.state_dict())
    both = Maker(LocalRuntime("cpu", "fp32"), settings).make_all(["Aesthetic", "CLIP"])
    assert any(name.startswith("text_") for name in both[0].tower.network.state_dict())
    assert np.array_equal(alone.score(pictures(2), "").values, both[0].score(pictures(2), "").values)


def test_the_two_mps_thresholds_give_different_numbers(settings):
    scorers = Maker(LocalRuntime("cpu", "fp32"), settings).make_all(["MPS", "MPS-0.3"])
    low, high = score_together(scorers, pictures(), "red square and a dog")
    assert not np.allclose(low.values, high.values)


def test_a_blend_is_a_scorer_like_any_other(settings):
    text = "CLIP=0.5,Aesthetic=0.25,PickScore=0.25@rank"
    blend = make(text, settings)
    result = blend.score_with_members(pictures(), "a cat")
    assert result.scores.values.min() >= 0 and result.scores.values.max() <= 1
    singles = [make(name, settings).score(pictures(), "a cat") for name in ("CLIP", "Aesthetic", "PickScore")]
    for member, single in zip(result.members, singles):
        np.testing.assert_allclose(member.values, single.values, atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_rewards_are_the_scores_and_can_be_differentiated_down_to_the_pixels(name, settings):
    scorer = make(name, settings)
    texts = ["a cat", "red square"]
    expected = scorer.score_matrix(
        pictures(2), texts
    )  # also fills what is kept of prompts, in inference mode
    scorer = make(name, settings)
    scorer.score(pictures(1), "a cat")
    prepared = stack_pixels([to_pixels(picture, scorer.spec) for picture in pictures(2)])
    pixels = normalize(prepared, scorer.spec).requires_grad_()
    scorer.begin()
    features = scorer.tower.encode(pixels)
    rewards = scorer.rewards(features, [*texts, *texts], [0, 0, 1, 1])
    assert rewards.dtype == torch.float64 and rewards.shape == (4,)
    np.testing.assert_allclose(rewards.detach().view(2, 2), expected, atol=tolerance(scorer), rtol=0)
    scorer.rewards(features, texts).sum().backward()
    assert pixels.grad is not None and (pixels.grad.flatten(1).abs().sum(1) > 0).all()
