"""Somebody in a hurry, and a program that takes its time: see ``tab_browser.py``. What was pressed is about what was seen then."""

# ruff: noqa: F401, F811 - fixtures of tab_browser.py
from __future__ import annotations

import pytest
from tab_browser import (
    all_names,
    browser,
    framed,
    held_back,
    large,
    names,
    needed,
    page,
    part,
    press,
    server,
    settled,
    show,
    stars_on,
    state,
    tab,
    undecide_all,
    viewing,
)

pytestmark = needed


def shows(page, wanted):
    """Waits until these pictures are on the page, in this order."""
    page.wait_for_function(
        """(wanted) => {
            const shown = [...document.querySelectorAll(".imagereward-thumb img")].map((each) => each.alt);
            return JSON.stringify(shown) === JSON.stringify(wanted);
        }""",
        arg=wanted,
    )


def begin(page, which, at):
    """Shows one kind and chooses a picture of it; gives the names of all, in their order."""
    show(page, which)
    page.wait_for_timeout(900)
    everything = all_names(page)
    page.locator(".imagereward-thumb").nth(at).click()
    settled(page, everything[at])
    return everything


def test_rejects_pressed_before_the_program_answers_are_of_the_pictures_seen_one_after_the_other(
    page, server
):
    everything = begin(page, "Kept", 2)
    seen = []
    with held_back(page) as asked:
        for _ in range(3):
            seen.append(large(page))
            press(page, "x")
        assert len(asked) <= 1, "nothing was answered yet"
        assert seen == everything[2:5] and framed(page) == large(page) == everything[5]
        assert names(page) == [*everything[:2], *everything[5:13]]
    part(page, "count").get_by_text("3 rejected").wait_for()
    settled(page, everything[5])
    shows(page, [*everything[:2], *everything[5:13]])
    assert framed(page) == everything[5]
    show(page, "Rejected")
    shows(page, everything[2:5])
    undecide_all(page)


def test_a_row_of_rejects_beyond_the_page_and_what_came_along_is_of_so_many_pictures(page, server):
    everything = begin(page, "Kept", 8)
    press(page, *["x"] * 9)
    part(page, "count").get_by_text("9 rejected").wait_for()
    settled(page, everything[17])
    show(page, "Rejected")
    shows(page, everything[8:17])
    page.locator(".imagereward-thumb").first.click()
    press(page, *["k"] * 9)
    shows(page, [])
    show(page, "Kept and rejected")
    page.locator(".imagereward-hand").first.wait_for()
    assert page.locator(".imagereward-hand").all_inner_texts() == ["✓"] * 2
    page.locator(".imagereward-thumb").nth(8).click()
    press(page, *["u", "ArrowRight"] * 9)
    part(page, "pages").get_by_text("2").first.wait_for()
    settled(page, everything[17])
    page.wait_for_function("!document.querySelector('.imagereward-hand')")


def test_what_is_pressed_while_a_far_page_is_on_its_way_is_about_the_picture_gone_to(page, server):
    everything = begin(page, "Kept", 0)
    with held_back(page):
        press(page, "End", "x", "3", "Home", "x")
    part(page, "count").get_by_text("2 rejected").wait_for()
    settled(page, everything[1])
    show(page, "Rejected")
    shows(page, [everything[0], everything[-1]])
    show(page, "Kept and rejected")
    page.locator(".imagereward-hand").first.wait_for()
    page.locator(".imagereward-thumb").first.click()
    press(page, "End")
    settled(page, everything[-1])
    assert stars_on(page) == "", "after the reject it was another picture's turn"
    press(page, "ArrowLeft")
    settled(page, everything[-2])
    assert stars_on(page) == "3"
    press(page, "Backspace")
    settled(page)
    undecide_all(page)


def test_a_key_held_down_rejects_one_picture(page, server):
    everything = begin(page, "Kept", 1)
    for _ in range(5):
        page.keyboard.down("x")
    page.keyboard.up("x")
    part(page, "count").get_by_text("1 rejected").wait_for()
    settled(page, everything[2])
    assert part(page, "count").get_by_text("1 rejected").is_visible()
    undecide_all(page)


