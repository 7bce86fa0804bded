"""The page of a real WebUI in a browser: tick the accordion, generate, look at gallery, tab and settings. Leaves pictures of what it saw.

Set WEBUI_PATH and WEBUI_PYTHON; needs playwright and a Chromium (BROWSER names it, by default the one on the path). Screenshots go to
SCREENSHOTS, where that is set.
"""

from __future__ import annotations

from tests.support.webui.browser import page, pytestmark, shot, tab, webui
from tests.support.webui.drawn import scenes

PROMPT = scenes(1, 4)[0][0]


def test_1_the_accordion_is_closed_and_off_until_somebody_ticks_it(page, webui):
    box = page.locator("#imagereward_txt2img_enabled")
    assert box.count() == 1
    box.scroll_into_view_if_needed()
    assert "ImageReward Curator" in box.inner_text()
    assert not page.locator("#imagereward_txt2img_keep_best").is_visible()
    assert not page.locator("#imagereward_txt2img_enabled-visible-checkbox").is_checked()
    shot(page, webui, "accordion-closed")


def test_2_ticked_it_sorts_the_gallery_and_says_what_it_did(page, webui):
    page.locator("#txt2img_prompt textarea").first.fill(PROMPT)
    for control, value in (("steps", "1"), ("width", "256"), ("height", "256"), ("batch_size", "4")):
        number = page.locator(f"#txt2img_{control} input[type=number]").first
        number.fill(value)
        number.press("Tab")
    page.locator("#imagereward_txt2img_enabled .label-wrap").first.click()
    keep = page.locator("#imagereward_txt2img_keep_best")
    keep.wait_for(state="visible")
    page.locator("#imagereward_txt2img_enabled").scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    assert page.locator("#imagereward_txt2img_enabled-visible-checkbox").is_checked()
    shot(page, webui, "accordion-open")
    page.evaluate("window.scrollTo(0, 0)")
    page.locator("#txt2img_generate").click()
    page.locator("#html_info_txt2img, #html_log_txt2img").get_by_text("ImageReward").first.wait_for(
        timeout=120_000
    )
    page.wait_for_timeout(2000)
    shot(page, webui, "gallery")
    assert page.locator("#txt2img_gallery img").count() >= 4


def test_3_the_tab_is_there(page, webui):
    page.evaluate("window.scrollTo(0, 0)")
    tab(page, "ImageReward")
    page.wait_for_selector("#tab_imagereward")
    page.wait_for_timeout(1500)
    assert page.locator("#tab_imagereward").is_visible()
    shot(page, webui, "tab")


def test_4_the_settings_explain_themselves(page, webui):
    tab(page, "Settings")
    page.locator("#settings button", has_text="ImageReward Curator").first.click()
    page.wait_for_timeout(1500)
    page.evaluate("window.scrollTo(0, 0)")
    shot(page, webui, "settings")
    assert page.locator("#setting_imagereward_scorer").is_visible()
    # Of a drop-down list Forge shows no explanation, of its own neither.
    assert "fp32 gives the published numbers exactly" in page.locator("#tab_settings").inner_text()
