"""Texts in a ComfyUI graph that are no prompt, are one of many, or were made while the graph ran."""

from __future__ import annotations

import pytest

from imagereward_core.metadata.formats.comfyui.prompt import positive_prompt
from tests.support.metadata.comfyui_graphs import encode, graph, node, sampler

LOAD = node("LoadImage", image="x.png")


def found_in(data, workflow=None):
    found = positive_prompt(data, None, workflow)
    return (found.prompt, " ".join(found.notes)) if found else ("", "")


@pytest.mark.parametrize(
    "detector",
    [
        node("GroundingDinoSAMSegment (segment anything)", prompt="face", image=["load", 0], threshold=0.3),
        node("LayerMask: SegmentAnythingUltra V2", prompt="face", image=["load", 0]),
        node("LayerMask: ObjectDetectorFL2", prompt="face", image=["load", 0]),
        node("Florence2Run", prompt="face", text_input="face", task="caption", image=["load", 0]),
        node("SAM3Segment", prompt="face", image=["load", 0]),
        node("EVF-SAM", prompt="face", image=["load", 0]),
        node("LangSAM", prompt="face", image=["load", 0]),
        node("CLIPSeg Masking", prompt="face", image=["load", 0]),
        node("Yoloworld_ESAM_Zho", prompt="face", image=["load", 0]),
        node("RMBG", prompt="face", image=["load", 0]),
    ],
    ids=lambda entry: entry["class_type"],
)
@pytest.mark.parametrize("way", ["image", "mask", "text"])
def test_what_is_looked_for_in_a_picture_is_no_prompt(detector, way):
    if way == "text":
        data = graph(load=LOAD, find=detector, pos=encode(["find", 2]))
    else:
        data = {
            "load": LOAD,
            "find": detector,
            "cut": node("XyzComposite", image=["load", 0], mask=["find", 1]),
            "save": node("SaveImage", images=["find" if way == "image" else "cut", 0]),
        }
    prompt, notes = found_in(data)
    assert prompt == ""
    assert ("its answer is not stored" in notes) is (way == "text")


def test_a_service_that_draws_is_told_from_one_that_writes():
    data = {
        "load": LOAD,
        "llm": node("XyzChatService", prompt="Name this picture"),
        "label": node("XyzLabel", image=["load", 0], text=["llm", 0]),
        "save": node("SaveImage", images=["label", 0]),
    }
    assert found_in(data)[0] == ""
    data["load"] = node("FluxKontextProImageNode", prompt="a cat in a hat")
    assert found_in(data)[0] == "a cat in a hat"


def editor(**shown):
    """The editor's file of a graph, with what its nodes show; ids are as in the graph."""
    kinds = {"show": "ShowText|pysssss", "any": "easy showAnything", "settings": "Show any [Crystools]"}
    return {
        "nodes": [
            {"id": name, "type": kinds[name], "widgets_values": values} for name, values in shown.items()
        ],
        "links": [],
    }


def asked(kind="OllamaGenerate", **more):
    return node(kind, prompt="You write prompts. Write one about cats.", **more)


@pytest.mark.parametrize("kind", ["OllamaGenerate", "LLM_Xyz", "Text Random Prompt", "DPRandomGenerator"])
@pytest.mark.parametrize("values", [[["a cat in a hat"]], ["a cat in a hat"], ["", "a cat in a hat"]])
@pytest.mark.parametrize("way", ["through", "beside"])
def test_the_answer_that_was_shown_is_the_prompt(kind, values, way):
    data = graph(
        pos=encode(["show" if way == "through" else "llm", 0]),
        llm=asked(kind),
        show=node("ShowText|pysssss", text=["llm", 0], text_0="a dog of the run before"),
    )
    assert found_in(data, editor(show=values)) == ("a cat in a hat", "")


def test_an_answer_is_put_together_with_what_is_around_it():
    data = graph(
        pos=encode(["join", 0]),
        join=node("StringConcatenate", string_a="photo of", string_b=["llm", 0], delimiter=" "),
        llm=asked(),
        any=node("easy showAnything", anything=["llm", 0]),
    )
    assert found_in(data, editor(any=[["a cat"]]))[0] == "photo of a cat"
    # Values of a node with settings of its own are not all what it shows.
    data["settings"] = {**data.pop("any"), "class_type": "Show any [Crystools]"}
    assert "a cat" not in found_in(data, editor(settings=[True, "a cat"]))[0]


def test_an_answer_from_before_the_run_is_told():
    data = graph(
        pos=encode(["show", 0]), llm=asked(), show=node("ShowText|LP", text=["llm", 0], text_0="a cat")
    )
    prompt, notes = found_in(data)
    assert prompt == "a cat" and "before this run" in notes


def test_what_is_followed_to_the_letter_needs_no_answer():
    data = graph(
        pos=encode(["show", 0]),
        text=node("StringConcatenate", string_a="a cat", string_b="hat", delimiter=" in a "),
        show=node("ShowText|pysssss", text=["text", 0], text_0="a dog"),
    )
    assert found_in(data, editor(show=["a dog"])) == ("a cat in a hat", "")


@pytest.mark.parametrize("kind", ["QwenVL", "JoyCaption", "LayerUtility: Gemini", "BLIP Analyze Image"])
def test_a_question_about_a_picture_is_no_prompt(kind):
    data = graph(load=LOAD, pos=encode(["ask", 0]), ask=asked(kind, image=["load", 0]))
    data["extra"] = encode("a detailed face")
    prompt, notes = found_in(data)
    assert prompt == "" and "its answer is not stored" in notes
    data["show"] = node("ShowText|pysssss", text=["ask", 0])
    assert found_in(data, editor(show=["a cat"]))[0] == "a cat"


