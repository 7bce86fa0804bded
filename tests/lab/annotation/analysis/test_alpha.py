"""Krippendorff's alpha is that of published examples, of its definition, and of the package; its interval that of prompts drawn anew."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_lab.annotation.analysis import alpha as module
from imagereward_lab.annotation.analysis.alpha import (
    NOMINAL,
    ORDINAL,
    alpha,
    alpha_of,
    coincidences,
    judgements,
)
from imagereward_lab.annotation.analysis.answers import collect
from imagereward_lab.annotation.analysis.measure import analyse
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.figures.estimates import IntervalOptions

pytest.importorskip("krippendorff")
OPTIONS = IntervalOptions(resamples=100)
NONE = math.nan
# The examples of two observers, of two who say yes or no, and of four with gaps, in K. Krippendorff, Computing Krippendorff's
# Alpha-Reliability, 2011, with the values printed there.
FOUR = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
    [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
]
TWO = [list("aabbdcccedda"), list("babbbccceddd")]
BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]


def said(table):
    """A table with a row for each person and a column for each thing, each thing of its own prompt."""
    values = np.array(table, dtype=np.float64)
    people, things = np.indices(values.shape)
    flat = things.ravel()
    return judgements(flat, people.ravel(), values.ravel(), flat)


@pytest.mark.parametrize(
    ("table", "level", "value"),
    [
        (FOUR, NOMINAL, 0.743),
        (FOUR, ORDINAL, 0.815),
        ([[ord(letter) for letter in row] for row in TWO], NOMINAL, 0.692),
        (BINARY, NOMINAL, 0.095),
    ],
    ids=["four observers", "four observers, ordered", "two observers", "two observers, yes and no"],
)
def test_published_examples(table, level, value):
    found = said(table)
    assert alpha(found, level, OPTIONS).value == pytest.approx(value, abs=5e-4)
    assert float(alpha_of(coincidences(found.counts).sum(axis=0), level)) == pytest.approx(value, abs=5e-4)


def by_definition(table, level):
    """One minus observed over expected disagreement, over pairs of values one by one."""
    columns = [[value for value in column if not math.isnan(value)] for column in zip(*table)]
    columns = [column for column in columns if len(column) > 1]
    every = [value for column in columns for value in column]

    def far(one, two):
        if level == NOMINAL:
            return float(one != two)
        low, high = min(one, two), max(one, two)
        between = sum(low <= value <= high for value in every)
        return (between - (every.count(low) + every.count(high)) / 2) ** 2 if low != high else 0.0

    seen = sum(
        far(one, two) / (len(column) - 1)
        for column in columns
        for one, two in itertools.permutations(column, 2)
    )
    chance = sum(far(one, two) for one, two in itertools.permutations(every, 2)) / (len(every) - 1)
    return 1 - seen / chance if chance else math.nan


tables = st.integers(2, 4).flatmap(
    lambda people: st.lists(
        st.lists(st.sampled_from([NONE, 1.0, 2.0, 3.5, 7.0]), min_size=people, max_size=people),
        min_size=1,
        max_size=8,
    ).map(lambda columns: [list(row) for row in zip(*columns)])
)


@settings(max_examples=150, deadline=None)
@given(tables, st.sampled_from([NOMINAL, ORDINAL]))
def test_alpha_is_what_its_definition_says(table, level):
    found = said(table)
    wanted = by_definition(table, level)
    if not len(found.counts):
        return
    assert alpha(found, level, OPTIONS).value == pytest.approx(wanted, abs=1e-9, nan_ok=True)
    own = float(alpha_of(coincidences(found.counts).sum(axis=0), level))
    assert own == pytest.approx(wanted, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("level", [NOMINAL, ORDINAL])
def test_an_interval_is_that_of_prompts_drawn_anew_by_hand(level):
    """Each draw is counted again by the package, from copies of the things of its prompts."""
    rng = np.random.default_rng(5)
    values = rng.integers(1, 5, (3, 24)).astype(np.float64)
    values[1] = np.where(rng.random(24) < 0.6, values[0], values[1])
    people, things = np.indices(values.shape)
    prompts = things.ravel() // 3
    found = judgements(things.ravel(), people.ravel(), values.ravel(), prompts)
    drawn = np.random.default_rng(0).multinomial(8, np.full(8, 1 / 8), size=100)
    from krippendorff import alpha as published

    recounted = [
        published(
            value_counts=np.repeat(found.counts, row[found.prompts], axis=0),
            value_domain=found.values,
            level_of_measurement=level,
        )
        for row in drawn
    ]
    estimate = alpha(found, level, OPTIONS)
    assert [estimate.low, estimate.high] == pytest.approx(np.quantile(recounted, [0.025, 0.975]).tolist())


def test_who_judges_a_thing_twice_counts_once_with_the_last_word():
    rows = [(0, 0, 1.0), (0, 1, 2.0), (0, 0, 2.0), (1, 0, 1.0), (1, -1, 1.0), (2, 0, NONE), (2, 1, 1.0)]
    things, people, values = (np.array(column) for column in zip(*rows))
    found = judgements(things, people, values.astype(float), things)
    assert (found.counts.tolist(), found.values.tolist(), found.people) == ([[2]], [2.0], 2)


def alphas(rankings):
    found = analyse(collect(rankings), OPTIONS)
    return {row["measure"]: row for row in found.figures if row["section"] == "alpha"}, found


def test_everything_that_several_judge_has_its_alpha():
    """Ann and Bob agree about all but the category of one prompt; Cleo sees other pictures of a prompt and is not compared in ranks."""
    one = [{"overall": 5.0}, {"overall": 2.0}]
    some = [
        Ranking(
            f"p{n}",
            ("a", "b"),
            (1, 2 - n % 2),
            annotator=who,
            ratings=tuple(one),
            problems=(("body",), ()),
            category="arts" if n or who == "ann" else "food",
            intent_unclear=bool(n % 2),
        )
        for n in range(4)
        for who in ("ann", "bob")
    ]
    some.append(Ranking("p0", ("a", "c"), (2, 1), annotator="cleo", category="food"))
    found, _ = alphas(some)
    assert found["rating: overall"]["value"] == found["problem: body problem"]["value"] == 1.0
    assert found["rank"]["value"] == 1.0 and found["rank"]["count"] == 8
    assert found["intent unclear"]["value"] == 1.0
    table = [[0, 0, 0, 0], [1, 0, 0, 0], [1, NONE, NONE, NONE]]
    assert found["category"]["value"] == pytest.approx(by_definition(table, NOMINAL))
    assert (found["category"]["count"], found["category"]["of"]) == (4, "prompts")


def test_what_everybody_says_has_no_alpha_and_is_told():
    found, evaluation = alphas(
        [Ranking("p", ("a",), annotator=who, category="arts", problems=(("odd",),)) for who in "xy"]
    )
    assert found == {}
    (section,) = [each for each in evaluation.sections if each.key == "alpha"]
    assert "category" in section.sentences[0] and "problem: odd" in section.sentences[0]


def test_best_and_worst_alone_are_no_ranks_to_compare():
    some = [Ranking("p", tuple("abc"), annotator=who, best=0, worst=2, category="arts") for who in "xy"]
    some += [Ranking("q", tuple("abc"), annotator=who, category=who) for who in "xy"]
    assert "rank" not in alphas(some)[0]


def test_without_the_package_the_page_says_so(monkeypatch):
    monkeypatch.setattr(module, "package", lambda: None)
    found, evaluation = alphas([Ranking("p", ("a",), annotator=who, category=who) for who in "xy"])
    (section,) = [each for each in evaluation.sections if each.key == "alpha"]
    assert found == {} and "pip install 'imagereward-curator[analysis]'" in section.lead
