"""Culling in the tab, by mouse and by keys, in a real browser with real Gradios: see ``tab_browser.py``. Leaves pictures of what it saw."""

from __future__ import annotations

from tests.support.captions import cut_captions
from tests.support.webui.drawn import scenes
from tests.support.webui.tab_browser import (
    browser,
    framed,
    large,
    names,
    needed,
    page,
    part,
    press,
    server,
    settled,
    shot,
    stars_on,
    state,
    tab,
    undecide_all,
    viewing,
)

pytestmark = needed


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
    page.locator(".imagereward-panel .imagereward-stars button[data-stars='4']").click()
    page.wait_for_function(
        "!document.querySelector('.imagereward-picked .imagereward-caption').textContent.includes('★')"
    )


def test_rank_score_percent_and_stars_are_read_below_small_pictures(page, server):
    page.locator(".imagereward-thumb").first.click()
    press(page, "5", "x")
    settled(page)
    caption = page.locator(".imagereward-picked .imagereward-caption", has_text="5★")
    caption.wait_for()
    assert page.locator(".imagereward-thumb").first.bounding_box()["width"] < 140
    shot(page, server, "captions")
    shown, cut = cut_captions(page)
    assert shown == 10 and cut == []
    press(page, "Backspace", "u")
    caption.wait_for(state="detached")
    undecide_all(page)


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


def test_after_a_page_was_turned_a_key_means_the_picture_that_has_the_focus(page, server):
    page.locator(".imagereward-thumb").nth(3).click()
    before = names(page)
    settled(page, before[3])
    part(page, "page_on").click()
    page.wait_for_function(
        "(name) => !document.querySelector(`.imagereward-thumb img[alt='${name}']`)", arg=before[0]
    )
    seen = names(page)[0]
    page.locator(".imagereward-thumb").first.focus()
    press(page, "x")
    part(page, "count").get_by_text("1 rejected").wait_for()
    settled(page, seen)
    assert page.locator(".imagereward-hand").count() == 1 and names(page)[0] == seen
    press(page, "u")
    page.wait_for_function("!document.querySelector('.imagereward-hand')")


def test_a_reject_pressed_before_the_next_page_has_come_is_of_the_picture_gone_to(page, server):
    last = names(page)[-1]
    page.locator(".imagereward-thumb").last.click()
    settled(page, last)
    press(page, "ArrowRight")
    press(page, "x")
    part(page, "count").get_by_text("1 rejected").wait_for()
    settled(page, names(page)[0])
    assert (
        last not in names(page) and page.locator(".imagereward-picked .imagereward-hand").inner_text() == "✕"
    )
    press(page, "u")
    page.wait_for_function("!document.querySelector('.imagereward-hand')")


def test_hurried_keys_end_at_the_picture_they_say(page, server):
    page.locator(".imagereward-thumb").first.click()
    for _ in range(7):
        press(page, "ArrowRight")
    settled(page, names(page)[7])
    assert framed(page) == names(page)[7]


def test_what_cannot_be_shown_is_grey_beside_the_grid(page, server):
    page.route("**/imagereward/pictures/large/*", lambda route: route.abort())
    page.locator(".imagereward-thumb").nth(3).click()
    settled(page)
    page.wait_for_function(
        """() => {
            const image = document.querySelector(".imagereward-frame img");
            return image.src.includes("/small/") && image.complete && image.naturalWidth > 0;
        }"""
    )
    page.unroute("**/imagereward/pictures/large/*")
    page.locator(".imagereward-thumb").nth(4).click()
    page.wait_for_function("document.querySelector('.imagereward-frame img').naturalWidth === 96")


