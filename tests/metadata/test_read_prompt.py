"""Which of a picture's texts counts, and text files beside pictures."""

from __future__ import annotations

import json
import sys

import pytest
from PIL import Image, PngImagePlugin

from imagereward_core.metadata.picture_prompt import read_prompt
from imagereward_core.metadata.sidecar import MAX_SIDECAR_BYTES, sidecar_prompt

INFOTEXT = "a cat\nNegative prompt: blurry\nSteps: 20, Sampler: Euler, Seed: 7"
GRAPH = {
    "1": {"class_type": "CLIPTextEncode", "inputs": {"text": "a traced cat", "clip": ["9", 1]}},
    "2": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "latent_image": ["9", 0], "steps": 3}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
}
WORKFLOW = {
    "nodes": [
        {
            "id": 1,
            "type": "CLIPTextEncode",
            "outputs": [{"type": "CONDITIONING"}],
            "widgets_values": ["a drawn cat"],
        }
    ],
    "links": [],
}


def picture(path, **texts):
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text if isinstance(text, str) else json.dumps(text))
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


@pytest.mark.parametrize(
    ("texts", "prompt", "source"),
    [
        ({"parameters": INFOTEXT}, "a cat", "a1111"),
        ({"parameters": INFOTEXT, "prompt": GRAPH, "workflow": WORKFLOW}, "a cat", "a1111"),
        ({"prompt": GRAPH, "workflow": WORKFLOW}, "a traced cat", "comfyui"),
        ({"workflow": WORKFLOW}, "a drawn cat", "comfyui"),
        ({"prompt": "{broken", "workflow": WORKFLOW}, "a drawn cat", "comfyui"),
        ({"parameters": "Steps: 20, Sampler: Euler, Seed: 7", "prompt": GRAPH}, "a traced cat", "comfyui"),
        ({"parameters": "only a caption"}, "only a caption", "a1111"),
        ({"parameters": "{red|blue} cat, {x}"}, "{red|blue} cat, {x}", "a1111"),
        (
            {
                "parameters": '{red|blue} cat\nSteps: 20, Sampler: Euler, Seed: 7, Hashes: {"model": "0123abcd"}'
            },
            "{red|blue} cat",
            "a1111",
        ),
        (
            {"parameters": {"sui_image_params": {"prompt": "a cat", "negativeprompt": "x"}}},
            "a cat",
            "swarmui",
        ),
        ({"parameters": {"prompt": "a cat", "negative_prompt": "x", "steps": 3}}, "a cat", "fooocus"),
        ({"Comment": {"prompt": "a cat", "uc": "x", "steps": 28}, "Software": "NovelAI"}, "a cat", "novelai"),
        ({"invokeai_metadata": {"positive_prompt": "a cat", "negative_prompt": "x"}}, "a cat", "invokeai"),
    ],
)
def test_the_best_source_is_taken(tmp_path, texts, prompt, source):
    found = read_prompt(picture(tmp_path / "a.png", **texts))
    assert found is not None
    assert (found.prompt, found.source) == (prompt, source)
    with Image.open(tmp_path / "a.png") as image:
        assert read_prompt(image) == found


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"prompt": "{broken"},
        {"prompt": "[]", "workflow": "null"},
        {"parameters": {"unknown": "program", "of": "tomorrow"}},
        {"Comment": "made with a camera", "ImageDescription": "holiday: beach, place: x, day: 2"},
        {"parameters": "  "},
    ],
)
def test_what_cannot_be_understood_is_no_prompt(tmp_path, texts):
    assert read_prompt(picture(tmp_path / "a.png", **texts)) is None


def test_a_picture_made_without_a_prompt_keeps_its_settings(tmp_path):
    found = read_prompt(picture(tmp_path / "a.png", parameters="Steps: 20, Sampler: Euler, Seed: 7"))
    assert found is not None and found.prompt == "" and found.settings["Seed"] == "7"


def test_falling_back_to_the_editors_file_is_told(tmp_path):
    found = read_prompt(picture(tmp_path / "a.png", prompt="{broken", workflow=WORKFLOW))
    assert found is not None and any("editor's file" in note for note in found.notes)


def test_an_answer_that_was_shown_is_read_from_the_file(tmp_path):
    words = {"class_type": "CLIPTextEncode", "inputs": {"text": ["5", 0], "clip": ["9", 1]}}
    graph = {
        **GRAPH,
        "1": words,
        "4": {"class_type": "OllamaGenerate", "inputs": {"prompt": "Write a prompt about cats"}},
        "5": {"class_type": "ShowText|pysssss", "inputs": {"text": ["4", 0], "text_0": "a dog"}},
    }
    shown = {"nodes": [{"id": 5, "type": "ShowText|pysssss", "widgets_values": [["a shown cat"]]}]}
    found = read_prompt(picture(tmp_path / "x_00001_.png", prompt=graph, workflow=shown))
    assert found is not None and found.prompt == "a shown cat" and found.notes == ()


