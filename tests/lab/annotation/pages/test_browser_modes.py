"""All other modes in a real browser: quick by keys alone, best and worst, orders without sources, inspectors, people, a restart."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from imagereward_core.files import STORE_FOLDER
from imagereward_core.library.library import Library
from imagereward_lab.annotation.store import people
from imagereward_lab.annotation.store.answers import final_answers
from tests.support.lab.annotation import add, answer_to, open_service
from tests.support.lab.annotation_browser import PHONE, Seen, browser, needed
from tests.support.lab.annotation_pages import SECRET, drawn_project, served

pytestmark = needed


@contextmanager
def opened(browser, folder, view, role="annotator", owner=False, seen=None, **options):
    """A project that is served, and a page of it in one of its views."""
    seen = seen or {}
    project = drawn_project(folder, **options)
    service = open_service(project)
    try:
        with served(project) as link:
            if not owner:
                link = f"{link.partition('#')[0]}#token={add(service, 'ann', role)[1]}"
            page = Seen(browser, link, **seen)
            page.page.wait_for_selector(f"[data-view={view}]")
            yield page, service, link.partition("#")[0]
            page.close()
    finally:
        service.close()


def shown(seen):
    return [card.get_attribute("data-id") for card in seen.page.locator(".sides .card").all()]


def test_quick_mode_by_keys_alone_with_stars_undo_and_ranks(browser, tmp_path):
    with opened(browser, tmp_path, "quick", mode="quick", tasks=1, images=5, questions=2.0) as (
        seen,
        service,
        _,
    ):
        folder = service.project.images
        with Library.open(folder / STORE_FOLDER, root=folder) as library:
            library.scan([folder], None)
        page = seen.page
        page.wait_for_selector(".sides.of-2")
        seen.shot("quick")
        first = shown(seen)
        seen.press("Shift+ArrowRight", "Shift+ArrowRight", "4")
        assert page.locator(".given-stars").nth(1).inner_text() == "★★★★"
        seen.press("ArrowLeft")
        second = shown(seen)
        assert set(second) != set(first), "the next question is there at once"
        page.get_by_text("1 of 10").wait_for()
        seen.press("u")
        page.wait_for_selector(f".sides .card[data-id={first[1]}]")
        assert shown(seen) == first and page.locator(".given-stars").nth(1).inner_text() == "★★★★"
        seen.press("s", "t", "x")
        for _ in range(20):
            page.wait_for_selector(".sides, .rest a")
            if page.locator(".rest").count():
                break
            seen.press("ArrowRight")
        page.get_by_text("That is all").wait_for()
        results = service.results(service.local_person())
        assert results.comparisons == 10
        paths = {service.image_file(first[1]).path}
        with Library.look(folder / STORE_FOLDER, root=folder) as library:
            assert [row.stars for row in library.find(list(paths))] == [4]
        seen.go("ranks", ".ranks li")
        assert page.locator(".ranks li").count() == 5 and page.locator(".interval").count() == 5
        seen.shot("ranks")
        for form in ("CSV", "JSON"):
            with page.expect_download() as told:
                page.get_by_role("link", name=form, exact=True).click()
            text = told.value.path().read_text("utf-8")
            assert len(json.loads(text)["rows"] if form == "JSON" else text.splitlines()[1:]) == 5


def test_quick_mode_fits_a_phone_and_is_answered_by_touch(browser, tmp_path):
    options = {"mode": "quick", "tasks": 1, "images": 4, "side_by_side": 4}
    with opened(browser, tmp_path, "quick", seen=PHONE, **options) as (seen, service, _):
        page = seen.page
        page.wait_for_selector(".sides.of-4")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        last = page.locator(".sides .card").last.bounding_box()
        assert last["y"] + last["height"] <= 780, "all four are seen without scrolling"
        seen.shot("phone-quick")
        page.locator(".sides .choose").nth(2).tap()
        page.get_by_text("1 of").wait_for()
        assert service.results(service.local_person()).comparisons == 1


def test_best_and_worst_by_keys_refuse_one_picture_for_both(browser, tmp_path):
    with opened(browser, tmp_path, "work", mode="best-worst", tasks=2, images=4) as (seen, service, _):
        seen.page.wait_for_selector(".grid .card")
        ids = [card.get_attribute("data-id") for card in seen.page.locator(".card").all()]
        seen.press("Enter")
        seen.page.locator("[data-code=best_missing]").wait_for()
        seen.press("2", "b", "w")
        seen.page.locator("[data-code=best_is_worst]").wait_for()
        assert seen.texts(".faults li") == [
            "Picture 2 is chosen as both the best and the worst. Choose two different ones."
        ]
        seen.shot("best-worst")
        seen.press("ArrowRight", "w")
        seen.wait("!document.querySelector('.faults')")
        seen.press("Enter")
        seen.page.get_by_text("1 of 2").wait_for()
        (answer,) = service.project.database.read(final_answers)
        assert answer.document == {"best": ids[1], "worst": ids[2]}


@pytest.mark.parametrize("mode", ["top-picks", "per-generator"])
def test_orders_are_given_without_naming_sources(browser, tmp_path, mode):
    with opened(browser, tmp_path, "work", mode=mode, tasks=1, images=4) as (seen, service, _):
        page = seen.page
        page.wait_for_selector(".slots .slot")
        assert page.locator(".slot").count() == 4
        seen.press("1", "1")
        seen.press("Enter")
        assert page.locator(".tray .card").count() == 2, "what is left out is not submitted by Enter"
        seen.press("2", "3")
        seen.shot(mode)
        whole = page.content()
        assert SECRET not in whole and "made by" not in whole and ".png" not in whole
        assert not [url for url in seen.asked if ".png" in url or "made" in url]
        seen.saved()
        seen.press("Enter")
        page.get_by_text("That is all").wait_for()
        (answer,) = service.project.database.read(final_answers)
        assert [len(slot) for slot in answer.document["ranking"]] == [2, 1, 1, 0]


@pytest.mark.parametrize(
    ("mode", "asked"),
    [
        ("protocol", "three ratings from 1 to 7"),
        ("best-worst", "The best and the worst"),
        ("top-picks", "The order"),
        ("per-generator", "The order"),
        ("quick", "Which one is better"),
    ],
)
def test_the_document_that_people_read_is_about_what_is_asked(browser, tmp_path, mode, asked):
    view = "quick" if mode == "quick" else "work"
    with opened(browser, tmp_path, view, mode=mode, tasks=1, images=4) as (seen, _, _):
        seen.page.wait_for_selector(".card, .tabs")
        seen.press("h")
        guide = seen.page.locator("dialog .guide")
        guide.locator("h3", has_text=asked).wait_for()
        seen.shot(f"document-{mode}")
        assert guide.locator("h2").count() == 1
        assert ("Category." in guide.inner_text()) == (mode == "protocol")


@pytest.mark.parametrize("mode", ["best-worst", "per-generator", "protocol"])
def test_an_own_earlier_answer_is_gone_back_to_changed_or_left_as_it_is(browser, tmp_path, mode):
    with opened(browser, tmp_path, "work", mode=mode, tasks=2, images=4) as (seen, service, _):
        page, ann = seen.page, service.project.database.read(lambda c: people.by_name(c, "ann"))
        page.locator(".own").wait_for()
        seen.press("o")
        page.get_by_text("You have not answered anything yet").wait_for()
        seen.press("Escape")
        first = service.next(ann).task
        one = answer_to(first)
        assert service.submit(ann, first.id, one) == []
        seen.reload()
        page.locator(".own").wait_for()
        second = service.next(ann).task
        if mode == "best-worst":
            seen.press("1", "b")  # begun, and kept while something else is done
        seen.press("o")
        page.locator(".thing").wait_for()
        seen.shot(f"own-{mode}")
        assert first.prompt in page.locator("dialog .things").inner_text()
        seen.press("Enter")
        page.locator(".note.row").wait_for()
        assert not page.locator(".skip").count(), "what is answered cannot be skipped"
        seen.shot(f"own-again-{mode}")
        if mode == "best-worst":
            assert service.next(ann).task.draft["best"] == second.images[0].id
            best = [each.id for each in first.images].index(one["best"])
            other = next(place for place in range(4) if first.images[place].id not in one.values())
            assert page.locator(".card.is-best").get_attribute("data-id") == first.images[best].id
            seen.press(str(other + 1), "b")
            seen.saved()
            page.locator(".note.row button").click()
            page.wait_for_selector(f".card.is-best[data-id={second.images[0].id}]")
            assert service.again(ann, first.id).task.draft == one
            seen.press("o")
            page.locator(".thing").click()
            page.wait_for_selector(f".card.is-best[data-id={one['best']}]")
            seen.press(str(other + 1), "b", "Enter")
            page.get_by_text("Changed. The earlier answer stays").wait_for()
            page.wait_for_selector(f".card.is-best[data-id={second.images[0].id}]")
            (answer,) = service.project.database.read(final_answers)
            assert answer.document == {**one, "best": first.images[other].id}
            (own,) = service.answered(ann)
            assert own.versions == 2
            seen.press("o")
            page.get_by_text("changed, 1×").wait_for()
            seen.press("Escape")
        else:
            page.locator(".note.row button").click()
            page.wait_for_selector(".note.row", state="detached")
            (own,) = service.answered(ann)
            assert own.versions == 1 and service.again(ann, first.id).task.draft == one


def test_an_inspector_judges_by_keys(browser, tmp_path):
    with opened(browser, tmp_path, "work", role="inspector", tasks=3, images=4) as (seen, service, _):
        bob, _ = add(service, "bob")
        for _ in range(2):
            task = service.next(bob).task
            assert service.submit(bob, task.id, answer_to(task), 20.0) == []
        seen.go("inspect", ".slots")
        assert seen.page.get_by_text("2 answers wait").is_visible() and "bob" not in seen.page.content()
        seen.shot("inspect")
        seen.press("v")
        seen.page.get_by_text("1 answers wait").wait_for()
        seen.press("i")
        seen.page.wait_for_selector("dialog textarea")
        seen.page.keyboard.type("the scale is turned round")
        seen.press("Control+Enter")
        seen.page.get_by_text("Nothing to inspect now").wait_for()
        results = service.results(service.local_person())
        assert (results.inspected, results.invalid) == (1, 1)


BROKEN = """() => [...document.querySelectorAll("button, legend, th, .wide td, .choice, .slots h3")].flatMap((element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), found = [];
    while (walker.nextNode()) {
        const text = walker.currentNode.data.trim(), range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        const lines = new Set([...range.getClientRects()].map((line) => Math.round(line.top)));
        if (/^[\\u4e00-\\u9fff]{2,10}$/.test(text) && lines.size > 1) found.push(text);
    }
    return found;
})"""
"""Chinese labels that go over several lines: without a rule they are broken between any two characters."""


def test_chinese_labels_are_in_one_piece_on_a_phone(browser, tmp_path):
    seen_as = {**PHONE, "language": "zh-CN"}
    with opened(browser, tmp_path, "start", role="researcher", seen=seen_as, tasks=2, images=4) as (
        seen,
        service,
        _,
    ):
        page, bob = seen.page, add(service, "bob")[0]
        task = service.next(bob).task
        assert service.submit(bob, task.id, answer_to(task), 20.0) == []
        for view, there in (("people", ".wide button"), ("inspect", ".wide table"), ("work", ".tabs")):
            seen.go(view, there)
            for stage in range(3 if view == "work" else 1):
                if view == "work":
                    page.locator(".tabs button").nth(stage).click()
                seen.shot(f"zh-{view}-{stage}")
                assert page.evaluate(BROKEN) == [], (view, stage)
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, (view, stage)


def test_the_owner_starts_invites_somebody_and_sees_how_far_they_are(browser, tmp_path):
    with opened(browser, tmp_path, "start", owner=True, tasks=2, images=4) as (seen, _, root):
        page = seen.page
        page.locator(".ways").wait_for()
        seen.shot("start")
        assert "token" not in page.url, "the token leaves the address"
        seen.go("people", "form input")
        page.locator("form input").fill("Eve <b>")
        page.locator("form button").click()
        link = page.locator(".told input").input_value()
        seen.shot("people")
        eve = Seen(browser, link, language="zh-CN")
        eve.page.wait_for_selector(".tabs")
        assert eve.page.locator("nav a").count() == 1 and "提示词" in eve.page.locator(".tabs").inner_text()
        eve.page.locator("select").select_option("en")
        eve.page.get_by_text("How to judge").wait_for()
        eve.close()
        assert "Eve <b>" in page.locator("table").inner_text()
        stranger = browser.new_page()
        stranger.goto(root)
        stranger.get_by_text("Who is there?").wait_for()
        stranger.close()
