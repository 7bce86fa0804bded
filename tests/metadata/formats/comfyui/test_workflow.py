"""The editor's own format, which pictures carry as ``workflow``."""

from __future__ import annotations

import copy

import pytest

from imagereward_core.metadata.formats.comfyui.prompt import positive_prompt
from imagereward_core.metadata.formats.comfyui.workflow import read_workflow


class Editor:
    """Builds a workflow the way the editor writes it: numbered nodes and links, values without names."""

    def __init__(self):
        self.nodes = []
        self.links = []

    def node(self, kind, inputs=(), outputs=(), values=None, **more):
        """Inputs are (name, type, source, is_widget); the source is None or (node, slot)."""
        number = len(self.nodes) + 1
        ports = []
        for slot, (name, type_name, source, *widget) in enumerate(inputs):
            port = {"name": name, "type": type_name, "link": None}
            if widget:
                port["widget"] = {"name": name}
            if source is not None:
                link = len(self.links) + 1
                self.links.append([link, source[0], source[1], number, slot, type_name])
                port["link"] = link
            ports.append(port)
        entry = {"id": number, "type": kind, "inputs": ports, "mode": 0, **more}
        entry["outputs"] = [{"name": type_name, "type": type_name, "links": []} for type_name in outputs]
        if values is not None:
            entry["widgets_values"] = values
        self.nodes.append(entry)
        return number

    def encode(self, text, **more):
        return self.node("CLIPTextEncode", [("clip", "CLIP", None)], ["CONDITIONING"], [text], **more)

    def finish(self, positive, negative=None, sampler_values=None):
        sampler = self.node(
            "KSampler",
            [("positive", "CONDITIONING", positive), ("negative", "CONDITIONING", negative)],
            ["LATENT"],
            sampler_values or [156680208700286, "randomize", 20, 8, "euler", "normal", 1],
        )
        decode = self.node("VAEDecode", [("samples", "LATENT", (sampler, 0))], ["IMAGE"])
        self.node("SaveImage", [("images", "IMAGE", (decode, 0))], [], ["ComfyUI"])
        return self.file()

    def file(self):
        return {"last_node_id": len(self.nodes), "nodes": self.nodes, "links": self.links, "version": 0.4}


def test_the_default_workflow():
    editor = Editor()
    pos, neg = editor.encode("a cat in a hat"), editor.encode("blurry")
    found = positive_prompt(editor.finish((pos, 0), (neg, 0)))
    assert found is not None
    assert (found.prompt, found.negative) == ("a cat in a hat", "blurry")
    assert found.settings["Steps"] == "20" and found.settings["Sampler"] == "euler"


def test_newer_editors_name_every_widget():
    editor = Editor()
    inputs = [
        ("clip", "CLIP", None),
        ("mode", "COMBO", None, "w"),
        ("words", "STRING", None, "w"),
        ("prompt", "STRING", None, "w"),
    ]
    pos = editor.node("XyzEncode", inputs, ["CONDITIONING"], ["a very long name of a mode", "x", "a cat"])
    found = positive_prompt(editor.finish((pos, 0)))
    assert found is not None and found.prompt == "a cat"


def test_a_widget_turned_into_an_input_takes_the_linked_text():
    editor = Editor()
    primitive = editor.node("PrimitiveNode", [], ["STRING"], ["a linked cat"])
    pos = editor.node(
        "CLIPTextEncode",
        [("clip", "CLIP", None), ("text", "STRING", (primitive, 0), "w")],
        ["CONDITIONING"],
        ["an old text"],
    )
    found = positive_prompt(editor.finish((pos, 0)))
    assert found is not None and found.prompt == "a linked cat"


def test_unknown_encoders_give_their_only_words():
    editor = Editor()
    pos = editor.node(
        "XyzEncode", [("clip", "CLIP", None)], ["CONDITIONING"], ["fast", "a cat in a hat", 5, True]
    )
    found = positive_prompt(editor.finish((pos, 0)))
    assert found is not None and found.prompt == "a cat in a hat"
    assert any("node 1 (XyzEncode) is unknown" in note for note in found.notes)


