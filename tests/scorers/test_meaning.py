"""Scores in plain words: what is said is true of the number, and nothing is claimed that nobody knows."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.scorers.meaning import MIN_HISTORY, compare_warning, explain, percentiles_in_history
from imagereward_core.weights.cards import CARDS, get_card

REWARD = get_card("ImageReward-v1.0")
COSINE = replace(REWARD, id="CLIP", distribution=None, typical_range=(0.20, 0.28))


def percentile_in_history(value, history, minimum=MIN_HISTORY):
    (percentile,) = percentiles_in_history([value], history, minimum)
    return None if math.isnan(percentile) else percentile


def test_a_score_is_read_against_the_published_distribution():
    text = explain(REWARD, 0.84)
    assert text.startswith(
        "0.84: better than 80 % of the reference scores of ImageReward-v1.0 (mean 0, standard deviation 1: "
    )
    assert "authors" in text


def test_without_a_distribution_the_typical_range_is_given_and_no_percentile():
    assert explain(COSINE, 0.2531) == (
        "0.2531: no distribution of CLIP scores is known; typical scores lie between 0.2000 and 0.2800, and this is within that range."
    )
    assert "above that range" in explain(COSINE, 0.31) and "below that range" in explain(COSINE, 0.19)
    assert "%" not in explain(COSINE, 0.25)


def test_scores_made_in_another_way_get_no_published_percentile():
    text = explain(REWARD, 0.84, on_reference=False)
    assert "%" not in text and "does not apply" in text and "between -2.00 and 2.00" in text


def test_no_percentile_claims_all_or_none():
    assert "better than more than 99 % of" in explain(REWARD, 9.0)
    assert "better than less than 1 % of" in explain(REWARD, -9.0)


def test_the_place_among_the_others_is_told():
    assert explain(REWARD, 0.5, rank=2, of=8).endswith("Here it is 2nd of 8.")
    assert explain(REWARD, 0.5, rank=1).endswith("Here it is 1st.")
    assert "Here" not in explain(REWARD, 0.5, rank=0, of=8)
    with pytest.raises(ValueError, match="9 of 8"):
        explain(REWARD, 0.5, rank=9, of=8)


def test_a_missing_score_is_called_missing():
    assert explain(REWARD, math.nan) == "No score."


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_every_card_explains_its_typical_scores_with_different_numbers(card):
    low, high = card.typical_range
    scores = [low + (high - low) * step / 10 for step in range(11)]
    texts = [explain(card, score) for score in scores]
    assert len({text.split(":")[0] for text in texts}) == 11


def test_a_number_that_rounds_to_zero_has_no_sign():
    assert explain(REWARD, -0.0001).startswith("0.00: ")


def test_only_scores_of_different_prompts_call_for_a_warning():
    within = replace(REWARD, id="HPSv2.1", cross_prompt=False)
    across = replace(REWARD, id="Aesthetic", cross_prompt=True)
    warning = compare_warning(within, ["a cat", "a dog", "a cat"])
    assert warning is not None and "2 different prompts" in warning and "HPSv2.1" in warning
    assert compare_warning(within, ["a cat", "a cat"]) is None and compare_warning(within, []) is None
    assert compare_warning(across, ["a cat", "a dog"]) is None


def test_the_percentile_in_the_own_history_counts_lower_scores():
    history = [float(number) for number in range(100)]
    assert percentile_in_history(80.0, history) == 80.0
    assert percentile_in_history(-1.0, history) == 0.0 and percentile_in_history(100.0, history) == 100.0


def test_a_short_history_says_nothing():
    assert percentile_in_history(0.5, [0.0] * (MIN_HISTORY - 1)) is None
    assert percentile_in_history(0.5, [0.0] * MIN_HISTORY) == 100.0
    assert percentile_in_history(0.5, [0.0] * (MIN_HISTORY - 1) + [math.nan] * 10) is None
    assert percentile_in_history(0.5, [], minimum=0) is None
    assert percentile_in_history(math.nan, [0.0] * MIN_HISTORY) is None


def test_the_own_history_is_told_where_it_is_long_enough():
    long = [float(number) for number in range(2000)] + [math.nan]
    assert explain(COSINE, 500.0, history=long).endswith(
        "It is better than 25 % of your own 2,000 earlier scores."
    )
    assert "your own" not in explain(COSINE, 0.25, history=long[:10])


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=80), st.floats(-3, 3), st.floats(-3, 3))
@settings(deadline=None, max_examples=60)
def test_a_higher_score_never_has_a_lower_percentile(history, one, two):
    low, high = sorted((one, two))
    assert percentile_in_history(low, history, 1) <= percentile_in_history(high, history, 1)
