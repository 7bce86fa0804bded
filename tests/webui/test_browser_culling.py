"""Culling in the tab, by mouse and by keys, in a real browser with real Gradios. Leaves pictures of what it saw.

Set GRADIO_PYTHONS to interpreters that have Gradio (3.41.2, 3.43.2 and 4.40.0 are those of our hosts) and what the core needs,
separated as in PATH; needs playwright and a Chromium as ``test_browser.py`` does, and SCREENSHOTS has the same meaning.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from drawn import save_scenes, scenes
from tab_browser import BROWSER, TabServer

PYTHONS = [each for each in os.environ.get("GRADIO_PYTHONS", "").split(os.pathsep) if each]
pytestmark = pytest.mark.skipif(
    not (PYTHONS and BROWSER),
    reason="needs Gradio and a browser: set GRADIO_PYTHONS, and BROWSER where no chromium is on the path",
)
PICTURES = 24


@pytest.fixture(scope="module", params=PYTHONS or ["none"], ids=lambda path: Path(path).parent.parent.name)
def server(request, tmp_path_factory):
    made = TabServer(request.param, tmp_path_factory.mktemp("tab") / "host")
    save_scenes(made.samples, prompts=4, pictures=6)
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield made
        made.close()


@pytest.fixture
def page(server, browser):
    """The tab with a scored folder, nothing chosen."""
    page = server.open(browser)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    part(page, "score").click()
    part(page, "message").get_by_text("new scores").first.wait_for(timeout=90_000)
    page.locator(".imagereward-thumb").nth(9).wait_for()
    yield page
    assert page.errors == []
    page.close()


def part(page, name):
    return page.locator(f"#imagereward_tab_{name}").first


def tab(page, name):
    page.locator("#tabs .tab-nav button", has_text=name).first.click()


def shot(page, server, name):
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"gradio-{server.gradio}-{name}.png"))


def names(page):
    """Of the pictures on the page, in their order."""
    return page.locator(".imagereward-thumb img").evaluate_all("all => all.map((each) => each.alt)")


def framed(page):
    """Name of the one picture in the grid that has the frame; empty for none."""
    found = page.locator(".imagereward-picked img").evaluate_all("all => all.map((each) => each.alt)")
    assert len(found) <= 1
    return "".join(found)


def large(page):
    """Name of the picture beside the grid."""
    return page.locator(".imagereward-frame img").get_attribute("alt")


def settled(page, name=None):
    """Waits until the program knows the choice: its details are those of the picture that is shown large."""
    page.wait_for_function(
        """(name) => {
            const shown = document.querySelector(".imagereward-frame img");
            const details = document.querySelector("#imagereward_tab_details .imagereward-name");
            const sending = document.getElementById("imagereward_tab_sending");
            return shown && details && !sending.inert && details.textContent.endsWith(shown.alt) && (!name || shown.alt === name);
        }""",
        arg=name,
    )


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def state(page):
    """What the large view shows."""
    return page.evaluate(
        """() => {
            const box = document.querySelector(".imagereward-viewer");
            const panes = [...box.querySelectorAll(".imagereward-pane:not([hidden])")];
            return {
                open: !box.hidden, scale: box.dataset.scale, help: !box.querySelector(".imagereward-help").hidden,
                names: panes.map((pane) => pane.querySelector("img").alt),
                widths: panes.map((pane) => pane.querySelector("img").getBoundingClientRect().width),
                place: box.querySelector(".imagereward-place").textContent,
            };
        }"""
    )


def stars_on(page):
    """The stars that the buttons beside the grid show; empty for none."""
    pressed = page.locator(".imagereward-panel .imagereward-stars button[aria-pressed=true]")
    return "".join(pressed.evaluate_all("all => all.map((each) => each.dataset.stars)"))


def test_stop_comes_and_goes_with_the_work_and_undo_is_there_from_the_start(server, browser):
    page = server.open(browser)
    assert not part(page, "stop").is_visible()
    assert part(page, "undo").is_visible() and not part(page, "results").is_visible()
    part(page, "undo").click()
    part(page, "progress").get_by_text("undo", exact=False).first.wait_for()
    shot(page, server, "begin")
    page.close()


def test_a_clicked_picture_is_seen_framed_and_sent_without_scrolling(page, server):
    thumb = page.locator(".imagereward-thumb").nth(2)
    name = names(page)[2]
    thumb.click()
    settled(page, name)
    assert framed(page) == large(page) == name
    frame = page.locator(".imagereward-frame img").bounding_box()
    assert page.evaluate("scrollY") == 0 and frame["y"] >= 0 and frame["y"] + frame["height"] <= 1000
    for button in ("send_txt2img", "send_extras"):
        box = part(page, button).bounding_box()
        assert box["y"] + box["height"] <= 1000
    assert not part(page, "stop").is_visible()
    shot(page, server, "chosen")
    part(page, "send_img2img").click()
    tab(page, "Elsewhere")
    page.wait_for_function("document.querySelector('#came textarea').value.includes(' as (96, 96)')")
    assert page.locator("#came textarea").input_value().split("\n")[0] in {
        prompt for prompt, _ in scenes(4, 6)
    }


def test_after_a_filter_the_frame_is_around_the_picture_that_is_rated(page, server):
    page.locator(".imagereward-thumb").nth(1).click()
    chosen = names(page)[1]
    settled(page, chosen)
    page.locator("#imagereward_tab_rules .label-wrap").first.click()
    part(page, "top").locator("input").fill("3")
    part(page, "count").get_by_text("21 rejected").wait_for()
    assert framed(page) == large(page) == chosen
    part(page, "show").get_by_text("Rejected", exact=True).click()
    page.locator(".imagereward-panel.imagereward-empty").wait_for(state="attached")
    assert framed(page) == ""
    part(page, "show").get_by_text("Kept", exact=True).click()
    page.wait_for_function("document.querySelectorAll('.imagereward-thumb').length === 3")
    assert framed(page) == ""
    page.locator(".imagereward-thumb").nth(2).click()
    settled(page, names(page)[2])
    press(page, "4")
    page.wait_for_function(
        "document.querySelector('.imagereward-picked .imagereward-caption').textContent.includes('4★')"
    )
    assert framed(page) == large(page) == names(page)[2] and stars_on(page) == "4"
    press(page, "Backspace")
    page.wait_for_function(
        "!document.querySelector('.imagereward-picked .imagereward-caption').textContent.includes('★')"
    )


def test_keys_go_through_the_grid_row_by_row_page_by_page_and_to_both_ends(page, server):
    page.locator(".imagereward-thumb").first.click()
    first_page = names(page)
    columns = page.evaluate(
        """() => {
            const thumbs = [...document.querySelectorAll(".imagereward-thumb")];
            return thumbs.filter((each) => each.offsetTop === thumbs[0].offsetTop).length;
        }"""
    )
    for keys, place in (
        (["ArrowRight"], 1),
        (["ArrowRight", "ArrowLeft"], 1),
        (["ArrowDown"], 1 + columns),
        (["ArrowUp"], 1),
    ):
        press(page, *keys)
        assert framed(page) == large(page) == first_page[place]
    focus = page.evaluate(
        """() => {
            const style = getComputedStyle(document.activeElement);
            return [document.activeElement.querySelector("img").alt, style.outlineStyle, parseFloat(style.outlineWidth)];
        }"""
    )
    assert focus[0] == first_page[1] and focus[1] == "solid" and focus[2] >= 2
    shot(page, server, "focus")
    press(page, "End")
    page.locator(".imagereward-pages").get_by_text("3").first.wait_for()
    page.wait_for_function("document.querySelectorAll('.imagereward-thumb').length === 4")
    settled(page, names(page)[-1])
    assert framed(page) == names(page)[-1]
    press(page, "PageUp")
    page.wait_for_function("document.querySelectorAll('.imagereward-thumb').length === 10")
    settled(page, names(page)[3])
    assert framed(page) == names(page)[3] and page.evaluate(
        "document.activeElement.querySelector('img').alt"
    ) == framed(page)
    press(page, "Home")
    settled(page, first_page[0])
    assert names(page) == first_page and framed(page) == first_page[0]
    press(page, "ArrowLeft")
    settled(page, first_page[0])
    press(page, "PageDown")
    page.wait_for_function(
        "(name) => !document.querySelector(`.imagereward-thumb img[alt='${name}']`)", arg=first_page[0]
    )
    settled(page, names(page)[0])
    assert page.evaluate("scrollY") == 0


def test_hurried_keys_end_at_the_picture_they_say(page, server):
    page.locator(".imagereward-thumb").first.click()
    for _ in range(7):
        press(page, "ArrowRight")
    settled(page, names(page)[7])
    assert framed(page) == names(page)[7]


def test_keep_and_reject_by_keys_count_at_once_and_stay(page, server):
    page.locator(".imagereward-thumb").nth(1).click()
    name = names(page)[1]
    press(page, "x")
    part(page, "count").get_by_text("1 rejected").wait_for()
    settled(page, name)
    part(page, "details").get_by_text("rejected: by hand").wait_for()
    assert page.locator(".imagereward-picked.imagereward-out .imagereward-hand").inner_text() == "✕"
    shot(page, server, "rejected")
    press(page, "k")
    part(page, "count").get_by_text("0 rejected").wait_for()
    press(page, "u")
    page.wait_for_function("!document.querySelector('.imagereward-hand')")
    part(page, "show").get_by_text("Kept", exact=True).click()
    page.wait_for_timeout(800)
    following = names(page)[2]
    page.locator(".imagereward-thumb").nth(1).click()
    press(page, "x")
    settled(page, following)
    assert framed(page) == following, "what took the place of the rejected one"
    press(page, "ArrowLeft")
    part(page, "show").get_by_text("Kept and rejected", exact=True).click()
    page.locator(".imagereward-hand").wait_for()
    page.locator(".imagereward-thumb.imagereward-out").click()
    press(page, "u")
    page.wait_for_function("!document.querySelector('.imagereward-hand')")


def test_the_large_view_fits_zooms_to_one_to_one_and_pages(page, server):
    page.locator(".imagereward-thumb").nth(3).dblclick()
    shown = names(page)
    page.wait_for_function("!document.querySelector('.imagereward-viewer').hidden")
    page.wait_for_timeout(500)
    at = state(page)
    assert at["names"] == [shown[3]] and at["scale"] == "fit" and at["place"] == f"4 / {PICTURES}"
    assert at["widths"][0] > 800, "all of the height is used"
    shot(page, server, "large")
    press(page, "z")
    assert state(page)["scale"] == "1.000" and state(page)["widths"] == [96]
    press(page, "+")
    assert 96 < state(page)["widths"][0] < 200
    press(page, "Enter", "ArrowRight")
    page.wait_for_timeout(500)
    assert state(page)["scale"] == "fit" and state(page)["names"] == [shown[4]]
    press(page, "3")
    page.wait_for_function(
        "document.querySelector('.imagereward-pane:not([hidden]) figcaption').textContent.includes('3★')"
    )
    press(page, "Backspace", "End")
    page.wait_for_function("document.querySelector('.imagereward-place').textContent === '24 / 24'")
    press(page, "Home")
    page.wait_for_function("document.querySelector('.imagereward-place').textContent === '1 / 24'")
    press(page, "Escape")
    assert not state(page)["open"] and page.evaluate("window.interrupted") == 0
    settled(page, shown[0])
    assert (
        framed(page) == shown[0]
        and page.evaluate("document.activeElement.querySelector('img').alt") == shown[0]
    )


def test_two_pictures_side_by_side_zoom_together_and_can_be_exchanged(page, server):
    page.locator(".imagereward-thumb").nth(2).click()
    shown = names(page)
    press(page, "c")
    page.wait_for_timeout(600)
    assert state(page)["names"] == [shown[2], shown[3]]
    widths = state(page)["widths"]
    assert abs(widths[0] - widths[1]) < 1 and widths[0] > 500
    shot(page, server, "compared")
    press(page, "ArrowRight")
    page.wait_for_timeout(300)
    assert state(page)["names"] == [shown[2], shown[4]]
    press(page, "s")
    page.wait_for_timeout(300)
    assert state(page)["names"] == [shown[4], shown[2]]
    press(page, "z")
    assert state(page)["widths"] == [96, 96]
    press(page, "Escape")
    assert state(page)["names"] == [shown[2]] and state(page)["open"]
    press(page, "Escape")
    assert not state(page)["open"]


def test_the_wheel_zooms_around_the_pointer_and_dragging_moves_the_picture(page, server):
    page.locator(".imagereward-thumb").nth(0).dblclick()
    page.wait_for_timeout(600)

    def box():
        return page.locator(".imagereward-pane:not([hidden]) img").bounding_box()

    before, point = box(), (700, 300)
    page.mouse.move(*point)
    page.mouse.wheel(0, -100)
    after = box()
    assert after["width"] > before["width"]
    share = [(point[1] - each["y"]) / each["height"] for each in (before, after)]
    assert abs(share[0] - share[1]) < 0.01
    page.mouse.down()
    page.mouse.move(point[0] + 40, point[1] + 30, steps=4)
    page.mouse.up()
    moved = box()
    assert abs(moved["y"] - after["y"] - 30) < 2 and moved["width"] == after["width"]


def test_the_whole_screen_and_back(page, server):
    page.locator(".imagereward-thumb").nth(0).click()
    press(page, "f")
    page.wait_for_function(
        "document.fullscreenElement && document.fullscreenElement.classList.contains('imagereward-viewer')"
    )
    press(page, "f")
    page.wait_for_function("!document.fullscreenElement")
    assert state(page)["open"]


def test_the_help_names_every_key_and_closes_first(page, server):
    page.locator(".imagereward-thumb").nth(0).click()
    press(page, "?")
    assert state(page)["help"]
    told = page.locator(".imagereward-help").inner_text()
    for key in ("←", "Home", "PageDown", "0 … 5", "K", "X", "Z", "C", "F", "?", "Esc"):
        assert key in told
    shot(page, server, "help")
    press(page, "Escape")
    assert not state(page)["help"] and state(page)["open"]


def test_no_key_acts_while_somebody_types_nor_elsewhere(page, server):
    page.locator(".imagereward-thumb").nth(1).click()
    chosen = names(page)[1]
    settled(page, chosen)
    field = part(page, "text").locator("textarea, input").first
    field.click()
    field.press_sequentially("x5ku?cf ")
    assert field.input_value() == "x5ku?cf " and not state(page)["open"]
    field.fill("")
    page.wait_for_timeout(900)
    assert part(page, "count").get_by_text("0 rejected").is_visible() and stars_on(page) == ""
    slider = part(page, "percent").locator("input[type=range]")
    slider.focus()
    press(page, "ArrowLeft")
    page.wait_for_timeout(200)
    assert slider.input_value() == "99" and framed(page) in (chosen, "")
    press(page, "ArrowRight")
    page.wait_for_timeout(900)
    tab(page, "Elsewhere")
    page.evaluate("document.activeElement.blur()")
    press(page, "x", "Enter", "?", "ArrowRight")
    assert not state(page)["open"]
    tab(page, "ImageReward")
    assert part(page, "count").get_by_text("0 rejected").is_visible()


def test_a_button_with_the_focus_keeps_its_own_keys_and_tab_stays_in_the_large_view(page, server):
    page.locator(".imagereward-thumb").nth(1).click()
    press(page, "Enter")
    page.wait_for_timeout(300)
    for _ in range(30):
        press(page, "Tab")
        assert page.evaluate("document.activeElement.closest('.imagereward-viewer') !== null")
    page.locator(".imagereward-bar [data-do=close]").focus()
    press(page, "Enter")
    assert not state(page)["open"]