def test_stars_clicked_twice_are_taken_away_again_however_quickly(page, server):
    page.locator(".imagereward-thumb").nth(1).click()
    button = page.locator(".imagereward-panel .imagereward-stars button[data-stars='4']")
    with held_back(page):
        button.click()
        assert stars_on(page) == "4"
        button.click()
        assert stars_on(page) == ""
    settled(page)
    assert (
        stars_on(page) == ""
        and "★" not in page.locator(".imagereward-picked .imagereward-caption").inner_text()
    )


def test_side_by_side_the_next_one_comes_where_the_rejected_one_was_before_the_one_that_stays(page, server):
    everything = begin(page, "Kept", 3)
    press(page, "c", "ArrowLeft")
    viewing(page, everything[3], everything[2])
    press(page, "x")
    viewing(page, everything[3], everything[4])
    press(page, "Escape", "Escape")
    undecide_all(page)


def test_the_browser_asks_before_it_leaves_what_is_not_written_down_yet(page, server):
    stays = "window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    page.locator(".imagereward-thumb").nth(1).click()
    settled(page)
    with held_back(page):
        press(page, "2")
        assert not page.evaluate(stays)
    page.wait_for_function(
        "document.querySelector('.imagereward-picked .imagereward-caption').textContent.includes('2★')"
    )
    press(page, "Backspace")
    page.wait_for_function(
        "!document.querySelector('.imagereward-picked .imagereward-caption').textContent.includes('★')"
    )
    settled(page)
    assert page.evaluate(stays)


def test_the_last_of_several_filter_settings_is_what_is_shown(page, server):
    page.locator("#imagereward_tab_rules .label-wrap").first.click()
    everything = all_names(page)
    with held_back(page) as asked:
        show(page, "Rejected")
        waited = (page.wait_for_timeout(100) for _ in range(200))
        while not asked:
            next(waited)
        show(page, "Kept")
        for top in "543":
            part(page, "top").locator("input").fill(top)
        page.wait_for_timeout(900)
        asked.reverse()  # the first one arrives last
    part(page, "count").get_by_text("21 rejected").wait_for()
    shows(page, everything[:3])
    page.wait_for_timeout(900)
    shows(page, everything[:3])


def test_drawn_into_another_element_by_gradio_a_click_still_counts_once(page, server):
    """A double click that counts twice would go on from the large view to 1:1."""
    page.evaluate(
        """() => {
            const panel = document.querySelector(".imagereward-panel");
            panel.replaceWith(Object.assign(document.createElement("div"), {className: "imagereward-panel"}));
        }"""
    )
    page.locator(".imagereward-panel .imagereward-judging").wait_for(state="attached")
    page.locator(".imagereward-thumb").nth(2).dblclick()
    viewing(page, names(page)[2])
    assert state(page)["scale"] == "fit"
    press(page, "Escape")
    settled(page, names(page)[2])


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_picture_that_could_not_be_had_for_a_moment_comes_by_itself(page, server, size):
    page.route(f"**/imagereward/pictures/{size}/*", lambda route: route.abort())
    show(page, "Rejected")
    shows(page, [])
    page.evaluate("document.querySelectorAll('.imagereward-thumb').forEach((each) => each.remove())")
    show(page, "Kept and rejected")
    page.locator(".imagereward-thumb").nth(9).wait_for()
    page.locator(".imagereward-thumb").nth(2).dblclick()
    grid_and_panel = ".imagereward-thumb img, .imagereward-frame img"
    grey = f"[...document.querySelectorAll('{grid_and_panel}')].some((each) => each.src.startsWith('data:'))"
    whole = f"""[...document.querySelectorAll("{grid_and_panel}, .imagereward-pane:not([hidden]) img")].every(
        (each) => each.complete && each.naturalWidth === 96)"""
    if size == "small":
        page.wait_for_function(grey)
    else:
        page.locator(".imagereward-broken").wait_for()
    page.unroute(f"**/imagereward/pictures/{size}/*")
    page.wait_for_function(whole)
    page.wait_for_function("document.querySelector('.imagereward-frame img').src.includes('/large/')")
    page.locator(".imagereward-broken").wait_for(state="detached")
