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
    page.wait_for_function("() => document.activeElement.classList.contains('imagereward-thumb')")
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
