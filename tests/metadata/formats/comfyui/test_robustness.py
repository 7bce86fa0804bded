"""Graphs that are broken, hostile or huge."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metadata.formats.comfyui.prompt import positive_prompt
from imagereward_core.metadata.formats.comfyui.strings import MAX_TEXT
from tests.support.metadata.comfyui_graphs import node


def drawn(**nodes):
    """A sampler and a saver; ``pos`` and what is before it are given."""
    return {
        "s": node("KSampler", positive=["pos", 0], negative=["neg", 0], latent_image=["e", 0], steps=1),
        "d": node("VAEDecode", samples=["s", 0]),
        "save": node("SaveImage", images=["d", 0]),
        **nodes,
    }


def test_a_loop_in_the_graph_ends():
    data = drawn(
        pos=node("ConditioningCombine", conditioning_1=["pos", 0], conditioning_2=["other", 0]),
        other=node("ConditioningConcat", conditioning_to=["pos", 0], conditioning_from=["text", 0]),
        text=node("CLIPTextEncode", text="a cat"),
        e=node("LatentUpscale", samples=["s", 0]),
    )
    found = positive_prompt(data)
    assert found is not None and found.prompt == "a cat"
    assert any("loop" in note for note in found.notes)


def test_a_number_larger_than_any_float_is_no_number():
    data = drawn(
        pos=node("ControlNetApply", conditioning=["text", 0], strength=10**400),
        text=node("CLIPTextEncode", text="a cat"),
    )
    found = positive_prompt(data)
    assert found is not None and found.prompt == "a cat"


def test_a_loop_without_words_leads_nowhere():
    assert positive_prompt(drawn(pos=node("Reroute", value=["pos", 0]))) is None


def test_a_missing_node_leaves_the_rest():
    data = drawn(
        pos=node("ConditioningCombine", conditioning_1=["77", 0], conditioning_2=["text", 0]),
        text=node("CLIPTextEncode", text="a cat"),
    )
    found = positive_prompt(data)
    assert found is not None and found.prompt == "a cat"
    assert any("77 is missing" in note for note in found.notes)


def test_a_graph_full_of_gaps_is_not_told_gap_by_gap():
    gaps = {f"conditioning_{number}": [str(number), 0] for number in range(5000)}
    found = positive_prompt(drawn(pos=node("XyzCombine", text="a cat", **gaps)))
    assert found is not None and found.prompt == "a cat" and 0 < len(found.notes) < 50


@pytest.mark.parametrize("length", [10, 12_000])
def test_chains_of_any_length_are_followed(length):
    data = drawn(pos=node("Reroute", value=["0", 0]))
    for number in range(length):
        data[str(number)] = node("ConditioningSetArea", conditioning=[str(number + 1), 0])
    data[str(length)] = node("CLIPTextEncode", text="a cat")
    for number in range(length):
        data[f"i{number}"] = node("ImageScale", image=[f"i{number + 1}", 0])
    data[f"i{length}"] = data["d"]
    data["save"] = node("SaveImage", images=["i0", 0])
    start = time.process_time()
    found = positive_prompt(data)
    assert found is not None and found.prompt == "a cat"
    assert time.process_time() - start < 20


def test_a_text_doubled_at_every_node_stays_bounded():
    data = drawn(pos=node("CLIPTextEncode", text=["0", 0]))
    for number in range(200):
        data[str(number)] = node(
            "StringConcatenate", string_a=[str(number + 1), 0], string_b=[str(number + 1), 0], delimiter=""
        )
    data["200"] = node("PrimitiveString", value="a cat ")
    found = positive_prompt(data)
    assert found is not None and found.prompt.startswith("a cat a cat") and len(found.prompt) <= MAX_TEXT


def test_a_text_replaced_into_itself_stays_bounded():
    data = drawn(pos=node("CLIPTextEncode", text=["0", 0]))
    for number in range(50):
        data[str(number)] = node("StringReplace", string=[str(number + 1), 0], find="a", replace="a" * 50)
    data["50"] = node("PrimitiveString", value="a cat")
    found = positive_prompt(data)
    assert found is not None and len(found.prompt) <= MAX_TEXT


def test_growing_texts_of_many_nodes_stay_bounded_together():
    data = drawn(pos=node("CLIPTextEncode", text=["0", 0]))
    for number in range(3000):
        data[str(number)] = node(
            "StringConcatenate", string_a=[str(number + 1), 0], string_b="x" * 60, delimiter=""
        )
    data["3000"] = node("PrimitiveString", value="a cat")
    start = time.process_time()
    found = positive_prompt(data)
    assert found is not None and any("too long" in note for note in found.notes)
    assert time.process_time() - start < 10


def test_nan_in_the_json_is_read():
    text = json.dumps(
        drawn(pos=node("CLIPTextEncode", text="a cat"), x=node("Note", is_changed=[math.nan], v=math.nan))
    )
    assert "NaN" in text
    found = positive_prompt(text)
    assert found is not None and found.prompt == "a cat"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        '"text"',
        "1e999",
        "9" * 10_000,
        '{"1": {}}',
        "\0",
    ],
)
def test_what_is_no_graph_has_no_prompt(text):
    assert positive_prompt(text) is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.floats()
    | st.sampled_from(["a cat", "", "1", "2", "-10", "text"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["1", "2", "3", "text"]), inner, max_size=4)
    ),
    max_leaves=8,
)
KINDS = st.sampled_from(
    [
        "KSampler",
        "SaveImage",
        "CLIPTextEncode",
        "Reroute",
        "ImpactSwitch",
        "ComfySwitchNode",
        "ConditioningCombine",
    ]
    + [
        "StringFunction|pysssss",
        "Text String",
        "CLIPTextEncodeFlux",
        "BasicGuider",
        "VAEDecode",
        "SetNode",
        "GetNode",
    ]
    + ["StringReplace", "Xyz", "FaceDetailer", "Any Switch (rgthree)", "ConditioningZeroOut", "sub"]
    + ["ShowText|pysssss", "OllamaGenerate", "easy promptLine", "ImpactStringSelector", "easy promptList"]
    + ["StringSubstring", "CaseConverter", "ConditioningAverage", "Florence2Run"]
)
NAMES = st.sampled_from(
    [
        "images",
        "image",
        "samples",
        "positive",
        "negative",
        "text",
        "conditioning_1",
        "conditioning",
        "guider",
        "pipe",
    ]
    + [
        "select",
        "input1",
        "input2",
        "switch",
        "on_true",
        "string_a",
        "find",
        "replace",
        "delimiter",
        "text_a",
        "action",
    ]
    + [
        "latent_image",
        "value",
        "",
        "prompt",
        "filename_prefix",
        "t5xxl",
        "clip_l",
        "steps",
        "prefix",
        "basic_pipe",
    ]
    + ["start_index", "max_rows", "strings", "multiline", "start", "end", "mode", "conditioning_to_strength"]
    + ["conditioning_to", "conditioning_from", "text_0", "prompt_1"]
)
IDS = st.sampled_from(["1", "2", "3", "4", "5", "6"])
VALUES = st.tuples(IDS, st.integers(0, 3)).map(list) | JSON | st.just("replace")
API = st.dictionaries(
    IDS,
    st.fixed_dictionaries({"class_type": KINDS, "inputs": st.dictionaries(NAMES, VALUES, max_size=6) | JSON})
    | JSON,
)
PORTS = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES, "type": st.sampled_from(["IMAGE", "STRING", "*"]), "link": st.integers(1, 6) | JSON},
        optional={"widget": st.fixed_dictionaries({"name": NAMES}) | JSON},
    )
    | JSON,
    max_size=3,
)
EDITOR_NODE = st.fixed_dictionaries(
    {"id": st.integers(1, 6) | JSON, "type": KINDS | JSON},
    optional={
        "inputs": PORTS | JSON,
        "outputs": PORTS | JSON,
        "widgets_values": st.lists(JSON, max_size=4) | JSON,
        "mode": st.sampled_from([0, 2, 4]) | JSON,
    },
)
LINKS = st.lists(
    st.tuples(*[st.integers(1, 6)] * 5, st.just("IMAGE")).map(list)
    | st.fixed_dictionaries(
        {
            "id": st.integers(1, 6),
            "origin_id": st.integers(1, 6) | st.just(-10),
            "origin_slot": st.integers(0, 2),
            "target_id": st.integers(1, 6) | st.just(-20),
            "target_slot": st.integers(0, 2),
        }
    )
    | JSON,
    max_size=6,
)
EDITOR_GRAPH = st.fixed_dictionaries(
    {"nodes": st.lists(EDITOR_NODE | JSON, max_size=6), "links": LINKS | JSON}
)
SUBGRAPH = st.fixed_dictionaries(
    {
        "id": st.just("sub"),
        "nodes": st.lists(EDITOR_NODE, max_size=4),
        "links": LINKS,
        "inputs": PORTS,
        "outputs": PORTS,
    }
)
EDITOR = EDITOR_GRAPH | st.tuples(EDITOR_GRAPH, st.lists(SUBGRAPH | JSON, max_size=2) | JSON).map(
    lambda pair: {**pair[0], "definitions": {"subgraphs": pair[1]}}
)


@settings(deadline=None, max_examples=400)
@given(API | EDITOR | JSON, EDITOR | JSON)
def test_no_graph_makes_the_search_raise(data, workflow):
    found = positive_prompt(data, "a_00001_.png", workflow)
    assert found is None or isinstance(found.prompt, str)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40) | JSON.map(json.dumps))
def test_no_text_makes_the_search_raise(text):
    found = positive_prompt(text)
    assert found is None or isinstance(found.prompt, str)
