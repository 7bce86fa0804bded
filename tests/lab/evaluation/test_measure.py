"""Sections say what counting by hand says, on rankings and scores that were made up."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from imagereward_lab.evaluation.accuracy import counts_of
from imagereward_lab.evaluation.blending import halves, in_first_half
from imagereward_lab.evaluation.measure import measure
from imagereward_lab.evaluation.options import EvaluateOptions
from tests.support.lab.scored_rankings import ranking, scored

OPTIONS = EvaluateOptions(resamples=200)


def figure(evaluation, section, measure, scorer="", against="", group=""):
    wanted = {"section": section, "measure": measure, "scorer": scorer, "against": against, "group": group}
    (found,) = [row for row in evaluation.figures if wanted.items() <= row.items()]
    return found


def sections(evaluation):
    return {section.key: section for section in evaluation.sections}


def random_rankings(number, seed=0, size=(4, 9), **more):
    rng = np.random.default_rng(seed)
    return [
        ranking(f"p{at}", rng.integers(1, 6, rng.integers(*size)).tolist(), **more) for at in range(number)
    ]


def noisy(rankings, noise, seed):
    """Scores that follow the ranks, more or less."""
    rng = np.random.default_rng(seed)
    return [(-np.array(each.order) + rng.normal(0, noise, len(each.images))).tolist() for each in rankings]


def test_accuracy_is_that_of_the_reference_script():
    rankings = random_rankings(60)
    values = noisy(rankings, 2.0, 1)
    right = total = 0
    for each, scores in zip(rankings, values):
        for i, j in itertools.combinations(range(len(scores)), 2):
            if each.ranks[i] != each.ranks[j]:
                total += 1
                right += (each.ranks[i] < each.ranks[j]) == (scores[i] > scores[j])
    found = figure(measure(scored(rankings, {"A": values}), OPTIONS), "accuracy", "pairs", "A")
    assert found["value"] == pytest.approx(right / total) and found["count"] == total
    assert found["low"] < found["value"] < found["high"]


def test_scorers_are_compared_on_the_pictures_that_all_have_scored():
    """A picture that one scorer cannot score leaves the figures of the others as well, and is told."""
    rankings = [ranking("p", (1, 2, 3)), ranking("q", (2, 1))]
    both = scored(rankings, {"A": [[3, 2, 1], [1, 2]], "B": [[math.nan, 1, 2], [1, 2]]})
    found = measure(both, OPTIONS)
    assert figure(found, "accuracy", "pairs", "A")["count"] == 2
    assert figure(found, "accuracy", "pairs", "B")["value"] == 0.5
    (failure,) = found.failures
    assert (failure.image, failure.scorer, failure.reason) == ("p-0.png", "B", "unreadable")


def test_a_scorer_without_any_number_is_named():
    nothing = measure(scored([ranking("p", (1, 2))], {"A": [[2, 1]], "B": [[math.nan] * 2]}), OPTIONS)
    assert any(text.startswith("B has no number for any picture") for text in nothing.warnings)
    assert "cannot be compared" in sections(nothing)["differences"].sentences[0]
    assert {each.scorer for each in nothing.failures} == {"B"}


def test_failures_of_pictures_that_only_find_weights_are_not_among_those_reported():
    rankings = [ranking("p", (1, 2), names=("a", "b")), ranking("q", (1, 2), names=("a", "b"))]
    both = scored(rankings, {"A": [[2, 1], [math.nan, 1]]})
    assert both.part([0]).failures == [] and len(both.part([1]).failures) == 1


def test_a_better_scorer_is_called_better_and_equal_ones_cannot_be_told_apart():
    rankings = random_rankings(80)
    good, bad, same = (noisy(rankings, noise, seed) for noise, seed in ((0.5, 1), (6.0, 2), (0.5, 3)))
    found = sections(measure(scored(rankings, {"good": good, "bad": bad, "same": same}), OPTIONS))
    sentences = found["differences"].sentences
    assert sentences[0].startswith("good is better than bad, by ")
    assert sentences[1].startswith("good and same cannot be told apart with these rankings")
    assert sentences[2].startswith("same is better than bad")


def test_rankings_of_best_and_worst_alone_have_no_ties_but_recall():
    rankings = [ranking(f"p{n}", images=8, best=0, worst=7) for n in range(3)]
    values = [list(range(8, 0, -1)), list(range(8, 0, -1)), list(range(8))]
    found = measure(scored(rankings, {"A": values}), OPTIONS)
    assert figure(found, "accuracy", "pairs", "A")["count"] == 3 * 13
    assert figure(found, "accuracy", "pickscore", "A")["count"] == 3 * 13
    for cut in (1, 2, 4):
        assert figure(found, "recall", f"recall@{cut}", "A")["value"] == pytest.approx(2 / 3)
        assert figure(found, "recall", f"recall by chance@{cut}")["value"] == pytest.approx(cut / 8)
    places = sections(found)["places"].tables
    assert places[0].rows[0][1:] == ("66.7", *("0.0",) * 6, "33.3")
    assert places[1].rows[0][1:] == ("33.3", *("0.0",) * 6, "66.7")


def test_filter_looks_at_the_end_and_recall_at_the_beginning():
    found = measure(scored([ranking("p", (1, 2, 3, 4, 5))], {"A": [[5, 4, 3, 1, 2]]}), OPTIONS)
    values = {cut: figure(found, "recall", f"filter@{cut}", "A")["value"] for cut in (1, 2, 4)}
    assert values == {1: 0.0, 2: 1.0, 4: 1.0}


def test_pictures_that_nobody_ranked_are_no_candidates():
    """A picture with rank 0 was not judged: the scorer may put it anywhere."""
    rankings = [ranking("p", (0, 1, 2, 3)), ranking("q", (0, 1, 2, 3))]
    found = measure(scored(rankings, {"A": [[9, 3, 2, 1], [9, 3, 2, 1]]}), OPTIONS)
    assert figure(found, "recall", "recall@1", "A")["value"] == 1.0
    assert figure(found, "places", "human best", "A", group="place 1 of 3")["value"] == 1.0


def test_places_are_counted_apart_for_every_number_of_pictures():
    rankings = [ranking("p", (1, 2)), ranking("q", (2, 1, 3)), ranking("r", (3, 1, 2))]
    found = measure(scored(rankings, {"A": [[1, 2], [1, 2, 3], [1, 3, 3]]}), OPTIONS)
    assert figure(found, "places", "human best", "A", group="place 2 of 2")["value"] == 1.0
    shares = [
        figure(found, "places", "human best", "A", group=f"place {at} of 3")["value"] for at in (1, 2, 3)
    ]
    assert shares == pytest.approx([0.25, 0.75, 0.0])
    (best, worst) = sections(found)["places"].tables
    assert "of 3 (2 rankings)" in best.title and "like least" in worst.title
    assert sections(found)["places"].sentences == ["Of other lengths, in csv and json alone: 1 ranking."]


def test_rankings_no_longer_than_the_cut_do_not_count_for_recall():
    rankings = [ranking("p", (1, 2, 3, 4)), ranking("q", (1, 2, 3, 4, 5))]
    found = measure(scored(rankings, {"A": [[4, 3, 2, 1], [5, 4, 3, 2, 1]]}), OPTIONS)
    assert [figure(found, "recall", f"recall@{cut}", "A")["count"] for cut in (1, 2, 4)] == [2, 2, 1]


def test_a_picture_without_a_score_takes_its_ranking_out_of_recall():
    rankings = [ranking("p", (1, 2, 3, 4, 5)), ranking("q", (1, 2, 3, 4, 5))]
    found = measure(scored(rankings, {"A": [[5, 4, 3, 2, 1], [1, math.nan, 3, 4, 5]]}), OPTIONS)
    assert figure(found, "recall", "recall@1", "A") | {"value": 1.0, "count": 1} == figure(
        found, "recall", "recall@1", "A"
    )


def test_ratings_of_first_and_last_are_means_and_ties_share():
    ratings = tuple({"overall": float(n)} for n in (7, 5, 3, 1))
    rankings = [ranking("p", (1, 2, 3, 4), ratings=ratings), ranking("q", (1, 2, 3, 4), ratings=ratings)]
    found = measure(scored(rankings, {"A": [[4, 4, 2, 1], [1, 2, 3, 4]]}), OPTIONS)
    assert figure(found, "ratings", "overall, first", "A")["value"] == pytest.approx((6 + 1) / 2)
    assert figure(found, "ratings", "overall, last", "A")["value"] == pytest.approx((1 + 7) / 2)
    assert figure(found, "ratings", "overall, first", "people")["value"] == 7
    assert figure(found, "ratings", "overall, last", "people")["value"] == 1


def test_categories_are_measured_apart_and_those_without_one_come_last():
    rankings = [
        ranking("p", (1, 2), category="Food"),
        ranking("q", (1, 2), category="Arts"),
        ranking("r", (1, 2)),
    ]
    found = measure(scored(rankings, {"A": [[2, 1], [1, 2], [1, 2]]}), OPTIONS)
    assert [row[0] for row in sections(found)["categories"].tables[0].rows] == ["Arts", "Food", "no category"]
    assert figure(found, "categories", "pairs", "A", group="Food")["value"] == 1.0
    assert figure(found, "categories", "pairs", "A", group="Arts")["value"] == 0.0


def people(reliability, prompts=40, pictures=7, seed=0):
    """Annotators who each order a pair rightly as often as ``reliability`` says, drawn pair by pair from a Bradley-Terry-like noise."""
    rng = np.random.default_rng(seed)
    made = []
    for prompt in range(prompts):
        truth = rng.normal(size=pictures)
        for who, noise in reliability.items():
            order = np.argsort(np.argsort(-(truth + rng.normal(0, noise, pictures)))) + 1
            made.append(ranking(f"p{prompt}", order.tolist(), annotator=who))
    return made


def counted_agreement(rankings, one, two):
    """Agreement of two people, counted pair by pair."""
    by_prompt = {(each.annotator, each.prompt): each.ranks for each in rankings}
    agreed = of = 0
    for prompt in dict.fromkeys(each.prompt for each in rankings):
        first, second = by_prompt[one, prompt], by_prompt[two, prompt]
        for i, j in itertools.combinations(range(len(first)), 2):
            of += 1
            agreed += (first[i] < first[j]) == (second[i] < second[j])
    return agreed / of


def counted_majority(rankings, one, names):
    """Agreement of one with the majority of others, counted pair by pair."""
    by_prompt = {(each.annotator, each.prompt): each.ranks for each in rankings}
    agreed = of = 0
    for prompt in dict.fromkeys(each.prompt for each in rankings):
        own = by_prompt[one, prompt]
        for i, j in itertools.combinations(range(len(own)), 2):
            votes = sum(
                1 if by_prompt[name, prompt][i] < by_prompt[name, prompt][j] else -1
                for name in names
                if name != one
            )
            if votes:
                of += 1
                agreed += (votes > 0) == (own[i] < own[j])
    return agreed / of


def test_table_1_is_what_counting_pair_by_pair_gives():
    rankings = people({"r1": 0.3, "r2": 0.3, "a": 0.6, "b": 0.8, "c": 1.0})
    perfect = {each.prompt: each for each in rankings if each.annotator == "r1"}
    values = [(-np.array(perfect[each.prompt].ranks, float)).tolist() for each in rankings]
    found = measure(scored(rankings, {"A": values}), OPTIONS, researchers=("r1", "r2"))

    def cell(one, two):
        return figure(found, "agreement", "agreement", one, two)

    others = ("a", "b", "c")
    assert cell("researcher", "researcher")["value"] == pytest.approx(counted_agreement(rankings, "r1", "r2"))
    mixed = [counted_agreement(rankings, one, two) for one in ("r1", "r2") for two in others]
    assert cell("researcher", "annotator")["value"] == pytest.approx(np.mean(mixed))
    assert cell("researcher", "annotator")["deviation"] == pytest.approx(np.std(mixed, ddof=1))
    own = [counted_majority(rankings, name, others) for name in others]
    assert cell("annotator", "ensemble")["value"] == pytest.approx(np.mean(own))
    experts = [counted_majority(rankings, name, others) for name in ("r1", "r2")]
    assert cell("researcher", "ensemble")["value"] == pytest.approx(np.mean(experts))
    # The scorer orders as r1 does.
    assert cell("A", "ensemble")["value"] == pytest.approx(experts[0])
    assert cell("A", "researcher")["value"] == pytest.approx(
        (1 + counted_agreement(rankings, "r1", "r2")) / 2
    )


def test_table_1_recovers_the_reliability_of_simulated_people():
    """Two people with normal noise s each agree about a pair with a probability that many more prompts tell."""
    many = people({"a": 0.7, "b": 0.7}, prompts=3000, seed=9)
    truth = counted_agreement(many, "a", "b")
    few = people({"a": 0.7, "b": 0.7}, seed=1)
    found = figure(
        measure(scored(few, {"A": [[0.0] * 7] * len(few)}), OPTIONS),
        "agreement",
        "agreement",
        "annotator",
        "annotator",
    )
    assert found["low"] < truth < found["high"] and found["high"] - found["low"] < 0.12


def test_people_who_share_no_pictures_have_no_table():
    alone = [ranking("p", (1, 2), annotator="a"), ranking("q", (1, 2), annotator="b")]
    assert "agreement" not in sections(measure(scored(alone, {"A": [[2, 1], [1, 2]]}), OPTIONS))


def test_the_order_of_pictures_in_a_ranking_does_not_matter_for_agreement():
    one = [ranking("p", (1, 2, 3, 4, 5, 6), annotator="a")]
    two = ranking("p", (6, 5, 4, 3, 2, 1), annotator="b", names=tuple(reversed(one[0].images)))
    found = measure(scored([*one, two], {"A": [[6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6]]}), OPTIONS)
    assert figure(found, "agreement", "agreement", "annotator", "annotator")["value"] == 1.0


def test_win_rates_are_wins_among_ordered_pairs():
    rankings = [
        ranking("p", (1, 2, 2), sources=("X", "Y", "Z")),
        ranking("q", (2, 1, 3), sources=("X", "Y", "Z")),
        ranking("r", (1, 1, 2), sources=("X", "Y", "Z")),
    ]
    found = measure(scored(rankings, {"A": [[3, 2, 1]] * 3}), OPTIONS)
    assert figure(found, "wins", "win rate", "X", "Y")["value"] == 0.5
    assert figure(found, "wins", "ties", "X", "Y")["value"] == 1
    assert figure(found, "wins", "win rate", "X", "Z")["value"] == 1.0
    assert figure(found, "wins", "win rate", "Z", "all others")["value"] == 0.0
    assert any("X and Y cannot be told apart" in text for text in sections(found)["wins"].sentences)


def test_the_best_weight_is_found_on_other_prompts_than_it_is_reported_on():
    """Where the halves disagree about the weight, the weight is that of the one and the accuracy that of the other."""
    prompts = [f"p{n}" for n in range(120)]
    rng = np.random.default_rng(3)
    rankings, first, second = [], [], []
    for prompt in prompts:
        rankings.append(ranking(prompt, (1, 2, 3, 4)))
        good, noise = [4.0, 3.0, 2.0, 1.0], rng.normal(size=4).tolist()
        # The first scorer is right where weights are found, the second where they are reported.
        first.append(good if in_first_half(prompt) else noise)
        second.append(noise if in_first_half(prompt) else good)
    options = EvaluateOptions(resamples=200, blend_method="weighted")
    found = measure(scored(rankings, {"A": first, "B": second}), options)
    (best,) = [row for row in found.figures if row["measure"] == "accuracy at the best weight"]
    assert float(best["group"].removeprefix("weight ")) > 0.6 and 0.3 < best["value"] < 0.8
    assert figure(found, "blends", "accuracy", "A", "B", "weight 0.00")["value"] == 1.0
    assert (
        figure(found, "blends", "accuracy where weights are found", "A", "B", "weight 1.00")["value"] == 1.0
    )


def test_two_half_blind_scorers_are_better_together_and_the_blend_is_named():
    rng = np.random.default_rng(1)
    rankings = random_rankings(200, size=(6, 7))
    truth = [-np.array(each.ranks, float) for each in rankings]
    first, second = ([(row + rng.normal(0, 3, len(row))).tolist() for row in truth] for _ in range(2))
    found = measure(scored(rankings, {"A": first, "B": second}), OPTIONS)
    row = sections(found)["blends"].tables[0].rows[0]
    assert 0.3 <= float(row[2]) <= 0.7
    assert row[-1] == f"A={float(row[2]):g},B={1 - float(row[2]):g}@standard"
    assert f"{row[-1]} is better than" in sections(found)["blends"].sentences[0]


def test_blends_are_measured_on_the_pictures_that_all_scorers_have_scored():
    rankings = random_rankings(60)
    first, second, third = (noisy(rankings, 2, seed) for seed in range(3))
    for row in third[::3]:
        row[0] = math.nan
    found = measure(scored(rankings, {"A": first, "B": second, "C": third}), OPTIONS)
    ends = {
        (row["scorer"], row["against"], row["group"]): row["count"]
        for row in found.figures
        if row["section"] == "blends" and row["measure"] == "accuracy"
    }
    by_blend = {ends["A", "B", f"weight {weight}"] for weight in ("0.00", "0.50", "1.00")}
    assert by_blend == {ends["A", "C", f"weight {weight}"] for weight in ("0.00", "0.50", "1.00")}
    assert len(by_blend) == 1


def test_halves_are_by_prompt_and_do_not_depend_on_the_order():
    rankings = random_rankings(30) + random_rankings(30, seed=1)
    both = scored(rankings, {"A": noisy(rankings, 1, 0)})
    one, two = halves(both)
    assert not {each.prompt for each in one.rankings} & {each.prompt for each in two.rankings}
    assert len(one.rankings) + len(two.rankings) == 60 and 10 < len(one.rankings) < 50


def test_figures_do_not_depend_on_the_order_of_the_rankings():
    rankings = random_rankings(40)
    values = noisy(rankings, 2, 0)
    straight = measure(scored(rankings, {"A": values}), OPTIONS)
    turned = measure(scored(rankings[::-1], {"A": values[::-1]}), OPTIONS)
    one, two = (
        [(row["measure"], row["group"], row["count"]) for row in each.figures] for each in (straight, turned)
    )
    assert one == two
    assert [row["value"] for row in straight.figures] == pytest.approx(
        [row["value"] for row in turned.figures]
    )


def test_a_single_prompt_has_figures_without_intervals_and_a_warning():
    found = measure(scored([ranking("p", (1, 2, 3))], {"A": [[3, 2, 1]], "B": [[1, 2, 3]]}), OPTIONS)
    row = figure(found, "accuracy", "pairs", "A")
    assert row["value"] == 1.0 and row["low"] is None
    assert "cannot be told apart" in sections(found)["differences"].sentences[0]
    assert "intervals are too narrow" in found.warnings[0]


def test_counts_are_the_same_whether_scorers_are_counted_alone_or_together():
    rankings = random_rankings(10)
    one, two = noisy(rankings, 2, 0), noisy(rankings, 2, 1)
    together = counts_of(scored(rankings, {"A": one, "B": two}))
    assert np.array_equal(together[0], counts_of(scored(rankings, {"A": one}))[0])
    assert np.array_equal(together[1], counts_of(scored(rankings, {"B": two}))[0])
