"""Halves of characters, as damaged JSON and undecodable file names hold them, break no node and leave none."""

from __future__ import annotations

import os
import sys

import pytest
from PIL import Image

from tests.support.comfyui.graphs import Graph, shown

HALF = "a red \ud800 star"
undecodable = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs file names of any bytes")


def sound(value):
    """The texts of an answer, after a look that all of them can be written."""
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str):
            text.encode("utf-8")
    return value


@pytest.mark.parametrize("form", ["png", "webp"])
def test_a_prompt_with_a_half_is_scored_shown_and_saved(host, form):
    graph = Graph()
    scores = graph.score([graph.pictures("single"), 0], prompt=HALF)
    words = graph.score([graph.pictures("single"), 0], prompt="a red ? star")
    values = [graph.show(each, 2) for each in (scores, words)]
    text = graph.add("ScoreToText", scores=[scores, 0], which="best", number=1, decimals=2)
    told = [graph.show(text, slot) for slot in (1, 2, 3, 4)] + [graph.show(scores, 3)]
    cleaned = graph.show(graph.add("PromptForScoring", prompt=HALF), 0)
    graph.plot(scores)
    graph.sheet(scores, [scores, 1])
    saved = graph.save(scores, [scores, 1], format=form)
    ran = host.run(graph)
    assert ran.status == "success", ran.error
    assert shown(ran, values[0]) == shown(ran, values[1])
    assert all(sound(shown(ran, node)) for node in told)
    assert shown(ran, cleaned) == ["a red ? star"] and len(ran.outputs[saved]["images"]) == 1


@undecodable
def test_a_file_with_an_undecodable_name_is_loaded_and_told(host):
    folder = host.base / "input" / os.fsdecode(b"half \xff")
    folder.mkdir()
    for name, prompt in ((b"a\xff", "a red star"), (b"b\xff", "")):
        Image.new("RGB", (64, 64), (200, 0, 0)).save(folder / f"{os.fsdecode(name)}.png")
        (folder / f"{os.fsdecode(name)}.txt").write_text(prompt)
    graph = Graph()
    load = graph.add("LoadFolder", folder=folder.name, subfolders=False, start=0, most=100)
    scores = graph.score([load, 0], prompt=[load, 1])
    text = graph.add("ScoreToText", scores=[scores, 0], which="best", number=1, decimals=2)
    names, table, json = graph.show(load, 2), graph.show(text, 3), graph.show(text, 4)
    ran = host.run(graph)
    assert ran.status == "success", ran.error
    assert shown(ran, names) == ["a?", "b?"]
    assert "no prompt" in sound(shown(ran, table))[0] and "no prompt" in sound(shown(ran, json))[0]


@pytest.mark.parametrize("asked", [{"filename_prefix": "a\ud800b"}, {"filename_prefix": "a\ud800/b"}])
def test_a_name_with_a_half_is_refused_in_words(host, asked):
    graph = Graph()
    scores = graph.score([graph.pictures("single"), 0])
    graph.save(scores, [scores, 1], **asked)
    ran = host.run(graph)
    assert ran.status == "error" and "no usable path" in sound(ran.error)
