"""Strengths are the maximum of the posterior as written down naively, and their errors its curvature, whatever people answer."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.ranking import (
    Comparison,
    StrengthPrior,
    comparisons_of_ranking,
    fit_strengths,
    prior_from_scores,
    rank_intervals,
)
from imagereward_core.ranking.strengths import TIE

optimize = pytest.importorskip("scipy.optimize")


@st.composite
def answers(draw, most=6):
    """How many pictures there are, and answers about them."""
    number = draw(st.integers(2, most))
    found = []
    for _ in range(draw(st.integers(0, 12))):
        size = draw(st.integers(2, min(4, number)))
        images = tuple(draw(st.permutations(range(number)))[:size])
        found.append(Comparison(images, draw(st.sampled_from([None, *images]))))
    return number, found


def by_hand(number, comparisons, ties, mean=0.0, spread=2.0):
    """The logarithm of the posterior of strengths and the logarithm of the tie's weight, one answer after the other."""

    def value(at):
        strengths, tie = at[:number], at[number]
        total = -sum((each - mean) ** 2 for each in strengths) / (2 * spread**2)
        total -= (tie - TIE[0]) ** 2 / (2 * TIE[1] ** 2)
        for each in comparisons:
            worth = {image: math.exp(strengths[image]) for image in each.images}
            level = math.prod(worth.values()) ** (1 / len(worth))
            if ties == "davidson":
                won = math.exp(tie) * level if each.winner is None else worth[each.winner]
                total += math.log(won / (sum(worth.values()) + math.exp(tie) * level))
            else:
                won = level if each.winner is None else worth[each.winner]
                total += math.log(won / sum(worth.values()))
        return total

    return value


def curvature_of(value, at, step=1e-4):
    """Minus the second derivatives, by differences."""
    size = len(at)
    found = np.zeros((size, size))
    ways = np.eye(size) * step
    for one in range(size):
        for two in range(size):
            corners = [value(at + a * ways[one] + b * ways[two]) * a * b for a in (1, -1) for b in (1, -1)]
            found[one, two] = -sum(corners) / (4 * step**2)
    return found


@settings(max_examples=25, deadline=None)
@given(answers(), st.sampled_from(["davidson", "half"]))
def test_the_fit_is_the_highest_point_and_its_errors_are_the_curvature_there(asked, ties):
    number, comparisons = asked
    fit = fit_strengths(number, comparisons, ties=ties)
    value = by_hand(number, comparisons, ties)
    start = np.append(np.zeros(number), TIE[0])
    found = optimize.minimize(lambda at: -value(at), start, method="BFGS", options={"gtol": 1e-7}).x
    assert fit.values == pytest.approx(found[:-1] - found[:-1].mean(), abs=2e-4)
    covariance = np.linalg.inv(curvature_of(value, found))[:-1, :-1]
    assert fit.covariance == pytest.approx(covariance, rel=2e-3, abs=2e-3)
    centred = np.eye(number) - 1 / number
    errors = np.sqrt(np.diag(centred @ covariance @ centred))
    assert fit.errors == pytest.approx(errors, rel=2e-3, abs=2e-3)
    if ties == "davidson" and comparisons:
        assert math.log(fit.tie) == pytest.approx(found[-1], abs=2e-4)


