"""Figures 5 to 9 are what counting one by one gives, and their intervals hold what was put in."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_lab.annotation.analysis.answers import MOST_NAMES, OTHER, collect
from imagereward_lab.annotation.analysis.keys import CATEGORIES, NO_CATEGORY, PROBLEMS, key_of
from imagereward_lab.annotation.analysis.measure import analyse
from imagereward_lab.data.ranking import Phrase, Ranking
from imagereward_lab.figures.estimates import IntervalOptions
from tests.support.lab.annotations import annotations

OPTIONS = IntervalOptions(resamples=100)


def figures(rankings, **more):
    """All figures by section, measure, person and group."""
    found = analyse(collect(rankings), OPTIONS, **more)
    rows = {
        (row["section"], row["measure"], row["scorer"], row["group"]): row
        for row in found.figures
        if not row["against"]
    }
    assert len(rows) == sum(not row["against"] for row in found.figures), "no figure is there twice"
    return rows, found


ratings = st.fixed_dictionaries(
    {}, optional={name: st.integers(1, 7) for name in ("overall", "alignment", "fidelity")}
)
ticks = st.lists(st.sampled_from(["body", "blurry", "odd"]), max_size=3)


@st.composite
def rankings(draw):
    found = []
    for _ in range(draw(st.integers(1, 8))):
        names = tuple(draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True)))
        each = st.lists(ratings, min_size=len(names), max_size=len(names))
        boxes = st.lists(ticks, min_size=len(names), max_size=len(names))
        found.append(
            Ranking(
                prompt=draw(st.sampled_from(["a fox", "a fox, 8k", "8k, sharp focus", "b, c, d, uhd"])),
                images=names,
                annotator=draw(st.sampled_from(["", "ann", "bob"])),
                category=draw(st.sampled_from(["", "people", "People", "mine"])),
                ratings=tuple(draw(st.just([]) | each)),
                problems=tuple(map(tuple, draw(st.just([]) | boxes))),
            )
        )
    return found


def bucket(prompt):
    """By hand: the shares of function phrases in the four prompts above are 0, 1/2, 1 and 1/4."""
    return {
        "a fox": "none",
        "a fox, 8k": "over 40 to 60 %",
        "8k, sharp focus": "over 80 to 100 %",
        "b, c, d, uhd": "over 20 to 40 %",
    }[prompt]


def category_of(prompt, given_rankings):
    said = [each.category for each in given_rankings if each.prompt == prompt and each.category]
    keys = [key_of(each) for each in said]
    if not keys:
        return NO_CATEGORY
    best = max(keys.count(key) for key in keys)
    return next(CATEGORIES.get(key, "mine") for key in keys if keys.count(key) == best)


@settings(max_examples=60, deadline=None)
@given(rankings())
def test_every_figure_is_what_counting_one_by_one_gives(given_rankings):
    found, _ = figures(given_rankings)
    prompts = dict.fromkeys(each.prompt for each in given_rankings)
    ways = {
        "category": {prompt: category_of(prompt, given_rankings) for prompt in prompts},
        "function_share": {prompt: bucket(prompt) for prompt in prompts},
    }
    numbers = {"category": "prompts", "function_share": "function_share"}
    for way, groups in ways.items():
        for group in {*groups.values()}:
            row = found[numbers[way], "prompts", "", group]
            assert row["count"] == row["value"] == sum(each == group for each in groups.values())
            share = found[numbers[way], "share of prompts", "", group]
            assert share["value"] == pytest.approx(row["count"] / len(prompts))
        rated, ticked, asked = defaultdict(list), defaultdict(int), defaultdict(int)
        for ranking in given_rankings:
            for group in (groups[ranking.prompt], ""):
                for picture in ranking.ratings:
                    for name, value in picture.items():
                        rated[group, name].append(value)
                for picture in ranking.problems:
                    asked[group] += 1
                    for name in set(picture):
                        ticked[group, PROBLEMS.get(name, name)] += 1
        rows = {key: row for key, row in found.items() if key[0] == f"ratings_by_{way}" and row["count"]}
        assert rows.keys() == {(f"ratings_by_{way}", name, "", group) for group, name in rated}
        for (group, name), values in rated.items():
            row = rows[f"ratings_by_{way}", name, "", group]
            assert row["value"] == pytest.approx(sum(values) / len(values)) and row["count"] == len(values)
        for group, number in asked.items():
            for name in PROBLEMS.values():
                row = found[f"problems_by_{way}", name, "", group]
                assert row["value"] == pytest.approx(ticked[group, name] / number) and row["count"] == number
        odd = found.get((f"problems_by_{way}", "odd", "", ""))
        assert (odd["value"] * odd["count"] if odd else 0) == pytest.approx(ticked["", "odd"])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40))
def test_an_interval_is_that_of_prompts_drawn_anew_by_hand(seed, number):
    """The mean over a draw is recounted from copies of its prompts' pictures, one by one."""
    some = annotations(number, seed=seed, categories=("people",), pictures=3)
    found, _ = figures(some)
    row = found["ratings_by_category", "overall", "", "People"]
    means = {np.mean([mark["overall"] for mark in each.ratings]) for each in some}
    if len(means) < 2:  # one prompt, or prompts that all say the same, tell nothing of others
        assert row["low"] is None and row["high"] is None
        return
    drawn = np.random.default_rng(0).multinomial(number, np.full(number, 1 / number), size=100)
    means = [
        np.mean([mark["overall"] for each, times in zip(some, row) for mark in each.ratings * times])
        for row in drawn.tolist()
    ]
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(means, [0.025, 0.975]).tolist())


