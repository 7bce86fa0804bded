"""The script in the page of a real WebUI: pasted settings, names, the info panel, plots, a folder in img2img, Extras, Interrupt, export."""

from __future__ import annotations

import re

import pytest
from drawn import save_scenes, scenes
from PIL import Image
from test_browser import draws_scenes, page, pytestmark, shot, tab  # noqa: F401 - fixtures and the mark of this module
from test_browser_tab import part, says, type_into

KEY = "ImageRewardDemo"
PROMPT = scenes(1, 4)[0][0]


@pytest.fixture(scope="module")
def webui(tmp_path_factory):
    made = draws_scenes(tmp_path_factory, 64, return_grid=False)
    yield made
    made.close()


def control(at, name, kind="txt2img"):
    """Where the value of one of our settings stands."""
    return at.locator(
        f"#imagereward_{kind}_{name} input[type=number], #imagereward_{kind}_{name} textarea, "
        f"#imagereward_{kind}_{name} input"
    ).first


def fill(at, selector, text):
    field = at.locator(f"{selector} textarea, {selector} input[type=number], {selector} input").first
    field.fill(str(text))
    field.press("Tab")


def choose(at, selector, text):
    field = at.locator(f"{selector} input").first
    field.click()
    field.fill(text)
    field.press("Enter")
    at.wait_for_timeout(700)


def unfold(at, selector):
    """Opens an accordion, which ticks it where it has a tick."""
    at.locator(f"{selector} .label-wrap").first.click()
    at.wait_for_timeout(700)


def paste(at, infotext):
    at.locator("#txt2img_prompt textarea").first.fill(infotext)
    at.locator("#tab_txt2img #paste").first.click()
    at.wait_for_timeout(2000)


def begin(at, kind="txt2img"):
    at.evaluate("window.scrollTo(0, 0)")
    at.locator(f"#{kind}_generate").first.click()
    at.wait_for_timeout(1000)


def generate(at, kind="txt2img"):
    """Presses Generate and waits; gives the lines below the gallery."""
    begin(at, kind)
    at.locator(f"#{kind}_interrupt").first.wait_for(state="hidden", timeout=120_000)
    at.wait_for_timeout(1500)
    return at.locator(f"#html_log_{kind}").first.inner_text()


def files(webui, *, besides=()):
    return [path for path in webui.files() if path.suffix == ".png" and path not in besides]


def infotext(settings, seed=5):
    return (
        f"{PROMPT}\nSteps: 1, Sampler: Euler, CFG scale: 7, Seed: {seed}, Size: 64x64, {KEY}: 1.5000, "
        f"{KEY} percentile: 90.0, Curator verdict: rejected{settings}"
    )


def test_1_settings_are_pasted_back_and_scores_are_not(page, webui):  # noqa: F811
    ours = "{'scorer': 'demo', 'keep_best': 2, 'min_score': '-9.5', 'until_minutes': 3.5}"
    paste(page, infotext(f', ImageReward Curator: "{ours}"'))
    assert page.locator("#imagereward_txt2img_enabled-visible-checkbox").is_checked()
    values = {
        name: control(page, name).input_value()
        for name in ("scorer", "keep_best", "min_score", "until_minutes")
    }
    assert values == {"scorer": "demo", "keep_best": "2", "min_score": "-9.5", "until_minutes": "3.5"}
    assert page.locator("#txt2img_prompt textarea").first.input_value() == PROMPT
    shot(page, webui, "pasted")
    paste(page, infotext("", seed=6))
    assert (
        control(page, "keep_best").input_value() == "2" and control(page, "min_score").input_value() == "-9.5"
    )
    overridden = page.locator("#txt2img_override_settings")
    assert not overridden.is_visible() or KEY not in overridden.inner_text()


def test_2_a_chosen_picture_shows_its_score_and_the_table_stays_below(page, webui):  # noqa: F811
    fill(page, "#imagereward_txt2img_keep_best", 0)
    fill(page, "#txt2img_batch_size", 4)
    table = generate(page)
    rows = re.findall(r"(\d)\. demo (-?[\d.]+)", table)
    assert [place for place, _ in rows] == ["1", "2", "3", "4"]
    page.locator("#txt2img_gallery .thumbnail-item, #txt2img_gallery .thumbnail-small").nth(2).click()
    page.wait_for_timeout(2000)
    shown = page.locator("#html_info_txt2img").first.inner_text()
    assert f"{KEY}: {rows[2][1]}" in shown and "ImageReward Curator: " in shown
    assert page.locator("#html_log_txt2img").first.inner_text() == table
    shot(page, webui, "info")


def test_3_the_pattern_of_the_settings_page_puts_the_score_into_the_name(page, webui):  # noqa: F811
    known = files(webui)
    tab(page, "Settings")
    page.locator("#settings button", has_text="Saving images/grids").first.click()
    fill(page, "#setting_samples_filename_pattern", "[seed]-[imagereward<2>]-[imagereward<percentile>]")
    page.locator("#settings_submit").click()
    page.wait_for_timeout(2000)
    tab(page, "txt2img")
    generate(page)
    made = [path for path in files(webui, besides=known) if "grid" not in path.name]
    assert len(made) == 4
    for path in made:
        score = re.search(rf"\b{KEY}: (-?[\d.]+)", Image.open(path).info["parameters"]).group(1)
        assert f"-{float(score):.2f}-" in path.name


