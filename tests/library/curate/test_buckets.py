"""Buckets: every scored picture falls into one, the best into the best."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.library.curate.buckets import BucketError, Buckets, fill
from tests.support.scores import make, values


def everybody(number):
    return [np.arange(number)]


def test_text_becomes_buckets():
    buckets = Buckets.parse(" great = 90, good=50% ")
    assert buckets.names == ("great", "good", "rejected")
    assert [bucket.limit for bucket in buckets.each] == [90, 50]
    assert Buckets.parse("great=1.5,good=-0.5,poor", "score").names == ("great", "good", "poor")


@pytest.mark.parametrize(
    ("text", "by", "words"),
    [
        ("", "score", "no bucket has a limit"),
        ("great", "score", "no bucket has a limit"),
        ("great=x", "score", "no bucket; expected NAME=NUMBER"),
        ("great=nan", "score", "no ordinary numbers"),
        ("great=50,good=90", "percentile", "falling limits"),
        ("great=50,good=50", "score", "falling limits"),
        ("great=101", "percentile", "from 0 to 100"),
        ("good=-1", "percentile", "from 0 to 100"),
        ("great=60,good=60", "share", "100 together at most"),
        ("great=0", "share", "positive"),
        ("great=2,Great=1", "score", "same name"),
        ("rejected=1", "score", "same name"),
        ("../up=1", "score", "cannot be the name"),
        ("a/b=1", "score", "cannot be the name"),
        (".hidden=1", "score", "cannot be the name"),
        ("NUL=1", "score", "cannot be the name"),
        ("con.png=1", "score", "cannot be the name"),
        ("great=1", "median", "expected percentile, score or share"),
    ],
)
def test_senseless_buckets_are_refused_in_words(text, by, words):
    with pytest.raises(BucketError, match=words):
        Buckets.parse(text, by)


def test_names_may_be_in_any_script():
    assert Buckets.parse("très bien=1,良い=0", "score").names == ("très bien", "良い", "rejected")


def test_limits_themselves_belong_to_the_bucket():
    scores = make([2.0, 1.0, 0.0, -1.0, math.nan])
    assert fill(Buckets.parse("great=1,good=0", "score"), scores, everybody(5)) == [
        "great",
        "great",
        "good",
        "rejected",
        "rejected",
    ]


def test_percentiles_are_those_of_the_reference():
    assert fill(Buckets.parse("great=90,good=50"), make([3.0, 0.5, -0.5]), everybody(3)) == [
        "great",
        "good",
        "rejected",
    ]


def test_percentiles_without_a_reference_are_an_error_that_says_what_to_do():
    with pytest.raises(BucketError, match="by score or by share"):
        fill(Buckets.parse("great=90"), make([1.0], distribution=None), everybody(1))


def test_shares_are_of_each_group_and_follow_one_another():
    scores = make([4.0, 3.0, 2.0, 1.0, 9.0, 8.0])
    groups = [np.array([0, 1, 2, 3]), np.array([4, 5])]
    assert fill(Buckets.parse("great=25,good=25", "share"), scores, groups) == [
        "great",
        "good",
        "rejected",
        "rejected",
        "great",
        "rejected",
    ]


@given(
    st.lists(values, max_size=20),
    st.sampled_from(
        [("great=80,good=40", "percentile"), ("great=1,good=0", "score"), ("a=7,b=29,c=64", "share")]
    ),
)
def test_a_better_bucket_never_holds_a_worse_picture(numbers, how):
    buckets = Buckets.parse(*how)
    names = fill(buckets, make(numbers), everybody(len(numbers)))
    scored = sorted(
        (buckets.names.index(name), -number) for name, number in zip(names, numbers) if not math.isnan(number)
    )
    assert [number for _, number in scored] == sorted(number for _, number in scored)