def drawn_from(**nodes):
    return {
        "2": {
            "class_type": "KSampler",
            "inputs": {"positive": ["1", 0], "latent_image": ["9", 0], "seed": 3},
        },
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
        **nodes,
    }


FACE = {
    "5": {"class_type": "CLIPTextEncode", "inputs": {"text": "a detailed face", "clip": ["9", 1]}},
    "6": {
        "class_type": "FaceDetailer",
        "inputs": {"image": ["2", 0], "positive": ["5", 0], "steps": 3, "sampler_name": "euler"},
    },
    "3": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "x"}},
}


@pytest.mark.parametrize(
    "value", ["boolean", "models/sdxl base of many words.safetensors", "Positive words, in here"]
)
@pytest.mark.parametrize(
    "graph",
    [
        drawn_from(**{"1": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["9", 1]}}}),
        drawn_from(
            **{"1": {"class_type": "CLIPTextEncode", "inputs": {"text": " \n", "clip": ["9", 1]}}, **FACE}
        ),
        drawn_from(
            **{
                "1": {"class_type": "CLIPTextEncode", "inputs": {"text": ["4", 0], "clip": ["9", 1]}},
                "4": {"class_type": "PrimitiveStringMultiline", "inputs": {"value": ""}},
            }
        ),
        drawn_from(
            **{"1": {"class_type": "XyzEncode", "inputs": {"words of mine": "a cat", "clip": ["9", 1]}}}
        ),
    ],
)
def test_a_graph_that_ran_without_a_prompt_has_none(tmp_path, graph, value):
    workflow = {
        "nodes": [
            {
                "id": 1,
                "type": "CLIPTextEncode",
                "outputs": [{"type": "CONDITIONING"}],
                "widgets_values": [value],
            },
            {"id": 8, "type": "XyzText", "outputs": [{"type": "STRING"}], "widgets_values": [value]},
        ],
        "links": [],
    }
    found = read_prompt(picture(tmp_path / "x_00001_.png", prompt=graph, workflow=workflow))
    assert found is None or found.prompt == ""
    if "4" in graph or "6" in graph:
        assert found is not None and found.settings["Seed"] == "3"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
@pytest.mark.parametrize("name", ["picture.txt", "picture.png.txt"])
def test_a_caption_beside_the_picture_is_read_in_any_encoding(tmp_path, name, encoding):
    (tmp_path / name).write_bytes("a café, a cat\n".encode(encoding))
    found = sidecar_prompt(tmp_path / "picture.png")
    assert found is not None
    assert (found.prompt, found.source) == ("a café, a cat", "sidecar")
    assert bool(found.notes) is (encoding == "latin-1")


@pytest.mark.parametrize(
    ("data", "system", "text", "note"),
    [
        (
            b"a \x93caf\xe9\x94 \x96 5 \x80",
            "utf-8",
            "a \u201ccaf\u00e9\u201d \u2013 5 \u20ac",
            "read as cp1252",
        ),
        ("\u732b\u3068\u72ac".encode("cp932"), "cp932", "\u732b\u3068\u72ac", "read as cp932"),
        ("\u043a\u043e\u0442".encode("cp1251"), "cp1251", "\u043a\u043e\u0442", "read as cp1251"),
        (b"a caf\xe9 \x81", "no such one", "a caf\u00e9 \x81", "read as latin-1"),
        ("caf\u00e9, \u732b, ".encode() + b"\xe7\x8c", "utf-8", "caf\u00e9, \u732b, \ufffd", "damaged"),
    ],
)
def test_other_encodings_are_the_systems_or_that_of_windows_and_told(
    tmp_path, monkeypatch, data, system, text, note
):
    monkeypatch.setattr("imagereward_core.metadata.containers.text_encoding.system_encoding", lambda: system)
    (tmp_path / "a.txt").write_bytes(data)
    found = sidecar_prompt(tmp_path / "a.png")
    assert found is not None and found.prompt == text
    assert len(found.notes) == 1 and note in found.notes[0]


@pytest.mark.parametrize("name", ["a.swarm.json", "a.Swarm.JSON", "a.json", "a.txt"])
def test_the_file_beside_a_picture_of_swarmui_is_read(tmp_path, name):
    (tmp_path / "a.png").touch()
    params = {"prompt": "a cat", "negativeprompt": "blurry", "seed": 7, "model": "sdxl"}
    (tmp_path / name).write_text(json.dumps({"sui_image_params": params, "sui_extra_data": {"date": "x"}}))
    found = sidecar_prompt(tmp_path / "a.png")
    assert found is not None and (found.prompt, found.negative, found.source) == (
        "a cat",
        "blurry",
        "swarmui",
    )
    assert found.settings["Seed"] == "7"


