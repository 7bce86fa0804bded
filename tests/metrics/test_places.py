"""Places, recall and filter are means over all orders of equal scores, tried one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metrics.places import filter_at, place_shares, recall_at

scored = st.lists(st.integers(-2, 2).map(float), min_size=2, max_size=6).flatmap(
    lambda scores: st.tuples(st.just(scores), st.integers(0, len(scores) - 1))
)


def places(scores, picture):
    """The place of the picture in every order that the scores allow, counted."""
    orders = [
        order
        for order in itertools.permutations(range(len(scores)))
        if all(scores[one] >= scores[two] for one, two in itertools.pairwise(order))
    ]
    found = np.zeros(len(scores))
    for order in orders:
        found[order.index(picture)] += 1 / len(orders)
    return found


@given(scored)
@settings(deadline=None, max_examples=40)
def test_shares_are_those_over_all_orders_of_equal_scores(item):
    scores, picture = item
    assert place_shares(scores, picture) == pytest.approx(places(scores, picture), abs=1e-12)
    for k in range(1, len(scores)):
        assert recall_at(scores, picture, k) == pytest.approx(places(scores, picture)[:k].sum())
        assert filter_at(scores, picture, k) == pytest.approx(places(scores, picture)[-k:].sum())
    assert math.isnan(recall_at(scores, picture, len(scores)))


@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_recall_is_top_k_accuracy_of_scikit_learn(number, seed):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    scores, best = rng.normal(size=(20, number)), rng.integers(0, number, 20)
    for k in range(1, number):
        found = np.mean([recall_at(row, int(at), k) for row, at in zip(scores, best)])
        labels = range(number) if number > 2 else None
        if labels is None:
            continue
        assert found == pytest.approx(metrics.top_k_accuracy_score(best, scores, k=k, labels=labels))


def test_filter_is_recall_of_the_worst_with_scores_turned_round():
    scores = [0.3, 0.9, 0.9, -1.0, 0.3]
    for picture, k in itertools.product(range(5), (1, 2, 3, 4)):
        assert filter_at(scores, picture, k) == pytest.approx(
            recall_at([-each for each in scores], picture, k)
        )


def test_a_picture_without_a_score_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        place_shares([0.1, math.nan], 0)
