"""The paper's protocol in a real browser: from the prompt to a submitted ranking by keys, by mouse and by finger; every refusal."""

from __future__ import annotations

import pytest

from tests.support.lab.annotation import add, open_service
from tests.support.lab.annotation_browser import PHONE, Seen, browser, needed
from tests.support.lab.annotation_pages import drawn_project, served

pytestmark = needed

PROMPT = '𝒜 red fox, watercolour, 8k <img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return drawn_project(tmp_path_factory.mktemp("protocol"), tasks=14, images=5, prompt=PROMPT, skips=2)


@pytest.fixture(scope="module")
def service(project):
    made = open_service(project)
    yield made
    made.close()


@pytest.fixture(scope="module")
def root(project):
    with served(project) as link:
        yield link.partition("#")[0]


@pytest.fixture
def visit(browser, service, root, request):
    opened = []

    def come(name, **how):
        opened.append(Seen(browser, f"{root}#token={add(service, name)[1]}", **how))
        opened[-1].page.wait_for_selector(".tabs")
        return opened[-1]

    yield come
    for each in opened:
        each.close()


def documents(service, name):
    from imagereward_lab.annotation.store.answers import final_answers

    answers = service.project.database.read(final_answers)
    return [answer.document for answer in answers if answer.person.name == name]


def about_the_prompt(seen):
    """By keys alone: category, intent, boxes, and two phrases."""
    seen.press("4", "i", "n", "m", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "c", "ArrowLeft", "f")
    seen.page.evaluate("document.activeElement.blur()")


def rate(seen, *overall):
    for place, value in enumerate(overall):
        seen.press(str(value), "5", "6", "b" if place == 0 else "n")
        if place == 0:
            seen.press("m")
            seen.page.keyboard.type("a roof, night")
            seen.press("Enter")
        seen.press("Enter")


def test_by_keys_alone_from_the_prompt_to_a_submitted_ranking(service, visit):
    seen = visit("keys")
    assert "<img" in seen.page.locator(".prompt.marking").inner_text()
    about_the_prompt(seen)
    assert seen.texts(".marks li span") == ["Content: red fox", "Function: img"] or seen.texts(
        ".marks li span"
    )[0].startswith("Content")
    seen.shot("prompt")
    seen.press("Enter")
    seen.page.wait_for_selector(".seven")
    rate(seen, 7, 6, 5, 4, 3)
    seen.page.wait_for_selector(".slots")
    assert seen.texts(".badge") == [f"Overall {value}" for value in (7, 6, 5, 4, 3)]
    seen.press("1", "2", "3", "4", "5")
    seen.shot("ranking")
    seen.press("h")
    seen.page.wait_for_selector("dialog .guide h2")
    seen.shot("document")
    seen.press("Escape", "Control+Enter")
    seen.page.get_by_text("Submitted.").wait_for()
    seen.page.wait_for_selector(".prompt.marking")
    (document,) = documents(service, "keys")
    assert document["prompt"]["category"] == "arts" and document["prompt"]["intent_unclear"] is False
    phrase = document["prompt"]["phrases"][0]
    assert [*PROMPT][phrase["start"] : phrase["end"]] == [*"red fox"] and phrase["kind"] == "content"
    first = document["images"][document["ranking"][0][0]]
    assert first == {
        "overall": 7,
        "alignment": 5,
        "fidelity": 6,
        "problems": ["body"],
        "missing": ["a roof", "night"],
    }
    assert [len(slot) for slot in document["ranking"]] == [1] * 5


