"""A real host's page in a browser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.webui.drawn import scenes
from tests.support.webui.real_webui import RealWebUI

WEBUI, PYTHON = os.environ.get("WEBUI_PATH"), os.environ.get("WEBUI_PYTHON")
BROWSER = os.environ.get("BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(
    not (WEBUI and PYTHON and BROWSER),
    reason="needs a real WebUI and a browser: set WEBUI_PATH, WEBUI_PYTHON, and BROWSER where no chromium is on the path",
)


def draws_scenes(tmp_path_factory, side, **options):
    """A real WebUI whose pictures, ``side`` pixels wide, are four drawn scenes instead of noise."""
    made = RealWebUI(WEBUI, PYTHON, tmp_path_factory.mktemp("webui"), imagereward_scorer="demo", **options)
    folder = tmp_path_factory.mktemp("scenes")
    for number, (_, picture) in enumerate(scenes(1, 4)):
        picture.resize((side, side)).save(folder / f"{number}.png")
    made.probe("pictures", folder=str(folder))
    return made


@pytest.fixture(scope="module")
def webui(tmp_path_factory):
    made = draws_scenes(tmp_path_factory, 256, samples_save=True)
    yield made
    made.close()


@pytest.fixture(scope="module")
def page(webui):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        page = browser.new_page(viewport={"width": 1500, "height": 1100})
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{webui.port}/", wait_until="domcontentloaded")
        page.wait_for_selector("#txt2img_generate")
        page.wait_for_timeout(3000)
        yield page
        browser.close()


def shot(page, webui, name):
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{webui.kind}-{name}.png"))


def tab(page, name):
    page.locator("#tabs > .tab-nav button", has_text=name).first.click()
    page.wait_for_timeout(500)


def part(at, name):
    """A widget of the tab."""
    return at.locator(f"#imagereward_tab_{name}").first


def type_into(at, name, text):
    """Chooses or types a value in a list."""
    field = part(at, name).locator("input").first
    field.click()
    field.fill(str(text))
    field.press("Enter")
    at.wait_for_timeout(300)


def says(at, name, text):
    """Waits until a widget holds a text."""
    part(at, name).get_by_text(text).first.wait_for(timeout=60_000)
