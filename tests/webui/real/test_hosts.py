"""The promises of the extension against a real WebUI, over its API. Set WEBUI_PATH (its folder) and WEBUI_PYTHON (its interpreter)."""

from __future__ import annotations

import base64
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image, ImageChops

import imagereward_core
from tests.support.webui.drawn import png, scenes
from tests.support.webui.real_webui import RealWebUI

WEBUI, PYTHON = os.environ.get("WEBUI_PATH"), os.environ.get("WEBUI_PYTHON")
pytestmark = pytest.mark.skipif(
    not (WEBUI and PYTHON),
    reason="needs a real WebUI: set WEBUI_PATH to its folder and WEBUI_PYTHON to its interpreter",
)
KEY = "ImageRewardDemo"
# One function in the way of every hook, and of what the hooks stand on.
BREAKS = [
    ("script.lifecycle", "begin"),
    ("script.lifecycle", "settings_of"),
    ("script.lifecycle", "start_batch"),
    ("script.lifecycle", "list_batch"),
    ("script.lifecycle", "collect"),
    ("script.lifecycle", "finish_batch"),
    ("script.scoring", "load"),
    ("script.scoring", "score"),
    ("script.selecting", "decide"),
    ("script.saving", "save"),
    ("script.saving", "_save"),
    ("script.saving", "_make"),
    ("script.saving", "_hold"),
    ("script.lifecycle", "_set_reader"),
    ("script.lifecycle", "end"),
    ("script.requests", "_note"),
    ("script.gallery", "_order"),
    ("script.gallery", "finish"),
    ("script.infotext", "announce"),
    ("script.infotext", "with_fields"),
    ("scorer_cache", "load"),
    ("scorer_cache", "LoadedScorer.at_work"),
    ("scorer_cache", "request_from_settings"),
    ("runtime", "make_runtime"),
]


@pytest.fixture(scope="module")
def baseline_and_host(tmp_path_factory):
    """Pictures of a host without the extension, and the same process once the extension was switched on and the UI reloaded."""
    webui = RealWebUI(
        WEBUI, PYTHON, tmp_path_factory.mktemp("webui ü"), disabled_extensions=["imagereward-curator"]
    )
    try:
        assert "imagereward_webui" not in webui.probe("state")["packages"]
        plain = webui.generate(n_iter=2)
        webui.call("/sdapi/v1/options", {"disabled_extensions": []})
        webui.probe("reload")
        webui.wait_for_start(times=2)
        time.sleep(1)
        yield plain, webui
    finally:
        webui.close()


@pytest.fixture
def plain(baseline_and_host):
    return baseline_and_host[0]


@pytest.fixture
def webui(baseline_and_host):
    yield baseline_and_host[1]
    baseline_and_host[1].probe("mends")


def score_of(infotext):
    """The number in an infotext."""
    return float(re.search(rf"\b{KEY}: (-?[\d.]+)", infotext).group(1))


@pytest.fixture(scope="module")
def command():
    """The same scorer outside the webui."""
    return imagereward_core.create_scorer("demo")


def same_as_without(made, plain):
    """Whether a run gave and saved what the host alone does."""
    assert made.pixels() == plain.pixels()
    assert made.info["all_seeds"] == plain.info["all_seeds"]
    assert [Image.open(path).tobytes() for path, _ in made.saved()] == [
        Image.open(path).tobytes() for path, _ in plain.saved()
    ]


def test_unticked_it_changes_neither_pictures_nor_infotexts(webui, plain):
    made = webui.generate(n_iter=2)
    same_as_without(made, plain)
    assert made.infotexts == plain.infotexts


def test_every_saved_picture_carries_the_score_that_the_core_gives_it(webui, command):
    made = webui.generate({}, n_iter=2, batch_size=3)
    assert len(made.saved()) == 6
    for path, infotext in made.saved():
        assert score_of(infotext) == pytest.approx(
            command.score([path], "a red star on a gray background").values[0], abs=1e-4
        )


def test_file_and_answer_agree_and_the_answer_is_in_rank_order_where_that_is_asked_for(webui):
    made = webui.generate({"sort_gallery": True}, n_iter=2, batch_size=3)
    shown = made.infotexts[made.first :]
    numbers = [score_of(each) for each in shown]
    assert numbers == sorted(numbers, reverse=True) and len(numbers) == 6
    by_pixels = {Image.open(path).tobytes(): score_of(text) for path, text in made.saved()}
    for image, number in zip(made.images[made.first :], numbers):
        assert by_pixels[image.convert("RGB").tobytes()] == number == score_of(image.info["parameters"])
    assert KEY not in made.infotexts[0] and made.first == 1  # the grid


