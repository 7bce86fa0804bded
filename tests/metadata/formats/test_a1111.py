"""The WebUI's infotext grammar."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metadata.formats.a1111 import looks_like_infotext, parse_infotext

PARAMS = "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, Model: dream"


def test_three_parts_are_told_apart():
    found = parse_infotext(f"a cat, sitting\nNegative prompt: blurry, lowres\n{PARAMS}")
    assert (found.prompt, found.negative, found.source) == ("a cat, sitting", "blurry, lowres", "a1111")
    assert found.settings == {
        "Steps": "20",
        "Sampler": "DPM++ 2M Karras",
        "CFG scale": "7",
        "Seed": "965400086",
        "Size": "512x768",
        "Model": "dream",
    }


def test_prompts_of_several_lines_stay_several_lines():
    found = parse_infotext(f"a cat\n\nin the rain\nNegative prompt: bad\nhands\n{PARAMS}")
    assert found.prompt == "a cat\n\nin the rain"
    assert found.negative == "bad\nhands"


@pytest.mark.parametrize(
    ("text", "prompt", "negative", "pairs"),
    [
        ("", "", "", 0),
        ("a cat", "a cat", "", 0),
        (f"a cat\n{PARAMS}", "a cat", "", 6),
        (f"a cat\r\nNegative prompt: dog\r\n{PARAMS}\r\n", "a cat", "dog", 6),
        (f"Negative prompt: dog\n{PARAMS}", "", "dog", 6),
        (PARAMS, "", "", 6),
        (
            "a sign that says Steps: 3, go up\nanother line",
            "a sign that says Steps: 3, go up\nanother line",
            "",
            0,
        ),
        (f"Steps: to heaven, a photo\n{PARAMS}", "Steps: to heaven, a photo", "", 6),
        ("a cat\nSteps: 20, Seed: 5", "a cat\nSteps: 20, Seed: 5", "", 0),
        ("title: x, style: oil, mood: calm", "title: x, style: oil, mood: calm", "", 0),
        ("Postprocess upscale by: 4, Postprocess upscaler: R-ESRGAN, Foo: 1", "", "", 3),
        (f"a cat\nParameters: {PARAMS}", "a cat", "", 6),
    ],
)
def test_missing_parts_are_empty_and_words_stay_in_the_prompt(text, prompt, negative, pairs):
    found = parse_infotext(text)
    assert (found.prompt, found.negative, len(found.settings)) == (prompt, negative, pairs)


def test_quoted_values_come_back_unquoted():
    hires = 'a "big" cat, 4k: yes\nsecond line'
    line = (
        f'Steps: 20, Seed: 1, Hires prompt: {json.dumps(hires)}, Template: "{{a|b}}, c", '
        'Lora hashes: "foo: 1a2b, bar: 3c4d", Version: v1.9.4'
    )
    found = parse_infotext(f"x\n{line}")
    assert found.settings["Hires prompt"] == hires
    assert found.settings["Template"] == "{a|b}, c"
    assert found.settings["Lora hashes"] == "foo: 1a2b, bar: 3c4d"
    assert found.settings["Version"] == "v1.9.4"


def test_an_unclosed_quote_ends_at_its_comma():
    found = parse_infotext('x\nSteps: 20, Broken: "a, Seed: 7, Sampler: Euler')
    assert found.settings == {"Steps": "20", "Broken": '"a', "Seed": "7", "Sampler": "Euler"}


def test_unquoted_json_as_civitai_appends_it_is_one_value():
    resources = '[{"type":"checkpoint","modelVersionId":1,"modelName":"a, b"}]'
    found = parse_infotext(f"x\nSteps: 20, Seed: 7, Civitai resources: {resources}, Civitai metadata: {{}}")
    assert found.settings["Civitai resources"] == resources
    assert found.settings["Civitai metadata"] == "{}"
    assert len(found.settings) == 4


def test_a_key_with_a_dot_keeps_only_what_the_host_would_read():
    found = parse_infotext("x\nSteps: 20, HPSv2.1: 0.28, v2.score: 3, Seed: 7, Size: 1x1")
    assert found.settings == {"Steps": "20", "score": "3", "Seed": "7", "Size": "1x1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a\n{PARAMS}", True),
        ("a\nNegative prompt: b", True),
        ("Negative prompt: b", True),
        ("Photo by me, title: x, place: y, camera: z", False),
        ("shot at 10:30, ISO: 100, F: 2", False),
        ("", False),
    ],
)
def test_captions_are_not_taken_for_infotext(text, expected):
    assert looks_like_infotext(text) is expected


@pytest.mark.parametrize("joint", [".", " ", "", "\\n", "\r", "\\r\\n", ". "])
@pytest.mark.parametrize(
    ("words", "negative"),
    [
        ("a cat, in a hat", "blurry, lowres"),
        ("a cat", "blurry"),
        ("a sign that says Steps: 3, go up", "x"),
        ('a sign: "Steps: 3", up', "x"),
        ("a cat", ""),
        ("", "blurry"),
    ],
)
def test_a_text_that_lost_its_line_breaks_is_taken_apart_as_it_was_meant(joint, words, negative):
    parts = [words] if words else []
    parts += [f"Negative prompt: {negative}"] if negative else []
    text = joint.join([*parts, PARAMS])
    found = parse_infotext(text)
    ends = "." if joint == ". " else ""
    assert found.prompt == (words + ends if words else "")
    assert found.negative == (negative + ends if negative else "")
    assert found.settings == parse_infotext(f"x\n{PARAMS}").settings
    assert looks_like_infotext(text)


def test_a_text_without_settings_is_split_and_keeps_its_full_stops():
    found = parse_infotext("a cat.Negative prompt: a dog.")
    assert (found.prompt, found.negative) == ("a cat", "a dog.")
    assert looks_like_infotext("a cat.Negative prompt: a dog.")
    assert parse_infotext("a cat. It sits.").prompt == "a cat. It sits."
    found = parse_infotext(f"a cat.\nNegative prompt: a dog.{PARAMS}")
    assert (found.prompt, found.negative, len(found.settings)) == ("a cat.", "a dog", 6)


def test_only_settings_in_their_usual_company_end_a_line_of_words():
    assert (
        parse_infotext("climb, Steps: 3, mood: calm, style: oil").prompt
        == "climb, Steps: 3, mood: calm, style: oil"
    )
    assert not looks_like_infotext("climb, Steps: 3, mood: calm, style: oil")
    line = "Size: 512x768, Steps: 20, Sampler: Euler, Seed: 7"
    for text in (line, f"a cat\n{line}"):
        assert len(parse_infotext(text).settings) == 4
    hires = json.dumps("x. Steps: 4, Sampler: a, Seed: 5, Size: 1x1")
    found = parse_infotext(f"a cat.{PARAMS}, Hires prompt: {hires}")
    assert found.prompt == "a cat" and found.settings["Steps"] == "20"


KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9 /_-]{1,12}[A-Za-z0-9]", fullmatch=True)
VALUES = st.text(st.characters(blacklist_categories=("Cs",)), max_size=30)


@settings(deadline=None, max_examples=150)
@given(
    pairs=st.dictionaries(KEYS, VALUES, min_size=3, max_size=8),
    prompt=st.from_regex(r"[a-z ,]{1,30}", fullmatch=True),
)
def test_every_value_a_webui_can_write_is_read_back(pairs, prompt):
    def quoted(value):
        simple = value == value.strip(" ") and not set(value) & set(',:\n\r"[{') and value.isprintable()
        return value if simple else json.dumps(value, ensure_ascii=False)

    line = "Steps: 1, " + ", ".join(f"{key}: {quoted(value)}" for key, value in pairs.items())
    found = parse_infotext(f"{prompt}\n{line}")
    assert found.settings == {"Steps": "1", **pairs}
    assert found.prompt == prompt.strip()


@settings(deadline=None, max_examples=300)
@given(
    text=st.text()
    | st.text(alphabet='ab:,"\\[{ \nSteps')
    | st.lists(
        st.sampled_from(["Steps: 3,", "Negative prompt:", "Seed: 1,", "Size: 1", ".", "a", "\r", "\\n"])
    ).map("".join)
)
def test_no_text_makes_the_parser_raise(text):
    found = parse_infotext(text)
    assert isinstance(found.prompt, str)
    assert isinstance(looks_like_infotext(text), bool)


@pytest.mark.parametrize(
    "unit",
    [
        'aa:"x,',
        "aa:[",
        "aa: {,",
        "a" * 50,
        ",",
        ":",
        'aa:"\\",',
        "aa:[1,[",
        " ",
        "Steps: 1, ",
        "Negative prompt:",
    ],
)
def test_long_hostile_lines_take_no_long_time(unit):
    text = unit * (50_000 // len(unit))
    start = time.process_time()
    parse_infotext("x\n" + text)
    assert time.process_time() - start < 5
