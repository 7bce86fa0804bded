"""Other scripts of a real WebUI with ours switched on: what they make is what they make without it.

Set WEBUI_PATH and WEBUI_PYTHON; WEBUI_SCRIPTS may name a folder of further scripts of the drop-down list, such as another host's.
"""

from __future__ import annotations

import base64
import os
import re

import pytest
from PIL import Image

from tests.support.webui.drawn import png, scenes
from tests.support.webui.real_webui import RealWebUI

WEBUI, PYTHON = os.environ.get("WEBUI_PATH"), os.environ.get("WEBUI_PYTHON")
pytestmark = pytest.mark.skipif(
    not (WEBUI and PYTHON),
    reason="needs a real WebUI: set WEBUI_PATH to its folder and WEBUI_PYTHON to its interpreter",
)
KEY = "ImageRewardDemo"
SETTINGS = [
    {},
    {"keep_best": 1, "rejects": "do not save", "until": 9, "until_pictures": 30, "sort_gallery": True},
]
SCRIPTS = {
    "prompt matrix": ("txt2img", {}, {"prompt": "a star|red|big", "batch_size": 2}),
    "prompts from file or textbox": (
        "txt2img",
        {"list of prompt inputs": "a red star\na blue star --seed 40\na circle"},
        {"batch_size": 2},
    ),
    "sd upscale": ("img2img", {"upscaler": "None", "scale factor": 2, "tile overlap": 0}, {"batch_size": 2}),
    "loopback": ("img2img", {"loops": 3}, {"n_iter": 2}),
    "outpainting mk2": ("img2img", {"pixels to expand": 64}, {"steps": 2}),
    "poor man's outpainting": ("img2img", {"pixels to expand": 32}, {"batch_size": 2}),
    "img2img alternative test": (
        "img2img",
        {"decode steps": 2, "original prompt": "a star", "original negative prompt": ""},
        {},
    ),
}


@pytest.fixture(scope="module")
def webui(tmp_path_factory):
    guests = []
    if os.environ.get("WEBUI_SCRIPTS"):
        guests = [tmp_path_factory.mktemp("guests") / "guests"]
        guests[0].mkdir()
        (guests[0] / "scripts").symlink_to(os.environ["WEBUI_SCRIPTS"], target_is_directory=True)
    made = RealWebUI(WEBUI, PYTHON, tmp_path_factory.mktemp("webui"), guests=guests)
    yield made
    made.close()


def arguments(webui, name, kind, wanted):
    """The script's arguments with their defaults, and what is wanted by label; None where this host has no such script."""
    for info in webui.call("/sdapi/v1/script-info")[1]:
        if info["name"] == name and info["is_img2img"] == (kind == "img2img"):
            values = {(each["label"] or "").lower(): each["value"] for each in info["args"]}
            listed = [wanted.get((each["label"] or "").lower(), each["value"]) for each in info["args"]]
            assert set(wanted) <= set(values), f"{name} has {list(values)}"
            return listed
    return None


def run(webui, settings, name, kind, given, more):
    _, picture = scenes(1, 3)[0]
    if kind == "img2img":
        more = {"init_images": [base64.b64encode(png(picture.resize((64, 64)))).decode()], **more}
        more.setdefault("denoising_strength", 0.6)
    webui.probe("readings")
    made = webui.generate(settings, kind, script_name=name, script_args=given, **more)
    return made, webui.probe("readings")


@pytest.mark.parametrize("settings", SETTINGS, ids=["default", "everything"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_that_drives_the_run_makes_what_it_makes_without_us(webui, name, settings):
    kind, wanted, more = SCRIPTS[name]
    given = arguments(webui, name, kind, wanted)
    if given is None:
        pytest.skip("this host has no such script")
    try:
        run(
            webui, None, name, kind, given, more
        )  # Forge Neo's first Loopback gives other pixels than all later ones
    except AssertionError as error:
        pytest.skip(f"this host cannot run it: {error}")
    plain, plain_read = run(webui, None, name, kind, given, more)
    made, read = run(webui, settings, name, kind, given, more)
    assert [image.size for image in made.images] == [image.size for image in plain.images] and plain.images
    assert made.pixels() == plain.pixels() and pixels(made.all_files) == pixels(plain.all_files)
    assert made.info["all_seeds"] == plain.info["all_seeds"] and made.info["seed"] == plain.info["seed"]
    assert len(made.infotexts) == len(plain.infotexts) and made.first == plain.first
    assert len(made.all_files) == len(plain.all_files)
    assert [each["seed"] for each in read["read"]] == [each["seed"] for each in plain_read["read"]]
    if name == "prompt matrix":
        assert KEY not in made.infotexts[0], "the grid's"
    assert "rejects" not in {part for path in made.all_files for part in path.parts}
    scored = [text for text in map(_text, read["saved"]) if f"{KEY}: " in text]
    if name in ("prompt matrix", "prompts from file or textbox", "loopback"):
        assert len(scored) == len(
            [path for path in read["saved"] if "grid" not in path and "matrix" not in path]
        )
    elif name != "img2img alternative test":
        assert not scored, "a picture made of several has the score of none"


def pixels(files):
    return [Image.open(path).convert("RGB").tobytes() for path in files if path.suffix == ".png"]


def _text(path):
    return Image.open(path).info.get("parameters", "")


def seed_of(text):
    return int(re.search(r"\bSeed: (\d+)", text).group(1))


@pytest.mark.parametrize("settings", [{}, {"keep_best": 1}], ids=["default", "best"])
def test_files_infotexts_and_seeds_are_in_the_hosts_order_for_who_reads_by_place(webui, settings):
    webui.probe("readings")
    made = webui.generate(settings, n_iter=2, batch_size=3, send_images=False)
    found = webui.probe("readings")
    seeds = list(range(7, 13))
    assert [each["seed"] for each in found["read"]] == seeds
    assert [seed_of(_text(each["file"])) for each in found["read"]] == seeds
    assert [seed_of(each["infotext"]) for each in found["read"]] == seeds
    saved = [path for path in found["saved"] if "grid" not in path]
    told = made.infotexts[made.first :]
    # As agent-scheduler keeps them: the files as they were saved, and what the API tells of them.
    assert [seed_of(_text(path)) for path in saved] == [seed_of(text) for text in told] == seeds
    assert [_score(_text(path)) for path in saved] == [_score(text) for text in told]
    assert made.info["all_seeds"] == seeds


def _score(text):
    return re.search(rf"\b{KEY}: (-?[\d.]+)", text).group(1)


def test_a_program_gets_an_order_where_it_asks_for_one(webui):
    plain = webui.generate({}, batch_size=4)
    numbers = [float(_score(text)) for text in plain.infotexts[plain.first :]]
    by_name = webui.generate({"sort_gallery": True}, batch_size=4)
    body = {"alwayson_scripts": {"imagereward curator": {"args": [True, "demo", "", "standard", True]}}}
    by_place = webui.generate(None, batch_size=4, **body)
    for made in (by_name, by_place):
        assert [float(_score(text)) for text in made.infotexts[made.first :]] == sorted(numbers, reverse=True)
    assert plain.info["all_seeds"] == [7, 8, 9, 10]


def test_arguments_given_as_an_object_are_told(webui):
    body = {
        "prompt": "a",
        "steps": 1,
        "alwayson_scripts": {"ImageReward Curator": {"args": {"enabled": True}}},
    }
    status, answer = webui.call("/sdapi/v1/txt2img", body)
    assert status == 422 and "expected a list" in str(answer), answer