@settings(max_examples=25, deadline=None)
@given(answers(), st.lists(st.floats(-2, 2), min_size=6, max_size=6))
def test_where_the_search_starts_does_not_matter(asked, means):
    number, comparisons = asked
    prior = StrengthPrior(np.array(means[:number]), np.full(number, 1.5))
    fewer = fit_strengths(number, comparisons[: len(comparisons) // 2], prior)
    one = fit_strengths(number, comparisons, prior)
    two = fit_strengths(number, comparisons, prior, start=fewer)
    assert two.values == pytest.approx(one.values, abs=1e-8)
    assert two.errors == pytest.approx(one.errors, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(answers(), st.randoms())
def test_neither_order_nor_numbers_of_pictures_matter(asked, rng):
    number, comparisons = asked
    names = list(range(number))
    rng.shuffle(names)
    renamed = [
        Comparison(
            tuple(rng.sample([names[image] for image in each.images], len(each.images))),
            None if each.winner is None else names[each.winner],
        )
        for each in rng.sample(comparisons, len(comparisons))
    ]
    one, two = fit_strengths(number, comparisons), fit_strengths(number, renamed)
    assert two.values[names] == pytest.approx(one.values, abs=1e-8)
    assert two.errors[names] == pytest.approx(one.errors, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(answers())
def test_one_more_win_makes_a_picture_stronger_than_those_it_was_shown_with(asked):
    number, comparisons = asked
    before = fit_strengths(number, comparisons).values
    after = fit_strengths(number, [*comparisons, Comparison((0, 1), winner=0)]).values
    assert after[0] - after[1] > before[0] - before[1]


@pytest.mark.parametrize("ties", ["davidson", "half"])
def test_one_who_always_wins_and_islands_without_a_bridge_have_finite_strengths_and_errors(ties):
    wins = [Comparison((0, other), winner=0) for other in (1, 2) for _ in range(500)]
    islands = [Comparison((3, 4), winner=3), Comparison((5, 6), winner=None)]
    fit = fit_strengths(9, wins + islands, ties=ties)
    assert np.isfinite(fit.values).all() and np.isfinite(fit.errors).all()
    assert fit.values.argmax() == 0 and (fit.errors > 0).all()
    assert fit.values[5] == pytest.approx(fit.values[6]) and fit.values[7] == fit.values[8]
    assert fit.compared.tolist() == [1000, 500, 500, 1, 1, 1, 1, 0, 0]
    assert np.linalg.eigvalsh(fit.covariance).min() > 0


def test_a_thousand_ties_make_two_pictures_equal_and_surely_so():
    fit = fit_strengths(2, [Comparison((0, 1), None)] * 1000)
    assert fit.values == pytest.approx([0.0, 0.0]) and fit.tie > 50
    lone = fit_strengths(2, [Comparison((0, 1), None)])
    assert (fit.errors < lone.errors).all()


def test_rankings_have_the_likelihood_of_plackett_and_luce():
    worth = [math.exp(each) for each in (0.3, -0.8, 1.1, 0.0)]
    total = 0.0
    for order in permutations(range(4)):
        chance = 1.0
        for each in comparisons_of_ranking([[image] for image in order]):
            chance *= worth[each.winner] / sum(worth[image] for image in each.images)
        total += chance
    assert total == pytest.approx(1.0)
    with pytest.raises(ValueError, match="at two places"):
        comparisons_of_ranking([["a"], ["a", "b"]])


def test_scores_move_what_nobody_compared_and_answers_outweigh_them():
    prior = prior_from_scores([[1.0, 2.0, 3.0, math.nan], [10.0, 20.0, 30.0, math.nan]])
    assert prior.mean[0] < prior.mean[1] < prior.mean[2] and prior.mean[3] == 0 and prior.deviation[3] == 2.0
    assert (prior.deviation[:3] < 2.0).all()
    assert np.argsort(fit_strengths(4, [], prior).values).tolist()[::3] == [0, 2]
    against = [Comparison((0, 2), winner=0)] * 5
    fit = fit_strengths(4, against, prior)
    assert fit.values[0] > fit.values[2]
    differ = prior_from_scores([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    assert differ.mean == pytest.approx(np.zeros(3)) and differ.deviation[1] < differ.deviation[0]


def test_intervals_hold_the_rank_and_shrink_with_answers():
    def interval(times):
        order = [Comparison((one, two), winner=one) for one in range(6) for two in range(one + 1, 6)]
        return rank_intervals(fit_strengths(6, order * times))

    few, many = interval(1), interval(40)
    for found in (few, many):
        assert (found.low <= found.ranks).all() and (found.ranks <= found.high).all()
        assert found.best.sum() == pytest.approx(1.0)
    assert (
        many.ranks.tolist() == [1, 2, 3, 4, 5, 6]
        and (many.high - many.low).sum() < (few.high - few.low).sum()
    )
    assert rank_intervals(fit_strengths(3, [])).ranks.tolist() == [1, 1, 1]
    assert rank_intervals(fit_strengths(0, [])).ranks.tolist() == []


def test_nine_of_ten_intervals_hold_the_true_rank_where_the_model_is_right():
    rng = np.random.default_rng(5)
    held = []
    for _ in range(40):
        truth = rng.normal(0, 2.0, 12)
        said = []
        for _ in range(40):
            images = tuple(int(each) for each in rng.choice(12, 3, replace=False))
            seen = truth[list(images)] + rng.gumbel(size=3)
            said.append(Comparison(images, winner=images[int(seen.argmax())]))
        found = rank_intervals(fit_strengths(12, said))
        ranks = np.argsort(np.argsort(-truth)) + 1
        held.append(((found.low <= ranks) & (ranks <= found.high)).mean())
    assert 0.88 <= np.mean(held) <= 0.98


@pytest.mark.parametrize(
    "make",
    [
        lambda: Comparison((1,), winner=1),
        lambda: Comparison((1, 1), winner=1),
        lambda: Comparison((1, 2), winner=3),
        lambda: fit_strengths(2, [Comparison((0, 2), winner=0)]),
        lambda: fit_strengths(2, [Comparison((-1, 0), winner=0)]),
        lambda: fit_strengths(2, [], StrengthPrior.of_nothing(3)),
        lambda: fit_strengths(2, [], start=fit_strengths(1, [])),
    ],
)
def test_what_cannot_be_is_told(make):
    with pytest.raises(ValueError, match="found .*; expected"):
        make()
