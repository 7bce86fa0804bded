"""What the address of ``imagereward open`` holds, and where one step back leads, in a real browser."""

from __future__ import annotations

from tests.support.lab.open_server import (
    MANY,
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

pytestmark = needed


def history(page):
    return page.evaluate("history.length")


def test_help_in_the_grid_leads_back_to_the_grid_and_leaves_address_and_choice(page):
    address, steps = page.url, history(page)
    page.keyboard.press("?")
    page.locator(".imagereward-help").wait_for()
    shot(page, "help")
    page.keyboard.press("Escape")
    page.locator(".imagereward-help").wait_for(state="hidden")
    assert not page.locator(".imagereward-viewer").is_visible() and place(page) == -1
    page.keyboard.press("ArrowRight")
    at(page, 0)
    page.wait_for_function("() => location.search.includes('picture=')")
    page.locator("#keys-button").click()
    page.locator(".imagereward-help").wait_for()
    page.keyboard.press("Escape")
    page.locator(".imagereward-help").wait_for(state="hidden")
    page.wait_for_timeout(300)
    assert history(page) == steps and query(page).keys() == {"picture"} and "picture" not in address


def beside(page):
    """Names of the two pictures that are shown side by side."""
    page.locator(".imagereward-two").wait_for()
    return page.locator(".imagereward-pane img").evaluate_all("all => all.map((each) => each.alt)")


def test_side_by_side_is_in_the_address_with_both_pictures_and_what_they_have_otherwise(
    page, server, browser
):
    page.keyboard.press("End")
    at(page, MANY - 1)
    page.keyboard.press("c")
    at(page, MANY - 2)
    page.keyboard.press("Home")  # far from the one that stays
    at(page, 0)
    page.keyboard.press("d")
    page.locator(".imagereward-difference tr").first.wait_for()
    page.wait_for_function("() => location.search.includes('difference=1')")
    shown = beside(page)
    page.wait_for_function("(name) => location.search.includes(name)", arg=shown[1])
    other = opened(browser, page.url)
    other.locator(".imagereward-difference tr").first.wait_for()
    assert beside(other) == shown and other.errors == []
    other.wait_for_timeout(300)
    assert query(other) == query(page)
    shot(other, "address")
    other.keyboard.press("s")
    at(other, MANY - 1)
    other.wait_for_function(
        "(name) => location.search.includes('beside=' + name)", arg=query(page)["picture"].replace("/", "%2F")
    )
    assert beside(other) == shown[::-1]
    other.context.close()

    page.keyboard.press("d")
    page.wait_for_function("() => !location.search.includes('difference')")
    page.go_back()
    page.locator(".imagereward-viewer").wait_for(state="hidden")
    page.wait_for_function("() => !/large|beside/.test(location.search)")
    page.go_forward()
    assert beside(page) == shown and not page.locator(".imagereward-difference").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_function("() => location.search.includes('large') && !location.search.includes('beside')")


def test_a_picture_beside_that_is_no_longer_shown_leaves_the_other_one_alone(page, server, browser):
    page.keyboard.press("ArrowRight")
    at(page, 0)
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('large=1')")
    other = opened(browser, f"{page.url}&beside=gone.png&difference=1")
    other.locator(".imagereward-viewer:not([hidden])").wait_for()
    other.wait_for_function("() => !location.search.includes('beside')")
    assert not other.locator(".imagereward-two").count() and query(other) == query(page)
    assert other.errors == []
    other.context.close()
