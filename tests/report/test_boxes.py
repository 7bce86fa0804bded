from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.report.boxes import LEAST_IN_BOX, MOST_GROUPS, box_of, box_plot
from tests.support.library.reports import Page

finite = st.floats(-1e6, 1e6, allow_nan=False)


@settings(deadline=None, max_examples=200)
@given(st.lists(finite, min_size=1, max_size=60))
def test_a_box_holds_every_score_between_its_ends_or_beyond_them(values):
    box = box_of(values)
    assert box.low <= box.median <= box.high and box.first <= box.median <= box.third
    assert box.median == pytest.approx(float(np.median(values)))
    within = [value for value in values if box.low <= value <= box.high]
    assert sorted([*within, *box.beyond]) == sorted(values)


def test_whiskers_end_at_scores_within_one_and_a_half_boxes():
    box = box_of([0, 1, 2, 3, 4, 5, 6, 7, 8, 100])
    assert (box.first, box.median, box.third) == (2.25, 4.5, 6.75)
    assert (box.low, box.high, box.beyond) == (0, 8, (100,))


def rows_of(drawing: str) -> list[tuple[str, int, float]]:
    """Name, number of pictures and median of every row, as they stand."""
    found = re.findall(r'<th scope="row" title="([^"]*)">.*?</th><td>(\d+)</td><td>([-\d.]+)</td>', drawing)
    return [(name, int(number), float(median)) for name, number, median in found]


def test_groups_stand_by_median_with_their_numbers():
    groups = {"low": [-1.0] * 6, "high": [2.0] * 5, "middle": [0.5, 0.5]}
    drawing = box_plot("model", "model", groups, {"low": 0, "high": 1})
    assert rows_of(drawing) == [("high", 5, 2.0), ("middle", 2, 0.5), ("low", 6, -1.0)]
    page = Page.read(drawing)
    assert [each["data-value"] for each in page.having("button", "class", "pick")] == ["1", "0"]
    assert "Scores by model" in page.words


def test_every_drawing_says_in_words_what_it_shows():
    drawing = box_plot("lora", "LoRA", {"a": [float(x) for x in range(9)], "b": [1.0, 3.0]}, {})
    labels = [each["aria-label"] for each in Page.read(drawing).having("svg", "role", "img")]
    assert labels[0].startswith("median 4.0000, half of the scores from 2.0000 to 6.0000")
    assert labels[1] == "scores 1.0000, 3.0000"


def test_too_few_scores_are_dots_and_no_box():
    groups = {"few": [0.1 * x for x in range(LEAST_IN_BOX - 1)], "many": [float(x) for x in range(20)]}
    few, many = re.findall(r'<svg class="box" .*?</svg>', box_plot("model", "model", groups, {}))[::-1]
    assert "<rect" not in few and few.count("<circle") == LEAST_IN_BOX - 1
    assert "<rect" in many


def test_of_many_groups_those_with_the_most_pictures_are_drawn_and_the_others_counted():
    groups = {f"prompt {number}": [0.0] * (number + 1) for number in range(MOST_GROUPS + 4)}
    drawing = box_plot("prompt", "prompt", groups, {})
    assert {number for _, number, _ in rows_of(drawing)} == set(range(5, MOST_GROUPS + 5))
    assert "4 more, with 10 pictures in all" in drawing


def test_thousands_of_outliers_stay_a_small_drawing():
    values = [*np.linspace(0, 1, 500), *np.linspace(50, 99, 4000)]
    drawing = box_plot("model", "model", {"a": [0.0] * 9000 + values, "b": [0.0, 1.0]}, {})
    assert drawing.count("<circle") < 60 and len(drawing) < 12_000


@pytest.mark.parametrize(
    "groups", [{}, {"one": [1.0, 2.0, 3.0]}, {str(number): [1.0] for number in range(9)}]
)
def test_where_nothing_can_be_compared_nothing_is_drawn(groups):
    assert box_plot("prompt", "prompt", groups, {}) == ""


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(max_size=20), st.lists(finite, min_size=1, max_size=12), max_size=6))
def test_any_groups_make_a_well_formed_table_inside_its_frame(groups):
    drawing = box_plot("model", "model", groups, {name: number for number, name in enumerate(groups)})
    Page.read(drawing)
    assert all(
        -0.01 <= float(place) <= 100.01 for place in re.findall(r'(?:cx|x|x1|x2)="([-\d.]+)%"', drawing)
    )
