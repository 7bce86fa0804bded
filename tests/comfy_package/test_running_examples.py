"""The examples that need no checkpoint do what their notes say, in this process and in the real host."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from tests.support.comfyui.graphs import draw_scenes
from tests.support.comfyui.workflows import EXAMPLES, read, to_prompt

BY_NAME = {path.stem: path for path in EXAMPLES}
RIGHT = ("picture 2 ", "picture 5 ")
"""The drawn pictures that show what was asked for, unspoilt."""


@pytest.fixture(params=["here", "published in the real host"])
def runner(request):
    return request.getfixturevalue("bench" if request.param == "here" else "comfyui")


def shown_text(ran):
    """What the nodes that show text show."""
    assert ran.status == "success", ran.error
    return "\n".join(text for shown in ran.outputs.values() for text in shown.get("text", []))


def pictures_shown(ran, prompt, kind):
    return [
        each
        for number, node in prompt.items()
        if node["class_type"].endswith(kind)
        for each in ran.outputs[number]["images"]
    ]


def test_score_a_batch_shows_the_pictures_in_rank_order(runner, known_nodes):
    prompt = to_prompt(read(BY_NAME["1_score_a_batch"]), known_nodes)
    ran = runner.run(prompt)
    ranked = [line + " " for line in shown_text(ran).splitlines() if "percentile" in line]
    assert len(ranked) == 6
    assert {right for line in ranked[:2] for right in RIGHT if right in line} == set(RIGHT)
    assert (
        len(pictures_shown(ran, prompt, "ContactSheet")) == len(pictures_shown(ran, prompt, "ScorePlot")) == 1
    )


def test_keep_above_a_percentile_saves_the_rejects_apart(runner, known_nodes):
    before = set(runner.files())
    prompt = to_prompt(read(BY_NAME["2_keep_above_a_percentile"]), known_nodes)
    ran = runner.run(prompt)
    assert "kept 2 of 6" in shown_text(ran)
    saved = sorted(name for name in set(runner.files()) - before if name.endswith(".png"))
    kept = [name for name in saved if name.startswith("ImageReward/percentile/kept/")]
    rejected = [name for name in saved if name.startswith("ImageReward/percentile/rejected/")]
    assert (len(kept), len(rejected)) == (2, 4) and len(saved) == 6
    with Image.open(runner.base / "output" / kept[0]) as best:
        block = json.loads(best.info["imagereward"])
        assert block["rank"] == 1 and block["kept"] and float(best.info["ImageRewardDemo"])


def test_folder_in_kept_out_keeps_a_quarter_of_each_prompt(runner, known_nodes):
    """As in the example, except that the built-in scorer stands in for one whose weights would have to be fetched."""
    draw_scenes(runner.base / "input" / "example scenes")
    before = set(runner.files())
    prompt = to_prompt(read(BY_NAME["5_folder_in_kept_out"]), known_nodes)
    for node in prompt.values():
        if node["class_type"].endswith("LoadFolder"):
            node["inputs"]["folder"] = "example scenes"
        if node["class_type"].endswith("LoadScorer"):
            node["inputs"]["scorer"] = "demo"
    ran = runner.run(prompt)
    assert ran.status == "success", ran.error
    saved = sorted(set(runner.files()) - before)
    assert len(saved) == 2 and all(name.startswith("ImageReward/folder/kept/") for name in saved)
    assert len(runner.files("input")) >= 8  # the originals stay


def test_curate_a_folder_previews_carries_out_and_takes_back(runner, known_nodes):
    """As in the example, with the built-in scorer and a folder of drawn scenes."""
    scenes = runner.base / "output" / "curated scenes"
    draw_scenes(scenes)
    before = sorted(scenes.rglob("*"))
    prompt = to_prompt(read(BY_NAME["6_curate_a_folder"]), known_nodes)
    curate = next(node["inputs"] for node in prompt.values() if node["class_type"].endswith("CurateFolder"))
    curate["folder"] = "curated scenes"
    for node in prompt.values():
        if node["class_type"].endswith("LoadScorer"):
            node["inputs"]["scorer"] = "demo"
    assert "To copy: 2 to" in shown_text(runner.run(prompt)) and sorted(scenes.rglob("*")) == before
    curate["mode"] = "carry out"
    assert "Run " in shown_text(runner.run(prompt))
    assert len(list((scenes / "kept").glob("*.png"))) == 2
    assert len(list((scenes / "rejected").glob("*.png"))) == 6
    curate["mode"] = "take back the last run"
    assert "taken back" in shown_text(runner.run(prompt)) and sorted(scenes.rglob("*")) == before
