"""Each loss equals its definition, worked out pair by pair, and the mean over parts is the mean over the whole."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_lab.training.losses import LOSSES, MEANS, make_objective, tie_share_of
from imagereward_lab.training.ranking import Targets, ranked_pairs

SHARE = 0.2


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def pairwise(i, j, tie, shares):
    return [] if tie is not None else [-math.log(sigmoid(i - j))]


def davidson(i, j, tie, shares):
    nu = 2 * SHARE / (1 - SHARE)
    a, b, both = math.exp(i), math.exp(j), nu * math.exp((i + j) / 2)
    if tie is None:
        return [-math.log(a / (a + b + both))]
    return [-math.log(both / (a + b + both))] if tie else []


def rao_kupper(i, j, tie, shares):
    theta = (1 + SHARE) / (1 - SHARE)
    a, b = math.exp(i), math.exp(j)
    if tie is None:
        return [-math.log(a / (a + theta * b))]
    return [-math.log(1 - a / (a + theta * b) - b / (b + theta * a))] if tie else []


def soft(i, j, tie, shares):
    if tie is None:
        return [-math.log(sigmoid(i - j))]
    return [-0.5 * math.log(sigmoid(i - j)) - 0.5 * math.log(sigmoid(j - i))] if tie else []


PAIRS = {"pairwise": pairwise, "davidson": davidson, "rao-kupper": rao_kupper, "soft": soft}


def terms_by_hand(name, rewards, ranks, ties):
    """The terms of one ranking, from lists."""
    here = [place for place, rank in enumerate(ranks) if rank]
    if name == "plackett-luce":
        terms = []
        for i in here:
            below = [j for j in here if ranks[j] > ranks[i]]
            if below:
                chances = math.exp(rewards[i]) + sum(math.exp(rewards[j]) for j in below)
                terms.append(-math.log(math.exp(rewards[i]) / chances))
        return terms
    terms = []
    for i, j in combinations(here, 2):
        if ranks[j] < ranks[i]:
            i, j = j, i
        terms += PAIRS[name](rewards[i], rewards[j], None if ranks[i] != ranks[j] else ties, None)
    return terms


RANKINGS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 4), min_size=5, max_size=5),
        st.lists(st.floats(-3, 3), min_size=5, max_size=5),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=25, deadline=None)
@given(RANKINGS)
def test_every_loss_is_what_its_definition_says(name, mean, made):
    targets = Targets(
        torch.tensor([ranks for ranks, _, _ in made]), torch.tensor([ties for _, _, ties in made])
    )
    rewards = torch.tensor([values for _, values, _ in made], dtype=torch.float64, requires_grad=True)
    terms = [terms_by_hand(name, values, ranks, ties) for ranks, values, ties in made]
    objective = make_objective(name, mean, SHARE)
    flat = [term for each in terms for term in each]
    if not flat:
        with pytest.raises(ValueError, match="no ranking"):
            objective.mean_of(rewards, targets)
        return
    if mean == "pairs":
        expected = sum(flat) / len(flat)
    else:
        expected = sum(sum(each) / len(each) for each in terms if each) / sum(map(bool, terms))
    found = objective.mean_of(rewards, targets)
    assert found.item() == pytest.approx(expected, rel=1e-6, abs=1e-9)
    # In parts, as accumulation and several processes take it.
    parts = [slice(0, 1), slice(1, None)]
    pieces = [Targets(targets.ranks[part], targets.ties[part]) for part in parts]
    whole = sum(objective.weight(each) for each in pieces)
    total = sum(objective.total(rewards[part], each) for part, each in zip(parts, pieces))
    assert (total / whole).item() == pytest.approx(found.item())
    found.backward()
    assert bool(torch.isfinite(rewards.grad).all())
    assert not bool(rewards.grad[targets.ranks == 0].any()), "an empty place has no gradient"


def test_the_pairwise_loss_equals_the_reference_formula():
    """The reference's loss is cross entropy of (better, worse) with target 0, averaged over pairs."""
    torch.manual_seed(0)
    rewards = torch.randn(4, 5)
    ranks = torch.tensor([[1, 2, 3, 4, 5], [2, 1, 1, 3, 3], [1, 2, 0, 0, 0], [5, 4, 1, 1, 1]])
    expected = []
    for row, i, j in ranked_pairs(ranks).nonzero().tolist():
        assert 0 < ranks[row, i] < ranks[row, j]
        pair = torch.stack([rewards[row, i], rewards[row, j]])[None]
        expected.append(F.cross_entropy(pair, torch.tensor([0])))
    assert len(expected) == 10 + 8 + 1 + 7
    found = make_objective().mean_of(rewards, Targets(ranks))
    torch.testing.assert_close(found, torch.stack(expected).mean())


def test_a_model_that_cannot_tell_pictures_apart_has_loss_ln_2():
    targets = Targets(torch.tensor([[1, 2, 3], [3, 2, 1]]))
    assert float(make_objective().mean_of(torch.zeros(2, 3), targets)) == pytest.approx(math.log(2))


@pytest.mark.parametrize("name", ["davidson", "rao-kupper"])
def test_between_equals_a_tie_is_as_likely_as_in_the_data(name):
    share = tie_share_of(831, 7230)
    targets = Targets(torch.tensor([[1, 1]]), torch.tensor([True]))
    found = make_objective(name, tie_share=share).mean_of(torch.zeros(1, 2), targets)
    assert math.exp(-float(found)) == pytest.approx(831 / 7230, rel=1e-3)


def test_without_ties_in_the_data_the_tie_aware_losses_are_all_but_pairwise():
    targets = Targets(torch.tensor([[1, 2, 3]]), torch.tensor([True]))
    rewards = torch.tensor([[0.3, -0.2, 1.0]])
    plain = float(make_objective().mean_of(rewards, targets))
    for name in ("davidson", "rao-kupper"):
        found = make_objective(name, tie_share=tie_share_of(0, 100_000)).mean_of(rewards, targets)
        assert float(found) == pytest.approx(plain, rel=1e-4)


def test_shares_of_people_are_learnt_where_they_are_known():
    shares = torch.full((1, 3, 3), math.nan)
    shares[0, 0, 1], shares[0, 1, 0] = 0.75, 0.25
    targets = Targets(torch.tensor([[1, 1, 1]]), torch.tensor([True]), shares)
    objective, rewards = make_objective("soft"), torch.tensor([[0.4, -0.1, 2.0]])
    assert objective.weight(targets) == 1, "only one pair was judged"
    expected = -0.75 * math.log(sigmoid(0.5)) - 0.25 * math.log(sigmoid(-0.5))
    assert float(objective.mean_of(rewards, targets)) == pytest.approx(expected)
    # The loss is least where the model says what people say.
    best = torch.tensor([[math.log(3.0), 0.0, 0.0]], requires_grad=True)
    objective.mean_of(best, targets).backward()
    torch.testing.assert_close(best.grad, torch.zeros(1, 3), atol=1e-6, rtol=0)


def test_people_who_chose_only_the_best_judged_no_ties():
    ranks = torch.tensor([[1, 2, 2, 2]])
    for name in LOSSES:
        chosen = make_objective(name, tie_share=SHARE).weight(Targets(ranks, torch.tensor([False])))
        assert chosen == (1 if name == "plackett-luce" else 3)
    assert make_objective("davidson").weight(Targets(ranks, torch.tensor([True]))) == 6
