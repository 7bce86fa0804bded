"""Intervals and tests as scipy computes them, or as all possibilities counted one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metrics.uncertainty import (
    holm,
    interval,
    paired_test,
    ratio_interval,
    resampled_ratios,
    sums_by_group,
)

differences = st.lists(st.integers(-4, 4).map(lambda n: n / 7), min_size=1, max_size=9)


@given(differences)
@settings(deadline=None, max_examples=60)
def test_few_prompts_try_every_way_to_change_sides(values):
    sums = [
        abs(sum(sign * value for sign, value in zip(signs, values)))
        for signs in itertools.product((1, -1), repeat=len(values))
    ]
    expected = np.mean([each >= abs(sum(values)) - 1e-9 for each in sums])
    assert paired_test(np.array(values)) == pytest.approx(expected)


def test_many_prompts_come_to_what_scipy_does():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(5)
    one, two = rng.integers(0, 7, 60).astype(float), rng.integers(0, 6, 60).astype(float)
    theirs = stats.permutation_test(
        (one, two),
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    )
    assert 0.02 < theirs.pvalue < 0.9
    assert paired_test(one - two, permutations=20_000) == pytest.approx(theirs.pvalue, abs=0.015)


def test_equal_scorers_are_equal_and_the_sign_does_not_matter():
    assert paired_test(np.zeros(50)) == paired_test(np.zeros(0)) == 1.0
    values = np.random.default_rng(0).normal(0.3, 1, 40)
    assert paired_test(values) == paired_test(-values)


def test_a_true_null_is_rejected_as_often_as_promised():
    rng = np.random.default_rng(3)
    found = [paired_test(rng.normal(size=30), permutations=299, seed=n) for n in range(300)]
    assert 0.02 < np.mean(np.array(found) <= 0.05) < 0.085


def test_intervals_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(2)
    pairs = rng.integers(1, 20, 120).astype(float)
    right = rng.binomial(pairs.astype(int), 0.65).astype(float)
    theirs = stats.bootstrap(
        (right, pairs),
        lambda x, y, axis: x.sum(axis=axis) / y.sum(axis=axis),
        paired=True,
        method="percentile",
        n_resamples=4000,
        rng=np.random.default_rng(4),
    ).confidence_interval
    low, high = ratio_interval(right, pairs, resamples=4000)
    assert low == pytest.approx(theirs.low, abs=0.006) and high == pytest.approx(theirs.high, abs=0.006)


def test_intervals_hold_the_truth_as_often_as_promised():
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(200):
        share = rng.beta(6, 4, 80)  # prompts differ in how hard they are
        pairs = rng.integers(3, 15, 80).astype(float)
        low, high = ratio_interval(rng.binomial(pairs.astype(int), share).astype(float), pairs, resamples=400)
        hits += low <= 0.6 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_equal_seeds_draw_equal_prompts():
    numbers = np.random.default_rng(0).random((30, 2))
    together = resampled_ratios(numbers, np.ones((30, 2)), 50)
    alone = resampled_ratios(numbers[:, 1], np.ones(30), 50)
    assert together[:, 1] == pytest.approx(alone, abs=1e-12)
    assert not np.allclose(alone, resampled_ratios(numbers[:, 1], np.ones(30), 50, seed=1))


def test_draws_are_the_same_piece_by_piece(monkeypatch):
    numbers = np.random.default_rng(0).random((50, 2))
    whole = resampled_ratios(numbers, np.ones((50, 2)), 40)
    monkeypatch.setattr("imagereward_core.metrics.uncertainty._ROOM", 600)
    assert resampled_ratios(numbers, np.ones((50, 2)), 40) == pytest.approx(whole, abs=1e-12)


def test_one_prompt_has_no_interval_and_empty_ones_do_not_count():
    assert all(map(math.isnan, ratio_interval(np.array([3.0, 0.0]), np.array([4.0, 0.0]))))
    assert all(map(math.isnan, ratio_interval(np.zeros(0), np.zeros(0))))
    with_empty = ratio_interval(np.array([3.0, 1.0, 0.0]), np.array([4.0, 2.0, 0.0]))
    assert with_empty == ratio_interval(np.array([3.0, 1.0]), np.array([4.0, 2.0]))
    assert all(map(math.isnan, interval(np.array([0.5, math.nan, math.nan]))))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_holm_is_the_closed_test_written_out(p_values):
    """A difference stays where every set of hypotheses with it is rejected by Bonferroni, so its p is the largest of theirs."""
    number = len(p_values)
    for place, corrected in enumerate(holm(p_values)):
        sets = [
            chosen
            for size in range(1, number + 1)
            for chosen in itertools.combinations(range(number), size)
            if place in chosen
        ]
        expected = max(min(1.0, len(each) * min(p_values[at] for at in each)) for each in sets)
        assert corrected == pytest.approx(expected)


def test_sums_by_group_are_sums():
    values = np.arange(12.0).reshape(6, 2)
    assert sums_by_group(values, [1, 0, 1, 2, 2, 1], 4).tolist() == [[2, 3], [14, 17], [14, 16], [0, 0]]
