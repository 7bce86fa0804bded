"""Score keys keep to what galleries and the WebUI parse."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metadata.score_keys import (
    AESTHETIC_KEY,
    LONGEST_KEY,
    METADATA_KEY,
    is_score_key,
    known_keys,
    score_fields,
    score_key,
)
from imagereward_core.weights.cards import CARDS

WEBUI_KEY = re.compile(r"\w[\w \-/]+")


def test_every_registered_scorer_has_a_key_of_its_own():
    keys = [score_key(scorer) for scorer in CARDS]
    assert len(set(keys)) == len(keys)
    assert [key for key in keys if key.lower().endswith("score")] == [AESTHETIC_KEY]


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(max_size=60).map("blend:{}".format))
def test_any_name_gives_a_key_that_is_read_and_never_taken_for_the_aesthetic_score(name):
    key = score_key(name)
    assert re.fullmatch(r"[0-9A-Za-z_]+", key)
    assert WEBUI_KEY.fullmatch(key) and is_score_key(key) and len(key) <= LONGEST_KEY
    assert key == AESTHETIC_KEY if name == "Aesthetic" else not key.lower().endswith("score")


def test_the_aesthetic_score_comes_first_and_numbers_have_decimals():
    fields = score_fields({"PickScore": 21.0, "ImageReward-v1.0": -0.5, "Aesthetic": 6.0})
    assert list(fields.items()) == [
        ("aesthetic_score", "6.0000"),
        ("PickAPic", "21.0000"),
        ("ImageReward", "-0.5000"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "parameters",
        "prompt",
        "workflow",
        "Seed",
        "Model",
        "imagereward",
        "ImageReward",
        "hpsv2",
        "aesthetic score",
        "7",
    ],
)
def test_an_own_checkpoint_never_has_the_key_of_anything_else(name):
    taken = {"parameters", "prompt", "workflow", "seed", "model", METADATA_KEY, *map(str.lower, known_keys())}
    assert score_key(name).lower() not in taken and is_score_key(score_key(name))


def test_names_that_differ_in_marks_alone_or_in_other_scripts_have_a_number_each():
    names = ["my tune", "my_tune", "猫", "犬", "größe", "gr-e", "blend:猫", "x" * 200, "x" * 199 + "y"]
    fields = score_fields({name: float(place) for place, name in enumerate(names)})
    assert sorted(map(float, fields.values())) == list(range(len(names)))
    assert all(len(key) <= LONGEST_KEY and is_score_key(key) for key in fields)
