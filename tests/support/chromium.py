"""A real Chromium for tests of pages. Needs the package playwright; BROWSER names the program where none is on the path."""

from __future__ import annotations

import os
import shutil

import pytest

BROWSER = os.environ.get("BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
needed = pytest.mark.skipif(
    not BROWSER, reason="needs a browser: set BROWSER where no chromium is on the path"
)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield made
        made.close()
