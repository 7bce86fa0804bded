"""The settings: one dataclass for the page, the API, the infotext and the plot."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.metadata.formats.a1111 import parse_infotext
from tests.support.webui.fake_webui import ours

arguments = ours("script.arguments")
infotext = ours("script.infotext")
NAMES = [field.name for field in dataclasses.fields(arguments.Settings)]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


def test_order_of_arguments_is_only_ever_appended_to():
    known = (
        "enabled scorer blend_with blend_method sort_gallery keep_best keep_scope min_score min_percentile rejects show_rejects "
        "until until_pictures until_minutes gate_hires show_percentile score_prompt companions"
    )
    assert NAMES[: len(known.split())] == known.split()


def test_labels_are_all_different_and_plain():
    labels = [known.label for known in arguments.SETTINGS.values()]
    assert len(set(labels)) == len(labels)
    assert all(label.isascii() and "/" not in label for label in labels)


def test_every_default_is_json_and_valid():
    settings = arguments.Settings()
    json.dumps(dataclasses.asdict(settings))
    assert arguments.from_mapping(dataclasses.asdict(settings)) == (settings, [])


@given(st.lists(JSON, max_size=25))
def test_no_argument_of_a_request_can_break_a_run(values):
    settings, problems = arguments.read_arguments(values)
    json.dumps(dataclasses.asdict(settings), allow_nan=False)
    assert arguments.from_mapping(dataclasses.asdict(settings)) == (settings, [])
    assert all("\n" not in line for line in problems)


def test_missing_arguments_have_their_defaults():
    assert arguments.read_arguments([True]) == (arguments.Settings(enabled=True), [])


def test_arguments_can_be_given_by_name():
    settings, problems = arguments.read_arguments([{"enabled": True, "keep_best": 2}])
    assert (settings.enabled, settings.keep_best, problems) == (True, 2, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keep_best", -1),
        ("keep_best", 1.5),
        ("keep_best", "many"),
        ("min_percentile", 101),
        ("min_score", "nan"),
        ("min_score", "high"),
        ("rejects", "delete"),
        ("sort_gallery", "perhaps"),
        ("scorer", 3),
        ("until_minutes", 0),
    ],
)
def test_value_that_means_nothing_gives_a_line_and_the_default(name, value):
    settings, problems = arguments.from_mapping({name: value})
    assert getattr(settings, name) == getattr(arguments.Settings(), name)
    assert len(problems) == 1 and name in problems[0] and "expected" in problems[0]


def test_unknown_setting_gives_a_line():
    assert "colour" in arguments.from_mapping({"colour": "red"})[1][0]


def test_numbers_may_come_back_as_floats_or_text_from_the_host():
    settings, problems = arguments.from_mapping(
        {"keep_best": 3.0, "until": "4", "min_score": 0.5, "enabled": "True"}
    )
    assert (settings.keep_best, settings.until, settings.minimum, settings.enabled) == (3, 4, 0.5, True)
    assert problems == []


SETTINGS = st.builds(
    arguments.Settings,
    enabled=st.just(True),
    keep_best=st.integers(0, 64),
    keep_scope=st.sampled_from(["batch", "job"]),
    min_score=st.sampled_from(["", "0.5", "-1"]),
    score_prompt=st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=30).map(
        str.strip
    ),
    until_minutes=st.sampled_from([0.5, 30.0, 90.0]),
)


@given(SETTINGS)
def test_settings_come_back_from_an_infotext(settings):
    quoted = json.dumps(arguments.to_infotext(settings), ensure_ascii=False)
    text = f"a cat\nSteps: 20, Sampler: Euler, Seed: 1, {arguments.KEY}: {quoted}, Version: v1.10.1"
    params = parse_infotext(text).settings
    assert {name: infotext.pasted(name)(params) for name in NAMES} == dataclasses.asdict(settings)


def test_infotext_without_our_settings_leaves_every_control_alone():
    params = {"Steps": "20", "ImageReward": "0.5", "ImageReward percentile": "70.0"}
    assert [infotext.pasted(name)(params) for name in NAMES] == [None] * len(NAMES)


def test_damaged_settings_of_an_infotext_are_ignored():
    for text in ("", "{", "{'keep_best': }", "[1, 2]", "null"):
        assert infotext.pasted("keep_best")({arguments.KEY: text}) is None


def test_settings_text_is_not_read_as_a_score_by_galleries():
    text = arguments.to_infotext(arguments.Settings(min_score="0.5", score_prompt="x"))
    assert "score:" not in text.lower()
