"""Accuracy by every protocol is what its own program computes, written out here pair by pair."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metrics.pairs import KINDS, PAIR_PROTOCOLS, pair_counts
from imagereward_core.metrics.preference import agreeing_pairs

# Few different values, so that ties of people and of scorers are common.
ranking = st.integers(2, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(-2, 2).map(float), min_size=n, max_size=n),
        st.lists(st.integers(1, 4), min_size=n, max_size=n),
    )
)
rankings = st.lists(ranking, min_size=1, max_size=6)


def counted(items):
    return np.array([pair_counts(scores, ranks) for scores, ranks in items])


def test_script(items):
    """test.py of ImageReward: all pairs of all rankings together."""
    right = total = 0
    for rewards, base in items:
        for i, j in itertools.combinations(range(len(base)), 2):
            if base[i] > base[j]:
                right, total = right + (rewards[i] < rewards[j]), total + 1
            elif base[i] < base[j]:
                right, total = right + (rewards[i] > rewards[j]), total + 1
    return right / total if total else math.nan


test_script.__test__ = False


def mean(values):
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def inversion(p1, p2):
    """HPSv2's score of two rankings."""
    n = len(p1)
    wrong = sum((p1[i] - p1[j]) * (p2[i] - p2[j]) < 0 for i, j in itertools.combinations(range(n), 2))
    return 1 - wrong / (n * (n - 1) / 2)


def pickscore(items):
    """PickScore's program: labels of a pair are (1, 0), (0, 1) or (0.5, 0.5)."""
    correct = []
    for scores, ranks in items:
        for i, j in itertools.combinations(range(len(ranks)), 2):
            label = 0.5 if ranks[i] == ranks[j] else float(ranks[i] < ranks[j])
            correct.append((scores[i] > scores[j]) * label + (scores[i] < scores[j]) * (1 - label))
    return sum(correct) / len(correct)


def same(found, expected):
    assert math.isnan(found) if math.isnan(expected) else found == pytest.approx(expected, abs=1e-12)


@given(rankings)
@settings(deadline=None)
def test_every_protocol_is_what_its_program_computes(items):
    counts = counted(items)
    same(PAIR_PROTOCOLS["pairs"].accuracy(counts), test_script(items))
    same(PAIR_PROTOCOLS["rankings"].accuracy(counts), mean([test_script([item]) for item in items]))
    same(
        PAIR_PROTOCOLS["inversions"].accuracy(counts),
        mean([inversion([-score for score in scores], ranks) for scores, ranks in items]),
    )
    same(PAIR_PROTOCOLS["pickscore"].accuracy(counts), pickscore(items))


@given(rankings)
@settings(deadline=None, max_examples=60)
def test_the_first_protocol_counts_as_preference_accuracy_does(items):
    parts = PAIR_PROTOCOLS["pairs"].parts(counted(items))
    assert list(zip(*(part.tolist() for part in parts))) == [agreeing_pairs(*item) for item in items]


@given(st.lists(st.tuples(st.integers(-3, 3).map(float), st.booleans()), min_size=2, max_size=40))
@settings(deadline=None, max_examples=60)
def test_half_credit_over_good_and_bad_pictures_is_the_area_under_the_roc_curve(pictures):
    metrics = pytest.importorskip("sklearn.metrics")
    scores, good = zip(*pictures)
    if len(set(good)) == 2:
        found = PAIR_PROTOCOLS["half"].accuracy(counted([(scores, [1 if each else 2 for each in good])]))
        assert found == pytest.approx(metrics.roc_auc_score(good, scores), abs=1e-12)


@given(ranking)
@settings(deadline=None, max_examples=60)
def test_every_pair_is_of_one_kind_and_none_is_lost(item):
    scores, ranks = item
    n = len(ranks)
    assert pair_counts(scores, ranks).sum() == n * (n - 1) // 2
    ties = sum(one == two for one, two in itertools.combinations(ranks, 2))
    without = pair_counts(scores, ranks, ties=False)
    assert without[3:].tolist() == [0, 0] and without.sum() == n * (n - 1) // 2 - ties


def test_pictures_without_a_rank_or_a_score_are_in_no_pair():
    assert dict(zip(KINDS, pair_counts([1, math.nan, 3, math.inf, math.inf], [1, 2, 0, 3, 4]).tolist())) == {
        "right": 0,
        "wrong": 2,
        "level": 1,
        "apart": 0,
        "together": 0,
    }
    nothing = pair_counts([1.0, 2.0], [1, 0])
    assert all(math.isnan(each.accuracy(nothing[None])) for each in PAIR_PROTOCOLS.values())


@given(rankings, st.floats(0.1, 9), st.floats(-5, 5))
@settings(deadline=None, max_examples=30)
def test_accuracy_does_not_depend_on_the_scale_of_the_scores(items, factor, shift):
    moved = [([factor * score + shift for score in scores], ranks) for scores, ranks in items]
    assert np.array_equal(counted(items), counted(moved))
