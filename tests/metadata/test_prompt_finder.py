"""What scorers are given as a picture's prompt, and what a person is told where there is none."""

from __future__ import annotations

import json

from imagereward_core.metadata.prompt_finder import PromptFinder
from tests.support.metadata.comfyui_graphs import encode, graph, node, sampler
from tests.support.metadata.picture_files import png


def test_why_a_graph_gives_no_prompt_is_told(tmp_path):
    data = graph(
        pos2=encode("a dog"),
        sampler2=sampler(("pos2", 0)),
        decode2=node("VAEDecode", samples=["sampler2", 0], vae=["ckpt", 2]),
        save2=node("SaveImage", images=["decode2", 0], filename_prefix="ComfyUI"),
    )
    path = png(tmp_path / "ComfyUI_00001_.png", prompt=json.dumps(data))
    found = PromptFinder(None)(path)
    assert found.written == "" and "2 different prompts" in found.problem
    assert found.notes and found.text is not None and found.text.settings["Model"] == "sd15.safetensors"


def test_the_folder_a_picture_lies_in_tells_which_node_wrote_it(tmp_path):
    data = graph(
        save=node("SaveImage", images=["decode", 0], filename_prefix="cats/a"),
        pos2=encode("a dog"),
        sampler2=sampler(("pos2", 0)),
        decode2=node("VAEDecode", samples=["sampler2", 0], vae=["ckpt", 2]),
        save2=node("SaveImage", images=["decode2", 0], filename_prefix="dogs/a"),
    )
    for folder, prompt in (("cats", "a cat in a hat"), ("dogs", "a dog"), ("elsewhere", "")):
        (tmp_path / folder).mkdir()
        path = png(tmp_path / folder / "a_00001_.png", prompt=json.dumps(data))
        assert PromptFinder(None)(path).written == prompt
        assert PromptFinder(None)(path, path.read_bytes()).written == prompt
