"""Splits go by prompt, stay when data are added, and can take their test from those who agree with the researchers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_lab.data.prompts import prompt_key
from imagereward_lab.data.ranking import Ranking, RankingError
from imagereward_lab.data.split import SplitOptions, agreements, split_by_agreement, split_by_prompt

prompts = st.lists(st.text("abAB é\u0301", max_size=4), max_size=12)
splits = st.lists(st.sampled_from(["", "", "train", "validation", "test", "mine"]), max_size=12)


def rankings_of(texts, names=()):
    names = [*names, *[""] * len(texts)]
    return [Ranking(text, ("x", "y"), (1, 2), split=name) for text, name in zip(texts, names)]


def split_names(rankings):
    return [each.split for each in rankings]


@settings(max_examples=100, deadline=None)
@given(prompts, prompts, st.integers(0, 5))
def test_more_data_move_no_prompt_and_no_prompt_is_in_two_splits(some, more, seed):
    options = SplitOptions(test=30, validation=30, seed=seed)
    alone = split_names(split_by_prompt(rankings_of(some), options))
    both = split_by_prompt(rankings_of(more + some), options)
    assert split_names(both)[len(more) :] == alone
    assert len({(prompt_key(each.prompt), each.split) for each in both}) == len(
        {prompt_key(each.prompt) for each in both}
    )


@settings(max_examples=100, deadline=None)
@given(prompts, splits)
def test_splits_that_are_given_stay_and_a_prompt_in_two_goes_to_the_strictest(texts, names):
    before = rankings_of(texts, names)
    options = SplitOptions(test=30, validation=30)
    after = split_by_prompt(before, options)
    drawn = split_by_prompt(before, options, anew=True)
    for old, new, fresh in zip(before, after, drawn):
        given_here = {each.split for each in before if prompt_key(each.prompt) == prompt_key(old.prompt)} - {
            ""
        }
        if not given_here:
            assert new.split == fresh.split
        elif "test" in given_here:
            assert new.split == "test"
        elif "validation" in given_here:
            assert new.split == "validation"
        else:
            assert new.split in given_here


def test_shares_are_about_what_was_asked_for_and_the_seed_parts_otherwise():
    every = rankings_of([f"prompt {number}" for number in range(4000)])
    names = split_names(split_by_prompt(every, SplitOptions(test=10, validation=20)))
    assert names.count("test") == pytest.approx(400, abs=60) and names.count("validation") == pytest.approx(
        800, abs=80
    )
    assert names != split_names(split_by_prompt(every, SplitOptions(test=10, validation=20, seed=1)))
    assert set(split_names(split_by_prompt(every, SplitOptions(test=0, validation=0)))) == {"train"}
    with pytest.raises(RankingError, match="at most 100 %"):
        SplitOptions(test=60, validation=60)


def people():
    """Two researchers; one annotator who agrees with them always, one mostly, one who shares nothing."""
    every = []
    for prompt in range(4):
        images = tuple(f"{prompt}-{place}" for place in range(3))
        every += [
            Ranking(f"shared {prompt}", images, (1, 2, 3), annotator=who) for who in ("res", "earch", "good")
        ]
        worse = (1, 2, 3) if prompt else (3, 2, 1)
        every.append(Ranking(f"shared {prompt}", images[::-1], worse[::-1], annotator="mostly"))
    for who, count in (("good", 6), ("mostly", 6), ("stranger", 6)):
        for prompt in range(count):
            name = f"{who} {prompt}" if who != "mostly" or prompt else "good 0"
            every.append(Ranking(name, ("x", "y"), (1, 2), annotator=who))
    return every


def test_agreement_is_counted_on_shared_strict_pairs_whatever_the_order_of_the_pictures():
    judged = agreements(people(), frozenset(("res", "earch")), 1)
    assert [(each.annotator, each.agreeing, each.pairs) for each in judged] == [
        ("good", 24, 24),
        ("mostly", 18, 24),
    ]
    assert judged[0].prompts == 10
    tied = [Ranking("a", ("x", "y"), (1, 1), annotator="r"), Ranking("a", ("x", "y"), (1, 2), annotator="s")]
    assert agreements(tied, frozenset("r"), 1) == []


def test_the_test_is_of_the_best_annotators_prompts_and_of_their_rankings_alone():
    options = SplitOptions(test=25, validation=20, least_pairs=5)
    parted, judged = split_by_agreement(people(), ["res", "earch"], options)
    test = [each for each in parted if each.split == "test"]
    assert {each.annotator for each in test} == {"good"} and len(test) == 5  # a quarter of 21 prompts
    assert all(each.prompt.startswith("good") for each in test)  # none that a researcher has seen
    assert [(each.annotator, each.chosen) for each in judged] == [("good", True), ("mostly", False)]
    aside = [each for each in parted if each.split == "set-aside"]
    assert all(each.annotator == "mostly" and each.prompt in {one.prompt for one in test} for each in aside)
    trained = {each.prompt for each in parted if each.split in ("train", "validation")}
    assert not trained & {each.prompt for each in test}
    more, judged = split_by_agreement(people(), ["res", "earch"], replace(options, test=50))
    assert {each.annotator for each in more if each.split == "test"} == {"good", "mostly"} and all(
        each.chosen for each in judged
    )


def test_what_is_missing_for_it_is_said():
    with pytest.raises(RankingError, match="no ranking by nobody; annotators here are earch, good"):
        split_by_agreement(people(), ["nobody"], SplitOptions())
    with pytest.raises(RankingError, match="name no annotators"):
        split_by_agreement([Ranking("a", ("x",))], ["res"], SplitOptions())
    with pytest.raises(RankingError, match="--least-pairs"):
        split_by_agreement(people(), ["res"], SplitOptions(least_pairs=1000))
