"""The page of ``imagereward open`` in a real browser; needs playwright and a Chromium."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.open_server import PATIENCE, Server
from tests.support.chromium import browser, needed

__all__ = ["Server", "browser", "needed", "opened", "shot"]


def opened(browser, address, *, width=1300, height=900, **context):
    """A page as somebody sees it who follows the address."""
    page = browser.new_context(viewport={"width": width, "height": height}, **context).new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(address, wait_until="commit")
    page.locator(".imagereward-thumb[data-id]").first.wait_for(state="attached")
    return page


def shot(page, name):
    """A picture of the page, where SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"open-{name}.png"))
