"""What only Forge Neo does, on the real one: models that know time, videos, comments in infotexts, its file formats and its plot.

Set WEBUI_PATH and WEBUI_PYTHON.
"""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image, ImageChops
from real_webui import HERE, RealWebUI, kind_of

from imagereward_core.images.metadata.containers import read_blocks

WEBUI, PYTHON = os.environ.get("WEBUI_PATH"), os.environ.get("WEBUI_PYTHON")
pytestmark = pytest.mark.skipif(
    not (WEBUI and PYTHON and kind_of(Path(WEBUI)) == "neo"),
    reason="needs Forge Neo: set WEBUI_PATH to its folder and WEBUI_PYTHON to its interpreter",
)
KEY = "ImageRewardDemo"
HIRES = {
    "enable_hr": True,
    "hr_scale": 2,
    "denoising_strength": 0.5,
    "hr_additional_modules": ["Use same choices"],
    "batch_size": 3,
    "seed": 21,
}


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    base = tmp_path_factory.mktemp("webui")
    # Videos are written by a program that need not be here; this one keeps what it is sent.
    (base / "ffmpeg").write_text('#!/bin/sh\nfor last; do :; done\ncat > "$last"\n')
    (base / "ffmpeg").chmod(0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{base}{os.pathsep}{path}"
    try:
        made = RealWebUI(WEBUI, PYTHON, base, guests=[HERE / "hosts" / "knows_time"])
    finally:
        os.environ["PATH"] = path
    made.generate()  # loads the model
    yield made
    made.close()


@pytest.fixture
def webui(started):
    yield started
    model(started)


def model(webui, **named):
    """Tells the test's extension what the model knows; gives the numbers of dimensions of what was decoded since the last time."""
    status, answer = webui.call(f"/knows_time/model?{'&'.join(f'{name}=true' for name in named)}")
    assert status == 200, answer
    return answer["seen"]


def seed_of(text):
    return int(re.search(r"Seed: (\d+)", text).group(1))


def notes(made):
    return made.info["extra_generation_params"]["imagereward"]["notes"]


def by_seed(saved):
    return {seed_of(text): Image.open(path).convert("RGB") for path, text in saved}


def close(one, other):
    return max(high for _, high in ImageChops.difference(one, other).getextrema()) <= 2


@pytest.mark.parametrize("upscaler", ["None", "Latent"])
@pytest.mark.parametrize("knows", [{}, {"time": True}], ids=["4-D", "5-D"])
def test_first_passes_are_judged_and_put_away_as_they_would_have_been_saved(webui, knows, upscaler):
    model(webui, **knows)
    alone = by_seed(webui.generate(batch_size=3, seed=21).saved())
    made = webui.generate({"keep_best": 1, "gate_hires": True}, hr_upscaler=upscaler, **HIRES)
    rejected = by_seed(made.saved("rejects"))
    assert len(rejected) == 2 and all(close(picture, alone[seed]) for seed, picture in rejected.items())
    assert all("first-pass" in path.name for path, _ in made.saved("rejects"))
    [(survivor, text)] = made.saved()
    assert Image.open(survivor).size == (128, 128)
    assert {seed_of(text), *rejected} == {21, 22, 23}
    assert model(webui) == ([5] if knows else [4]), "the latents that the host decoded"


@pytest.mark.parametrize("upscaler", ["None", "Latent"])
@pytest.mark.parametrize("knows", [{}, {"time": True}], ids=["4-D", "5-D"])
def test_a_first_pass_that_stays_the_result_is_the_picture_of_one_pass(webui, knows, upscaler):
    model(webui, **knows)
    alone = by_seed(webui.generate(batch_size=3, seed=21).saved())
    settings = {"min_score": "99", "gate_hires": True, "show_rejects": True}
    made = webui.generate(settings, hr_upscaler=upscaler, **HIRES)
    assert not made.saved() and len(made.saved("rejects")) == 3
    shown = made.images[made.first].convert("RGB")
    assert close(shown, alone[seed_of(made.infotexts[made.first])])


@pytest.mark.parametrize("gated", [False, True])
def test_upscaled_pictures_have_a_folder_of_their_own_and_rejects_inside_it(webui, gated):
    folder = webui.base / "output" / f"upscaled {gated}"
    status, answer = webui.call(f"/knows_time/upscaled?folder={quote(str(folder))}")
    assert status == 200, answer
    before = webui.files()
    made = webui.generate({"keep_best": 1, "gate_hires": gated}, hr_upscaler="None", n_iter=2, **HIRES)
    put = defaultdict(list)
    for path in made.files:
        put[path.is_relative_to(folder), "rejects" in path.parts, "first-pass" in path.name].append(path)
    assert [Image.open(path).size for path in put.pop((True, False, False), [])] == [(128, 128)] * 2
    if gated:  # the host changes the folder in the first second pass, and leaves it so
        assert len(put.pop((False, True, True))) == len(put.pop((True, True, True))) == 2
    else:
        assert len(put.pop((True, True, False))) == 4
    assert not put and all(path in webui.files() for path in before)
    body = {"pictures": [{"path": str(path), "prompt": "a"} for path in made.files], "scorer": "demo"}
    status, answer = webui.call("/imagereward/v1/score", body)
    assert status == 200 and all(row["score"] is not None for row in answer["rows"]), answer


@pytest.mark.parametrize("knows", [{}, {"time": True}], ids=["4-D", "5-D"])
def test_a_black_first_pass_is_black(webui, knows):
    model(webui, black=True, **knows)
    made = webui.generate({"min_score": "99", "gate_hires": True}, hr_upscaler="None", **HIRES)
    extremes = [picture.getextrema() for picture in by_seed(made.saved("rejects")).values()]
    assert extremes == [((0, 0),) * 3] * 3


def test_frames_of_a_video_are_left_alone_and_it_says_so(webui):
    model(webui, video=True)
    plain = webui.generate(batch_size=9)
    made = webui.generate({"keep_best": 1}, batch_size=9)
    assert made.pixels() == plain.pixels() and len(made.images) == 9
    assert made.infotexts == plain.infotexts and not any("ImageReward" in text for text in made.infotexts)
    assert [path.suffix for path in made.all_files] == [path.suffix for path in plain.all_files]
    [video] = [path for path in made.all_files if path.suffix == ".mp4"]
    assert video.stat().st_size == 9 * 64 * 64 * 3
    assert any("this run makes a video" in note for note in notes(made))


def test_a_single_picture_of_a_video_model_is_a_picture(webui):
    model(webui, video=True)
    made = webui.generate({}, batch_size=1)
    assert len(made.saved()) == 1 and f"{KEY}: " in made.infotexts[0]


def test_comments_stay_with_the_picture_whose_prompt_they_are_in(webui):
    webui.call("/sdapi/v1/options", {"save_prompt_comments": True})
    try:
        more = {**HIRES, "prompt": "a red star # remark", "hr_upscaler": "None"}
        made = webui.generate({"keep_best": 1, "gate_hires": True}, **more)
    finally:
        webui.call("/sdapi/v1/options", {"save_prompt_comments": False})
    [(_, text)] = made.saved()
    assert text.startswith("a red star # remark\n") and f"{KEY}: " in text


@pytest.mark.parametrize("form", ["jpg", "webp", "avif", "jxl", "heif"])
def test_every_format_of_the_host_is_saved_and_put_away_with_its_score(webui, form):
    webui.call("/sdapi/v1/options", {"samples_format": form, "save_txt": form == "heif"})
    try:
        # Its API sends no pictures in the last three.
        made = webui.generate({"keep_best": 1}, send_images=form in ("jpg", "webp"))
    finally:
        webui.call("/sdapi/v1/options", {"samples_format": "png", "save_txt": False})
    mine = [path for path in made.all_files if path.suffix == f".{form}" and "grid" not in path.name]
    assert sorted("rejects" in path.parts for path in mine) == [False, True]
    for path in mine:
        if form == "heif":  # the host writes no infotext into these
            text = path.with_suffix(".txt").read_text("utf-8")
        elif form == "jxl" and find_spec("pillow_jxl") is None:
            assert f"{KEY}: ".encode("utf-16-be") in path.read_bytes()
            continue
        else:
            text = next(text for text in read_blocks(path).values() if "Steps: " in text)
        assert text.startswith("a red star on a gray background\n") and f"{KEY}: " in text


def test_a_file_of_an_earlier_job_is_replaced_or_numbered_as_the_host_is_set(webui):
    pattern = {"save_images_add_number": False, "samples_filename_pattern": "[seed]-[imagereward<2>]"}
    before = {"save_images_add_number": True, "samples_filename_pattern": ""}
    webui.call("/sdapi/v1/options", pattern)
    try:
        names = [[path.name for path in webui.generate({}, seed=90, batch_size=1).files] for _ in range(2)]
        assert re.fullmatch(r"90--?\d+\.\d\d\.png", names[0][0]) and names[1] == []
        webui.call("/sdapi/v1/options", {"save_images_replace_action": "Number Suffix"})
        numbered = [path.name for path in webui.generate({}, seed=90, batch_size=1).files]
        assert numbered == [names[0][0].replace(".png", "-1.png")]
    finally:
        webui.call("/sdapi/v1/options", {**before, "save_images_replace_action": "Override"})


def test_a_cell_of_the_plot_is_its_best_picture_and_a_table_lies_beside_the_grid(webui):
    info = [each for each in webui.call("/sdapi/v1/script-info")[1] if each["name"] == "x/y/z plot"]
    labels = [each["label"] for each in info[0]["args"]]
    values = [each["value"] for each in info[0]["args"]]
    axes = next(each["choices"] for each in info[0]["args"] if each["choices"])
    for axis, wanted in (("X type", "Seed"), ("Y type", "Nothing"), ("Z type", "Nothing")):
        values[labels.index(axis)] = axes.index(wanted)
    values[labels.index("X values")] = "30,40"
    made = webui.generate({}, batch_size=3, script_name="x/y/z plot", script_args=values)
    [table] = [path for path in made.all_files if path.suffix == ".csv"]
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["setting"], row["value"], row["pictures"]) for row in rows] == [
        ("Seed", "30", "3"),
        ("Seed", "40", "3"),
    ]
    scores = {
        seed_of(text): float(re.search(rf"{KEY}: (-?[\d.]+)", text).group(1)) for _, text in made.saved()
    }
    best = [max(scores[seed] for seed in range(start, start + 3)) for start in (30, 40)]
    assert [float(row["best"]) for row in rows] == pytest.approx(best, abs=1e-4)