def test_words_from_a_file_are_not_replaced_by_those_of_a_detailer():
    data = graph(
        pos=encode(["file", 0]),
        file=node("Load Text File|pysssss", root_dir="input", file="prompts.txt"),
        face=encode("a detailed face"),
        detailer=node("FaceDetailer", image=["decode", 0], positive=["face", 0], steps=20),
        save=node("SaveImage", images=["detailer", 0], filename_prefix="x"),
    )
    prompt, notes = found_in(data)
    assert prompt == "" and "node file (Load Text File|pysssss), which does not store them" in notes


@pytest.mark.parametrize(
    ("share", "prompt"), [(1.0, "a cat"), (1, "a cat"), (0.0, "a dog"), (0.5, "a cat, a dog")]
)
@pytest.mark.parametrize("linked", [False, True])
def test_an_average_with_all_on_one_side_is_one_prompt(share, prompt, linked):
    data = graph(
        pos=node(
            "ConditioningAverage",
            conditioning_to=["a", 0],
            conditioning_from=["b", 0],
            conditioning_to_strength=["share", 0] if linked else share,
        ),
        share=node("PrimitiveFloat", value=share),
        a=encode("a cat"),
        b=encode("a dog"),
    )
    assert found_in(data)[0] == prompt


def test_a_region_without_strength_adds_nothing():
    data = graph(
        pos=node("ConditioningCombine", conditioning_1=["a", 0], conditioning_2=["region", 0]),
        region=node("ConditioningSetMask", conditioning=["b", 0], mask=["m", 0], strength=0.0),
        a=encode("a cat"),
        b=encode("a dog"),
    )
    assert found_in(data)[0] == "a cat"


LINES = "a cat\n\na dog\na bird"
PICKERS = [
    # Worked out by hand from the nodes' own code; None: several, which is none.
    (node("easy promptLine", prompt=LINES, start_index=1, max_rows=1, remove_empty_lines=True), "a dog"),
    (node("easy promptLine", prompt=LINES, start_index=2, max_rows=1, remove_empty_lines=False), "a dog"),
    (node("easy promptLine", prompt=LINES, start_index=2, max_rows=1), "a dog"),
    (node("easy promptLine", prompt=LINES, start_index=9, max_rows=1000, remove_empty_lines=True), "a bird"),
    (node("easy promptLine", prompt=LINES, start_index=["n", 0], max_rows=1), "a dog"),
    (node("easy promptLine", prompt=LINES, start_index=["unknown", 0], max_rows=1), None),
    (node("easy promptLine", prompt=LINES, start_index=0, max_rows=2, remove_empty_lines=True), None),
    (node("easy promptLine", prompt="a cat", start_index=0, max_rows=1000), "a cat"),
    (node("easy promptList", prompt_1="a cat", prompt_2="", prompt_3=""), "a cat"),
    (node("easy promptList", prompt_1="a cat", prompt_2="a dog"), None),
    (node("easy wildcards", text="a\ncat", multiline_mode=False), "a\ncat"),
    (node("easy wildcards", text=LINES, multiline_mode=True), None),
    (
        node(
            "CR Prompt List",
            prepend_text="<",
            multiline_text=LINES,
            append_text=">",
            start_index=2,
            max_rows=1,
        ),
        "<a dog>",
    ),
    (node("CR Text List", multiline_text=LINES, start_index=3, max_rows=5), "a bird"),
    (node("ttN textCycleLine", text=LINES, index=2, index_control="fixed"), "a dog"),
    (node("ttN textCycleLine", text=LINES, index=99, index_control="fixed"), "a bird"),
    (node("ImpactStringSelector", strings=LINES, multiline=False, select=6), "a dog"),
    (node("ImpactStringSelector", strings="#a\ncat\n#a dog\n", multiline=True, select=2), "a\ncat"),
    (node("Text Random Line", text=LINES, seed=1), None),
    (node("XyzLine", text=LINES, line_index=1), None),
    (node("StringSubstring", string="a cat and a dog", start=0, end=5), "a cat"),
    (node("StringSubstring", string="a cat", start=["unknown", 0], end=5), None),
    (node("CaseConverter", string="A CAT", mode="lowercase"), "a cat"),
]


@pytest.mark.parametrize(("picker", "prompt"), PICKERS)
def test_only_the_lines_that_are_handed_on_are_the_prompt(picker, prompt):
    data = graph(
        pos=encode(["pick", 0]),
        pick=picker,
        n=node("PrimitiveInt", value=2),
        unknown=node("XyzCounter", mode="up"),
        # Another encoder must not take its place.
        face=encode("a detailed face"),
        sampler=sampler(),
    )
    found, notes = found_in(data)
    assert found == (prompt or "")
    assert bool(notes) is (prompt is None) or picker["class_type"] == "easy wildcards"


def test_lines_that_are_cut_and_shown_are_told_apart():
    data = graph(
        pos=encode(["show", 0]),
        pick=node("easy promptLine", prompt=LINES, start_index=0, max_rows=2, remove_empty_lines=True),
        show=node("ShowText|pysssss", text=["pick", 0]),
    )
    prompt, notes = found_in(data, editor(show=[["a cat", "a dog"]]))
    assert prompt == "" and "gives 2 texts" in notes
    assert found_in(data, editor(show=[["a cat", "a cat"]]))[0] == "a cat"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -5, 10**30, "x", "7", True, None, [1], {}])
def test_numbers_of_any_kind_pick_or_are_told(value):
    data = graph(
        pos=encode(["pick", 0]),
        pick=node("easy promptLine", prompt=LINES, start_index=value, max_rows=value),
    )
    prompt, notes = found_in(data)
    assert prompt in LINES and bool(prompt) is not bool(notes)
