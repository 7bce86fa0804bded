from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.report.histogram import histogram, ticks

finite = st.floats(-1e6, 1e6, allow_nan=False)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(finite, st.booleans()), min_size=1, max_size=60))
def test_every_picture_is_in_exactly_one_bar(pictures):
    drawing = histogram([value for value, _ in pictures], [kept for _, kept in pictures])
    counted = [(int(number), kind) for number, kind in re.findall(r"<title>(\d+) (kept|rejected)", drawing)]
    kept = sum(kept for _, kept in pictures)
    assert sum(number for number, kind in counted if kind == "kept") == kept
    assert sum(number for number, kind in counted if kind == "rejected") == len(pictures) - kept


@settings(deadline=None, max_examples=200)
@given(finite, st.floats(1e-6, 1e6))
def test_ticks_are_round_and_inside(low, reach):
    high = low + reach
    marks = ticks(low, high)
    assert len(marks) <= 6 and marks == sorted(marks)
    assert all(low <= mark <= high for mark in marks) or high <= low


def test_the_usual_range_has_the_usual_ticks():
    assert ticks(-2.3, 2.3) == [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert ticks(0.5, 0.5) == [0.5]


def test_nothing_is_drawn_without_scores():
    assert histogram([], []) == ""
