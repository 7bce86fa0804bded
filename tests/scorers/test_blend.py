"""Blends: the numbers by hand, the promises about order, scale and missing votes, and the scorer contract."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.errors import PromptError
from imagereward_core.metrics.agreement import DifferentPicturesError
from imagereward_core.scorers.base import prompts_per_picture
from imagereward_core.scorers.blend import METHODS, Blend, BlendError, BlendMember, BlendScorer, combine
from imagereward_core.scores import Scores
from imagereward_core.weights.card import Distribution, ScorerCard
from imagereward_core.weights.cards import get_card

NORMAL = Distribution(source="test", mean=1.0, std=2.0)
REWARD = get_card("ImageReward-v1.0")
# Sevenths are no binary fractions, so that sums depend on their order unless care is taken.
number = st.integers(-50, 50).map(lambda n: n / 7)
methods = st.sampled_from(sorted(METHODS))


def made(scorer, numbers, prompts=None, distribution=None, **more) -> Scores:
    return Scores(
        values=np.array(numbers, dtype=np.float64),
        scorer=scorer,
        revision="r",
        prompts=tuple(prompts or ["p"] * len(numbers)),
        cut=more.pop("cut", ("",) * len(numbers)),
        failures={i: "unreadable" for i, value in enumerate(numbers) if math.isnan(value)},
        distribution=distribution,
        **more,
    )


def mixed(method, **weights) -> Blend:
    return Blend("mix", tuple(BlendMember(scorer, weight) for scorer, weight in weights.items()), method)


def blended(method, *columns, weights=None, prompts=None, distribution=None):
    names = [f"s{i}" for i in range(len(columns))]
    blend = mixed(method, **dict(zip(names, weights or [1.0] * len(columns))))
    return combine(blend, [made(n, c, prompts, distribution) for n, c in zip(names, columns)]).scores.values


tables = st.integers(1, 12).flatmap(
    lambda n: st.lists(st.lists(number, min_size=n, max_size=n), min_size=2, max_size=3)
)


def test_weighted_is_the_sum_of_raw_scores_times_weights():
    result = combine(mixed("weighted", a=0.7, b=-0.5), [made("a", [1.0, 2.0]), made("b", [20.0, 10.0])])
    np.testing.assert_allclose(result.scores.values, [0.7 - 10, 1.4 - 5])
    assert result.basis == ("raw", "raw")


def test_standard_measures_against_the_published_distribution_where_there_is_one():
    members = [made("a", [3.0, 1.0], distribution=NORMAL), made("b", [10.0, 30.0])]
    result = combine(mixed("standard", a=3, b=1), members)
    np.testing.assert_allclose(result.votes, [[1.0, 0.0], [-1.0, 1.0]])
    np.testing.assert_allclose(result.scores.values, [(3 - 1) / 4, 1 / 4])
    assert result.basis == ("reference", "batch")
    assert "reference distribution: a." in result.describe() and "other pictures change" in result.describe()
    assert combine(mixed("standard", a=1), [members[0]]).basis == ("reference",)


def test_rank_takes_places_within_each_prompt_and_averages_ties():
    prompts = ["x", "x", "x", "y", "y", "z"]
    values = blended("rank", [5, 5, 1, 2, 3, 9], [1, 2, 3, 2, 3, 0], prompts=prompts)
    np.testing.assert_allclose(values, [(0.75 + 0) / 2, (0.75 + 0.5) / 2, 0.5, 0, 1, 0.5])


def test_weights_that_add_up_alike_make_a_tie():
    assert 0.1 / 0.8 + 0.3 / 0.8 < 0.4 / 0.8, "as binary fractions these weights decide a tie"
    first, second = blended("rank", [2, 1], [2, 1], [1, 2], weights=[0.1, 0.3, 0.4])
    assert first == second == 0.5


@pytest.mark.parametrize(("method", "value"), [("standard", 0.0), ("rank", 0.5), ("weighted", 30.0)])
def test_a_single_picture_has_a_defined_score(method, value):
    assert blended(method, [10.0], [20.0]).tolist() == [value]


def test_scores_that_are_all_equal_standardise_to_zero():
    assert blended("standard", [0.1] * 3, [0.2, 0.2, 0.2]).tolist() == [0.0, 0.0, 0.0]


def test_no_pictures_give_no_scores():
    assert all(len(blended(method, [], [])) == 0 for method in METHODS)


@given(tables, methods, st.sampled_from([None, NORMAL]), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=80)
def test_permuting_pictures_permutes_results(columns, method, distribution, random):
    order = list(range(len(columns[0])))
    random.shuffle(order)
    prompts = [f"p{i % 2}" for i in order]
    straight = blended(
        method, *columns, prompts=[f"p{i % 2}" for i in sorted(order)], distribution=distribution
    )
    moved = blended(
        method, *[[c[i] for i in order] for c in columns], prompts=prompts, distribution=distribution
    )
    np.testing.assert_array_equal(moved, straight[order])


@given(tables, st.data())
@settings(deadline=None, max_examples=60)
def test_rank_blend_does_not_change_under_monotone_transforms_of_a_member(columns, data):
    different = sorted(set(columns[0]))
    steps = data.draw(
        st.lists(st.floats(0.01, 1e6), min_size=len(different), max_size=len(different)), label="steps"
    )
    image = dict(zip(different, np.cumsum(steps)))
    np.testing.assert_array_equal(
        blended("rank", *columns), blended("rank", [image[v] for v in columns[0]], *columns[1:])
    )


@given(tables, st.floats(0.01, 100), st.floats(-100, 100))
@settings(deadline=None, max_examples=60)
def test_standard_blend_in_the_batch_does_not_change_under_positive_affine_transforms(columns, scale, shift):
    moved = [scale * value + shift for value in columns[0]]
    np.testing.assert_allclose(
        blended("standard", *columns), blended("standard", moved, *columns[1:]), atol=1e-6
    )


@given(tables, st.sampled_from(["standard", "rank"]), st.floats(1e-3, 1e3), st.data())
@settings(deadline=None, max_examples=60)
def test_means_depend_on_the_ratio_of_weights_only(columns, method, scale, data):
    weights = data.draw(st.lists(st.floats(0.1, 10), min_size=len(columns), max_size=len(columns)))
    np.testing.assert_allclose(
        blended(method, *columns, weights=weights),
        blended(method, *columns, weights=[scale * weight for weight in weights]),
        atol=1e-11,
    )


def test_very_large_weights_stay_finite_in_a_mean_and_are_named_in_a_sum():
    assert blended("rank", [1, 2], [1, 2], weights=[1e308, 1e308]).tolist() == [0.0, 1.0]
    blend = mixed("weighted", a=1e308, b=1e308)
    scores = combine(blend, [made("a", [1.0, 0.1]), made("b", [1.0, 0.1])]).scores
    assert "smaller weights" in scores.failures[0] and scores.values[1] == pytest.approx(2e307)


@pytest.mark.parametrize("method", METHODS)
def test_a_missing_vote_takes_the_picture_out_and_names_the_member(method):
    nan = math.nan
    result = combine(
        mixed(method, a=1, b=1, c=1),
        [made("a", [1, nan, 3, 4]), made("b", [1, nan, nan, 5]), made("c", [1, 2, 3, 4])],
    )
    assert np.isnan(result.scores.values).tolist() == [False, True, True, False]
    assert result.scores.failures == {
        1: "no score by a, b: unreadable",
        2: "no score by b: unreadable",
    }
    # The pictures left are compared with each other alone, by every member.
    without = combine(mixed(method, a=1, b=1, c=1), [part.take([0, 3]) for part in result.members])
    np.testing.assert_array_equal(result.scores.values[[0, 3]], without.scores.values)


def test_a_member_with_weight_zero_is_shown_but_has_no_vote():
    result = combine(mixed("standard", a=1, b=0), [made("a", [1, 3]), made("b", [math.nan, 2])])
    assert result.scores.values.tolist() == [-1.0, 1.0] and not result.scores.failures
    assert [part.scorer for part in result.members] == ["a", "b"] and "b" not in result.describe().split()


def test_an_infinite_score_is_no_vote():
    scores = combine(mixed("rank", a=1), [made("a", [math.inf, 2.0])]).scores
    assert scores.failures == {0: "no score by a: its score is inf"}


def test_scores_that_are_not_those_of_the_blend_are_refused_by_name():
    blend = mixed("rank", a=1, b=1)
    with pytest.raises(BlendError, match="made of a, b, but a, c was given"):
        combine(blend, [made("a", [1]), made("c", [1])])
    with pytest.raises(BlendError):
        combine(blend, [made("a", [1])])
    with pytest.raises(DifferentPicturesError, match="a scored 1 pictures and b 2"):
        combine(blend, [made("a", [1]), made("b", [1, 2])])
    with pytest.raises(DifferentPicturesError, match="picture 0 was scored by a for 'p' and by b for 'q'"):
        combine(blend, [made("a", [1]), made("b", [1], ["q"])])


def test_blended_scores_say_where_they_come_from():
    parts = [made("A", [1.0], cut=("end",)), made("b", [2.0], cut=("the end",), on_reference=False)]
    scores = combine(mixed("weighted", a=1, B=1), parts[::-1]).scores
    assert scores.scorer == "blend:mix" and scores.cut == ("the end",) and not scores.on_reference
    assert scores.distribution is None


def test_the_revision_changes_with_members_weights_and_method():
    blend = mixed("rank", a=1, b=2)
    labels = {
        blend.revision(["1", "2"]),
        blend.revision(["1", "3"]),
        mixed("rank", a=1, b=2.5).revision(["1", "2"]),
        mixed("standard", a=1, b=2).revision(["1", "2"]),
        mixed("rank", a=1, c=2).revision(["1", "2"]),
    }
    assert len(labels) == 5 and all(len(label) == 12 for label in labels)
    assert blend.revision(["1", "2"]) == mixed("rank", A=1, b=2.0).revision(["1", "2"])


@pytest.mark.parametrize(
    ("members", "method", "message"),
    [
        ([], "rank", "at least one"),
        ([("a", 0.0)], "rank", "weight other than 0"),
        ([("a", math.nan)], "weighted", "weight of a is nan"),
        ([("a", math.inf)], "rank", "finite"),
        ([("a", 1.0), ("A", 2.0)], "rank", "A is in the blend twice"),
        ([("a", 1.0), ("b", -1.0)], "standard", "Only 'weighted' can subtract"),
        ([("a", 1.0)], "median", "expected one of standard, weighted, rank"),
        ([("blend:x", 1.0)], "rank", "without these"),
    ],
)
def test_a_blend_that_means_nothing_is_refused(members, method, message):
    with pytest.raises(BlendError, match=message):
        Blend("mix", tuple(BlendMember(*member) for member in members), method)


UNSAFE_NAMES = ["", " a", "a ", "a.", "..", "con", "NUL.json", "Com1", "x" * 81]
UNSAFE_NAMES += [f"a{mark}b" for mark in '/\\:*?"<>|,=@\n\x00\u202e\ud800']


@pytest.mark.parametrize("name", UNSAFE_NAMES, ids=ascii)
def test_names_that_some_system_cannot_hold_are_refused(name):
    with pytest.raises(BlendError):
        Blend(name, (BlendMember("a"),))


class FakeScorer:
    """Gives each picture, here a number, that number times a factor."""

    def __init__(self, scorer_id, factor, **card):
        self.card: ScorerCard = replace(REWARD, id=scorer_id, **card)
        self.revision, self.factor, self.calls = f"rev-{scorer_id}", factor, 0

    def score(self, images, prompts):
        self.calls += 1
        texts = prompts_per_picture(prompts, len(images))
        values = np.array([self.factor * image for image in images], dtype=np.float64)
        failures = {i: "unreadable" for i, value in enumerate(values) if math.isnan(value)}
        return Scores.for_card(self.card, self.revision, values, texts, [""] * len(texts), failures)


@pytest.fixture
def together(monkeypatch):
    """Stands in for the engine: which scorers it was asked for at once, and their scores."""
    asked = []

    def score_together(scorers, images, prompts):
        asked.append([scorer.card.id for scorer in scorers])
        return [scorer.score(images, prompts) for scorer in scorers][::-1]

    monkeypatch.setattr("imagereward_core.scorers.engine.score_together", score_together)
    return asked


def test_a_blend_is_a_scorer_like_any_other(together):
    members = [FakeScorer("b", 10.0), FakeScorer("a", 1.0)]
    scorer = BlendScorer(mixed("weighted", a=1, b=0.1), members)
    scores = scorer.score([1.0, math.nan, 3.0], "p")
    np.testing.assert_allclose(scores.values, [2.0, math.nan, 6.0])
    assert scores.failures == {1: "no score by a, b: unreadable"}
    assert scores.scorer == scorer.card.id == "blend:mix" and scores.revision == scorer.revision
    assert scores.prompts == ("p", "p", "p") and [member.calls for member in members] == [1, 1]
    with pytest.raises(PromptError):
        scorer.score([1.0], ["p", "q"])


def test_members_scores_stay_available_and_all_members_are_scored_at_once(together):
    scorer = BlendScorer(mixed("rank", a=1, b=1), [FakeScorer("b", -1.0), FakeScorer("a", 1.0)])
    result = scorer.score_with_members([1.0, 2.0, 3.0], ["p", "p", "q"])
    assert together == [["a", "b"]]
    assert [part.scorer for part in result.members] == ["a", "b"]
    assert result.members[1].values.tolist() == [-1.0, -2.0, -3.0]
    assert result.scores.values.tolist() == [0.5, 0.5, 0.5]


def test_scorers_that_are_not_those_of_the_blend_are_refused():
    with pytest.raises(BlendError, match="made of a, b, but a was given"):
        BlendScorer(mixed("rank", a=1, b=1), [FakeScorer("a", 1.0)])


def test_the_card_of_a_blend_is_made_of_its_members_cards():
    picture_only = {"needs_prompt": False, "token_limit": None, "distribution": None}
    first = FakeScorer("a", 1, licence="MIT", notes=("Likes cats.",), **picture_only)
    second = FakeScorer("b", 1, licence="MIT", typical_range=(0.2, 0.3), token_limit=77)
    card = BlendScorer(mixed("standard", a=1, b=1), [first, second]).card
    assert card.licence == "MIT (a, b)" and card.needs_prompt and card.token_limit == 77
    assert card.checkpoint == () and card.distribution is None and "a 1, b 1" in card.summary
    assert "a: Likes cats." in card.notes and any(
        "a: no reference distribution" in note for note in card.notes
    )
    assert card.typical_range == pytest.approx(((-2 + 0.2) / 2, (2 + 0.3) / 2))
    assert BlendScorer(mixed("rank", a=1, b=1), [first, second]).card.typical_range == (0.0, 1.0)
    weighted = BlendScorer(mixed("weighted", a=1, b=-1), [first, second]).card
    assert weighted.typical_range == pytest.approx((-2 - 0.3, 2 - 0.2))
    assert any("a 98 %, b 2 %" in note for note in weighted.notes)


def test_raw_scores_across_prompts_are_comparable_only_where_every_voter_allows_it():
    free, bound = FakeScorer("a", 1, cross_prompt=True), FakeScorer("b", 1, cross_prompt=False)

    def allowed(method, **weights):
        return BlendScorer(mixed(method, **weights), [free, bound]).card.cross_prompt

    assert allowed("weighted", a=1, b=0) and not allowed("weighted", a=1, b=1)
    assert not allowed("rank", a=1, b=0)
