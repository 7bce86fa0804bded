"""Agreement, majorities and wins, counted by hand and by scikit-learn."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metrics.voters import agreed_pairs, choices, majority, majority_of_others
from imagereward_core.metrics.wins import win_counts

votes = st.integers(1, 12).flatmap(
    lambda pairs: st.lists(
        st.lists(st.sampled_from([-1, 0, 1]), min_size=pairs, max_size=pairs), min_size=2, max_size=5
    )
)


@given(votes)
@settings(deadline=None, max_examples=60)
def test_agreement_is_accuracy_where_both_chose(rows):
    metrics = pytest.importorskip("sklearn.metrics")
    one, two = (np.array(row, np.int8) for row in rows[:2])
    both = [(a, b) for a, b in zip(*rows[:2]) if a and b]
    agreed, of = agreed_pairs(one, two)
    assert of == len(both)
    if both:
        assert agreed / of == pytest.approx(metrics.accuracy_score(*zip(*both)))


def most(column):
    counts = Counter(each for each in column if each)
    return 0 if counts[1] == counts[-1] else max(counts, key=lambda each: counts[each])


@given(votes)
@settings(deadline=None, max_examples=60)
def test_majorities_are_counted_vote_by_vote(rows):
    array = np.array(rows, np.int8)
    assert majority(array).tolist() == [most(column) for column in zip(*rows)]
    for place, others in enumerate(majority_of_others(array)):
        left = rows[:place] + rows[place + 1 :]
        assert others.tolist() == [most(column) for column in zip(*left)]


def test_a_hundred_and_fifty_voters_do_not_overflow():
    assert majority(np.ones((150, 1), np.int8)).tolist() == [1]
    assert majority_of_others(np.ones((300, 1), np.int8))[0].tolist() == [1]


def test_choices_follow_the_order_of_pairs():
    ranks = np.array([2.0, 1.0, 2.0])
    assert choices(ranks, higher_is_better=False).tolist() == [-1, 0, 1]
    assert choices(-ranks).tolist() == choices(ranks, higher_is_better=False).tolist()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["A", "B", "C", ""])), max_size=8), st.booleans()
)
@settings(deadline=None, max_examples=60)
def test_wins_are_counted_pair_by_pair(pictures, ties):
    expected: Counter = Counter()
    for (rank, source), (other_rank, other) in itertools.permutations(pictures, 2):
        if rank and other_rank and source and other and source != other:
            expected[source, other, "win"] += rank < other_rank
            expected[source, other, "tie"] += ties and rank == other_rank
    found = win_counts([rank for rank, _ in pictures], [source for _, source in pictures], ties)
    for (one, two), (wins, level, losses) in found.items():
        assert (wins, level, losses) == (
            expected[one, two, "win"],
            expected[one, two, "tie"],
            expected[two, one, "win"],
        )
    named = {
        frozenset((one, two))
        for one, two, _ in expected
        if expected[one, two, "win"] or expected[one, two, "tie"]
    }
    assert named == {frozenset(pair) for pair in found}
    assert len({frozenset(pair) for pair in found}) == len(found)
