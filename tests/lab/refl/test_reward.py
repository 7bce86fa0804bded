"""Every scorer, and every blend that has a gradient, is a reward of image tensors: the same number, and its gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from imagereward_core.images.tensors import differentiable_pixels
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.weights.cards import CARDS
from imagereward_lab.refl.reward import Reward, load_reward
from imagereward_lab.training.errors import TrainingError
from tests.support.tiny import tiny_scorer
from tests.support.tiny_registry import tiny_registry

PROMPTS = ["a cat", "red square", "a dog"]
WEIGHTED, STANDARD = "CLIP=0.5,PickScore=-0.25@weighted", "ImageReward-v1.0=0.75,demo=0.25@standard"


@pytest.fixture
def maker(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.getbasetemp() / "rewards"
    return Maker(LocalRuntime("cpu", "fp32"), tiny_registry(folder, monkeypatch))


def levels(height, width, number=3):
    """Images at whole levels, [N, 3, H, W] in 0..1, with few sharp edges."""
    coarse = torch.rand(number, 3, 3, 3, generator=torch.Generator().manual_seed(7))
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return (smooth * 255).round() / 255


def as_tensor(images):
    """For scoring, which truncates: a little above whole levels."""
    return (images + 1e-4).clamp(max=1).permute(0, 2, 3, 1)


@pytest.mark.parametrize("name", [*CARDS, WEIGHTED])
def test_a_reward_is_the_score_of_the_picture(name, maker):
    reward = load_reward(maker, name, at_once=2)
    side = 64 if name == "demo" else 32
    images = levels(side, side).requires_grad_()
    scored = reward.scorer.score(as_tensor(images.detach()), PROMPTS).values
    found = reward(images, PROMPTS)
    np.testing.assert_allclose(found.detach(), scored, atol=1e-4 * max(1.0, np.abs(scored).max()), rtol=0)
    found.sum().backward()
    assert (images.grad.flatten(1).abs().sum(1) > 0).all()


def test_of_a_resized_picture_a_reward_is_the_score_but_for_the_rounding_of_pixels(maker):
    reward = load_reward(maker, "demo")
    for height, width in ((48, 40), (100, 130), (64, 96)):
        images = levels(height, width)
        scored = reward.scorer.score(as_tensor(images), PROMPTS).values
        np.testing.assert_allclose(reward(images, PROMPTS), scored, atol=0.05, rtol=0)
    assert np.ptp(scored) > 0.3


def test_a_standard_blend_is_the_sum_of_standardised_rewards(maker):
    images = levels(32, 32)
    found = load_reward(maker, STANDARD)(images, PROMPTS)
    known = CARDS["demo"].distribution
    demo = (load_reward(maker, "demo")(images, PROMPTS) - known.mean) / known.std
    other = load_reward(maker, "ImageReward-v1.0")(images, PROMPTS)
    torch.testing.assert_close(found, 0.75 * other + 0.25 * demo, rtol=1e-4, atol=1e-4)
    slopes = []
    for name in (STANDARD, "demo", "ImageReward-v1.0"):
        given = images.clone().requires_grad_()
        slopes.append(torch.autograd.grad(load_reward(maker, name)(given, PROMPTS).sum(), given)[0])
    whole, of_demo, of_other = slopes
    expected = 0.75 * of_other + 0.25 * of_demo / known.std
    torch.testing.assert_close(whole, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    # the blend's own number, at the size where the member that minds rounding most is shown the very pixels
    scored = load_reward(maker, "ImageReward-v1.0=1,demo=0@standard").scorer.score(as_tensor(images), PROMPTS)
    np.testing.assert_allclose(other, scored.values, atol=1e-3, rtol=0)


def test_the_gradient_is_the_scorers_own_and_nothing_is_kept_of_the_networks(tmp_path):
    scorer = tiny_scorer(tmp_path)
    images = levels(40, 40).requires_grad_()
    rewards = Reward(scorer, at_once=1)(images, PROMPTS)
    (torch.tensor([1.0, 2.0, 0.0]) * rewards).sum().backward()
    own = levels(40, 40).requires_grad_()
    scorer.begin()
    features = scorer.tower.encode(differentiable_pixels(own.permute(0, 2, 3, 1), scorer.spec))
    plain = scorer.rewards(features, PROMPTS)
    (torch.tensor([1.0, 2.0, 0.0]) * plain).sum().backward()
    torch.testing.assert_close(rewards.detach().double(), plain.detach(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(images.grad, own.grad, rtol=1e-2, atol=1e-3 * float(own.grad.abs().max()))
    assert (images.grad[2] == 0).all()
    assert all(each.grad is None for each in scorer.tower.network.parameters())


def test_without_gradients_there_is_none_and_the_number_is_the_same(tmp_path):
    reward = Reward(tiny_scorer(tmp_path))
    images = levels(32, 32)
    alone = reward(images, PROMPTS)
    assert not alone.requires_grad
    with torch.no_grad():
        assert not reward(images.clone().requires_grad_(), PROMPTS).requires_grad
    torch.testing.assert_close(reward(images.clone().requires_grad_(), PROMPTS).detach(), alone)
    with pytest.raises(ValueError, match="3 images and 1 prompts"):
        reward(images, ["a cat"])


def test_a_bound_lies_above_what_is_usual(maker):
    assert load_reward(maker, "ImageReward-v1.0").bound() == 2.0
    assert load_reward(maker, "CLIP").bound() is None
    known = CARDS["demo"].distribution
    high = load_reward(maker, STANDARD).bound(1.0)
    assert high == pytest.approx(1.0)  # both one deviation above their means
    weighted = load_reward(maker, "demo=2,ImageReward-v1.0=1@weighted").bound(1.0)
    assert weighted == pytest.approx(2 * (known.mean + known.std) + 1)


def test_blends_without_a_gradient_are_refused_with_one_that_has(maker):
    with pytest.raises(TrainingError, match="have no gradient; .*--scorer CLIP=1,demo=2@standard"):
        load_reward(maker, "CLIP=1,demo=2@rank")
    with pytest.raises(TrainingError, match="measures CLIP against .*--scorer CLIP=1,demo=2@weighted"):
        load_reward(maker, "CLIP=1,demo=2@standard")
    silent = load_reward(maker, "CLIP=0,demo=2@standard")  # without a vote it needs no reference
    assert silent.bound(0.0) == pytest.approx(0.0)


def test_scorers_without_a_gradient_are_refused(tmp_path, monkeypatch):
    class Counted:
        card = CARDS["demo"]

    with pytest.raises(TrainingError, match="demo gives a number without a gradient"):
        Reward(Counted())
    scorer = tiny_scorer(tmp_path)
    own = scorer.rewards
    monkeypatch.setattr(scorer, "rewards", lambda *given: own(*given).detach())
    with pytest.raises(TrainingError, match="tiny gives a number without a gradient"):
        Reward(scorer).check()
    monkeypatch.setattr(scorer, "rewards", lambda *given: own(*given) * 0)
    with pytest.raises(TrainingError, match="the gradient of tiny is zero"):
        Reward(scorer).check()
    monkeypatch.setattr(scorer, "rewards", lambda *given: own(*given) * float("nan"))
    with pytest.raises(TrainingError, match="tiny gave a number that is not finite"):
        Reward(scorer).check()


def test_weights_rearranged_for_scoring_do_not_take_the_gradient_away(tmp_path):
    scorer = tiny_scorer(tmp_path, LocalRuntime("cpu", "bf16"))
    scorer.tower.packing = True
    reward = Reward(scorer)
    scorer.score(as_tensor(levels(32, 32)), PROMPTS)  # would pack
    reward.check()