@pytest.mark.parametrize(
    "values",
    [
        ["boolean"],
        ["sdxl/a model of many words.safetensors", "boolean"],
        ["Positive prompt"],
        ["C:\\my models\\of many words"],
        ["a cat in a hat", "a dog on a mat"],
        ["", 5],
    ],
)
def test_what_is_no_words_or_not_the_only_ones_is_not_taken_from_unknown_nodes(values):
    editor = Editor()
    pos = editor.node("XyzEncode", [("clip", "CLIP", None)], ["CONDITIONING"], values)
    found = positive_prompt(editor.finish((pos, 0)))
    assert found is None or found.prompt == ""


def test_reroutes_and_set_get_pairs_are_followed():
    editor = Editor()
    pos = editor.encode("a cat")
    way = editor.node("Reroute", [("", "*", (pos, 0))], ["CONDITIONING"])
    editor.node("SetNode", [("CONDITIONING", "CONDITIONING", (way, 0))], ["*"], ["my_pos"])
    getter = editor.node("GetNode", [], ["CONDITIONING"], ["my_pos"])
    found = positive_prompt(editor.finish((getter, 0)))
    assert found is not None and found.prompt == "a cat"


def test_bypassed_nodes_pass_their_input_and_muted_ones_nothing():
    editor = Editor()
    pos, other = editor.encode("a cat"), editor.encode("a dog", mode=2)
    bypassed = editor.node(
        "ConditioningCombine",
        [
            ("model", "MODEL", None),
            ("conditioning_1", "CONDITIONING", (pos, 0)),
            ("conditioning_2", "CONDITIONING", (other, 0)),
        ],
        ["MODEL", "CONDITIONING"],
        mode=4,
    )
    combined = editor.node(
        "ConditioningCombine",
        [("conditioning_1", "CONDITIONING", (bypassed, 1)), ("conditioning_2", "CONDITIONING", (other, 0))],
        ["CONDITIONING"],
    )
    found = positive_prompt(editor.finish((combined, 0)))
    assert found is not None and found.prompt == "a cat"


def test_a_bypassed_node_with_both_prompts_does_not_mix_them_up():
    editor = Editor()
    pos, neg = editor.encode("a cat"), editor.encode("blurry")
    ports = [("positive", "CONDITIONING", (pos, 0)), ("negative", "CONDITIONING", (neg, 0))]
    bypassed = editor.node("ControlNetApplyAdvanced", ports, ["CONDITIONING", "CONDITIONING"], mode=4)
    found = positive_prompt(editor.finish((bypassed, 0), (bypassed, 1)))
    assert found is not None and (found.prompt, found.negative) == ("a cat", "blurry")


def test_a_choice_beside_linked_words_is_not_taken_for_words():
    editor = Editor()
    words = editor.node("PrimitiveStringMultiline", [], ["STRING"], ["a cat"])
    pos = editor.node("XyzToCond", [("prompt", "STRING", (words, 0))], ["CONDITIONING"], ["match"])
    found = positive_prompt(editor.finish((pos, 0)))
    assert found is not None and found.prompt == "a cat"


def test_a_switch_that_old_files_hold_in_place_of_a_delimiter_is_no_word():
    editor = Editor()
    one = editor.node("Text Multiline", [], ["ASCII"], ["a cat"])
    two = editor.node("Text Multiline", [], ["ASCII"], ["a hat"])
    ports = [("text_a", "ASCII", (one, 0)), ("text_b", "ASCII", (two, 0))]
    joined = editor.node("Text Concatenate", ports, ["ASCII"], ["false"])
    pos = editor.node("Text to Conditioning", [("text", "ASCII", (joined, 0))], ["CONDITIONING"])
    found = positive_prompt(editor.finish((pos, 0)))
    assert found is not None and found.prompt == "a cat, a hat"


def test_settings_of_old_files_are_read_past_the_switch_behind_the_seed():
    editor = Editor()
    pos = editor.encode("a cat")
    found = positive_prompt(editor.finish((pos, 0), None, [7, True, 20, 8, "euler", "normal", 1]))
    assert found is not None and (found.settings["Seed"], found.settings["Steps"]) == ("7", "20")


