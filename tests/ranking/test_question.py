"""The next question tells most, is about pictures of this prompt, and is not the one just asked."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.ranking import (
    Comparison,
    QuickRanking,
    csv_text,
    fit_strengths,
    json_text,
    next_question,
)
from imagereward_core.ranking.question import pair_information

integrate = pytest.importorskip("scipy.integrate")


def information_by_hand(difference, variance, tie):
    """Mutual information of an answer and a difference of strengths, by integration."""

    def odds(d):
        parts = [math.exp(d / 2), math.exp(-d / 2), tie]
        return [part / sum(parts) for part in parts]

    def over(function):
        def density(d):
            return math.exp(-((d - difference) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)

        reach = 12 * math.sqrt(variance)
        return integrate.quad(
            lambda d: function(d) * density(d), difference - reach, difference + reach, limit=200
        )[0]

    def entropy(shares):
        return -sum(share * math.log2(share) for share in shares if share > 0)

    return entropy([over(lambda d, at=at: odds(d)[at]) for at in range(3)]) - over(lambda d: entropy(odds(d)))


@pytest.mark.parametrize("tie", [0.0, 0.5, 3.0])
@pytest.mark.parametrize(("difference", "variance"), [(0.0, 8.0), (1.5, 4.0), (-3.0, 2.0), (0.2, 0.05)])
def test_information_is_that_of_the_definition(difference, variance, tie):
    found = pair_information(np.array([difference]), np.array([variance]), tie)[0]
    assert found == pytest.approx(information_by_hand(difference, variance, tie), abs=2e-3)


def test_of_all_pairs_the_one_that_tells_most_is_asked():
    said = [Comparison((0, 1), winner=0), Comparison((1, 2), winner=1), Comparison((3, 4), winner=3)]
    fit = fit_strengths(6, said)
    told = {
        (one, two): information_by_hand(
            fit.values[one] - fit.values[two],
            fit.covariance[one, one] + fit.covariance[two, two] - 2 * fit.covariance[one, two],
            fit.tie,
        )
        for one in range(6)
        for two in range(one + 1, 6)
        if (one, two) not in [each.images for each in said]
    }
    found = next_question(fit, [each.images for each in said])
    assert told[tuple(sorted(found.images))] == pytest.approx(max(told.values()), abs=1e-3)
    assert found.information == pytest.approx(max(told.values()), abs=2e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 9), st.integers(2, 4), st.integers(0, 3), st.data())
def test_a_question_is_of_different_pictures_as_many_as_asked_for_and_never_the_last_one_again(
    number, size, seed, data
):
    ranking = QuickRanking(images=tuple("abcdefghi"[:number]), seed=seed)
    before = None
    for _ in range(8):
        question = ranking.question(size)
        assert len(set(question.images)) == len(question.images) == min(size, number)
        assert set(question.images) <= set(ranking.images) and question.information > 0
        if number > size:
            assert set(question.images) != before
        before = set(question.images)
        said = data.draw(st.sampled_from([*question.images, "tie", "skip"]))
        if said == "skip":
            ranking = ranking.skipped(question.images)
        else:
            ranking = ranking.answered(Comparison(question.images, None if said == "tie" else said))


def test_no_two_are_asked_about_over_and_over_though_the_answers_stay_close():
    ranking = QuickRanking(images=tuple(str(number) for number in range(10)))
    pairs = []
    for _ in range(45):
        images = ranking.question().images
        pairs.append(frozenset(images))
        ranking = ranking.answered(Comparison(images, None))
    assert max(pairs.count(pair) for pair in pairs) <= 2


def test_what_was_skipped_comes_back_only_when_there_is_nothing_else():
    ranking = QuickRanking(images=("a", "b", "c"))
    seen = []
    for _ in range(3):
        question = ranking.question()
        seen.append(frozenset(question.images))
        ranking = ranking.skipped(question.images)
    assert len(set(seen)) == 3
    assert ranking.question() is not None
    assert QuickRanking(images=("a",)).question() is None


def test_seeds_decide_between_equals_and_nothing_else_is_left_to_chance():
    images = tuple(str(number) for number in range(30))
    asked = {seed: QuickRanking(images=images, seed=seed).question(4).images for seed in range(12)}
    assert asked == {seed: QuickRanking(images=images, seed=seed).question(4).images for seed in range(12)}
    assert len(set(asked.values())) == 12
    first = [next_question(fit_strengths(2, []), seed=seed).images[0] for seed in range(30)]
    assert 5 < sum(first) < 25, "which one stands left is no sign of anything"


def test_where_scorers_differ_is_asked_first():
    images = ("agreed good", "agreed bad", "disputed", "disputed too")
    scores = ([3.0, -3.0, 1.5, -1.5], [3.0, -3.0, -1.5, 1.5])
    assert set(QuickRanking(images=images, scores=scores).question().images) == {"disputed", "disputed too"}


def test_of_answers_about_pictures_that_are_gone_the_rest_counts():
    gone = (
        Comparison(("a", "gone"), winner="gone"),
        Comparison(("gone", "a", "b"), winner="gone"),
        Comparison(("a", "gone", "b"), winner="b"),
        Comparison(("a", "b", "gone"), None),
    )
    rows = QuickRanking(images=("a", "b"), comparisons=gone, skips=(("gone", "a"),)).rows()
    assert [(row.image, row.shown, row.won, row.tied) for row in rows] == [("b", 2, 1, 1), ("a", 2, 0, 1)]
    with pytest.raises(ValueError, match="found a picture twice"):
        QuickRanking(images=("a", "a"))
    with pytest.raises(ValueError, match="found 1 scores by one scorer; expected 2"):
        QuickRanking(images=("a", "b"), scores=([1.0],))
    with pytest.raises(ValueError, match="expected 2 to 4"):
        QuickRanking(images=("a", "b")).question(5)


def test_rows_are_the_same_in_both_forms_and_safe_in_a_spreadsheet():
    said = (Comparison(("=cmd()", "b\r\udcff"), winner="=cmd()"), Comparison(("=cmd()", "b\r\udcff"), None))
    rows = QuickRanking(images=("b\r\udcff", "=cmd()"), comparisons=said).rows()
    assert [(row.rank, row.image, row.shown, row.won, row.tied) for row in rows] == [
        (1, "=cmd()", 2, 1, 1),
        (2, "b\r\udcff", 2, 0, 1),
    ]
    beside = {"stars": {"=cmd()": 5}}
    table = list(csv.DictReader(io.StringIO(csv_text(rows, beside), newline="")))
    whole = json.loads(json_text(rows, beside, {"prompt": "a cat"}))
    assert table[0]["image"] == "'=cmd()" and table[1]["image"] == "b\\r\\udcff"
    assert [each["stars"] for each in table] == ["5", ""] and whole["rows"][0]["stars"] == 5
    assert whole["schema_version"] == 1 and whole["prompt"] == "a cat" and "stars" not in whole["rows"][1]
    for one, other in zip(table, whole["rows"]):
        assert all(float(one[name]) == other[name] for name in other if name not in ("image", "stars"))
