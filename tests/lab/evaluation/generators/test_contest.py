"""Wins, verdicts, boxes and orders are those of counting by hand, and of scipy."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metrics.agreement import spearman
from imagereward_core.metrics.uncertainty import paired_test, prompts_needed
from imagereward_lab.data.ranking import Ranking
from imagereward_lab.evaluation.generators.boxes import box, scaled
from imagereward_lab.evaluation.generators.compare import standing
from imagereward_lab.evaluation.generators.contest import contest_of_answers, contest_of_scores
from imagereward_lab.evaluation.generators.people.human import order_by_chance
from imagereward_lab.evaluation.generators.pictures import Files, Found, matched
from imagereward_lab.evaluation.generators.results import compared
from imagereward_lab.evaluation.generators.verdicts import verdicts
from imagereward_lab.evaluation.options import EvaluateOptions
from tests.support.lab.scored_rankings import scored

OPTIONS = EvaluateOptions(resamples=200)
NAMES = ("a", "b", "c")
tables = st.integers(1, 8).flatmap(
    lambda rows: st.lists(
        st.lists(st.integers(0, 3).map(float), min_size=3, max_size=3), min_size=rows, max_size=rows
    )
)


@given(tables)
def test_wins_and_first_places_are_those_of_counting_by_hand(rows):
    contest = contest_of_scores(np.array(rows))
    for i in range(3):
        wins = sum(row[i] > row[j] for row in rows for j in range(3) if j != i)
        ties = sum(row[i] == row[j] for row in rows for j in range(3) if j != i)
        first = sum((row[i] == max(row)) / row.count(max(row)) for row in rows)
        assert contest.won[:, i].sum() == wins and contest.tied[:, i].sum() == ties
        assert contest.points[:, i].sum() == wins + ties / 2
        assert contest.firsts[:, i].sum() == pytest.approx(first)
        assert contest.judged[:, i].sum() == 2 * len(rows)


@given(tables)
def test_answers_give_the_wins_that_the_same_scores_give(rows):
    """Ranks made from scores, with the generators in another order in each answer."""
    answers = []
    for at, row in enumerate(rows):
        order = list(np.random.default_rng(at).permutation(3))
        levels = sorted(set(row), reverse=True)
        answers.append(
            Ranking(
                f"p{at}",
                tuple(f"{at}-{each}" for each in order),
                tuple(levels.index(row[each]) + 1 for each in order),
                sources=tuple(NAMES[each] for each in order),
            )
        )
    one, two = contest_of_scores(np.array(rows)), contest_of_answers(answers, NAMES)
    for name in ("won", "tied", "firsts", "prompts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_answers_of_one_prompt_are_one_result_and_pictures_left_unranked_were_not_compared():
    answers = [
        Ranking("p", ("1", "2", "3"), (1, 2, 0), sources=NAMES),
        Ranking("p", ("1", "2", "3"), (1, 2, 3), sources=NAMES),
        Ranking("q", ("4", "5", "6"), (2, 1, 1), sources=NAMES),
    ]
    contest = contest_of_answers(answers, NAMES)
    np.testing.assert_allclose(contest.differences(0, 1), [1.0, -1.0])
    np.testing.assert_allclose(contest.differences(1, 2), [1.0, 0.0])
    assert contest.judged.sum(axis=0).tolist() == [5, 5, 4]
    np.testing.assert_allclose(contest.firsts, [[0, 0, 0], [1, 0, 0], [0, 0.5, 0.5]])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_verdicts_are_paired_tests_corrected_by_hand(seed):
    means = np.random.default_rng(seed).normal(size=(9, 3)) + [0.0, 0.0, 1.5]
    found = verdicts(NAMES, lambda i, j: means[:, i] - means[:, j], OPTIONS)
    pairs = list(combinations(range(3), 2))
    p_values = [paired_test(means[:, i] - means[:, j]) for i, j in pairs]
    order = sorted(range(3), key=lambda at: p_values[at])
    largest = 0.0
    for done, at in enumerate(order):
        largest = max(largest, min(1.0, p_values[at] * (3 - done)))
        assert found[at].p_corrected == pytest.approx(largest)
        sentence = found[at].sentence("By A", "{:.2f}".format)
        assert ("cannot be told apart" in sentence) == (largest >= 0.05)
        assert found[at].needed > 9 or largest < 0.05


def test_so_many_prompts_show_a_difference_four_times_in_five():
    """The guess against what happens when as many prompts are drawn and tested."""
    rng = np.random.default_rng(1)
    seen = rng.normal(size=4000)
    seen = (seen - seen.mean()) / seen.std(ddof=1) + 0.4
    number = math.ceil(prompts_needed(seen))
    assert 48 <= number <= 51  # (1.96 + 0.8416)^2 / 0.4^2 = 49.06
    draws = rng.normal(0.4, 1.0, size=(300, number))
    shown = np.mean([paired_test(row, permutations=399) < 0.05 for row in draws])
    assert 0.7 < shown < 0.88
    assert prompts_needed(seen, comparisons=10) > prompts_needed(seen)
    assert prompts_needed(np.array([1.0, 1.0, 1.0])) == 6, "with five prompts p is 1/16 at best"
    assert paired_test(np.ones(6)) < 0.05 < paired_test(np.ones(5))
    assert prompts_needed(np.array([1.0, -1.0])) == math.inf


def test_too_few_prompts_to_show_anything_are_told_from_a_difference_too_small():
    def sentence(prompts):
        gained = np.full(prompts, 0.5) + np.arange(prompts) / 100
        found = verdicts(NAMES, lambda i, j: gained * (j - i), OPTIONS)
        return found[0].sentence("By A", "{:.2f}".format)

    assert "cannot be told apart" in sentence(6) and "at least 7 are needed" in sentence(6)
    assert "a is better than b" in sentence(7)


def test_spearman_of_the_paper_s_table_4():
    """People, ImageReward and CLIP as printed. Of the printed FIDs the order is -0.60 where lower is better; the paper prints 0.28."""
    wins = np.array([240.0, 196.0, 161.0, 156.0, 142.0])
    ours = np.array([0.2816, 0.2606, 0.2240, 0.1442, -0.2372])
    clip = np.array([0.2668, 0.2611, 0.2641, 0.2672, 0.2523])
    fid = np.array([20.7, 18.8, 10.9, 17.9, 18.4])
    assert spearman(ours, wins) == pytest.approx(1.0)
    assert spearman(clip, wins) == pytest.approx(0.3)
    assert spearman(-fid, wins) == pytest.approx(-0.6)
    assert order_by_chance(ours, wins) == pytest.approx(1 / 120)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_boxes_are_those_of_matplotlib(values):
    cbook = pytest.importorskip("matplotlib.cbook")
    found = box(np.array(values))
    (theirs,) = cbook.boxplot_stats(np.array(values))
    keys = ("whislo", "q1", "med", "q3", "whishi")
    np.testing.assert_allclose(found, [theirs[key] for key in keys], atol=1e-12)


def test_boxes_of_a_scorer_share_one_scale():
    boxes = scaled([box(np.array([0.0, 1.0, 2.0, 100.0])), box(np.array([2.0, 3.0, 4.0, 5.0, 6.0]))])
    assert max(each.high for each in boxes) == 1.0 and min(each.low for each in boxes) == 0.0
    assert boxes[0].median < boxes[1].median
    assert scaled([box(np.array([2.0, 2.0]))])[0].median == 0.5


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=3, max_size=5), st.integers(0, 100))
def test_chance_of_an_order_is_scipy_s_permutation_test(points, seed):
    stats = pytest.importorskip("scipy.stats")
    first = np.random.default_rng(seed).normal(size=len(points))
    second = np.array(points, dtype=np.float64)
    if len(set(points)) == 1:
        assert order_by_chance(first, second) == 1.0
        return
    found = stats.permutation_test(
        (first,),
        lambda each: stats.spearmanr(each, second).statistic,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=math.inf,
    )
    assert order_by_chance(first, second) == pytest.approx(found.pvalue)


def test_the_best_is_looked_for_among_equally_many_pictures_and_the_mean_among_all():
    rankings = [
        Ranking("p", ("1", "2", "3", "4"), sources=("a", "a", "a", "b")),
        Ranking("q", ("5", "6"), sources=("a", "b")),
        Ranking("r", ("7", "8"), sources=("a", "b")),
    ]
    values = {"A": [[1.0, 0.0, 5.0, 2.0], [1.0, 2.0], [1.0, math.nan]]}
    found = compared(scored(rankings, values), ("a", "b"))
    (result,) = found.results
    np.testing.assert_allclose(result.means, [[2.0, 2.0], [1.0, 2.0]])
    np.testing.assert_allclose(result.best, [[1.0, 2.0], [1.0, 2.0]])
    assert result.best_at.tolist() == [[0, 3], [0, 1]]
    assert (found.empty, found.uneven) == (1, 1)


def test_means_and_their_intervals_come_from_prompts():
    rng = np.random.default_rng(0)
    rankings = [
        Ranking(f"p{at}", tuple(f"{at}{k}" for k in range(4)), sources=("a", "a", "b", "b"))
        for at in range(40)
    ]
    pictures = rng.normal(size=(40, 2, 2)) + [[0.0], [3.0]]
    values = pictures.mean(axis=2)
    (result,) = compared(scored(rankings, {"A": pictures.reshape(40, 4).tolist()}), ("a", "b")).results
    found = standing(result, EvaluateOptions(resamples=4000))
    error = values[:, 0].std(ddof=1) / math.sqrt(40)
    first = found.means[0]
    assert first.value == pytest.approx(values[:, 0].mean())
    assert first.low == pytest.approx(first.value - 1.96 * error, abs=0.2 * error)
    assert first.high == pytest.approx(first.value + 1.96 * error, abs=0.2 * error)
    assert [each.value for each in found.ranks] == [2.0, 1.0]
    assert (found.ranks[1].low, found.ranks[1].high) == (1.0, 1.0)


def test_prompts_that_differ_in_nothing_but_spaces_are_one_and_a_picture_counts_once():
    found = matched(
        ("a", "b"),
        [
            Found("a", "a red  fox", "1"),
            Found("b", " a red fox\n", "2"),
            Found("b", "a red fox", "2"),
            Found("b", "A red fox", "3"),
        ],
        Files(),
        "hand",
    )
    (ranking,) = found.rankings
    assert ranking.images == ("1", "2") and ranking.sources == ("a", "b")
    assert (found.partial, found.pictures_left, found.lacking) == (1, 1, {"a": 1, "b": 0})
    assert "1 prompt with 1 picture left out" in found.sentence() and "a lacks 1" in found.sentence()