def test_intervals_are_as_wide_as_statistics_says():
    """For many prompts the interval is about 1.96 standard errors of the prompts' means to either side."""
    some = annotations(300, categories=("people",), noise=0.1, seed=3)
    found = analyse(collect(some), IntervalOptions(resamples=2000))
    (row,) = [
        each
        for each in found.figures
        if each["section"] == "ratings_by_category"
        and each["measure"] == "overall"
        and each["group"] == "People"
    ]
    means = [np.mean([mark["overall"] for mark in each.ratings]) for each in some]
    error = np.std(means, ddof=1) / math.sqrt(len(means))
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * error, rel=0.08)


def test_known_means_and_frequencies_of_simulated_people_are_found():
    """Of 40 intervals of 95 % at least 33 hold the truth: fewer would happen once in 10,000 times."""
    inside = 0
    for seed in range(20):
        some = annotations(60, ("ann", "bob"), seed=seed, means=(3.5, 4.0, 4.5), ticks=0.2, noise=0.0)
        found, _ = figures(some)
        high = found["ratings_by_category", "overall", "", "Outdoor Scenes"]
        boxes = found["problems_by_category", "body problem", "", ""]
        # Ratings are rounded marks about 4.5 with deviation 1: the rounding is symmetric, the ends at 1 and 7 hardly matter.
        inside += (high["low"] <= 4.5 <= high["high"]) + (boxes["low"] <= 0.2 <= boxes["high"])
    assert 33 <= inside <= 40


def test_a_prompt_is_in_the_category_that_most_say_and_stands_once():
    said = ("arts", "people", "People", "")
    some = [Ranking("p", ("a", "b"), (1, 2), category=each) for each in said]
    found, evaluation = figures(some)
    assert found["prompts", "prompts", "", "People"]["count"] == 1
    assert ("prompts", "prompts", "", "Arts") not in found
    sentences = {section.key: section.sentences for section in evaluation.sections}["prompts"]
    assert any("1 prompt into more than one category" in text for text in sentences)


def test_strange_categories_and_problems_of_a_large_file_are_counted_together():
    some = [
        Ranking(f"p{n}", ("a",), category=f"c{n}\x1b[31m", problems=((f"x{n}",),))
        for n in range(3 * MOST_NAMES)
    ]
    found, _ = figures(some)
    groups = [key[3] for key in found if key[:2] == ("prompts", "prompts")]
    assert len(groups) == MOST_NAMES + 1 and found["prompts", "prompts", "", OTHER]["count"] == 2 * MOST_NAMES
    names = {key[1] for key in found if key[0] == "problems_by_category"}
    assert len(names) == MOST_NAMES + 1 and OTHER in names


def test_marks_that_are_none_are_left_out_and_told():
    marks = ({"overall": 7.0, "mine": 1e300}, {"overall": 0.0, "mine": -5.0}, {"overall": 8.0})
    found, evaluation = figures([Ranking("p", ("a", "b", "c"), ratings=marks)])
    assert found["ratings_by_category", "overall", "", ""]["value"] == 7.0
    assert found["ratings_by_category", "mine", "", ""]["value"] == -5.0
    assert any(text.startswith("3 ratings left out") for text in evaluation.warnings)


def test_what_people_marked_goes_before_what_is_found():
    prompt = "a fox, 8k, by me, glowing"
    marked = (Phrase(7, 9, "style"), Phrase(18, 25, "function"))
    some = [
        Ranking(prompt, ("a",), phrases=marked, annotator="ann"),
        Ranking(prompt, ("a",), phrases=(Phrase(0, 5, "content"),), annotator="bob"),
        Ranking("8k", ("a",)),
    ]
    found, evaluation = figures(some)
    # One of ann's four phrases asks for quality, none of bob's: together an eighth.
    assert found["function_share", "prompts", "", "over 0 to 20 %"]["count"] == 1
    assert found["function_share", "prompts", "", "over 80 to 100 %"]["count"] == 1
    assert found["function_share", "mean share of function phrases", "", ""]["value"] == pytest.approx(
        1.125 / 2
    )
    assert found["function_share", "prompts with the phrase", "", "glowing"]["count"] == 1
    sentences = {section.key: section.sentences for section in evaluation.sections}["function_share"]
    assert sentences[0] == (
        "Where phrases come from: in 1 prompt people marked them, in 1 prompt they were found by the list and rules of this program."
    )


def test_one_prompt_has_no_interval_and_neither_has_what_never_varies():
    found, _ = figures(annotations(1))
    assert found["ratings_by_category", "overall", "", ""]["low"] is None
    found, _ = figures(annotations(40, ticks=0.0))
    row = found["problems_by_category", "violent", "", ""]
    assert (row["value"], row["low"], row["high"]) == (0.0, None, None)


def test_nothing_but_prompts_gives_numbers_and_says_what_is_missing():
    found, evaluation = figures([Ranking("p", ("a",)), Ranking("q", ("b",))])
    assert [section.key for section in evaluation.sections] == ["prompts", "function_share"]
    assert found["prompts", "prompts", "", NO_CATEGORY]["count"] == 2
    text = " ".join(evaluation.warnings)
    for words in ("Nobody gave ratings", "Nobody was asked", "No prompt has a category", "has a name"):
        assert words in text