def test_4_an_axis_of_the_plot_drives_a_setting(page, webui):  # noqa: F811
    known = webui.files()
    choose(page, "#tab_txt2img #script_list", "X/Y/Z plot")
    # Without grids in the gallery the plot makes one picture per cell.
    choose(page, "#script_txt2img_xyz_plot_x_type", "[ImageReward] Minimum score")
    fill(page, "#script_txt2img_xyz_plot_x_values", "-9, 0, 9")
    page.wait_for_timeout(500)
    generate(page)
    shot(page, webui, "plot")
    new = [path for path in webui.files() if path not in known]
    (table,) = [path for path in new if path.suffix == ".csv"]
    lines = table.read_text("utf-8-sig").splitlines()
    assert [line.split(",")[2:4] for line in lines[1:]] == [["-9", "1"], ["0", "1"], ["9", "1"]]
    rejected = [path for path in new if "rejects" in path.parts]
    assert 1 <= len(rejected) <= 2, "that of the last cell, never that of the first"
    choose(page, "#tab_txt2img #script_list", "None")


def test_5_interrupt_ends_the_search_with_an_honest_count(page, webui):  # noqa: F811
    known = files(webui)
    for name, value in (("min_score", "99"), ("until", 3), ("until_pictures", 2000)):
        fill(page, f"#imagereward_txt2img_{name}", value)
    begin(page)
    page.wait_for_timeout(5000)
    assert page.locator("#txt2img_interrupt").is_visible()
    page.locator("#txt2img_interrupt").click()
    page.locator("#txt2img_interrupt").wait_for(state="hidden", timeout=60_000)
    page.wait_for_timeout(1500)
    said = page.locator("#html_log_txt2img").first.inner_text()
    shot(page, webui, "interrupted")
    made = [path for path in files(webui, besides=known) if "grid" not in path.name]
    assert "Stopped: interrupted. Kept 0 of 3 pictures wanted" in said
    assert 4 <= len(made) < 2000 and f"0 of {len(made)} passed" in said, (len(made), said)
    assert all("rejects" in path.parts for path in made)


def test_6_the_tab_exports_a_page_that_opens_by_itself(page, webui):  # noqa: F811
    folder = webui.files()[0].parents[1] / "drawn"
    save_scenes(folder, prompts=2, pictures=5)
    tab(page, "ImageReward")
    type_into(page, "folder", folder)
    type_into(page, "scorer", "demo")
    part(page, "score").click()
    says(page, "message", "10 new scores")
    page.locator("#imagereward_tab_exporting .label-wrap").first.click()
    part(page, "form").locator("label", has_text="HTML page").click()
    part(page, "export").click()
    says(page, "message", "Wrote 10 pictures")
    (made,) = (webui.base / "imagereward" / "exports").glob("*.html")
    other, errors = page.context.browser.new_page(), []
    other.on("pageerror", lambda error: errors.append(str(error)))
    other.goto(made.as_uri())
    other.wait_for_timeout(2000)
    loaded = other.evaluate("[...document.images].filter(image => image.naturalWidth > 0).length")
    shot(other, webui, "export")
    other.close()
    assert loaded >= 10 and not errors


def test_7_a_folder_in_img2img_is_curated_file_by_file(page, webui, tmp_path):  # noqa: F811
    sources, target = tmp_path / "in", tmp_path / "out ö"
    sources.mkdir()
    target.mkdir()
    for number, (_, picture) in enumerate(scenes(1, 4)[:3]):
        picture.resize((64, 64)).save(sources / f"bild {number}.png")
    tab(page, "img2img")
    page.locator("#mode_img2img > .tab-nav button", has_text="Batch").first.click()
    page.wait_for_timeout(500)
    source = page.locator("#img2img_batch_source > .tab-nav button", has_text="From directory")
    if source.count():  # reForge has the folder's fields alone
        source.first.click()
    page.wait_for_timeout(1000)
    fill(page, "#img2img_batch_input_dir", sources)
    fill(page, "#img2img_batch_output_dir", target)
    page.locator("#img2img_prompt textarea").first.fill(PROMPT)
    for name, value in (("steps", 2), ("width", 64), ("height", 64), ("batch_size", 2)):
        fill(page, f"#img2img_{name}", value)
    unfold(page, "#imagereward_img2img_enabled")
    fill(page, "#imagereward_img2img_keep_best", 1)
    said = generate(page, "img2img")
    shot(page, webui, "folder")
    kept = [path for path in target.rglob("*.png") if "rejects" not in path.parts]
    rejected = [path for path in target.rglob("*.png") if "rejects" in path.parts]
    assert len(kept) == 3 and len(rejected) == 3
    assert all(f"{KEY}: " in Image.open(path).info["parameters"] for path in (*kept, *rejected))
    assert said.count("1 of 2 passed") == 3 and "3 out of 3: " in said


def test_8_extras_writes_the_score_into_the_info(page, webui, tmp_path):  # noqa: F811
    (path,) = save_scenes(tmp_path, prompts=1, pictures=1)
    tab(page, "Extras")
    page.locator("#extras_image input[type=file]").first.set_input_files(str(path))
    page.wait_for_timeout(2500)
    unfold(page, "#imagereward_extras")
    page.locator("#extras_generate").first.click()
    page.locator("#html_info_extras, #html_info_x_extras").get_by_text(KEY).first.wait_for(timeout=60_000)
    shot(page, webui, "extras")