def test_json_of_a_program_nobody_knows_is_no_prompt(tmp_path):
    (tmp_path / "a.txt").write_text('{"title": "x", "tags": ["y"]}')
    assert sidecar_prompt(tmp_path / "a.png") is None
    (tmp_path / "a.txt").write_text("{red|blue} car")
    assert sidecar_prompt(tmp_path / "a.png").prompt == "{red|blue} car"


@pytest.mark.parametrize(
    ("more", "prompt", "negative"),
    [
        ({}, "a cat", "blurry"),
        ({"positive_style_prompt": "", "negative_style_prompt": None}, "a cat", "blurry"),
        ({"positive_style_prompt": "oil painting"}, "a cat, oil painting", "blurry"),
        ({"positive_style_prompt": "a cat", "negative_style_prompt": "blurry"}, "a cat", "blurry"),
        ({"positive_style_prompt": "A  cat, oil painting"}, "A  cat, oil painting", "blurry"),
        ({"positive_style_prompt": "oil painting", "positive_prompt": ""}, "oil painting", "blurry"),
        ({"positive_style_prompt": "cat", "negative_style_prompt": "grey"}, "a cat", "blurry, grey"),
        ({"positive_style_prompt": "catalogue"}, "a cat, catalogue", "blurry"),
    ],
)
@pytest.mark.parametrize("block", ["invokeai_metadata", "invokeai_graph"])
def test_the_style_prompt_of_invokeai_is_part_of_the_prompt(tmp_path, block, more, prompt, negative):
    told = {"positive_prompt": "a cat", "negative_prompt": "blurry", "seed": 7, **more}
    if block == "invokeai_graph":
        nodes = {
            "positive_conditioning": {
                "prompt": told["positive_prompt"],
                "style": told.get("positive_style_prompt"),
            },
            "negative_conditioning": {
                "prompt": told["negative_prompt"],
                "style": told.get("negative_style_prompt"),
            },
        }
        told = {"nodes": {name: {"type": "sdxl_compel_prompt", **node} for name, node in nodes.items()}}
    found = read_prompt(picture(tmp_path / "a.png", **{block: told}))
    assert found is not None and (found.prompt, found.negative) == (prompt, negative)


def test_invokeai_before_version_three_was_out_is_read(tmp_path):
    told = {"type": "t2l", "positive_conditioning": "a cat", "negative_conditioning": "blurry", "seed": 7}
    found = read_prompt(picture(tmp_path / "a.png", invokeai=told))
    assert found is not None and (found.prompt, found.negative) == ("a cat", "blurry")


def test_the_file_named_after_the_whole_picture_comes_first(tmp_path):
    (tmp_path / "picture.txt").write_text("of either")
    (tmp_path / "picture.png.txt").write_text("of the png")
    assert sidecar_prompt(tmp_path / "picture.png").prompt == "of the png"
    assert sidecar_prompt(str(tmp_path / "picture.jpg")).prompt == "of either"


def test_an_infotext_beside_the_picture_is_taken_apart(tmp_path):
    (tmp_path / "picture.txt").write_text(INFOTEXT)
    found = sidecar_prompt(tmp_path / "picture.png")
    assert (found.prompt, found.negative, found.source, found.settings["Seed"]) == (
        "a cat",
        "blurry",
        "sidecar",
        "7",
    )


def test_no_text_beside_the_picture_is_no_prompt(tmp_path):
    assert sidecar_prompt(tmp_path / "picture.png") is None
    (tmp_path / "picture.txt").write_text("  \n")
    (tmp_path / "picture.png.txt").mkdir()
    assert sidecar_prompt(tmp_path / "picture.png") is None
    (tmp_path / "picture.txt").write_bytes(b"x" * (MAX_SIDECAR_BYTES + 1))
    assert sidecar_prompt(tmp_path / "picture.png") is None
    (tmp_path / "alone.txt").write_text("a text is not beside itself")
    assert sidecar_prompt(tmp_path / "alone.txt") is None
    for odd in ("", ".", "..", "a\0b"):
        assert sidecar_prompt(odd) is None


def test_reading_prompts_loads_no_torch():
    import subprocess

    code = "import sys, imagereward_core.metadata; sys.exit('torch' in sys.modules)"
    root = str(
        next(
            parent
            for parent in __import__("pathlib").Path(__file__).parents
            if (parent / "imagereward_core").is_dir()
        )
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
