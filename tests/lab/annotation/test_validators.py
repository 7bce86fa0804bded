"""No state breaks the protocol: what the validators take is what the paper's words allow, told by code that shares nothing with them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from benchmarks import protocol_oracle as oracle
from benchmarks.submissions import ODD, damaged, document
from imagereward_lab.annotation.protocol.faults import MESSAGES
from imagereward_lab.annotation.protocol.modes import MODES, faults_of

PROMPT = "a red star, 8k \U0001f600"
IMAGES = tuple("abcdefghi")

anything = st.recursive(
    st.sampled_from([each for each in ODD if not isinstance(each, (list, dict))]) | st.sampled_from(IMAGES),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(
            st.sampled_from(
                ["prompt", "images", "ranking", "best", "worst", "winner", "category", "problems", *IMAGES]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def taken(mode, answer, images, prompt=PROMPT):
    faults = faults_of(mode, answer, prompt, images)
    for fault in faults:
        assert fault.code in MESSAGES and fault.message and set(fault.images) <= set(images)
    return not faults


@profile(max_examples=400)
@given(st.randoms(use_true_random=False), st.integers(4, 9), st.booleans())
def test_the_protocol_is_kept_exactly_where_the_oracle_says_so(rng, count, harm):
    images = IMAGES[:count]
    answer = document(rng, PROMPT, images)
    if harm:
        answer = damaged(rng, answer, images)
    assert taken("protocol", answer, images) == oracle.keeps_the_protocol(answer, PROMPT, images)


@profile(max_examples=300)
@given(anything, st.sampled_from(sorted(MODES)), st.integers(2, 4))
def test_whatever_is_sent_is_answered_with_faults_and_never_taken_wrongly(answer, mode, count):
    images = IMAGES[:count]
    keeps = {
        "protocol": lambda: oracle.keeps_the_protocol(answer, PROMPT, images),
        "best-worst": lambda: oracle.keeps_best_and_worst(answer, images),
        "quick": lambda: oracle.keeps_the_question(answer, images),
    }
    expected = keeps.get(mode, lambda: oracle.keeps_the_order(answer, images))()
    assert taken(mode, answer, images) == expected


@profile(max_examples=200)
@given(st.randoms(use_true_random=False), st.integers(2, 12))
def test_orders_of_the_other_modes(rng, count):
    images = tuple(f"p{number}" for number in range(count))
    slots = [[] for _ in range(rng.randint(1, count + 1))]
    for image in rng.sample(images, count if rng.random() < 0.7 else count - 1):
        rng.choice(slots).append(image)
    if rng.random() < 0.2:
        rng.choice(slots).append(rng.choice(images))
    answer = {"ranking": slots}
    assert taken("top-picks", answer, images) == oracle.keeps_the_order(answer, images)
    best, worst = (rng.choice([*images, "nobody", None]) for _ in range(2))
    answer = {"best": best, "worst": worst}
    assert taken("best-worst", answer, images) == oracle.keeps_best_and_worst(answer, images)


def test_every_stage_alone_says_what_all_of_them_say_together():
    rng = random.Random(5)
    for _ in range(300):
        images = IMAGES[: rng.randint(4, 9)]
        answer = damaged(rng, document(rng, PROMPT, images), images)
        if not isinstance(answer, dict):
            continue
        whole = [
            fault
            for fault in faults_of("protocol", answer, PROMPT, images)
            if fault.values.get("where") != "the answer"
        ]
        parts = [
            fault
            for stage in ("prompt", "images", "ranking")
            for fault in faults_of("protocol", answer, PROMPT, images, stage)
        ]
        assert parts == whole


def test_a_refusal_names_the_pictures_as_they_are_shown():
    images = ("x", "y", "z", "w")
    answer = document(random.Random(1), PROMPT, images)
    for image, overall in zip(images, (6, 2, 4, 5)):
        answer["images"][image]["overall"] = overall
    answer["ranking"] = [["y"], ["x", "w"], ["z"], [], []]
    found = {fault.images: fault.message for fault in faults_of("protocol", answer, PROMPT, images)}
    assert found.keys() == {("x", "y"), ("z", "y"), ("w", "y")}
    assert found["x", "y"] == (
        "Picture 1 has a higher overall rating (6) than picture 2 (2), but stands in a worse slot (2 below 1). "
        "Move one of them, or change a rating."
    )


@pytest.mark.parametrize(
    "ranking",
    [
        [["x"], ["y"], ["z"], ["w"], []],
        [["w"], ["z"], ["y"], ["x"], []],
        [["x", "w"], [], [], [], ["z", "y"]],
    ],
)
def test_equal_ratings_may_stand_in_any_order_and_slots_may_stay_empty(ranking):
    images = ("x", "y", "z", "w")
    answer = document(random.Random(1), PROMPT, images)
    for image in images:
        answer["images"][image]["overall"] = 4
    assert taken("protocol", {**answer, "ranking": ranking}, images)


def test_unequal_ratings_may_share_a_slot():
    images = ("x", "y", "z", "w")
    answer = document(random.Random(1), PROMPT, images)
    for image, overall in zip(images, (7, 1, 1, 1)):
        answer["images"][image]["overall"] = overall
    assert taken("protocol", {**answer, "ranking": [["x", "y"], ["z", "w"], [], [], []]}, images)