def test_a_scene_that_shows_its_prompt_beats_the_others_and_alone_is_kept(webui, tmp_path):
    prompt, _ = scenes(1, 3)[0]
    drawn = [picture for _, picture in scenes(1, 3)]
    for number, picture in enumerate(reversed(drawn)):
        picture.resize((64, 64)).save(tmp_path / f"{number}.png")
    assert webui.probe("pictures", folder=str(tmp_path)) == 3
    made = webui.generate({"keep_best": 1}, batch_size=3, prompt=prompt)
    kept, rejected = made.saved(), made.saved("rejects")
    assert len(kept) == 1 and len(rejected) == 2
    assert score_of(kept[0][1]) >= max(score_of(text) for _, text in rejected)
    assert len(made.images) - made.first == 1


def test_nothing_passes_and_nothing_is_lost(webui, plain):
    made = webui.generate({"min_score": "99"}, n_iter=2)
    assert not made.saved() and len(made.saved("rejects")) == 4
    assert sorted(Image.open(path).tobytes() for path, _ in made.saved("rejects")) == sorted(
        Image.open(path).tobytes() for path, _ in plain.saved()
    )


def test_rejects_can_be_marked_or_left_unsaved(webui):
    marked = webui.generate({"keep_best": 1, "rejects": "marked"})
    assert sorted("-rejected" in path.name for path, _ in marked.saved()) == [False, True]
    unsaved = webui.generate({"keep_best": 1, "rejects": "do not save", "show_rejects": True})
    assert len(unsaved.saved()) == 1 and not unsaved.saved("rejects")
    assert len(unsaved.images) - unsaved.first == 2


def test_rejects_that_find_no_folder_are_saved_where_the_host_saves(webui, plain):
    path = plain.saved()[0][0]
    outputs = next(folder for folder in path.parents if folder.name.startswith("txt2img"))
    moved = (outputs / "rejects").rename(outputs / "set aside") if (outputs / "rejects").exists() else None
    (outputs / "rejects").write_text("a file in the way")
    try:
        made = webui.generate({"keep_best": 1}, n_iter=2)
    finally:
        (outputs / "rejects").unlink()
        if moved is not None:
            moved.rename(outputs / "rejects")
    assert len(made.saved()) == 4
    assert any(
        "saved as without the extension" in note
        for note in made.info["extra_generation_params"]["imagereward"]["notes"]
    )


def test_a_mask_goes_with_its_rejected_picture(webui):
    _, picture = scenes(1, 3)[0]
    encoded = base64.b64encode(png(picture.resize((64, 64)))).decode()
    mask = base64.b64encode(png(Image.new("L", (64, 64), 255))).decode()
    more = {"init_images": [encoded], "mask": mask, "denoising_strength": 0.6}
    webui.call("/sdapi/v1/options", {"save_mask": True, "save_mask_composite": True})
    try:
        made = webui.generate({"keep_best": 1}, "img2img", **more)
    finally:
        webui.call("/sdapi/v1/options", {"save_mask": False, "save_mask_composite": False})
    for folder in ("", "rejects"):
        names = [path.name for path, _ in made.saved(folder)]
        assert len(names) == 3 and sum("-mask" in name for name in names) == 2, names


def test_what_a_later_extension_changes_is_scored_as_it_is_saved(webui, command):
    webui.probe("late", on=True)
    made = webui.generate({})
    for path, infotext in made.saved():
        assert score_of(infotext) == pytest.approx(
            command.score([path], "a red star on a gray background").values[0], abs=1e-4
        )


def test_runs_inside_a_run_are_left_out_and_what_they_made_is_scored(webui, command, plain):
    webui.probe("inner", on=True)
    made = webui.generate({"keep_best": 1})
    every = made.saved() + made.saved("rejects")
    assert len(made.saved()) == len(made.saved("rejects")) == 1 and len(made.files) == 2
    untouched = [Image.open(path).tobytes() for path, _ in plain.saved()]
    for path, infotext in every:
        expected = command.score([path], "a red star on a gray background").values[0]
        assert score_of(infotext) == pytest.approx(expected, abs=1e-4)
        assert Image.open(path).tobytes() not in untouched