def test_the_picture_itself_is_fetched_by_the_program_only_to_be_sent(page, server):
    page.locator(".imagereward-thumb").nth(1).click()
    settled(page)
    assert page.locator("#imagereward_tab_picture img").count() == 0
    page.locator(".imagereward-thumb").nth(2).click()
    part(page, "send_inpaint").click()  # before the choice has come through
    tab(page, "Elsewhere")
    page.wait_for_function("document.querySelector('#came textarea').value.includes(' as (96, 96)')")
    tab(page, "ImageReward")
    settled(page)
    prompt = part(page, "details").locator(".imagereward-text").first.inner_text()
    assert page.locator("#came textarea").input_value().split("\n")[0] == prompt


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
    page.locator(".imagereward-thumb").nth(1).click()
    settled(page)
    tab(page, "Elsewhere")
    page.evaluate("document.activeElement.blur()")
    press(page, "x", "Enter", "?", "ArrowRight")
    assert not state(page)["open"]
    tab(page, "ImageReward")
    assert part(page, "count").get_by_text("0 rejected").is_visible()


def test_where_nothing_has_the_focus_keys_are_about_the_chosen_picture_and_those_that_scroll_scroll(
    page, server
):
    """Not before one has the frame; and not where a button, a choice or anything else has a use of its own for keys."""
    page.evaluate("document.activeElement.blur()")
    press(page, "x", "5", "Enter")
    assert framed(page) == "" and not state(page)["open"]
    press(page, "ArrowRight", "ArrowRight")
    seen = names(page)[1]
    settled(page, seen)
    press(page, " ", "End", "ArrowDown", "PageDown")
    settled(page, seen)
    assert not state(page)["open"]
    for focused in (
        "#imagereward_tab_page_on",
        "#imagereward_tab_show input",
        "#imagereward_tab_details [role=slider]",
        "#mine",
    ):
        page.evaluate(
            """(wanted) => {
                const details = document.getElementById("imagereward_tab_details");
                details.insertAdjacentHTML("beforeend", "<p role=slider tabindex=0>.</p><p contenteditable id=mine>.</p>");
                document.querySelector(wanted).focus();
            }""",
            focused,
        )
        assert page.evaluate("document.activeElement !== document.body")
        press(page, "x", "4", "c")
    assert not state(page)["open"]
    page.evaluate("document.activeElement.blur()")
    press(page, "Enter")
    viewing(page, seen)
    press(page, "Escape")
    page.evaluate("document.activeElement.blur()")
    press(page, "x")
    part(page, "count").get_by_text("1 rejected").wait_for()
    assert page.locator(".imagereward-picked .imagereward-hand").inner_text() == "✕" and stars_on(page) == ""
    undecide_all(page)


def test_keys_with_others_held_down_and_those_of_an_input_method_are_left_alone(page, server):
    page.locator(".imagereward-thumb").nth(1).click()
    settled(page)
    press(page, "Control+x", "Alt+x", "Meta+x", "Control+5", "Alt+c")
    for event in (
        "{key: 'x', code: 'KeyX', isComposing: true}",
        "{key: 'Process', code: 'KeyX', keyCode: 229}",
        "{key: 'Dead', code: 'KeyX'}",
        "{key: '»', code: 'KeyX', modifierAltGraph: true}",
    ):
        left = page.evaluate(
            f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{bubbles: true, cancelable: true, ...{event}}}))"
        )
        assert left, event
    page.evaluate("document.activeElement.dispatchEvent(new Event('keydown', {bubbles: true}))")
    settled(page)
    page.wait_for_timeout(500)
    assert part(page, "count").get_by_text("0 rejected").is_visible() and stars_on(page) == ""
    assert not state(page)["open"]


def test_long_words_in_messages_do_not_widen_a_narrow_page(page, server):
    page.set_viewport_size({"width": 400, "height": 800})
    line = f'<p class="imagereward-message imagereward-error">the file /{"a" * 300} was not found</p>'
    page.evaluate("line => { document.getElementById('imagereward_tab_message').innerHTML = line; }", line)
    page.wait_for_timeout(300)
    shot(page, server, "narrow")
    widths = "box => [box.scrollWidth, box.clientWidth]"
    wanted, given = page.locator("#imagereward_tab_message .imagereward-message").evaluate(widths)
    assert wanted <= given < 400
