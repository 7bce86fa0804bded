"""Scores keep their contract: input order, reasons for every NaN, ranks and percentiles as separate views."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.scores import Scores
from imagereward_core.weights.card import Distribution
from tests.support.scores import make, values


@given(st.lists(values, max_size=20))
def test_order_is_from_best_to_worst_with_ties_in_input_order_and_nan_last(numbers):
    order = make(numbers).order().tolist()
    assert sorted(order) == list(range(len(numbers)))
    expected = sorted(
        range(len(numbers)),
        key=lambda i: (math.isnan(numbers[i]), -numbers[i] if not math.isnan(numbers[i]) else 0, i),
    )
    assert order == expected


def test_equal_scores_share_a_rank_and_nan_has_none():
    assert make([1.0, 3.0, math.nan, 3.0, 0.5]).ranks().tolist() == [3, 1, 0, 1, 4]


def test_ranks_within_a_prompt_compare_only_its_pictures():
    scores = make([1.0, 9.0, 2.0, 8.0], ["a", "b", "a", "b"])
    assert scores.ranks("prompt").tolist() == [2, 1, 1, 2]
    assert scores.ranks("all").tolist() == [4, 1, 3, 2]


def test_percentiles_of_the_normal_distribution():
    np.testing.assert_allclose(make([0.0, 1.0, -1.959964]).percentiles(), [50.0, 84.13447, 2.5], atol=1e-4)


@given(st.lists(st.floats(-4, 4), min_size=2, max_size=10, unique=True))
def test_percentiles_from_quantiles_grow_with_the_score(numbers):
    marks = Distribution(source="q", mean=0.0, std=1.0, quantiles=(-2.0, -0.5, 0.0, 0.0, 1.0, 3.0))
    found = make(sorted(numbers), distribution=marks).percentiles()
    assert (np.diff(found) >= 0).all() and found.min() >= 0 and found.max() <= 100


def test_percentiles_from_quantiles_meet_the_marks():
    marks = Distribution(source="q", mean=0.0, std=1.0, quantiles=(0.0, 1.0, 2.0, 4.0, 8.0))
    assert [marks.percentile(x) for x in (-1, 0, 1, 3, 8, 9)] == [0, 0, 25, 62.5, 100, 100]
    assert math.isnan(marks.percentile(math.nan))


def test_without_a_distribution_there_is_no_percentile():
    assert np.isnan(make([1.0], distribution=None).percentiles()).all()


def test_a_nan_needs_a_reason_and_a_reason_needs_a_nan():
    with pytest.raises(ValueError, match="reason"):
        Scores(np.array([math.nan]), "s", "r", ("p",), ("",))
    with pytest.raises(ValueError, match="reason"):
        Scores(np.array([1.0]), "s", "r", ("p",), ("",), failures={0: "why"})
    with pytest.raises(ValueError, match="prompts"):
        Scores(np.array([1.0, 2.0]), "s", "r", ("p",), ("", ""))


def test_values_cannot_be_changed_afterwards():
    numbers = np.array([1.0, 2.0])
    scores = Scores(numbers, "s", "r", ("p", "p"), ("", ""))
    numbers[0] = 9
    assert scores.values[0] == 1.0
    with pytest.raises(ValueError):
        scores.values[0] = 5


@given(st.lists(values, min_size=1, max_size=12), st.integers(0, 11))
def test_join_undoes_split(numbers, at):
    scores = make(numbers, [f"p{i % 3}" for i in range(len(numbers))])
    at = min(at, len(numbers))
    joined = Scores.join([scores.take(range(at)), scores.take(range(at, len(numbers)))])
    np.testing.assert_array_equal(joined.values, scores.values)
    assert joined.prompts == scores.prompts and joined.failures == scores.failures


def test_scores_of_different_scorers_do_not_mix():
    other = Scores(np.array([1.0]), "other", "r", ("p",), ("",))
    with pytest.raises(ValueError, match="different scorers"):
        Scores.join([make([1.0]), other])
    with pytest.raises(ValueError, match="nothing|no scores"):
        Scores.join([])


def test_take_keeps_reasons_with_their_pictures():
    taken = make([1.0, math.nan, 2.0]).take([1, 2])
    assert taken.failures == {0: "unreadable"} and taken.values[1] == 2.0


@given(st.lists(values, max_size=8), st.lists(st.booleans(), max_size=8))
def test_take_undoes_spread_and_every_other_picture_has_its_reason(numbers, gaps):
    scores = make(numbers, [f"p{i}" for i in range(len(numbers))])
    places, total = [], 0
    for number in range(len(numbers)):
        total += number < len(gaps) and gaps[number]
        places.append(total)
        total += 1
    prompts = ["elsewhere"] * total
    for place, prompt in zip(places, scores.prompts):
        prompts[place] = prompt
    spread = scores.spread(places, prompts, {i: "not shown" for i in range(total) if i not in places})
    back = spread.take(places)
    np.testing.assert_array_equal(back.values, scores.values)
    assert back.failures == scores.failures and back.prompts == scores.prompts
    assert [i for i, reason in spread.failures.items() if reason == "not shown"] == [
        i for i in range(total) if i not in places
    ]


def test_spread_refuses_a_picture_without_score_and_reason():
    with pytest.raises(ValueError, match="reason"):
        make([1.0]).spread([0], ["p", "q"], {})