def test_every_refusal_is_seen_at_once_and_the_server_has_the_last_word(service, visit):
    seen = visit("refused")
    seen.press("Control+Enter")
    seen.page.wait_for_selector("[data-code=category_missing]")
    told = " ".join(seen.texts(".faults li"))
    assert "The prompt has no category. Choose one." in told and "more" in told
    about_the_prompt(seen)
    seen.press("]")
    rate(seen, 7, 6, 5, 4, 3)
    seen.press("2", "2", "2", "1")
    seen.page.wait_for_selector("[data-code=slot_full]")
    said = seen.texts(".faults li")
    assert "Slot 2 holds 3 pictures (1, 2, 3); at most two may share one." in said
    assert any(
        each.startswith(
            "Picture 1 has a higher overall rating (7) than picture 4 (4), but stands in a worse slot"
        )
        for each in said
    )
    assert "Picture 5 is not in the ranking. Put it into a slot." in " ".join(said), (
        "said, since somebody tried to submit"
    )
    assert seen.page.locator(".slot.full").count() == 1 and seen.page.locator(".card.wrong").count() >= 4
    seen.shot("refused")
    seen.press("Control+Enter")
    seen.page.get_by_text("Not submitted: 5 things").wait_for()
    seen.page.wait_for_selector("main:not([aria-busy])")
    assert documents(service, "refused") == []
    seen.press("Shift+3", "3", "Shift+4", "4", "Shift+5", "5")
    seen.wait("!document.querySelector('.faults')")
    seen.press("Control+Enter")
    seen.page.get_by_text("Submitted.").wait_for()
    assert [len(slot) for slot in documents(service, "refused")[0]["ranking"]] == [0, 2, 1, 1, 1]


def test_by_mouse_words_are_selected_and_pictures_dragged_and_a_reload_loses_nothing(service, visit):
    seen = visit("mouse")
    page = seen.page
    words = page.locator(".marking [data-word]")
    one, two = words.nth(1).bounding_box(), words.nth(2).bounding_box()
    page.mouse.move(one["x"] + 1, one["y"] + 8)
    page.mouse.down()
    page.mouse.move(two["x"] + two["width"] - 1, two["y"] + 8, steps=5)
    page.mouse.up()
    page.locator(".mark.style").click()
    assert seen.texts(".marks li span")[0] == "Style: red fox"
    page.get_by_text("Animals").click()
    page.get_by_text("Intent unclear").click()
    page.locator(".about").get_by_text("None of these").click()
    page.get_by_text("On to the pictures").click()
    for _ in range(5):
        for rating in ("overall", "alignment", "fidelity"):
            page.locator(f"[data-rating={rating}] input[value='4']").click()
        page.locator(".form").get_by_text("None of these").click()
        page.locator(".form .primary").click()
    drag(page, page.locator(".tray .card").nth(1), page.locator(".slot").nth(0))
    drag(page, page.locator(".tray .card").nth(0), page.locator(".slot").nth(2))
    assert seen.page.locator(".slot").nth(0).locator(".card").count() == 1
    seen.saved()
    seen.reload()
    page.wait_for_selector(".slots")
    assert [page.locator(".slot").nth(place).locator(".card").count() for place in range(5)] == [
        1,
        0,
        1,
        0,
        0,
    ]
    page.locator(".tabs [data-stage=prompt]").click()
    assert seen.texts(".marks li span")[0] == "Style: red fox"
    page.locator(".tabs [data-stage=ranking]").click()
    page.locator(".card .large").first.click()
    page.wait_for_selector(".imagereward-viewer:not([hidden])")
    assert page.locator(".imagereward-viewer .imagereward-stars").is_hidden(), (
        "nothing is judged in the large view"
    )
    seen.press("3", "z", "c", "Escape", "Escape")
    page.wait_for_selector(".imagereward-viewer", state="hidden")
    drag(page, page.locator(".slot .card").first, page.locator(".tray"))
    assert seen.page.locator(".tray .card").count() == 4
    for _ in range(2):
        drag(page, page.locator(".tray .card").first, page.locator(".slot").nth(3))
        drag(page, page.locator(".tray .card").first, page.locator(".slot").nth(1))
    page.locator(".submit").click()
    page.get_by_text("Submitted.").wait_for()
    assert [len(slot) for slot in documents(service, "mouse")[0]["ranking"]] == [0, 2, 1, 2, 0]


