"""A new head spreads its outputs, and initial weights follow from the seed."""

from __future__ import annotations

import torch

from imagereward_core.nets.config import HeadConfig
from imagereward_core.nets.reward import Head, RewardNetwork
from imagereward_lab.training.initialise import initialise, initialise_head
from tests.support.tiny import TINY


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
