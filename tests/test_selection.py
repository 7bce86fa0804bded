"""Selection is pure and keeps its contract for any scores and any rule."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.selection import Labels, Rule, select
from tests.support.scores import make, rules, values


@given(st.lists(st.tuples(values, st.sampled_from("ab")), max_size=15), rules)
def test_every_picture_is_kept_or_rejected_once_with_a_reason(pairs, rule):
    scores = make([value for value, _ in pairs], [prompt for _, prompt in pairs])
    result = select(scores, rule)
    assert sorted([*result.kept, *result.rejected]) == list(range(len(pairs)))
    for index in result.kept:
        assert result.reasons[index].startswith("kept") and not math.isnan(scores.values[index])
    for index in result.rejected:
        assert result.reasons[index].startswith("rejected")


@given(st.lists(values, max_size=15), rules)
def test_kept_and_rejected_are_in_rank_order(numbers, rule):
    scores = make(numbers)
    result = select(scores, rule)
    place = {index: at for at, index in enumerate(result.order.tolist())}
    for part in (result.kept.tolist(), result.rejected.tolist()):
        assert part == sorted(part, key=place.__getitem__)


@given(st.lists(values, max_size=15), rules)
def test_a_kept_picture_is_never_worse_than_a_rejected_one(numbers, rule):
    scores = make(numbers)
    result = select(scores, rule)
    scored = [scores.values[i] for i in result.rejected if not math.isnan(scores.values[i])]
    if len(result.kept) and scored:
        assert min(scores.values[result.kept]) >= max(scored)


def test_without_a_rule_every_scored_picture_is_kept():
    assert select(make([1.0, math.nan, 2.0])).kept.tolist() == [2, 0]


def test_top_k_keeps_the_best_and_ties_keep_input_order():
    assert select(make([1.0, 2.0, 2.0, 0.0]), Rule(top_k=2)).kept.tolist() == [1, 2]
    assert select(make([2.0, 2.0, 2.0]), Rule(top_k=2)).kept.tolist() == [0, 1]


def test_top_k_beyond_the_batch_keeps_all_and_zero_keeps_none():
    assert len(select(make([1.0, 2.0]), Rule(top_k=10)).kept) == 2
    assert len(select(make([1.0, 2.0]), Rule(top_k=0)).kept) == 0


@pytest.mark.parametrize(
    ("percent", "kept"), [(0, 0), (7, 7), (10, 10), (12.5, 13), (29, 29), (50, 50), (100, 100)]
)
def test_top_percent_rounds_up_to_whole_pictures(percent, kept):
    assert len(select(make(np.linspace(-1, 1, 100)), Rule(top_percent=percent)).kept) == kept


def test_top_percent_counts_only_scored_pictures():
    assert len(select(make([1.0, 2.0, math.nan, math.nan]), Rule(top_percent=50)).kept) == 1


def test_a_score_equal_to_the_limit_passes():
    assert select(make([0.5, 0.4999]), Rule(min_score=0.5)).kept.tolist() == [0]


def test_percentile_limit():
    assert select(make([1.0, -1.0, 0.1]), Rule(min_percentile=50)).kept.tolist() == [0, 2]


def test_percentile_limit_without_a_distribution_is_an_error():
    with pytest.raises(ValueError, match="no reference distribution"):
        select(make([1.0], distribution=None), Rule(min_percentile=50))


def test_nothing_passing_is_an_empty_selection_not_a_crash():
    result = select(make([0.0, -1.0]), Rule(min_score=3))
    assert result.kept.size == 0 and result.rejected.tolist() == [0, 1]


def test_keep_at_least_holds_against_every_other_condition():
    result = select(make([0.0, -1.0, -2.0]), Rule(min_score=3, keep_at_least=2))
    assert result.kept.tolist() == [0, 1]
    assert "otherwise" in result.reasons[0]


def test_keep_at_least_never_keeps_a_picture_without_a_score():
    assert select(make([math.nan, 1.0]), Rule(keep_at_least=2)).kept.tolist() == [1]


def test_rules_within_a_prompt():
    scores = make([1.0, 2.0, 9.0, 8.0], ["a", "a", "b", "b"])
    assert select(scores, Rule(top_k=1, within="prompt")).kept.tolist() == [2, 1]


def test_rules_within_labels_of_any_kind():
    scores = make([1.0, 2.0, 9.0, 8.0], ["a", "b", "a", "b"])
    result = select(scores, Rule(top_k=1), Labels(("x", "x", "y", "y"), "folder"))
    assert result.kept.tolist() == [2, 1]
    assert result.reasons[0] == "rejected: rank 2 for its folder is beyond the best 1"


@given(
    st.lists(st.tuples(st.one_of(values, st.just(1.0)), st.sampled_from("ab")), max_size=15),
    rules,
    st.sampled_from(["all", "prompt"]),
)
def test_a_reason_names_the_rank_that_the_scores_have_and_among_whom(pairs, rule, within):
    scores = make([value for value, _ in pairs], [prompt for _, prompt in pairs])
    where = " for its prompt" if within == "prompt" else ""
    ranks = scores.ranks(within).tolist()
    for rank, reason in zip(ranks, select(scores, replace(rule, within=within)).reasons, strict=True):
        told = re.search(r"\brank (\d+)( of \d+)?(.*?)(,| is beyond|\)|$)", reason)
        assert told is None or (int(told[1]), told[3]) == (rank, where)


def test_equal_scores_of_which_one_is_too_many_say_so():
    result = select(make([2.0, 1.0, 1.0]), Rule(top_k=2))
    assert result.reasons[1:] == (
        "kept: rank 2 of 3",
        "rejected: rank 2, which it shares with pictures before it, is beyond the best 2",
    )


@given(st.lists(st.tuples(values, st.sampled_from("ab")), max_size=15), rules)
def test_prompts_as_labels_select_what_within_prompt_selects(pairs, rule):
    scores = make([value for value, _ in pairs], [prompt for _, prompt in pairs])
    by_labels = select(scores, rule, Labels(scores.prompts, "prompt"))
    by_prompt = select(scores, replace(rule, within="prompt"))
    assert by_labels.kept.tolist() == by_prompt.kept.tolist() and by_labels.reasons == by_prompt.reasons


def test_a_number_of_labels_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="2 labels for 1 scores"):
        select(make([1.0]), Rule(), Labels(("a", "b")))


def test_conditions_hold_together():
    assert select(make([3.0, 2.0, 1.0]), Rule(top_k=2, min_score=2.5)).kept.tolist() == [0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"top_k": -1},
        {"top_percent": 101},
        {"min_percentile": -0.1},
        {"keep_at_least": -1},
        {"within": "folder"},
        {"min_score": math.nan},
    ],
)
def test_a_senseless_rule_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Rule(**wrong)


def test_empty_batch():
    result = select(make([]), Rule(top_k=3))
    assert result.order.size == result.kept.size == result.rejected.size == 0
