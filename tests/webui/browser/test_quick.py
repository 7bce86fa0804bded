"""Quick ranking in the tab, by keys, in a real browser with real Gradios: see ``tab_browser.py``. Leaves pictures of what it saw."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.support.webui.tab_browser import (
    browser,
    framed,
    held_back,
    needed,
    page,
    part,
    press,
    server,
    settled,
    shot,
    state,
)

pytestmark = needed


@pytest.fixture
def quick(page):
    """Quick ranking, open with its first question."""
    part(page, "quick").click()
    asked(page, 2)
    return page


def asked(page, number, other_than=None):
    """Waits for a question of so many pictures, other than those of before; gives their names."""
    page.wait_for_function(
        """([number, before]) => {
            const quick = document.querySelector(".imagereward-quick");
            const names = [...quick.querySelectorAll(".imagereward-quick-pane img")].map((each) => each.alt);
            const free = !quick.hidden && !quick.classList.contains("imagereward-busy");
            return free && names.length === number && (!before || names.join("/") !== before.join("/"));
        }""",
        arg=[number, other_than],
    )
    return shown(page)


def shown(page):
    return page.locator(".imagereward-quick-pane img").evaluate_all("all => all.map((each) => each.alt)")


def count(page):
    """How many answers there are for this prompt."""
    return int(page.locator(".imagereward-quick-count").get_attribute("data-answers"))


def counted(page, number):
    page.wait_for_function(
        """(number) => !document.querySelector(".imagereward-busy")
            && document.querySelector(".imagereward-quick-count").dataset.answers === String(number)""",
        arg=number,
    )


def test_one_key_chooses_ties_skips_and_takes_back_and_nothing_reaches_the_page_below(quick, server):
    before, at_first = count(quick), framed(quick)
    one = shown(quick)
    press(quick, "ArrowLeft")
    two = asked(quick, 2, one)
    counted(quick, before + 1)
    press(quick, "s")
    three = asked(quick, 2, two)
    counted(quick, before + 2)
    press(quick, "t")
    four = asked(quick, 2, three)
    counted(quick, before + 3)
    press(quick, "n")
    five = asked(quick, 2, four)
    counted(quick, before + 3)
    press(quick, "u")
    assert asked(quick, 2, five) == four
    press(quick, "Backspace")
    assert asked(quick, 2, four) == three
    counted(quick, before + 2)
    shot(quick, server, "quick-two")
    press(quick, "x", "k", "c", "Enter", "Control+a")
    assert framed(quick) == at_first and not state(quick)["open"]
    counted(quick, before + 2)
    press(quick, "Escape")
    quick.locator(".imagereward-quick").wait_for(state="hidden")
    assert quick.evaluate("window.interrupted") == 0, "Escape ends a generation when nothing is open"
    assert part(quick, "count").get_by_text("0 rejected").is_visible()


def test_four_side_by_side_a_click_chooses_and_pictures_are_seen_whole_and_pixel_by_pixel(quick, server):
    quick.locator(".imagereward-quick-sizes button[data-size='4']").click()
    names = asked(quick, 4)
    quick.wait_for_function(
        "[...document.querySelectorAll('.imagereward-quick-pane img')].every((each) => each.complete && each.naturalWidth === 96)"
    )
    boxes = [quick.locator(".imagereward-quick-pane").nth(at).bounding_box() for at in range(4)]
    assert len({box["x"] for box in boxes}) == len({box["y"] for box in boxes}) == 2
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= 1000 for box in boxes)
    shot(quick, server, "quick-four")
    before = count(quick)
    quick.locator(".imagereward-quick-pane").nth(2).click()
    asked(quick, 4, names)
    counted(quick, before + 1)
    press(quick, "z")
    assert (
        quick.locator(".imagereward-quick-pane img").first.evaluate(
            "each => getComputedStyle(each).objectFit"
        )
        == "none"
    )
    press(quick, "z", "?")
    assert quick.locator(".imagereward-quick .imagereward-help").is_visible()
    shot(quick, server, "quick-keys")
    press(quick, "Escape")
    assert quick.locator(".imagereward-quick").is_visible()


def test_stars_go_to_the_picture_with_the_frame_and_are_those_of_the_tab(quick, server):
    first, second = shown(quick)
    press(quick, "Tab", "4")
    quick.wait_for_function(
        "document.querySelectorAll('.imagereward-quick-stars')[1].textContent === '4★' && !document.querySelector('.imagereward-busy')"
    )
    assert shown(quick) == [first, second], "the question is still to be answered"
    press(quick, "Escape")
    thumb = quick.locator(".imagereward-thumb", has=quick.locator(f"img[alt='{second}']"))
    if not thumb.count():
        part(quick, "text").locator("textarea, input").first.fill(second)
    thumb.locator(".imagereward-caption", has_text="4★").wait_for()
    thumb.click()
    settled(quick, second)
    press(quick, "Backspace")
    thumb.locator(".imagereward-caption", has_text="★").wait_for(state="detached")
    part(quick, "text").locator("textarea, input").first.fill("")


def test_ranks_show_how_sure_they_are_and_are_saved_as_files(quick, server):
    for _ in range(6):
        names = shown(quick)
        best = max(names)
        press(quick, "ArrowLeft" if names[0] == best else "ArrowRight")
        asked(quick, 2, names)
    press(quick, "r")
    table = quick.locator(".imagereward-quick-ranks")
    table.wait_for()
    ranks = [int(text) for text in table.locator("td:nth-child(1)").all_inner_texts()]
    assert ranks == sorted(ranks) and ranks[0] == 1 and len(ranks) == 6
    assert "–" in table.locator("td:nth-child(2)").first.inner_text()
    quick.wait_for_timeout(500)
    shot(quick, server, "quick-ranks")
    answers = count(quick)
    press(quick, "ArrowLeft", "t", "5", "n")
    files = {}
    for form in ("csv", "json"):
        with quick.expect_download() as came:
            quick.locator(f".imagereward-quick [data-do={form}]").click()
        assert came.value.suggested_filename.endswith(f".{form}")
        files[form] = came.value.path().read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(files["csv"])))
    whole = json.loads(files["json"])["rows"]
    assert [row["file"] for row in rows] == [row["file"] for row in whole] and len(rows) == 6
    assert {"rank", "rank_low", "rank_high", "strength", "error"} <= rows[0].keys()
    press(quick, "r")
    table.wait_for(state="hidden")
    assert count(quick) == answers


def test_answers_are_there_after_the_page_was_closed_and_loaded_again(quick, server, browser):
    names = shown(quick)
    press(quick, "ArrowRight")
    asked(quick, 2, names)
    answers, prompt = count(quick), quick.locator(".imagereward-quick-prompt").inner_text()
    other = server.open(browser)
    part(other, "score").click()
    part(other, "message").get_by_text("new scores").first.wait_for()
    other.locator(".imagereward-thumb").nth(9).wait_for()
    part(other, "quick").click()
    asked(other, 2)
    assert other.locator(".imagereward-quick-prompt").inner_text() == prompt and count(other) == answers
    other.close()


def test_what_is_pressed_before_the_next_question_came_is_about_nothing(quick):
    names, answers = shown(quick), count(quick)
    with held_back(quick) as waiting:
        press(quick, "ArrowLeft", "ArrowLeft", "ArrowRight", "t", "n")
        quick.wait_for_timeout(400)
        assert len(waiting) == 1 and shown(quick) == names
    asked(quick, 2, names)
    counted(quick, answers + 1)


def test_prompts_are_gone_through_and_across_them_only_with_a_warning(quick, server):
    prompt = quick.locator(".imagereward-quick-prompt")
    first, names = prompt.inner_text(), shown(quick)
    press(quick, "PageDown")
    names = asked(quick, 2, names)
    assert prompt.inner_text() != first
    press(quick, "PageUp")
    names = asked(quick, 2, names)
    assert prompt.inner_text() == first
    quick.locator(".imagereward-quick [data-do=across]").click()
    warning = quick.locator(".imagereward-quick > .imagereward-message").first
    warning.get_by_text("taste alone").wait_for()
    assert not prompt.is_visible()
    shot(quick, server, "quick-across")
    quick.locator(".imagereward-quick [data-do=across]").click()
    warning.wait_for(state="hidden")
    quick.set_viewport_size({"width": 390, "height": 780})
    quick.wait_for_timeout(300)
    shot(quick, server, "quick-narrow")
    boxes = [quick.locator(".imagereward-quick-pane").nth(at).bounding_box() for at in range(2)]
    assert boxes[0]["y"] != boxes[1]["y"] and all(box["width"] > 350 for box in boxes)
