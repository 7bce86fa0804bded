"""Pages of annotation in a real browser. Needs the package playwright and a Chromium; SCREENSHOTS names a folder for pictures of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.support.chromium import browser, needed  # noqa: F401 - for those who import it from here

PATIENCE = 45_000
PHONE = {
    "viewport": {"width": 390, "height": 780},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}


class Seen:
    """A page somebody opened by a link: its errors and all that it asked for are kept."""

    def __init__(self, browser, link, *, language="en-US", **how):
        how = {"viewport": {"width": 1300, "height": 950}, **how}
        self.context = browser.new_context(locale=language, **how)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.link, self.errors, self.asked = link, [], []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.open()

    def open(self):
        self.page.goto(self.link)
        self.page.wait_for_selector("main[data-view]")

    def reload(self):
        self.page.reload()
        self.page.wait_for_selector("main[data-view]")

    def go(self, view, selector):
        self.page.evaluate(f"location.hash = '{view}'")
        self.page.wait_for_selector(selector)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def texts(self, selector):
        return self.page.locator(selector).all_inner_texts()

    def wait(self, condition):
        """Waits for an expression; the page itself evaluates no text, its policy forbids it."""
        end = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, condition
            self.page.wait_for_timeout(50)

    def saved(self):
        """Waits until the server has the draft."""
        self.wait("!Object.keys(localStorage).some((key) => key.startsWith('imagereward-draft'))")

    def shot(self, name):
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))

    def close(self):
        assert self.errors == []
        origin = self.link.partition("/annotation")[0]
        assert not [url for url in self.asked if not url.startswith((f"{origin}/", "data:", "blob:"))]
        self.context.close()
