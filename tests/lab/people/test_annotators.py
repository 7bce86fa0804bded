"""Simulated annotators choose as often as their noise says, and what is measured of them is what was put in."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_lab.data.split import SET_ASIDE, TEST, SplitOptions, split_by_agreement
from imagereward_lab.evaluation.options import EvaluateOptions
from imagereward_lab.evaluation.people import agreement_section
from imagereward_lab.figures.estimates import Estimator
from imagereward_lab.people.annotator import Annotator, Odds, certain, odds
from imagereward_lab.people.expected import agreement, joined, majority, table_of_agreement
from imagereward_lab.people.scenes import ranked, scene_task
from tests.support.lab.scored_rankings import scored

QUALITIES = st.lists(st.floats(-3, 3), min_size=2, max_size=5)
ANNOTATORS = st.builds(
    Annotator,
    name=st.just("a"),
    noise=st.floats(0.2, 3),
    model=st.sampled_from(["thurstone", "bradley-terry"]),
    step=st.sampled_from([0.0, 0.3, 1.5]),
    careless=st.sampled_from([0.0, 0.3, 1.0]),
    tastes=st.sampled_from([{}, {"blur": 1.5}]),
)


@given(ANNOTATORS, QUALITIES)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_choices_are_as_frequent_as_the_odds_say(annotator, qualities):
    kinds = ["blur", *("match" for _ in qualities[1:])]
    told, number = odds(annotator, qualities, kinds), 1000
    rng = np.random.default_rng(0)
    ranks = np.array([annotator.ranks(qualities, rng, kinds) for _ in range(number)])
    one, two = np.triu_indices(len(qualities), 1)
    for found, chance in (
        ((ranks[:, one] < ranks[:, two]).mean(axis=0), told.first),
        ((ranks[:, one] > ranks[:, two]).mean(axis=0), told.second),
    ):
        assert (chance >= 0).all() and (chance <= 1).all()
        sure = 5 * np.sqrt(np.maximum(chance * (1 - chance), 1e-4) / number)
        assert (np.abs(found - chance) <= sure).all()
    if not annotator.step:
        np.testing.assert_allclose(told.first + told.second, 1.0, atol=1e-9)


@given(ANNOTATORS, QUALITIES, st.floats(-5, 5))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_odds_know_neither_the_order_of_a_pair_nor_where_quality_begins(annotator, qualities, shift):
    told, turned = odds(annotator, qualities), odds(annotator, qualities[::-1])
    last = len(qualities) - 1
    pairs = list(itertools.combinations(range(len(qualities)), 2))
    for at, (one, two) in enumerate(pairs):
        there = pairs.index((last - two, last - one))
        assert told.first[at] == pytest.approx(turned.second[there], abs=1e-9)
    if not annotator.step:  # marks stand where they stand
        moved = odds(annotator, [each + shift for each in qualities])
        np.testing.assert_allclose(moved.first, told.first, atol=1e-9)


@pytest.mark.parametrize(
    ("model", "of_difference"),
    [
        ("thurstone", lambda d: 0.5 * (1 + math.erf(d / 2))),  # the difference has deviation sqrt(2)
        ("bradley-terry", lambda d: 1 / (1 + math.exp(-d))),
    ],
)
def test_odds_are_those_of_the_published_models_and_fine_marks_change_nothing(model, of_difference):
    for difference in (-2.0, -0.3, 0.0, 1.2):
        (found,) = odds(Annotator(name="a", noise=1.0, model=model), [difference, 0.0]).first
        assert found == pytest.approx(of_difference(difference), abs=1e-12)
        fine = odds(Annotator(name="a", noise=1.0, model=model, step=0.005), [difference, 0.0])
        assert fine.first[0] == pytest.approx(found, abs=0.002)
        assert fine.first[0] + fine.second[0] < 1


def test_the_majority_s_odds_are_those_of_counting_every_way_to_vote():
    rng = np.random.default_rng(1)
    voters = [Odds(*rng.dirichlet((1, 1, 1), 4).T[:2]) for _ in range(4)]
    told = majority(voters)
    for pair in range(4):
        counted = {1: 0.0, 0: 0.0, -1: 0.0}
        for votes in itertools.product((1, -1, 0), repeat=4):
            chances = [
                {1: each.first[pair], -1: each.second[pair], 0: 1 - each.first[pair] - each.second[pair]}[
                    vote
                ]
                for each, vote in zip(voters, votes)
            ]
            counted[int(np.sign(sum(votes)))] += math.prod(chances)
        assert (told.first[pair], told.second[pair]) == pytest.approx((counted[1], counted[-1]))


def test_less_noise_agrees_more_and_carelessness_is_a_toss():
    qualities = [0.0, 0.5, 2.0]
    truth = certain(qualities)
    shares = [
        agreement(odds(Annotator(name="a", noise=noise), qualities), truth) for noise in (0.1, 0.5, 2, 50)
    ]
    assert shares == sorted(shares, reverse=True) and shares[0] > 0.99 and shares[-1] < 0.52
    assert agreement(odds(Annotator(name="a", noise=0.1, careless=1.0), qualities), truth) == pytest.approx(
        0.5
    )


@pytest.mark.parametrize(
    "wrong", [{"noise": 0.0}, {"model": "guess"}, {"careless": 1.5}, {"step": 1e-9}, {"step": -1}]
)
def test_an_annotator_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="found .* expected "):
        Annotator(**{"name": "a", "noise": 1.0, **wrong})


TASKS = [scene_task(number, pictures=8)[0] for number in range(40)]
CREWS = {
    "reliable": [Annotator(name=f"a{at}", noise=0.4) for at in range(5)],
    "as in the paper": [Annotator(name=f"a{at}", noise=2.2 + 0.2 * at, step=0.8) for at in range(5)],
    "mixed": [
        Annotator(name="careful", noise=0.5, step=0.5),
        Annotator(name="middling", noise=1.5, model="bradley-terry", step=1.0),
        Annotator(name="careless", noise=0.5, careless=0.7),
        Annotator(name="likes blur", noise=0.7, tastes={"blur": 3.0, "noise": 1.5}),
    ],
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("crew", CREWS)
def test_table_1_recovers_the_agreement_that_was_put_in(crew, seed):
    leaders = [Annotator(name=name, noise=0.8, step=0.3) for name in ("r0", "r1")]
    rankings = ranked(TASKS, [*leaders, *CREWS[crew]], seed)
    both = scored(
        rankings, {"scorer": [TASKS[at // (len(CREWS[crew]) + 2)].qualities for at in range(len(rankings))]}
    )
    section = agreement_section(both, Estimator(EvaluateOptions(resamples=400), both.prompts), ("r0", "r1"))
    found = {(row.scorer, row.against): row for row in section.figures}

    def told(annotator):
        return joined([odds(annotator, task.qualities, task.kinds) for task in TASKS])

    truth = joined([certain(task.qualities) for task in TASKS])
    expected = table_of_agreement(
        [told(each) for each in CREWS[crew]], [told(each) for each in leaders], truth
    )
    assert found.keys() == expected.keys()
    for names, share in expected.items():
        assert found[names].low < share < found[names].high, names


def test_the_split_by_agreement_picks_the_reliable_annotators():
    shared, own = TASKS[:12], [scene_task(number, seed=1)[0] for number in range(48)]
    crew = [
        Annotator(name="careful", noise=0.3),
        Annotator(name="middling", noise=2.0),
        Annotator(name="careless", noise=0.3, careless=0.9),
        Annotator(
            name="likes flaws",
            noise=0.3,
            tastes=dict.fromkeys(("blur", "noise", "compression", "repetition"), 3.0),
        ),
    ]
    rankings = ranked(shared, [Annotator(name="researcher", noise=0.3), *crew])
    rankings += [task.ranked_by(each) for at, each in enumerate(crew) for task in own[12 * at : 12 * at + 12]]
    parted, judged = split_by_agreement(rankings, ["researcher"], SplitOptions(test=15, validation=10))
    assert judged[0].annotator == "careful" and [each.annotator for each in judged if each.chosen] == [
        "careful"
    ]
    assert [each.annotator for each in judged][-1] == "careless"
    assert {each.annotator for each in parted if each.split == TEST} == {"careful"}
    assert not {each.prompt for each in parted if each.split == TEST} & {task.prompt for task in shared}
    assert SET_ASIDE not in {each.split for each in parted if each.annotator == "careful"}
    truth = joined([certain(task.qualities) for task in shared])
    leader = joined([odds(Annotator(name="researcher", noise=0.3), task.qualities) for task in shared])
    assert agreement(leader, truth) > 0.85
    for each in judged:
        annotator = next(one for one in crew if one.name == each.annotator)
        chance = agreement(joined([odds(annotator, task.qualities, task.kinds) for task in shared]), leader)
        # 12 prompts of 28 pairs; a careless ranking is wrong in all of its pairs at once
        assert abs(each.share - chance) < 0.1
