"""The loss is the paper's, the data keeps its ranks, and the trainer learns, keeps the best and refuses to go on blindly."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.config import HeadConfig, RewardConfig
from imagereward_core.nets.reward import Head, RewardNetwork
from imagereward_lab.training.initialise import initialise, initialise_head
from imagereward_lab.training.ranking import RankedBatch, ranked_pairs, ranking_loss
from imagereward_lab.training.trainer import TrainingConfig, batch_rewards, evaluate, rate_at, train
from tests.support.tiny import TINY, telling

SPEC = ImageSpec(size=32)


class Fixed:
    """Data of batches that were made beforehand."""

    def __init__(self, batches):
        self.made = batches

    def __len__(self):
        return len(self.made)

    def batches(self, epoch):
        return iter(self.made)


def bright_or_dark(seed: int, groups: int = 8) -> RankedBatch:
    """Three pictures per prompt; the word says whether bright or dark ones are better."""
    generator = torch.Generator().manual_seed(seed)
    levels = torch.tensor([30, 128, 220]).repeat(groups)
    noise = torch.randint(-20, 20, (3 * groups, 3, 32, 32), generator=generator)
    wants_bright = torch.arange(groups) % 2 == 0
    ids = torch.where(wants_bright[:, None], torch.tensor([2, 6, 3]), torch.tensor([2, 9, 3]))
    ranks = torch.where(wants_bright[:, None], torch.tensor([3, 2, 1]), torch.tensor([1, 2, 3]))
    return RankedBatch(
        pixels=(levels[:, None, None, None] + noise).clamp(0, 255).to(torch.uint8),
        ids=ids,
        mask=torch.ones_like(ids),
        members=torch.arange(3 * groups).view(groups, 3),
        ranks=ranks,
    )


def test_loss_equals_the_reference_formula():
    """The reference's loss is cross entropy of (better, worse) with target 0, averaged over pairs."""
    rewards, ranks = (
        torch.randn(4, 5),
        torch.tensor([[1, 2, 3, 4, 5], [2, 1, 1, 3, 3], [1, 2, 0, 0, 0], [5, 4, 1, 1, 1]]),
    )
    expected = []
    for row in range(4):
        for i in range(5):
            for j in range(5):
                if 0 < ranks[row, i] < ranks[row, j]:
                    pair = torch.stack([rewards[row, i], rewards[row, j]])[None]
                    expected.append(F.cross_entropy(pair, torch.tensor([0])))
    torch.testing.assert_close(ranking_loss(rewards, ranks), torch.stack(expected).mean())
    assert int(ranked_pairs(ranks).sum()) == len(expected)


def test_ties_and_empty_places_make_no_pairs():
    assert int(ranked_pairs(torch.tensor([[1, 1, 1, 0]])).sum()) == 0
    with pytest.raises(ValueError, match="no ranking"):
        ranking_loss(torch.zeros(1, 4), torch.tensor([[1, 1, 1, 0]]))


def test_a_model_that_cannot_tell_pictures_apart_has_loss_ln_2():
    assert ranking_loss(torch.zeros(2, 3), torch.tensor([[1, 2, 3], [3, 2, 1]])).item() == pytest.approx(
        math.log(2)
    )


def test_head_starts_with_a_spread_of_outputs():
    """Read as a standard deviation, the paper's 1/(d+1) gives outputs near 1e-9: the reported collapse."""
    head = Head(HeadConfig(), 768)
    torch.manual_seed(0)
    initialise_head(head.eval())
    with torch.no_grad():
        spread = head(torch.randn(500, 768)).std().item()
    assert 0.2 < spread < 5


def test_initialisation_follows_from_the_seed():
    one, two, other = (RewardNetwork(TINY) for _ in range(3))
    initialise(one, 1), initialise(two, 1), initialise(other, 2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_rewards_of_a_batch_equal_the_plain_forward_pass():
    network = RewardNetwork(TINY).eval()
    telling(network)
    batch = bright_or_dark(0, groups=2)
    from imagereward_core.images.preprocess import normalize

    with torch.no_grad():
        together = batch_rewards(network, batch, SPEC)
        for group in range(2):
            for place in range(3):
                pixels = normalize(batch.pixels[batch.members[group, place]][None], SPEC)
                states = network.text_states(
                    batch.ids[group][None], batch.mask[group][None], network.encode_images(pixels)
                )
                torch.testing.assert_close(
                    together[group, place], network.mlp(states)[0, 0], atol=1e-4, rtol=1e-4
                )


def test_training_learns_a_rule_that_needs_picture_and_prompt():
    torch.manual_seed(0)
    config = RewardConfig(
        TINY.vision, TINY.text, HeadConfig(widths=(24, 16, 12, 8), dropouts=(), mean=0, std=1), projection=0
    )
    network = RewardNetwork(config)
    initialise(network, 0)
    data, held_out = Fixed([bright_or_dark(seed) for seed in range(10)]), Fixed([bright_or_dark(99)])
    lines = []
    record = train(
        network,
        data,
        held_out,
        SPEC,
        TrainingConfig(epochs=8, learning_rate=3e-3, clip_norm=1.0),
        lines.append,
    )
    loss, accuracy = evaluate(network, held_out, SPEC)
    assert accuracy > 0.95 and loss < 0.3
    assert loss == pytest.approx(min(record.validation_loss), abs=1e-6), "the best state is the one kept"
    assert len(lines) == len(record.steps) and not network.training


def test_a_network_that_does_not_learn_is_stopped():
    shallow = replace(TINY, vision=replace(TINY.vision, depth=1), text=replace(TINY.text, depth=1))
    network = RewardNetwork(shallow)  # two hundred steps are taken before anybody asks
    initialise(network, 0)
    with torch.no_grad():
        network.mlp.layers[0].weight.zero_()
        for layer in network.mlp.layers[1:]:
            if hasattr(layer, "weight"):
                layer.weight.zero_()
    with pytest.raises(RuntimeError, match="cannot tell pictures apart"):
        train(
            network,
            Fixed([bright_or_dark(0, 2)] * 200),
            Fixed([bright_or_dark(1, 2)]),
            SPEC,
            TrainingConfig(epochs=1),
        )


def test_learning_rate_warms_up_and_falls_to_nothing():
    rates = [rate_at(step, 100, 0.1) for step in range(101)]
    assert (
        rates[0] == pytest.approx(0.1)
        and rates[9] == pytest.approx(1.0)
        and rates[100] == pytest.approx(0.0, abs=1e-9)
    )
    assert all(later <= earlier for earlier, later in zip(rates[10:], rates[11:], strict=False))
