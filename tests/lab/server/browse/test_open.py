"""``imagereward open`` in a real browser: rows, keys, side by side, curate and undo, arrivals, a phone, two languages."""

from __future__ import annotations

import numpy as np
from PIL import Image

from imagereward_core.library.library import Library
from tests.support.lab.open_server import (
    MANY,
    Server,
    at,
    browser,
    home,
    many,
    needed,
    opened,
    page,
    place,
    query,
    server,
    shot,
)
from tests.support.library.curation import demo_panel, draw_outputs, save_scene, tree
from tests.support.touch import Fingers

pytestmark = needed


def settled(page):
    page.wait_for_function(
        "() => !imagerewardPage.culling.deck.busy && !imagerewardPage.culling.deck.looking"
    )


def rows_seen(page):
    """Whether every place that is seen shows its picture."""
    page.wait_for_function(
        """() => {
            const box = document.getElementById('grid').getBoundingClientRect();
            const seen = [...document.querySelectorAll('#grid .imagereward-thumb')].filter((thumb) => {
                const edge = thumb.getBoundingClientRect();
                return thumb.style.display !== 'none' && edge.bottom > box.top && edge.top < box.bottom;
            });
            return seen.length > 5 && seen.every((thumb) => thumb.dataset.id && thumb.querySelector('img').complete);
        }"""
    )


def test_only_the_rows_that_are_seen_are_there_wherever_somebody_scrolls(page):
    rows_seen(page)
    counted = [page.locator("#grid .imagereward-thumb").count()]
    for share in (0.3, 0.9, 0.1, 1):
        page.evaluate(
            "(share) => { const box = document.getElementById('grid'); box.scrollTop = share * box.scrollHeight; }",
            share,
        )
        page.wait_for_timeout(100)
        rows_seen(page)
        counted.append(page.locator("#grid .imagereward-thumb").count())
    assert max(counted) < 120 < MANY
    ranks = page.evaluate(
        "[...document.querySelectorAll('#grid .imagereward-thumb')].filter((each) => each.style.display !== 'none')"
        ".map((each) => [Number(each.dataset.at), each.querySelector('.imagereward-caption').textContent])"
    )
    assert max(number for number, _ in ranks) == MANY - 1
    for number, caption in ranks:
        assert caption.startswith(f"#{number + 1} ·") or "·" in caption
    assert place(page) == -1  # scrolling chooses nothing
    shot(page, "scrolled")


