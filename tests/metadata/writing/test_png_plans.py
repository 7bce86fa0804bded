"""Scores in PNG files: our own chunks, the infotext's last line, and nothing else."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from imagereward_core.errors import ImageError
from imagereward_core.metadata.picture_prompt import read_prompt
from imagereward_core.metadata.score_keys import score_fields
from imagereward_core.metadata.writing.plan import plan_edit
from imagereward_core.metadata.writing.splice import apply, reversed_splices
from tests.support.metadata.picture_files import (
    FIELDS,
    INFOTEXT,
    OTHER_FIELDS,
    edited,
    png,
    png_chunk,
    png_chunks,
    webui_settings,
)

WORKFLOW = json.dumps({"nodes": [], "note": "x" * 300})
BLOCK = json.dumps({"version": 1, "scores": [{"scorer": "ImageReward-v1.0", "score": -0.5312}], "rank": 2})


def test_scores_go_into_chunks_of_their_own_and_no_other_byte_changes(tmp_path):
    path = png(
        tmp_path / "a.png",
        [png_chunk(b"tEXt", b"late\0text"), png_chunk(b"prVt", b"\1\2")],
        workflow=WORKFLOW,
    )
    before, _ = png_chunks(path.read_bytes())
    after, _ = png_chunks(edited(path, block=BLOCK))
    ours = [chunk for chunk in after if chunk not in before]
    assert [chunk for chunk in after if chunk in before] == before
    assert [data for _, data in ours[:2]] == [b"aesthetic_score\x006.1000", b"ImageReward\x00-0.5312"]
    assert json.loads(ours[2][1].partition(b"\0")[2])["rank"] == 2 and len(ours) == 3
    kinds = [kind for kind, _ in after]
    assert kinds.index(b"IDAT") > after.index(ours[2])
    with Image.open(path) as picture:
        assert picture.info["ImageReward"] == "-0.5312" and picture.info["workflow"] == WORKFLOW
        picture.load()


def test_scores_join_the_settings_of_an_infotext_as_the_webui_would_write_them(tmp_path):
    path = png(tmp_path / "a.png", parameters=INFOTEXT)
    before = read_prompt(path)
    edited(path)
    with Image.open(path) as picture:
        text = picture.info["parameters"]
    assert text == INFOTEXT.replace(", Version", ", aesthetic_score: 6.1000, ImageReward: -0.5312, Version")
    assert webui_settings(text) == {**webui_settings(INFOTEXT), **FIELDS}
    after = read_prompt(path)
    assert (after.prompt, after.negative) == (before.prompt, before.negative)
    assert after.settings == {**before.settings, **FIELDS}


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "iTXt packed"])
def test_an_infotext_stays_in_the_kind_of_chunk_it_was_in(tmp_path, kind):
    text = INFOTEXT.encode() if kind.startswith("iTXt") else b"caf\xe9\nSteps: 2, Seed: 7, Sampler: Euler"
    data = {
        "tEXt": b"parameters\0" + text,
        "zTXt": b"parameters\0\0" + zlib.compress(text),
        "iTXt": b"parameters\0\0\0de\0Daten\0" + text,
        "iTXt packed": b"parameters\0\1\0\0\0" + zlib.compress(text),
    }[kind]
    path = png(tmp_path / "a.png", [png_chunk(kind[:4].encode(), data)])
    before = read_prompt(path)
    after, _ = png_chunks(edited(path))
    (changed,) = [body for name, body in after if body.startswith(b"parameters")]
    assert kind[:4].encode() in [name for name, body in after if body == changed]
    if kind == "iTXt":
        assert changed.startswith(b"parameters\0\0\0de\0Daten\0")
    found = read_prompt(path)
    assert found.prompt == before.prompt and found.settings == {**before.settings, **FIELDS}


@pytest.mark.parametrize(
    "text",
    [
        "only a caption, with: a colon",
        json.dumps({"prompt": "Steps: 1, Sampler: x, Seed: 2", "steps": 3}),
        json.dumps({"sui_image_params": {"prompt": "a cat"}}, indent=2),
        "title: x, style: y, mood: z",
        "",
    ],
)
def test_parameters_that_are_no_infotext_are_left_alone(tmp_path, text):
    path = png(tmp_path / "a.png", parameters=text)
    before, _ = png_chunks(path.read_bytes())
    after, _ = png_chunks(edited(path))
    assert [chunk for chunk in after if chunk in before] == before


def test_writing_twice_gives_the_same_bytes_as_once_and_new_scores_replace_old_ones(tmp_path):
    for name, texts in {
        "a.png": {"parameters": INFOTEXT},
        "b.png": {},
        "c.png": {"workflow": WORKFLOW},
    }.items():
        path = png(tmp_path / name, **texts)
        original = path.read_bytes()
        edited(path, block=BLOCK)
        assert plan_edit(path, FIELDS, BLOCK) == ()
        again = edited(path, OTHER_FIELDS)
        path.write_bytes(original)
        assert again == edited(path, OTHER_FIELDS)
        assert b"ImageReward\0" not in again


def test_undoing_the_plan_gives_the_file_before(tmp_path):
    one_line = "a cat.Negative prompt: x.Steps: 20, Sampler: Euler, Seed: 7, Version: v1.10.1"
    for name, texts in {
        "a.png": {"parameters": INFOTEXT},
        "b.png": {"workflow": WORKFLOW},
        "c.png": {"parameters": one_line},
    }.items():
        path = png(tmp_path / name, **texts)
        original = path.read_bytes()
        before = read_prompt(path)
        plan = plan_edit(path, OTHER_FIELDS)
        result = apply(original, plan)
        assert apply(result, reversed_splices(plan)) == original
        path.write_bytes(result)
        after = read_prompt(path)
        if before is not None:
            assert (after.prompt, after.negative) == (before.prompt, before.negative)


def test_galleries_read_the_aesthetic_score_first(tmp_path):
    """A well-known gallery takes the first number behind a key that ends in "score", whatever stands before that word."""
    import re

    text = "a cat\nSteps: 3, Seed: 1, PickScore: 21.43, Model: x"
    path = png(tmp_path / "a.png", parameters=text)
    edited(path, score_fields({"Aesthetic": 6.1, "PickScore": 20.5, "HPSv2.1": 0.28, "CLIP": -0.01}))
    with Image.open(path) as picture:
        line = picture.info["parameters"]
    assert re.search(r"(?i)(?:aesthetic_)?score: ?(\d+\.\d+)", line).group(1) == "6.1000"
    assert webui_settings(line)["CLIPSim"] == "-0.0100" and webui_settings(line)["HPSv21"] == "0.2800"


def test_a_file_saved_by_the_nodes_is_brought_up_to_date(tmp_path):
    path = png(tmp_path / "a.png", prompt="{}", ImageReward="0.1000", PickAPic="20.0000", imagereward=BLOCK)
    edited(path, {"ImageReward": "0.7000"})
    with Image.open(path) as picture:
        assert picture.info["ImageReward"] == "0.7000" and picture.info["prompt"] == "{}"
        # Written under a key that the old block did not call ours.
        assert picture.info["PickAPic"] == "20.0000"
        assert json.loads(picture.info["imagereward"]) == {"version": 1, "fields": ["ImageReward"]}


def test_bytes_behind_the_end_and_odd_chunks_stay(tmp_path):
    path = png(tmp_path / "a.png", [png_chunk(b"tEXt", b"no separator"), png_chunk(b"iTXt", b"short")])
    path.write_bytes(path.read_bytes() + b"appended archive")
    before, rest = png_chunks(path.read_bytes())
    after, rest_after = png_chunks(edited(path))
    assert rest == rest_after == b"appended archive"
    assert [chunk for chunk in after if chunk in before] == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[:-20], "no whole chunk"),
        (lambda data: data[:33], "no whole chunk"),
        (lambda data: data[:33] + data[data.index(b"IEND") - 4 :], "no pixels"),
        (lambda data: data[:8] + png_chunk(b"tEXt", b"a\0b") + data[8:], "expected IHDR"),
        (lambda data: data[:33] + b"\xff\xff\xff\xff" + data[37:], "no whole chunk"),
        (lambda data: data[:33] + png_chunk(b"tEXt", b"a\0b")[:-1] + b"?" + data[33:], "checksum"),
        (lambda data: data[:33] + png_chunk(b"caBX", b"jumb") + data[33:], "content credentials"),
    ],
)
def test_a_damaged_or_signed_file_is_refused_with_its_name(tmp_path, change, words):
    path = png(tmp_path / "a.png")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ImageError, match=words) as caught:
        plan_edit(path, FIELDS)
    assert "a.png" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "block"),
    [
        ({"a key": "1.0"}, ""),
        ({"Key": "1,0"}, ""),
        ({"Key": "a: b"}, ""),
        ({"Key": ""}, ""),
        ({}, "[]"),
        ({"1a": "2.0"}, ""),
    ],
)
def test_what_would_break_an_infotext_is_refused(tmp_path, fields, block):
    with pytest.raises(ValueError):
        plan_edit(png(tmp_path / "a.png"), fields, block)


@settings(deadline=None, max_examples=150)
@example(prompt="{red|blue} cat", values=['Hashes: {"a": "b, c"}'])
@given(
    prompt=st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r"), max_size=60),
    values=st.lists(
        st.sampled_from(["Model: x", 'Hashes: {"a": "b, c"}', 'TI: "x, y: z"', "VAE: ", "Version: v1", ""]),
        max_size=4,
    ),
)
def test_any_infotext_reads_the_same_but_for_the_scores(tmp_path_factory, prompt, values):
    line = ", ".join(["Steps: 20", "Sampler: Euler", "Seed: 7", *values])
    path = png(tmp_path_factory.mktemp("any") / "a.png", parameters=f"{prompt}\n{line}")
    before = read_prompt(path)
    edited(path)
    after = read_prompt(path)
    assert (after.prompt, after.negative) == (before.prompt, before.negative)
    assert after.settings == {**before.settings, **FIELDS}
    assert plan_edit(path, FIELDS) == ()


def test_what_a_file_calls_ours_goes_only_where_it_can_be(tmp_path):
    """A block comes with the file, perhaps from a stranger, and names what other programs keep."""
    said = {"fields": ["workflow", "parameters", "Title", "blend_old"], "scores": [{"scorer": "parameters"}]}
    texts = {
        "parameters": INFOTEXT,
        "workflow": WORKFLOW,
        "Title": "mine",
        "blend_old": "1.0",
        "imagereward": json.dumps(said),
    }
    path = png(tmp_path / "a.png", **texts)
    edited(path)
    with Image.open(path) as picture:
        left = picture.info
    assert left["workflow"] == WORKFLOW and left["Title"] == "mine" and "blend_old" not in left
    assert webui_settings(left["parameters"]) == {**webui_settings(INFOTEXT), **FIELDS}