@pytest.mark.parametrize("module, name", BREAKS, ids=[f"{module}.{name}" for module, name in BREAKS])
def test_whatever_fails_in_us_the_pictures_are_those_without_us(webui, plain, module, name):
    webui.call("/imagereward/v1/unload", {})
    before = len(webui.text())
    webui.probe("breaks", module=module, name=name)
    made = webui.generate({"sort_gallery": False, "min_score": "-99"}, n_iter=2)
    same_as_without(made, plain)
    said = [line for line in webui.text()[before:].splitlines() if f"injected into {name}" in line]
    assert said and all(line.startswith("ImageReward Curator") or "Error" in line for line in said)
    assert not webui.probe("state")["wrapped"]


def test_missing_weights_leave_the_pictures_alone_and_say_so(webui, plain):
    webui.call("/sdapi/v1/options", {"imagereward_allow_download": False})
    made = webui.generate({"scorer": "PickScore", "sort_gallery": False}, n_iter=2)
    same_as_without(made, plain)
    assert "PickScore" in webui.text()


def test_a_setting_that_means_nothing_leaves_the_pictures_alone(webui, plain):
    made = webui.generate(
        {"min_score": "many", "keep_best": "x", "no_such": 1, "sort_gallery": False}, n_iter=2
    )
    same_as_without(made, plain)


def test_reload_ui_leaves_one_of_everything(webui):
    times = webui.text().count("Startup time")
    webui.probe("reload")
    webui.wait_for_start(times + 1)
    time.sleep(1)
    state = webui.probe("state")
    assert not state["path"] and state["packages"] == ["imagereward_core", "imagereward_webui"]
    made = webui.generate({})
    assert all(made.infotexts[made.first].count(f"{KEY}: ") == 1 for _ in [0])


def test_the_route_and_the_saved_picture_give_one_number(webui):
    prompt, picture = scenes(1, 3)[0]
    status, answer = webui.call(
        "/imagereward/v1/score",
        {
            "scorer": "demo",
            "pictures": [{"image": base64.b64encode(png(picture)).decode(), "prompt": prompt}],
        },
    )
    assert status == 200, answer
    expected = imagereward_core.create_scorer("demo").score([picture], prompt).values[0]
    assert answer["rows"][0]["score"] == pytest.approx(expected, abs=1e-5)


def test_a_setting_changed_by_the_hosts_api_counts_at_once(webui):
    webui.call("/sdapi/v1/options", {"imagereward_rejects_folder": "aussortiert ü"})
    made = webui.generate({"keep_best": 1})
    webui.call("/sdapi/v1/options", {"imagereward_rejects_folder": "rejects"})
    assert len(made.saved("aussortiert ü")) == 1


def test_no_client_of_the_api_can_allow_itself_other_folders(webui, tmp_path):
    if webui.kind in ("forge", "neo"):
        pytest.skip(
            "Forge and Forge Neo let clients of its API change every option, also those marked as not for the API"
        )
    _, picture = scenes(1, 3)[0]
    picture.save(tmp_path / "secret.png")
    asked = {"scorer": "demo", "pictures": [{"path": str(tmp_path / "secret.png"), "prompt": "a star"}]}
    before = webui.call("/imagereward/v1/score", asked)
    webui.call("/sdapi/v1/options", {"imagereward_extra_folders": str(tmp_path)})
    after = webui.call("/imagereward/v1/score", asked)
    assert before == after and after[1]["rows"][0]["score"] is None and after[1]["rows"][0]["reason"]


def test_freeing_answers_and_the_next_score_is_the_same(webui):
    first = webui.generate({})
    status, answer = webui.call("/imagereward/v1/unload", {})
    assert status == 200, answer
    again = webui.generate({})
    assert [score_of(text) for text in again.infotexts[1:]] == [
        score_of(text) for text in first.infotexts[1:]
    ]


def test_an_idle_scorer_is_let_go_by_itself(webui):
    webui.call("/sdapi/v1/options", {"imagereward_idle_minutes": 0.01})
    try:
        webui.generate({})
        end = time.monotonic() + 90
        while webui.probe("state")["held"] and time.monotonic() < end:
            time.sleep(1)
        assert webui.probe("state")["held"] == 0
    finally:
        webui.call("/sdapi/v1/options", {"imagereward_idle_minutes": 10})


