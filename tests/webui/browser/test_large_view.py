"""The tab's large view in a real browser with real Gradios: see ``tab_browser.py``. Leaves pictures of what it saw."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.support.touch import Fingers
from tests.support.webui.tab_browser import (
    PICTURES,
    browser,
    framed,
    names,
    needed,
    page,
    press,
    server,
    settled,
    shot,
    state,
    viewing,
)

pytestmark = needed


def test_the_large_view_fits_zooms_to_one_to_one_and_pages(page, server):
    page.locator(".imagereward-thumb").nth(3).dblclick()
    shown = names(page)
    viewing(page, shown[3])
    at = state(page)
    assert at["names"] == [shown[3]] and at["scale"] == "fit" and at["place"] == f"4 / {PICTURES}"
    assert at["widths"][0] > 800, "all of the height is used"
    shot(page, server, "large")
    press(page, "z")
    assert state(page)["scale"] == "1.000" and state(page)["widths"] == [96]
    press(page, "+")
    assert 96 < state(page)["widths"][0] < 200
    press(page, "Enter", "ArrowRight")
    viewing(page, shown[4])
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
    viewing(page, shown[2], shown[3])
    widths = state(page)["widths"]
    assert abs(widths[0] - widths[1]) < 1 and widths[0] > 500
    shot(page, server, "compared")
    press(page, "ArrowRight")
    viewing(page, shown[2], shown[4])
    press(page, "s")
    viewing(page, shown[4], shown[2])
    press(page, "z")
    assert state(page)["widths"] == [96, 96]
    press(page, "Escape")
    assert state(page)["names"] == [shown[2]] and state(page)["open"]
    press(page, "Escape")
    assert not state(page)["open"]


def test_the_wheel_zooms_around_the_pointer_and_dragging_moves_the_picture(page, server):
    page.locator(".imagereward-thumb").nth(0).dblclick()
    viewing(page)

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


def test_two_fingers_zoom_and_a_finger_sweeps_to_the_next_one(page, server):
    page.locator(".imagereward-thumb").nth(1).dblclick()
    shown = names(page)
    viewing(page, shown[1])
    fingers, image = Fingers(page), page.locator(".imagereward-pane:not([hidden]) img")
    fitted = image.bounding_box()
    middle = (fitted["x"] + fitted["width"] / 2, fitted["y"] + fitted["height"] / 2)

    def beside(by):
        return [(middle[0] - by, middle[1]), (middle[0] + by, middle[1])]

    fingers.gesture(beside(60), beside(90))
    enlarged = image.bounding_box()
    assert abs(enlarged["width"] / fitted["width"] - 1.5) < 0.02 and state(page)["scale"] != "fit"
    assert state(page)["names"] == [shown[1]], "two fingers neither click nor sweep"
    press(page, "z")
    fingers.gesture([middle], [(middle[0] - 120, middle[1])])
    viewing(page, shown[2])
    page.mouse.click(*middle)
    assert state(page)["scale"] == "1.000", "the mouse goes on as before"


def test_the_whole_screen_and_back(page, server):
    page.locator(".imagereward-thumb").nth(0).click()
    press(page, "f")
    page.wait_for_function(
        "document.fullscreenElement && document.fullscreenElement.classList.contains('imagereward-viewer')"
    )
    press(page, "f")
    page.wait_for_function("!document.fullscreenElement")
    assert state(page)["open"]


def test_the_help_names_every_key_and_one_step_back_leads_to_where_it_was_asked_for(page, server):
    page.locator(".imagereward-thumb").nth(0).focus()
    press(page, "?")
    assert state(page)["help"] and not state(page)["open"] and framed(page) == "", "help chooses nothing"
    told = page.locator(".imagereward-help:visible").inner_text()
    for key in ("←", "Home", "PageDown", "0 … 5", "K", "X", "Z", "C", "F", "?", "Esc"):
        assert key in told
    shot(page, server, "help")
    press(page, "Escape")
    assert not state(page)["help"] and not state(page)["open"] and page.evaluate("window.interrupted") == 0
    press(page, "?")
    page.locator(".imagereward-help:visible").click()
    assert not state(page)["help"]
    press(page, "?", "Enter")
    assert state(page)["open"] and not state(page)["help"]
    press(page, "?")
    shot(page, server, "help-large")
    assert state(page)["help"]
    press(page, "Escape")
    assert not state(page)["help"] and state(page)["open"]
    press(page, "Escape")
    assert not state(page)["open"] and page.evaluate("window.interrupted") == 0


def test_a_button_with_the_focus_keeps_its_own_keys_and_tab_stays_in_the_large_view(page, server):
    page.locator(".imagereward-thumb").nth(1).click()
    press(page, "Enter")
    viewing(page)
    for _ in range(30):
        press(page, "Tab")
        assert page.evaluate("document.activeElement.closest('.imagereward-viewer') !== null")
    page.locator(".imagereward-viewer .imagereward-bar [data-do=close]").focus()
    press(page, "Enter")
    assert not state(page)["open"]


@pytest.mark.parametrize("width", [1500, 1499])
def test_one_to_one_shows_every_pixel_of_the_file_as_it_is(page, server, width):
    page.set_viewport_size({"width": width, "height": 999})
    page.locator(".imagereward-thumb").nth(0).dblclick()
    press(page, "c", "z")
    viewing(page)
    seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for pane in page.locator(".imagereward-pane img").all():
        box, name = pane.bounding_box(), pane.get_attribute("alt")
        with Image.open(server.samples / name) as file:
            assert box["width"] == file.width
            left, top = round(box["x"]), round(box["y"])
            shown = seen.crop((left, top, left + file.width, top + file.height))
            assert shown.tobytes() == file.convert("RGB").tobytes()


def test_an_enlarged_picture_is_moved_by_keys(page, server):
    page.locator(".imagereward-thumb").nth(0).dblclick()
    viewing(page)
    chosen = state(page)["names"]
    press(page, "Shift+ArrowRight", *["+"] * 8)
    image = page.locator(".imagereward-pane:not([hidden]) img")
    before = image.bounding_box()
    press(page, "Shift+ArrowDown")
    assert image.bounding_box()["y"] < before["y"] - 100
    press(page, *["Shift+ArrowDown"] * 9)
    end = image.bounding_box()
    press(page, "Shift+ArrowUp")
    assert image.bounding_box()["y"] > end["y"] + 100, "keys pressed at the edge are not made up for"
    assert end["width"] == before["width"] and state(page)["names"] == chosen


def test_side_by_side_never_shows_one_picture_twice(page, server):
    page.locator(".imagereward-thumb").nth(1).click()
    shown = names(page)
    press(page, "c", "ArrowLeft")
    viewing(page, shown[1], shown[0])
    press(page, "ArrowRight")
    viewing(page, shown[1], shown[2])
    press(page, "Escape", "Home", "c", "ArrowLeft")
    viewing(page, shown[0], shown[1])


def test_what_went_wrong_is_said_in_the_large_view(page, server):
    page.locator(".imagereward-thumb").nth(5).dblclick()
    settled(page)
    name = state(page)["names"][0]
    page.route("**/imagereward/pictures/large/*", lambda route: route.abort())
    (server.samples / name).rename(server.samples / "away")
    try:
        press(page, "ArrowRight")
        page.wait_for_function(
            "(name) => document.querySelector('.imagereward-frame img').alt !== name", arg=name
        )
        press(page, "ArrowLeft")
        told = page.locator(".imagereward-viewer > .imagereward-error")
        told.get_by_text(f"{name} is no longer there").wait_for()
        assert page.locator(".imagereward-broken").count() == 1 or state(page)["names"] == [name]
        shot(page, server, "gone")
    finally:
        (server.samples / "away").rename(server.samples / name)
    page.unroute("**/imagereward/pictures/large/*")
    press(page, "ArrowRight")
    told.wait_for(state="hidden")


def test_a_picture_that_a_filter_takes_away_closes_the_large_view(page, server):
    page.locator(".imagereward-thumb").nth(0).click()
    settled(page)
    opened = page.evaluate(
        """() => {
            const labels = [...document.querySelectorAll("#imagereward_tab_show label")];
            labels.find((each) => each.textContent.trim() === "Rejected").click();
            document.querySelector(".imagereward-thumb").dispatchEvent(new MouseEvent("click", {bubbles: true, detail: 2}));
            return !document.querySelector(".imagereward-viewer").hidden;
        }"""
    )
    assert opened
    page.wait_for_function("document.querySelectorAll('.imagereward-thumb').length === 0")
    page.wait_for_function("document.querySelector('.imagereward-viewer').hidden")
    assert page.evaluate("document.documentElement.className") == ""
