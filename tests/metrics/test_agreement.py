"""Agreement between scorers: rank correlations as scipy computes them, pairs and flags as counted by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metrics.agreement import (
    DifferentPicturesError,
    agreement,
    average_ranks,
    disagreements,
    kendall_tau_b,
    normalised_ranks,
    ordinal,
    spearman,
    top_overlap,
)
from imagereward_core.scores import Scores

# Few different values, so that ties are common.
coarse = st.one_of(st.integers(-3, 3).map(float), st.just(math.nan))
columns = st.integers(0, 30).flatmap(
    lambda n: st.tuples(*[st.lists(coarse, min_size=n, max_size=n) for _ in range(2)])
)


def made(scorer, numbers, prompts=None) -> Scores:
    return Scores(
        values=np.array(numbers, dtype=np.float64),
        scorer=scorer,
        revision="r",
        prompts=tuple(prompts or ["p"] * len(numbers)),
        cut=("",) * len(numbers),
        failures={i: "unreadable" for i, value in enumerate(numbers) if math.isnan(value)},
    )


def arrays(pair):
    return np.array(pair[0], dtype=np.float64), np.array(pair[1], dtype=np.float64)


def both(pair):
    first, second = arrays(pair)
    kept = ~(np.isnan(first) | np.isnan(second))
    return first[kept], second[kept]


@given(columns)
@settings(deadline=None, max_examples=80)
def test_kendall_and_spearman_are_those_of_scipy(pair):
    stats = pytest.importorskip("scipy.stats")
    first, second = both(pair)
    if len(first) < 2 or len(set(first)) < 2 or len(set(second)) < 2:
        assert math.isnan(kendall_tau_b(*arrays(pair))) and math.isnan(spearman(*arrays(pair)))
        return
    assert kendall_tau_b(*arrays(pair)) == pytest.approx(stats.kendalltau(first, second).statistic, abs=1e-12)
    assert spearman(*arrays(pair)) == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-12)


def test_kendall_of_many_pictures_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    numbers = np.random.default_rng(0)
    first = numbers.integers(0, 2000, 20_000).astype(float)
    second = first + numbers.normal(0, 500, 20_000).round()
    assert kendall_tau_b(first, second) == pytest.approx(stats.kendalltau(first, second).statistic, abs=1e-12)


def test_kendall_and_spearman_by_hand():
    first, second = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])
    assert kendall_tau_b(first, second) == pytest.approx((5 - 1) / 6)
    assert spearman(first, second) == pytest.approx(1 - 6 * 2 / (4 * 15))
    tied = np.array([1.0, 1.0, 2.0, 3.0])
    assert kendall_tau_b(first, tied) == pytest.approx(5 / math.sqrt(6 * 5))


@given(columns)
@settings(deadline=None, max_examples=100)
def test_pairs_are_counted_as_one_by_one(pair):
    first, second = both(pair)
    same = opposite = 0
    for i, j in itertools.combinations(range(len(first)), 2):
        product = (first[i] - first[j]) * (second[i] - second[j])
        same, opposite = same + (product > 0), opposite + (product < 0)
    (found,) = agreement([made("a", pair[0]), made("b", pair[1])])
    assert found.pictures == len(first) and found.pairs == same + opposite
    assert math.isnan(found.agreed) if not found.pairs else found.agreed == same / (same + opposite)


@given(columns, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_agreement_does_not_depend_on_the_order_of_the_pictures(pair, random):
    prompts = [f"p{i % 3}" for i in range(len(pair[0]))]
    first, second = made("a", pair[0], prompts), made("b", pair[1], prompts)
    order = list(range(len(first)))
    random.shuffle(order)
    straight = agreement([first, second])
    shuffled = agreement([first.take(order), second.take(order)])
    assert repr(straight) == repr(shuffled)
    flags = {flag.index: (flag.spread, flag.reason) for flag in disagreements([first, second])}
    moved = {
        order[flag.index]: (flag.spread, flag.reason)
        for flag in disagreements([first.take(order), second.take(order)])
    }
    assert flags == moved


def test_pictures_of_different_prompts_are_not_compared():
    prompts = ["x", "x", "y", "y"]
    first, second = made("a", [1, 2, 30, 40], prompts), made("b", [1, 2, -4, -3], prompts)
    (within,) = agreement([first, second])
    assert (within.pairs, within.agreed, within.kendall, within.prompts) == (2, 1.0, 1.0, 2)


def test_every_two_scorers_are_compared_once_in_the_order_given():
    three = [made(name, [1, 2, 3]) for name in "abc"]
    assert [(pair.first, pair.second) for pair in agreement(three)] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert agreement([]) == () and agreement(three[:1]) == ()


def test_top_overlap_by_hand():
    first = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    assert top_overlap(first, np.array([5.0, 1.0, 4.0, 3.0, 2.0]), 2) == 0.5
    assert top_overlap(first, first, 3) == 1.0
    assert top_overlap(first, -first, 2) == 0.0
    assert math.isnan(top_overlap(first, first, 5)), "all of five are among the best five, which says nothing"


def test_ties_at_the_border_of_the_best_share_its_places():
    # All five tie for two places: each holds 2/5 of one, and the other scorer's two best get 2/5 each.
    assert top_overlap(np.zeros(5), np.arange(5.0), 2) == pytest.approx(0.4)
    assert top_overlap(np.zeros(5), np.zeros(5), 2) == pytest.approx(1.0)


def test_agreement_in_plain_words():
    first, second = made("CLIP", [1, 2, 3, 4]), made("Aesthetic", [1, 3, 2, 4])
    (found,) = agreement([first, second])
    assert found.sentence() == (
        "CLIP and Aesthetic order 83 % of 6 pairs of pictures the same way (50 % would be chance) and have the same favourite for "
        "100 % of the prompts."
    )
    (alone,) = agreement([made("CLIP", [1]), made("Aesthetic", [2])])
    assert "cannot be compared" in alone.sentence()


def test_average_and_normalised_ranks_by_hand():
    assert average_ranks(np.array([3.0, 9.0, 3.0, 1.0])).tolist() == [2.5, 1.0, 2.5, 4.0]
    groups = [np.array([0, 2, 3]), np.array([1]), np.array([4, 5])]
    places = normalised_ranks(np.array([1.0, 7.0, 3.0, math.nan, 2.0, 2.0]), groups)
    np.testing.assert_array_equal(places, [0.0, 0.5, 1.0, math.nan, 0.5, 0.5])


def test_a_disputed_picture_is_flagged_in_plain_words():
    clip = made("CLIP", [9, 8, 7, 6, 5, 4, 3, 2])
    aesthetic = made("Aesthetic", [9, 3, 8, 7, 6, 5, 4, 2])
    flags = disagreements([clip, aesthetic])
    assert [(flag.index, flag.reason) for flag in flags] == [(1, "CLIP puts it 2nd of 8, Aesthetic 7th")]
    assert flags[0].spread == pytest.approx(5 / 7)


def test_tied_ranks_are_called_tied():
    (flag,) = disagreements([made("A", [5, 5, 1, 0, 0.5]), made("B", [0, 9, 8, 7, 6])], threshold=0.7)
    assert flag.index == 0 and flag.reason == "A puts it 1st (tied) of 5, B 5th"


def test_the_most_disputed_picture_comes_first_and_the_extremes_are_named():
    flags = disagreements([made("A", [4, 3, 2, 1]), made("B", [3, 4, 2, 1]), made("C", [1, 2, 3, 4])])
    assert [(flag.index, flag.reason) for flag in flags] == [
        (0, "A puts it 1st of 4, C 4th"),
        (3, "C puts it 1st of 4, A 4th"),
        (1, "B puts it 1st of 4, C 3rd"),
    ]


def test_two_pictures_are_too_few_for_a_flag():
    assert disagreements([made("A", [1, 2]), made("B", [2, 1])]) == ()
    assert len(disagreements([made("A", [1, 2, 3]), made("B", [3, 2, 1])])) == 2


def test_a_picture_one_scorer_missed_is_not_flagged_and_not_counted():
    nan = math.nan
    flags = disagreements([made("A", [4, 3, 2, nan]), made("B", [1, 2, 3, 4])])
    assert {flag.reason for flag in flags} == {
        "A puts it 1st of 3, B 3rd",
        "B puts it 1st of 3, A 3rd",
    }


def test_a_spread_of_just_the_threshold_is_flagged():
    assert 47 / 50 - 17 / 50 < 0.6, "as binary fractions these places are a little too close"
    order = [index for index in range(51) if index != 3]
    order.insert(33, 3)
    second = [51.0 - order.index(index) for index in range(51)]
    (flag,) = disagreements([made("A", list(range(51, 0, -1))), made("B", second)])
    assert (flag.index, flag.reason, flag.spread) == (3, "A puts it 4th of 51, B 34th", 0.6)


def test_scores_of_different_pictures_are_refused_by_name():
    with pytest.raises(DifferentPicturesError, match="CLIP scored 2 pictures and BLIP 3"):
        agreement([made("CLIP", [1, 2]), made("BLIP", [1, 2, 3])])
    with pytest.raises(
        DifferentPicturesError, match="picture 1 was scored by CLIP for 'p' and by BLIP for 'q'"
    ):
        disagreements([made("CLIP", [1, 2]), made("BLIP", [1, 2], ["p", "q"])])


def test_settings_without_a_meaning_are_refused():
    for threshold in (0.0, 1.1, math.nan):
        with pytest.raises(ValueError, match="threshold"):
            disagreements([], threshold=threshold)


def test_places_in_english():
    assert [ordinal(n) for n in (1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 101, 111, 113)] == (
        "1st 2nd 3rd 4th 10th 11th 12th 13th 21st 22nd 101st 111th 113th".split()
    )