@pytest.mark.parametrize("button", ["interrupt", "skip"])
def test_the_buttons_are_heeded_during_a_search(webui, button):
    settings = {"min_score": "99", "until": 3, "until_pictures": 24 if button == "skip" else 2000}
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(webui.generate, settings, steps=8)
        for _ in range(1 if button == "interrupt" else 8):
            time.sleep(1.0)
            webui.call(f"/sdapi/v1/{button}", {})
        made = running.result()
    told = made.info["extra_generation_params"]["imagereward"]
    assert told["kept"] == 0 and len(made.saved("rejects")) == told["scored"]
    expected = "Stopped: interrupted" if button == "interrupt" else "Stopped: 24 pictures were made"
    assert any(expected in note for note in told["notes"]), told["notes"]


def test_settings_of_an_infotext_hold_in_the_api_too(webui):
    plain_text = "a red star\nSteps: 1, Sampler: Euler, CFG scale: 7, Seed: 7, Size: 64x64"
    if webui.call("/sdapi/v1/txt2img", {"infotext": plain_text, "steps": 1, "width": 64})[0] != 200:
        pytest.skip("this host's API fails on every infotext")
    text = (
        "a red star\nSteps: 1, Sampler: Euler, CFG scale: 7, Seed: 7, Size: 64x64, ImageRewardDemo: 9.0000, "
        "ImageReward Curator: \"{'scorer': 'demo', 'keep_best': 1}\""
    )
    made = webui.generate(None, infotext=text, batch_size=3)
    assert len(made.saved()) == 1 and len(made.saved("rejects")) == 2


@pytest.mark.parametrize("arguments", [["--gradio-auth"], ["--nowebui", "--api-auth"]], ids=["page", "api"])
def test_our_routes_ask_for_the_accounts_of_page_and_api(tmp_path, arguments):
    webui = RealWebUI(WEBUI, PYTHON, tmp_path, [*arguments, "anna:geheim"])

    def status(words):
        encoded = base64.b64encode(words.encode()).decode()
        headers = {"Authorization": f"Basic {encoded}"} if words else None
        return webui.call("/imagereward/v1/models", headers=headers)[0]

    try:
        assert [status(words) for words in ("", "anna:falsch", "anna:geheim")] == [401, 401, 200]
    finally:
        webui.close()


def test_it_works_without_a_page(tmp_path):
    webui = RealWebUI(WEBUI, PYTHON, tmp_path, ["--nowebui"])
    try:
        webui.call("/sdapi/v1/options", {"imagereward_scorer": "demo"})
        made = webui.generate({"keep_best": 1, "scorer": "default"})  # the one of the settings
        assert len(made.saved()) == 1 and len(made.saved("rejects")) == 1
        assert webui.call("/imagereward/v1/models")[0] == 200
    finally:
        webui.close()


@pytest.mark.parametrize("upscaler", ["Lanczos", "Latent"])
def test_a_first_pass_among_the_rejects_is_the_picture_of_a_run_without_a_second_pass(webui, upscaler):
    offered = {
        each["name"]
        for kind in ("upscalers", "latent-upscale-modes")
        for each in webui.call(f"/sdapi/v1/{kind}")[1]
    }
    if upscaler not in offered:
        # The copy of Forge Neo at hand has no latent ones; its "None" resizes as Lanczos does.
        upscaler = "None" if upscaler == "Lanczos" else pytest.skip("this host has no latent upscalers")
    plain = webui.generate(batch_size=3, seed=21)
    hires = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": upscaler, "denoising_strength": 0.5}
    if webui.kind in ("forge", "neo"):
        hires["hr_additional_modules"] = ["Use same choices"]
    settings = {"keep_best": 1, "gate_hires": True}
    made = webui.generate(settings, batch_size=3, seed=21, **hires)
    ungated = webui.generate({}, batch_size=3, seed=21, **hires)
    first = [path for path, _ in made.saved("rejects") if "first-pass" in path.name]
    assert len(first) == 2 and len(made.saved()) == 1

    def seed(text):
        return int(re.search(r"Seed: (\d+)", text).group(1))

    def close(one, other):
        extremes = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getextrema()
        return max(high for _, high in extremes) <= 2

    alone = {seed(text): Image.open(path) for path, text in plain.saved()}
    for path, text in made.saved("rejects"):
        assert close(Image.open(path), alone[seed(text)])
    [(survivor, text)] = made.saved()
    assert Image.open(survivor).size == (128, 128)
    if webui.kind == "neo":
        return  # its second pass gives a picture other pixels with every number of pictures beside it, without us too
    whole = {seed(each): Image.open(path) for path, each in ungated.saved()}
    assert close(Image.open(survivor), whole[seed(text)])