def drag(page, card, slot):
    card.scroll_into_view_if_needed()
    begin, end = card.bounding_box(), slot.bounding_box()
    page.mouse.move(begin["x"] + begin["width"] / 2, begin["y"] + begin["height"] / 2)
    page.mouse.down()
    page.mouse.move(begin["x"] + begin["width"] / 2 + 12, begin["y"] + begin["height"] / 2, steps=3)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
    for nudge in range(50):  # until the slot has a place for it
        if slot.locator(".sortable-ghost").count():
            break
        page.mouse.move(end["x"] + end["width"] / 2 + nudge % 2, end["y"] + end["height"] / 2)
        page.wait_for_timeout(100)
    page.mouse.up()
    page.locator(".sortable-fallback").wait_for(state="detached")
    page.wait_for_timeout(200)


def touch_drag(seen, card, slot):
    """A finger that rests on a card, moves to a slot and is lifted."""
    card.scroll_into_view_if_needed()
    begin, end = card.bounding_box(), slot.bounding_box()
    finger = seen.context.new_cdp_session(seen.page)
    here = [begin["x"] + begin["width"] / 2, begin["y"] + begin["height"] / 2]
    there = [end["x"] + end["width"] / 2, end["y"] + min(end["height"] / 2, 40)]

    def at(kind, point):
        points = [] if point is None else [{"x": point[0], "y": point[1]}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    at("touchStart", here)
    seen.page.wait_for_timeout(350)
    for step in range(1, 11):
        at("touchMove", [here[side] + (there[side] - here[side]) * step / 10 for side in (0, 1)])
        seen.page.wait_for_timeout(30)
    seen.page.wait_for_timeout(200)
    at("touchEnd", None)
    seen.page.wait_for_timeout(250)


def test_on_a_phone_by_finger_in_chinese_and_in_the_dark(service, visit):
    seen = visit("phone", language="zh-CN", color_scheme="dark", **PHONE)
    page = seen.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 27)"
    page.locator(".marking [data-word]").nth(1).tap()
    page.locator(".marking [data-word]").nth(2).tap()
    page.locator(".mark.content").tap()
    assert seen.texts(".marks li span")[0] == "内容: red fox"
    for text in ("食物", "意图清楚"):
        page.get_by_text(text).tap()
    page.locator(".about").get_by_text("以上都没有").tap()
    seen.shot("phone-prompt")
    page.locator(".about .primary").tap()
    for _ in range(5):
        for rating in ("overall", "alignment", "fidelity"):
            page.locator(f"[data-rating={rating}] input[value='5']").tap()
        page.locator(".form").get_by_text("以上都没有").tap()
        page.locator(".form .primary").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for place in (2, 0, 1):
        touch_drag(seen, page.locator(".tray .card").first, page.locator(".slot").nth(place))
    seen.shot("phone-ranking")
    assert [page.locator(".slot").nth(place).locator(".card").count() for place in range(5)] == [
        1,
        1,
        1,
        0,
        0,
    ]
    for _ in range(2):
        touch_drag(seen, page.locator(".tray .card").first, page.locator(".slot").nth(2))
    page.locator("[data-code=slot_full]").wait_for()
    assert "最多两张" in " ".join(seen.texts(".faults li"))
    touch_drag(seen, page.locator(".slot").nth(2).locator(".card").first, page.locator(".slot").nth(1))
    seen.wait("!document.querySelector('.faults')")
    page.locator(".submit").tap()
    page.get_by_text("已提交").wait_for()
    assert [len(slot) for slot in documents(service, "phone")[0]["ranking"]] == [1, 2, 2, 0, 0]


def test_skipping_has_a_quota(service, visit):
    seen = visit("skips")
    for left in (2, 1):
        seen.page.get_by_text(f"{left} skips left").first.wait_for()
        seen.press("x")
        seen.page.wait_for_selector("dialog textarea")
        seen.page.keyboard.type("x is a letter here")
        seen.press("Control+Enter")
        seen.page.wait_for_selector("dialog", state="detached")
    seen.page.get_by_text("0 skips left").wait_for()
    seen.press("x")
    seen.page.wait_for_selector("dialog textarea")
    seen.press("Control+Enter")
    seen.page.get_by_text("No skips are left").wait_for()
