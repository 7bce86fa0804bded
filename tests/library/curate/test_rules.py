"""Rules of curation: by prompt, by folder or overall, near-duplicates, buckets, stars given by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.library.curate.buckets import Buckets
from imagereward_core.library.curate.options import CurationRule
from imagereward_core.library.curate.rules import judge, ratings
from imagereward_core.library.store.records import Generated, Row
from imagereward_core.selection import Rule
from tests.support.scores import make, values
from tests.support.scores import rules as conditions


def row(number, value=None, **more):
    given = {"fingerprint": number * 0x9E3779B97F4A7C15 % 2**64, **more}
    return Row(
        file=number,
        path=Path(f"/pictures/{number}.png"),
        content=f"{number:x}",
        width=8,
        height=8,
        size=1,
        modified_ns=0,
        generated=Generated(),
        value=None if value is None or math.isnan(value) else value,
        **given,
    )


def judged(numbers, rule, prompts=None, folders=None, distribution=..., **rows):
    """Verdicts on pictures with these scores; ``rows`` are lists of further fields of the rows."""
    more = {} if distribution is ... else {"distribution": distribution}
    scores = make(numbers, prompts, **more)
    found = [
        row(at, number, **{name: each[at] for name, each in rows.items()})
        for at, number in enumerate(numbers)
    ]
    return judge(found, scores, rule, folders or [""] * len(numbers)), scores, found


@pytest.mark.parametrize(("per", "kept"), [("all", [2]), ("prompt", [2, 1]), ("folder", [2, 3])])
def test_the_best_one_of_all_of_each_prompt_or_of_each_folder(per, kept):
    verdicts, _, _ = judged(
        [1.0, 2.0, 9.0, 8.0], CurationRule(Rule(top_k=1), per), ["a", "a", "b", "b"], ["x", "x", "x", "y"]
    )
    assert verdicts.selection.kept.tolist() == kept
    assert [name for name in verdicts.names if name == "kept"] == ["kept"] * len(kept)


def test_a_picture_without_a_score_gets_no_place():
    verdicts, _, _ = judged([math.nan, 1.0], CurationRule(Rule(top_k=0)))
    assert verdicts.names == ("", "rejected")
    assert verdicts.selection.reasons[0] == "no score: unreadable"


def test_of_near_duplicates_the_best_is_kept_and_the_reason_names_it():
    verdicts, _, _ = judged(
        [1.0, 3.0, 2.0], CurationRule(duplicate_bits=6), fingerprint=[0b111, 0b1, 2**40 - 1]
    )
    assert verdicts.names == ("rejected", "kept", "kept")
    assert verdicts.selection.reasons[0] == "rejected: looks like 1.png, which scores higher"
    assert verdicts.leaders.tolist() == [1, 1, 2]


def test_conditions_count_near_duplicates_once():
    """The best three are one picture three times over; without them the next best gets its place."""
    verdicts, _, _ = judged(
        [9.0, 8.9, 8.8, 5.0, 4.0],
        CurationRule(Rule(top_k=2), duplicate_bits=2),
        fingerprint=[0, 1, 2, 2**60 - 1, 2**20 - 1],
    )
    assert verdicts.selection.kept.tolist() == [0, 3]


def test_near_duplicates_are_looked_for_among_pictures_that_compete():
    rule = CurationRule(per="prompt", duplicate_bits=6)
    verdicts, _, _ = judged([1.0, 2.0, 3.0], rule, ["a", "b", "b"], fingerprint=[7, 7, 7])
    assert verdicts.names == ("kept", "rejected", "kept")


def test_pictures_without_a_perceptual_hash_are_nobodys_duplicate():
    verdicts, _, _ = judged([1.0, 2.0], CurationRule(duplicate_bits=12), fingerprint=[None, None])
    assert verdicts.names == ("kept", "kept")


def test_buckets_sort_what_is_kept():
    rule = CurationRule(Rule(top_k=3), buckets=Buckets.parse("great=2,good=1", "score"))
    verdicts, _, _ = judged([3.0, 1.5, 0.0, 1.2, -1.0], rule)
    assert verdicts.names == ("great", "good", "rejected", "good", "rejected")
    assert verdicts.selection.kept.tolist() == [0, 1, 3]
    alone, _, _ = judged([3.0, 0.0], CurationRule(buckets=rule.buckets))
    assert alone.names == ("great", "rejected")
    assert alone.selection.reasons[1] == "rejected: below the limit of good (score)"


def test_shares_of_buckets_are_of_each_folder():
    rule = CurationRule(per="folder", buckets=Buckets.parse("great=50", "share"))
    verdicts, _, _ = judged([4.0, 3.0, 2.0, 1.0], rule, folders=["x", "x", "y", "y"])
    assert verdicts.names == ("great", "rejected", "great", "rejected")


def test_stars_given_by_hand_save_a_picture_from_every_condition():
    stars = [5, None, 3, 4, 5]
    numbers = [0.0, 2.0, 0.5, 3.0, math.nan]
    rule = CurationRule(Rule(top_k=1), keep_stars=4)
    verdicts, _, _ = judged(numbers, rule, stars=stars)
    assert verdicts.names == ("kept", "rejected", "rejected", "kept", "")
    assert verdicts.selection.reasons[0] == (
        "kept: 5 stars given by hand (otherwise rank 4 is beyond the best 1)"
    )


def test_a_rank_without_look_alikes_says_that_it_is_one():
    rule = CurationRule(Rule(top_k=2), duplicate_bits=6, per="folder")
    verdicts, _, _ = judged([3.0, 2.9, 2.0, 1.0], rule, fingerprint=[7, 7, 2**64 - 1, 2**32 - 1])
    assert verdicts.selection.reasons[2:] == (
        "kept: rank 2 of 3 for its folder without look-alikes",
        "rejected: rank 3 for its folder without look-alikes is beyond the best 2",
    )
    verdicts, _, _ = judged([3.0, 2.0], CurationRule(duplicate_bits=6), fingerprint=[7, 2**64 - 1])
    assert verdicts.selection.reasons[1] == "kept: rank 2 of 2"


def test_what_a_person_decided_outweighs_every_condition_and_the_rejected_take_no_place():
    decisions = [None, True, False, None, True, True]
    numbers = [3.0, 2.0, 9.0, 1.0, 0.0, math.nan]
    verdicts, _, _ = judged(numbers, CurationRule(Rule(top_k=2)), decision=decisions)
    assert verdicts.names == ("kept", "kept", "rejected", "rejected", "kept", "")
    assert verdicts.selection.reasons == (
        "kept: rank 1 of 4 without those rejected by hand",
        "kept: by hand (rank 2 of 4 without those rejected by hand)",
        "rejected: by hand",
        "rejected: rank 3 without those rejected by hand is beyond the best 2",
        "kept: by hand (otherwise rank 4 without those rejected by hand is beyond the best 2)",
        "no score: unreadable",
    )


def test_a_picture_rejected_by_hand_leaves_its_look_alike_the_place_and_one_kept_by_hand_takes_it():
    rule = CurationRule(duplicate_bits=6, buckets=Buckets.parse("great=2.5,good=1.5", "score"))
    verdicts, _, _ = judged([3.0, 2.0], rule, decision=[False, None], fingerprint=[7, 7])
    assert verdicts.names == ("rejected", "good")
    verdicts, _, _ = judged([3.0, 1.0], rule, decision=[None, True], fingerprint=[7, 7])
    assert verdicts.names == ("rejected", "good"), "below every limit the last one takes it"
    verdicts, _, _ = judged([3.0, 2.0], rule, decision=[True, True], fingerprint=[7, 7])
    assert verdicts.names == ("great", "good")


def test_a_starred_picture_leads_its_near_duplicates():
    verdicts, _, _ = judged(
        [1.0, 2.0], CurationRule(duplicate_bits=6, keep_stars=4), stars=[4, None], fingerprint=[7, 7]
    )
    assert verdicts.names == ("kept", "rejected")
    assert verdicts.selection.reasons[1].endswith("0.png, which somebody gave stars")


def test_a_starred_picture_below_all_buckets_falls_into_the_last():
    rule = CurationRule(keep_stars=5, buckets=Buckets.parse("great=2,good=1", "score"))
    assert judged([0.0], rule, stars=[5])[0].names == ("good",)


def test_ratings_follow_percentiles_and_a_persons_stars_come_first():
    numbers = [3.0, 0.0, -3.0, -1.0, math.nan, 1.0]
    verdicts, scores, rows = judged(
        numbers, CurationRule(Rule(min_score=-2)), stars=[None, None, None, 5, None, 0]
    )
    assert ratings(verdicts, scores, rows) == [5, 3, -1, 5, 0, 0]


def test_ratings_without_a_reference_are_by_rank_among_these_pictures():
    verdicts, scores, rows = judged(
        [float(number) for number in range(11)], CurationRule(), distribution=None
    )
    assert ratings(verdicts, scores, rows) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5]


@pytest.mark.parametrize(
    "wrong",
    [{"per": "day"}, {"duplicate_bits": 13}, {"duplicate_bits": -1}, {"keep_stars": 0}, {"keep_stars": 6}],
)
def test_a_senseless_rule_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CurationRule(**wrong)


pictures = st.tuples(
    values,
    st.sampled_from("ab"),
    st.sampled_from("xy"),
    st.none() | st.integers(0, 7),
    st.none() | st.integers(0, 5),
)
curation = st.builds(
    CurationRule,
    conditions=conditions,
    per=st.sampled_from(["all", "prompt", "folder"]),
    duplicate_bits=st.none() | st.integers(0, 3),
    buckets=st.none()
    | st.sampled_from([Buckets.parse("great=1,good=0", "score"), Buckets.parse("a=30,b=30", "share")]),
    keep_stars=st.none() | st.integers(1, 5),
)


@given(st.lists(pictures, max_size=12), curation)
def test_every_scored_picture_has_one_place_and_a_reason_and_nobody_else_has(given_pictures, rule):
    numbers, prompts, folders, hashes, stars = (
        (list(each) for each in zip(*given_pictures)) if given_pictures else ([],) * 5
    )
    verdicts, scores, _ = judged(numbers, rule, prompts, folders, fingerprint=hashes, stars=stars)
    kept = set(verdicts.selection.kept.tolist())
    assert sorted([*kept, *verdicts.selection.rejected]) == list(range(len(numbers)))
    for index, number in enumerate(numbers):
        name, reason = verdicts.names[index], verdicts.selection.reasons[index]
        assert (name == "") == math.isnan(number)
        assert (index in kept) == (name in rule.names[:-1])
        fate = "no score: " if math.isnan(number) else "kept: " if index in kept else "rejected: "
        assert reason.startswith(fate)
        leader = int(verdicts.leaders[index])
        if rule.keep_stars is None and leader != index:
            assert scores.values[leader] >= number and index not in kept


@pytest.mark.parametrize(
    ("rule", "alone"),
    [
        (CurationRule(), True),
        (CurationRule(Rule(min_score=0.5, min_percentile=10), "prompt", keep_stars=3), True),
        (CurationRule(buckets=Buckets.parse("great=1,good=0", "score")), True),
        (CurationRule(buckets=Buckets.parse("great=10,good=20", "share")), False),
        (CurationRule(Rule(top_k=3)), False),
        (CurationRule(Rule(top_percent=100)), False),
        (CurationRule(Rule(min_score=0.5, keep_at_least=1)), False),
        (CurationRule(duplicate_bits=0), False),
    ],
)
def test_a_rule_says_whether_it_compares_pictures(rule, alone):
    """Where it does not, verdicts on some pictures are those on all."""
    assert rule.alone == alone
    numbers = [0.7, -1.0, 1.5, 0.2, 0.6, math.nan]
    everyone, _, _ = judged(numbers, rule)
    for size in range(1, len(numbers)):
        some, _, _ = judged(numbers[:size], rule)
        if alone:
            assert some.names == everyone.names[:size]
