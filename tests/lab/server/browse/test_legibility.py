"""What the page of ``imagereward open`` says can be read: captions whole, and colours that stand out, in a real browser."""

from __future__ import annotations

import pytest

from tests.support.captions import cut_captions
from tests.support.lab.open_server import at, browser, home, many, needed, opened, page, server, shot

pytestmark = needed
PHONE = {"width": 390, "height": 780, "has_touch": True, "is_mobile": True}
CONTRAST = """(box) => {
    // The least contrast of a text in it, by WCAG 2, on the box's own ground before a white picture; and that text.
    const parsed = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const over = ([r, g, b, a], ground) => [r, g, b].map((value, place) => value * a + ground[place] * (1 - a));
    const light = (colour) => {
        const [r, g, b] = colour.map((value) => value / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = over(parsed(getComputedStyle(box).backgroundColor), [255, 255, 255]);
    const told = [];
    for (const each of box.querySelectorAll("*")) {
        for (const pseudo of [null, "::before"]) {
            const style = getComputedStyle(each, pseudo);
            if (pseudo ? ["none", "normal"].includes(style.content) : !each.textContent.trim()) continue;
            const [r, g, b, a] = parsed(style.color);
            const seen = over([r, g, b, a * Number(getComputedStyle(each).opacity)], ground);
            const [high, low] = [light(seen), light(ground)].sort((x, y) => y - x);
            told.push([(high + 0.05) / (low + 0.05), `${each.className}${pseudo || ""} ${style.color}`]);
        }
    }
    return told.sort((x, y) => x[0] - y[0])[0];
}"""


@pytest.mark.parametrize("how", [{}, PHONE], ids=["wide", "phone"])
def test_no_caption_is_cut_with_stars_and_when_it_is_rejected(server, browser, how):
    page = opened(browser, server.address, **how)
    page.keyboard.press("ArrowRight")
    at(page, 0)
    for keys in ("5", "x", "4", "x"):
        page.keyboard.press(keys)
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => !imagerewardPage.culling.deck.busy")
    page.locator(".imagereward-caption", has_text="4★").wait_for()
    shot(page, f"captions-{how.get('width', 1300)}")
    shown, cut = cut_captions(page)
    assert shown > 5 and cut == []
    assert page.errors == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_known_of_a_picture_stands_out_in_the_large_view(server, browser, scheme):
    page = opened(browser, server.address, color_scheme=scheme)
    page.keyboard.press("ArrowRight")
    at(page, 0)
    for decision in ("k", "x"):
        page.keyboard.press(decision)
        if decision == "k":
            page.keyboard.press("i")
        page.locator(f".imagereward-about .{'kept' if decision == 'k' else 'rejected'}").wait_for()
        page.locator(".imagereward-about .quiet").wait_for()
        shot(page, f"info-{scheme}-{decision}")
        least, text = page.locator(".imagereward-about").evaluate(CONTRAST)
        assert least >= 4.5, text
    page.keyboard.press("u")
    page.wait_for_function("() => !imagerewardPage.culling.deck.busy")
    page.context.close()