def with_subgraph(given):
    """A subgraph of two nodes that joins a text from outside with its own, inside another subgraph."""
    inner = {
        "id": "inner-uuid",
        "inputs": [{"name": "words", "type": "STRING"}],
        "outputs": [{"name": "cond", "type": "CONDITIONING"}],
        "nodes": [
            {
                "id": 1,
                "type": "StringConcatenate",
                "inputs": [
                    {"name": "string_a", "type": "STRING", "link": 7, "widget": {"name": "string_a"}},
                    {"name": "string_b", "type": "STRING", "link": None, "widget": {"name": "string_b"}},
                    {"name": "delimiter", "type": "STRING", "link": None, "widget": {"name": "delimiter"}},
                ],
                "outputs": [{"name": "STRING", "type": "STRING"}],
                "widgets_values": ["inner text", "in a hat", " "],
            },
            {
                "id": 2,
                "type": "CLIPTextEncode",
                "inputs": [{"name": "text", "type": "STRING", "link": 8, "widget": {"name": "text"}}],
                "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING"}],
                "widgets_values": [""],
            },
        ],
        "links": [
            {"id": 7, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0, "type": "STRING"},
            {"id": 8, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0, "type": "STRING"},
            {
                "id": 9,
                "origin_id": 2,
                "origin_slot": 0,
                "target_id": -20,
                "target_slot": 0,
                "type": "CONDITIONING",
            },
        ],
    }
    outer = {
        "id": "outer-uuid",
        "inputs": [{"name": "text", "type": "STRING"}],
        "outputs": [{"name": "cond", "type": "CONDITIONING"}],
        "nodes": [
            {
                "id": 1,
                "type": "inner-uuid",
                "inputs": [{"name": "words", "type": "STRING", "link": 1}],
                "outputs": [{}],
            }
        ],
        "links": [
            {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0, "type": "STRING"},
            {
                "id": 2,
                "origin_id": 1,
                "origin_slot": 0,
                "target_id": -20,
                "target_slot": 0,
                "type": "CONDITIONING",
            },
        ],
    }
    editor = Editor()
    source = (
        (editor.node("PrimitiveString", [], ["STRING"], ["a linked cat"]), 0) if given == "link" else None
    )
    values = ["a promoted cat"] if given == "widget" else []
    use = editor.node("outer-uuid", [("text", "STRING", source, "w")], ["CONDITIONING"], values)
    data = editor.finish((use, 0))
    data["definitions"] = {"subgraphs": [inner, outer]}
    return data


@pytest.mark.parametrize(
    ("given", "prompt"),
    [
        ("link", "a linked cat in a hat"),
        ("widget", "a promoted cat in a hat"),
        ("nothing", "inner text in a hat"),
    ],
)
def test_subgraphs_inside_subgraphs_are_unfolded(given, prompt):
    found = positive_prompt(with_subgraph(given))
    assert found is not None and found.prompt == prompt


def test_two_uses_of_a_subgraph_are_two_sets_of_nodes():
    data = with_subgraph("link")
    second = copy.deepcopy(next(entry for entry in data["nodes"] if entry["type"] == "outer-uuid"))
    second["id"] = 99
    data["nodes"].append(second)
    names = set(read_workflow(data))
    assert {"2:1:1", "2:1:2", "99:1:1", "99:1:2"} <= names


def test_subgraphs_that_hold_each_other_do_not_unfold_for_ever():
    nodes = [{"id": number, "type": "self", "inputs": [], "outputs": []} for number in range(100)]
    data = {
        "nodes": nodes,
        "links": [],
        "definitions": {"subgraphs": [{"id": "self", "nodes": nodes, "links": []}]},
    }
    assert positive_prompt(data) is None


def test_what_is_not_the_editors_format_gives_no_nodes():
    assert read_workflow({"1": {"class_type": "KSampler", "inputs": {}}}) == {}
    assert read_workflow([1, 2]) == {}
