"""Failures of the core, of our routes, of our pages and of disks in a real WebUI: every picture is saved or shown, and it says so.

Those of the hooks are in test_hosts.py. Set WEBUI_PATH and WEBUI_PYTHON.
"""

from __future__ import annotations

import base64
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.support.webui.drawn import png, scenes
from tests.support.webui.real_webui import RealWebUI

WEBUI, PYTHON = os.environ.get("WEBUI_PATH"), os.environ.get("WEBUI_PYTHON")
pytestmark = pytest.mark.skipif(
    not (WEBUI and PYTHON),
    reason="needs a real WebUI: set WEBUI_PATH to its folder and WEBUI_PYTHON to its interpreter",
)
CORE = [
    ("imagereward_core.scorers.requests", "make_panel"),
    ("imagereward_core.scorers.requests", "LoadRequest.__post_init__"),
    ("imagereward_core.scorers.requests", "has_changed"),
    ("imagereward_core.scorers.panel", "Panel.score"),
    ("imagereward_core.scorers.panel", "Panel.judge"),
    ("imagereward_core.scorers.managed_runtime", "ManagedRuntime.resident"),
    ("imagereward_core.scores", "Scores.join"),
    ("imagereward_core.scores", "Scores.ranks"),
    ("script.selecting", "select"),
    ("script.selecting", "Rule"),
    ("script.scoring", "clean_prompt"),
    ("script.scoring", "score_fields"),
    ("script.infotext", "put_into_settings"),
]
"""Functions of the core, some of them where the script uses them."""
SEARCH = [("script.generate_until", "go_on"), ("script.generate_until", "_next")]
GATE = [("script.hires_gate", name) for name in ("wanted", "choose", "_first_passes", "_put_away", "_save")]
PAGES = [
    ("script.ui", "build"),
    ("script.page", "in_order"),
    ("script.page", "_places"),
    ("script.requests", "_note"),
    ("script.xyz", "_options"),
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


@contextmanager
def options(webui, **wanted):
    """The host's settings changed for a while."""
    known = webui.call("/sdapi/v1/options")[1]
    before = {
        name: known.get(name, 0) for name in wanted
    }  # ours may be missing; 0 is the default of the one that is asked for
    webui.call("/sdapi/v1/options", wanted)
    try:
        yield
    finally:
        webui.call("/sdapi/v1/options", before)


@pytest.mark.parametrize("number", [-4, 0.5])
def test_a_number_of_pictures_at_once_that_is_none_hangs_nothing(webui, plain, number):
    with options(webui, imagereward_batch_size=number):
        made = webui.generate({}, n_iter=2)
    assert made.pixels() == plain.pixels() and files(made.saved()) == files(plain.saved())


def test_what_a_disk_does_not_take_is_shown_and_a_search_ends(webui, plain):
    # No folder can be made below it, not even by root.
    with options(webui, outdir_samples="", outdir_txt2img_samples="/proc/imagereward"):
        settings = {"min_score": "99", "until": 3, "until_pictures": 50}
        made = webui.generate(settings, n_iter=2)
    assert not made.files and made.pixels()[made.first :] == plain.pixels()[plain.first :]
    assert "could not save a picture" in told(made) and "Stopped: a picture could not be saved" in told(made)


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs a second file system at /dev/shm")
def test_rejects_on_another_disk_are_there_and_gone_from_where_they_were(webui, plain):
    samples = webui.base / "here"
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        samples.mkdir()
        (samples / "rejects").symlink_to(other, target_is_directory=True)
        assert Path(other).stat().st_dev != samples.stat().st_dev
        with options(webui, outdir_samples="", outdir_txt2img_samples=str(samples), save_to_dirs=False):
            made = webui.generate({"keep_best": 1, "keep_scope": "job"}, n_iter=2)
        moved = sorted(Path(other).glob("*.png"))
        kept = list(samples.glob("*.png"))
        assert len(kept) == 1 and len(moved) == 3
        assert sorted(Image.open(path).tobytes() for path in (*kept, *moved)) == sorted(files(plain.saved()))
    assert len(made.images) - made.first == 1


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
