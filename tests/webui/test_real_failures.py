"""Failures of the core, of our routes and of our pages in a real WebUI: every picture is saved and returned, and it says so.

Those of the hooks are in test_real_hosts.py. Set WEBUI_PATH and WEBUI_PYTHON.
"""

from __future__ import annotations

import base64
import os
import time

import pytest
from drawn import png, scenes
from PIL import Image
from real_webui import RealWebUI

WEBUI, PYTHON = os.environ.get("WEBUI_PATH"), os.environ.get("WEBUI_PYTHON")
pytestmark = pytest.mark.skipif(
    not (WEBUI and PYTHON),
    reason="needs a real WebUI: set WEBUI_PATH to its folder and WEBUI_PYTHON to its interpreter",
)
CORE = [
    ("imagereward_core.scorers.loading", "make_panel"),
    ("imagereward_core.scorers.loading", "LoadRequest.__post_init__"),
    ("imagereward_core.scorers.loading", "has_changed"),
    ("imagereward_core.scorers.panel", "Panel.score"),
    ("imagereward_core.scorers.panel", "Panel.judge"),
    ("imagereward_core.scorers.managed", "ManagedRuntime.resident"),
    ("imagereward_core.scores", "Scores.join"),
    ("imagereward_core.scores", "Scores.ranks"),
    ("script.selecting", "select"),
    ("script.selecting", "Rule"),
    ("script.scoring", "clean_prompt"),
    ("script.scoring", "score_fields"),
    ("script.infotext", "put_into_settings"),
]
"""Functions of the core, some of them where the script uses them."""
SEARCH = [("script.until", "go_on"), ("script.until", "_next")]
GATE = [("script.gate", name) for name in ("wanted", "choose", "_first_passes", "_put_away", "_save")]
PAGES = [
    ("script.ui", "build"),
    ("script.page", "in_order"),
    ("script.page", "_places"),
    ("script.requests", "_note"),
    ("script.xyz", "controls"),
    ("extras", "controls"),
    ("api.routes", "make_router"),
    ("tab.page", "build"),
    ("settings_page", "_devices"),
]
PLAIN = {"min_score": "-99"}


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    made = RealWebUI(WEBUI, PYTHON, tmp_path_factory.mktemp("webui"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def plain(started):
    """What the host makes with the script off."""
    return started.generate(n_iter=2)


@pytest.fixture
def webui(started):
    yield started
    started.probe("mends")


def broken(webui, module, name):
    webui.call("/imagereward/v1/unload", {})
    webui.probe("breaks", module=module, name=name)
    return len(webui.text())


def files(saved):
    return [Image.open(path).tobytes() for path, _ in saved]


def told(made):
    """Everything that the answer says to a program."""
    return str(made.info["extra_generation_params"].get("imagereward"))


@pytest.mark.parametrize("module, name", CORE, ids=[name for _, name in CORE])
def test_whatever_fails_in_the_core_every_picture_is_saved_and_shown_with_a_note(webui, plain, module, name):
    before = broken(webui, module, name)
    made = webui.generate(PLAIN, n_iter=2)
    assert made.pixels() == plain.pixels() and files(made.saved()) == files(plain.saved())
    assert made.info["all_seeds"] == plain.info["all_seeds"] and not made.saved("rejects")
    assert "injected" in told(made) and "injected" in webui.text()[before:]
    assert not webui.probe("state")["wrapped"]


@pytest.mark.parametrize("module, name", SEARCH, ids=[name for _, name in SEARCH])
def test_a_failure_in_a_search_leaves_every_picture_that_was_made(webui, plain, module, name):
    before = broken(webui, module, name)
    settings = {"min_score": "99", "until": 1, "until_pictures": 8}
    made = webui.generate(settings, n_iter=2)
    assert len(made.files) >= 4 and files(made.saved("rejects"))[:4] == files(plain.saved())
    assert len(made.images) - made.first >= 4
    assert "injected" in told(made) and "injected" in webui.text()[before:]


@pytest.mark.parametrize("module, name", GATE, ids=[name for _, name in GATE])
def test_a_failure_between_the_passes_upscales_and_saves_every_picture(webui, module, name):
    hires = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "None", "denoising_strength": 0.5}
    if webui.kind in ("forge", "neo"):
        hires["hr_additional_modules"] = ["Use same choices"]
    before = broken(webui, module, name)
    made = webui.generate({"keep_best": 1, "gate_hires": True}, batch_size=3, **hires)
    assert len(made.files) == 3 and {Image.open(path).size for path in made.files} == {(128, 128)}
    assert len(made.images) - made.first == 3
    assert "injected" in told(made) and "injected" in webui.text()[before:]


def test_a_route_that_fails_says_so_and_pictures_are_made_as_before(webui, plain):
    broken(webui, "api.scoring", "_answer")
    picture = base64.b64encode(png(scenes(1, 1)[0][1])).decode()
    asked = {"scorer": "demo", "pictures": [{"image": picture, "prompt": "a star"}]}
    for route in ("score", "rank"):
        status, answer = webui.call(f"/imagereward/v1/{route}", asked)
        assert status == 500 and "injected" in answer["detail"]
    assert webui.generate(PLAIN, n_iter=2).pixels() == plain.pixels()


def test_an_entry_of_extras_that_fails_leaves_the_picture(webui):
    encoded = base64.b64encode(png(scenes(1, 1)[0][1])).decode()
    asked = {"image": encoded, "upscaling_resize": 1}
    fine = webui.call("/sdapi/v1/extra-single-image", asked)
    broken(webui, "extras", "_fields")
    assert webui.call("/sdapi/v1/extra-single-image", asked)[1]["image"] == fine[1]["image"]


def test_pages_that_cannot_be_built_leave_the_host_whole_and_come_back(webui, plain):
    def reload():
        times = webui.text().count("Startup time")
        webui.probe("reload")
        webui.wait_for_start(times + 1)
        time.sleep(1)

    before = len(webui.text())
    for module, name in PAGES:
        webui.probe("breaks", module=module, name=name)
    reload()
    assert webui.call("/imagereward/v1/version")[0] == 404
    made = webui.generate(n_iter=2)
    assert made.pixels() == plain.pixels() and files(made.saved()) == files(plain.saved())
    said = [line for line in webui.text()[before:].splitlines() if "injected into" in line]
    assert said and all(line.startswith("ImageReward Curator: ") or "Error: " in line for line in said)
    webui.probe("mends")
    reload()
    assert webui.call("/imagereward/v1/version")[0] == 200
    assert "injected" not in told(webui.generate(PLAIN))