def test_keys_go_everywhere_and_the_address_holds_the_view(page, server, browser):
    page.keyboard.press("ArrowRight")
    at(page, 0)
    page.keyboard.press("End")
    at(page, MANY - 1)
    rows_seen(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    columns = page.evaluate("imagerewardPage.culling.grid.columns")
    at(page, columns)
    page.keyboard.press("PageDown")
    at(page, columns + page.evaluate("imagerewardPage.culling.grid.page"))
    page.keyboard.press("Enter")
    page.locator(".imagereward-viewer:not([hidden])").wait_for()
    page.wait_for_function("() => location.search.includes('large=1')")
    known = query(page)
    other = opened(browser, page.url)
    other.locator(".imagereward-viewer:not([hidden])").wait_for()
    at(other, place(page))
    other.context.close()
    page.go_back()
    page.locator(".imagereward-viewer").wait_for(state="hidden")
    page.wait_for_function("() => !location.search.includes('large=1')")
    assert query(page)["picture"] == known["picture"]


def test_stars_and_decisions_by_keys_are_noted_however_quickly_they_come(page, many):
    page.locator("#show").select_option("kept")
    page.wait_for_function("() => imagerewardPage.culling.deck.given.leaving.kept === false")
    page.keyboard.press("Tab")
    page.locator(".imagereward-thumb[data-id]").first.click()
    at(page, 0)
    page.keyboard.press("4")
    for _ in range(3):  # each takes its picture away, and the next one has the frame
        page.keyboard.press("x")
    settled(page)
    page.wait_for_function(f"() => imagerewardPage.culling.deck.total === {MANY - 3}")
    assert page.locator("#count").inner_text().startswith(f"{MANY - 3} of {MANY} kept, 3 rejected")
    with Library.look(many / ".imagereward") as library:
        from imagereward_core.library.store.records import Query

        rows = list(library.rows(Query(key=library.keys()[0], order="best")))
    assert [row.decision for row in rows[:4]] == [False, False, False, None] and rows[0].stars == 4
    page.locator("#show").select_option("rejected")
    page.wait_for_function("() => imagerewardPage.culling.deck.total === 3")
    page.locator(".imagereward-thumb[data-id]").first.click()
    for _ in range(3):
        page.keyboard.press("u")
        settled(page)
    page.wait_for_function("() => imagerewardPage.culling.deck.total === 0")
    assert page.locator("#empty").is_visible()


def test_a_filter_shows_what_fits_stands_in_the_address_and_is_cleared(page):
    page.locator("#text").fill("scene 7")
    page.wait_for_function("() => imagerewardPage.culling.deck.total === 8")
    page.locator("#text").fill("")
    page.locator("#rules-button").click()
    page.locator("#top").fill("5")
    page.locator("#per").select_option("folder")
    page.wait_for_function("() => document.getElementById('count').textContent.startsWith('20 of 200')")
    page.locator("#folder").select_option("2")
    page.wait_for_function("() => imagerewardPage.culling.deck.total === 50")
    assert {"top": "5", "per": "folder", "folder": "2"}.items() <= query(page).items()
    bar = page.locator("#histogram svg rect.rejected").first
    bar.wait_for(state="attached")
    assert bar.evaluate("(bar) => bar instanceof SVGRectElement && bar.getBoundingClientRect().width > 1")
    shot(page, "filter")
    page.locator("#reset").click()
    page.wait_for_function("() => imagerewardPage.culling.deck.total === 200")
    assert query(page).keys() <= {"picture"}


def test_side_by_side_shows_what_two_have_otherwise_and_a_strip_goes_along(page):
    page.keyboard.press("ArrowRight")
    page.keyboard.press("c")
    page.locator(".imagereward-two").wait_for()
    at(page, 1)
    page.keyboard.press("d")
    page.locator(".imagereward-difference tr").first.wait_for()
    assert page.locator(".imagereward-difference mark").count() >= 2
    page.keyboard.press("i")
    page.locator(".imagereward-about .meaning").wait_for()
    shot(page, "side-by-side")
    page.keyboard.press("Escape")
    page.locator(".imagereward-strip [data-at='4']").click()
    at(page, 4)
    assert page.locator(".imagereward-strip .imagereward-picked").get_attribute("data-at") == "4"
    page.keyboard.press("z")
    assert float(page.locator(".imagereward-viewer").get_attribute("data-scale")) == 1
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator(".imagereward-viewer").wait_for(state="hidden")


def test_curating_and_undoing_from_the_page_and_pictures_that_arrive(browser, home, tmp_path):
    folder = tmp_path / "outputs"
    draw_outputs(folder)
    server = Server(folder, home, "--scorer", "demo", "--poll", "1")
    page = None
    try:
        page = opened(browser, server.address)
        page.wait_for_function("() => document.getElementById('scoring').dataset.stage === 'watching'")
        page.wait_for_function("() => imagerewardPage.culling.deck.total === 8")
        before = {name for name in tree(folder) if ".imagereward" not in name}
        page.locator("#rules-button").click()
        page.locator("#top").fill("1")
        page.locator("#per").select_option("prompt")
        page.wait_for_function("() => document.getElementById('count').textContent.startsWith('2 of 8')")
        page.locator("#curate-button").click()
        page.locator("#how").select_option("move")
        page.locator("#plan", has_text="2 kept, 6 rejected").wait_for()
        page.locator("#carry-out:enabled").wait_for()
        shot(page, "curate")
        assert {name for name in tree(folder) if ".imagereward" not in name} == before
        page.locator("#carry-out").click()
        page.locator("#runs button").wait_for()
        assert len([name for name in tree(folder) if name.startswith("kept/") and name.endswith(".png")]) == 2
        page.locator("#runs button").click()
        page.locator("#progress", has_text="taken back").wait_for()
        assert {name for name in tree(folder) if name.endswith(".png")} == {
            name for name in before if name.endswith(".png")
        }
        page.locator("#curate-close").click()
        save_scene(folder / "late.png", Image.new("RGB", (64, 64), "red"), "a red square")
        page.wait_for_function("() => imagerewardPage.culling.deck.total === 9")
        page.locator(".imagereward-thumb img[alt='late.png']").wait_for()
        assert page.errors == []
    finally:
        if page is not None:
            page.context.close()
        assert server.close() == 0  # although the page was listening a moment ago


def test_on_a_phone_in_chinese_and_in_the_dark(server, browser):
    page = opened(
        browser,
        server.address,
        width=390,
        height=780,
        locale="zh-CN",
        color_scheme="dark",
        has_touch=True,
        is_mobile=True,
    )
    rows_seen(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("imagerewardPage.culling.grid.columns") >= 3
    assert (
        page.locator("#curate-button").inner_text() == "整理"
        and "保留" in page.locator("#count").inner_text()
    )
    page.locator(".imagereward-thumb[data-id]").nth(1).tap()
    page.locator(".imagereward-viewer:not([hidden])").wait_for()
    assert page.locator(".imagereward-decisions button").nth(1).inner_text() == "淘汰"
    bar = page.locator(".imagereward-bar").bounding_box()
    assert bar["width"] <= 390 and bar["y"] + bar["height"] <= 781
    shot(page, "phone")
    page.locator("[data-do=help]").last.tap()
    assert (
        "缩放" in page.locator(".imagereward-help").inner_text()
        or page.locator(".imagereward-help td").count() > 10
    )
    assert page.errors == []
    page.context.close()


def test_two_fingers_zoom_around_the_point_between_them_and_one_goes_on_moving(browser, home, tmp_path):
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 255, (900, 1200, 3), np.uint8)
        save_scene(tmp_path / f"{number}.png", Image.fromarray(noise), "a red square")
    with Library.open(tmp_path / ".imagereward", root=tmp_path) as library:
        library.scan([tmp_path], demo_panel())
    server = Server(tmp_path, home, "--no-watch")
    try:
        page = opened(browser, server.address, width=390, height=780, has_touch=True, is_mobile=True)
        page.locator(".imagereward-thumb[data-id]").first.tap()
        page.locator(".imagereward-viewer:not([hidden])").wait_for()
        fingers, image = Fingers(page), page.locator(".imagereward-pane:not([hidden]) img")
        scale = "document.querySelector('.imagereward-viewer').dataset.scale"
        page.wait_for_function("(image) => image.naturalWidth === 1200", arg=image.element_handle())

        def under(point):
            box = image.bounding_box()
            return [(point[0] - box["x"]) / box["width"], (point[1] - box["y"]) / box["height"]]

        fitted, middle = image.bounding_box(), (195, 330)
        assert page.evaluate(scale) == "fit" and abs(fitted["width"] - 390) < 1
        held = under(middle)
        fingers.gesture([(165, 330), (225, 330)], [(75, 270), (315, 390)])
        spread = (240**2 + 120**2) ** 0.5 / 60
        assert abs(image.bounding_box()["width"] / fitted["width"] - spread) < 0.05
        assert np.abs(np.subtract(under(middle), held)).max() < 0.01, (
            "what is between the fingers stays there"
        )
        page_zoom = page.evaluate("[visualViewport.scale, scrollX, scrollY]")
        assert page_zoom == [1, 0, 0], "the picture is enlarged, not the page"
        shot(page, "phone-pinch")

        # Two that move together move the picture; of two one is lifted and the other moves it on: no click, no sweep.
        enlarged, place = image.bounding_box(), page.locator(".imagereward-place").inner_text()
        for point in ((150, 300), (250, 400)):
            assert 0 < under(point)[0] < 1
        fingers.down((150, 300))
        fingers.down((150, 300), (250, 400))
        fingers.move([(150, 300), (250, 400)], [(190, 330), (290, 430)])
        moved = image.bounding_box()
        assert abs(moved["x"] - enlarged["x"] - 40) < 2 and abs(moved["width"] - enlarged["width"]) < 2
        fingers.down((190, 330))
        fingers.move([(190, 330)], [(130, 330)])
        fingers.down()
        assert abs(image.bounding_box()["x"] - moved["x"] + 60) < 2
        assert page.locator(".imagereward-place").inner_text() == place and page.evaluate(scale) != "fit"

        # Pinched together all of it is seen again, however far; then one finger sweeps to the next, as before.
        fingers.gesture([(60, 200), (330, 500)], [(190, 345), (200, 355)])
        assert page.evaluate(scale) == "fit" and image.bounding_box() == fitted
        fingers.gesture([(300, 350)], [(180, 350)])
        page.wait_for_function(
            "(was) => document.querySelector('.imagereward-place').textContent !== was", arg=place
        )
        fingers.gesture([(195, 330)], [(195, 330)])
        page.wait_for_function(
            "() => document.querySelector('.imagereward-viewer').dataset.scale === '1.000'"
        )
        assert page.errors == []
    finally:
        page.context.close()
        server.close()


def test_others_come_in_by_the_link_with_a_token_and_not_without(many, home, browser):
    server = Server(many, home, "--no-watch", "--token")
    try:
        base = server.address.partition("open#")[0]
        page = browser.new_context().new_page()
        page.set_default_timeout(180_000)
        page.goto(base, wait_until="commit")
        page.locator("#enter").wait_for()
        page.locator("#token").fill("wrong")
        page.locator("#enter button").click()
        page.locator("#problem", has_text="nobody has this token").wait_for()
        page = page.context.new_page()  # in the old one only what is behind the # would change
        page.set_default_timeout(180_000)
        page.goto(server.address, wait_until="commit")
        page.locator(".imagereward-thumb[data-id]").first.wait_for()
        assert "token" not in page.url
        page.context.close()
    finally:
        server.close()


def test_without_weights_the_pictures_are_a_click_away_and_the_page_says_how_to_get_scores(
    tmp_path, browser, home
):
    draw_outputs(tmp_path, prompts=1, pictures=3)
    server = Server(tmp_path, home, "--models-dir", str(tmp_path / "none"), "--poll", "0.3")
    page = browser.new_context().new_page()
    page.goto(server.address)
    page.locator("#empty button").click()
    page.locator(".imagereward-thumb[data-id]").nth(2).wait_for()
    said = page.locator("#scoring").inner_text()
    assert "--scorer ImageReward-v1.0" in said and "--offline" not in said and len(said) < 500
    shot(page, "no-weights")
    page.context.close()
    assert server.close() == 0
