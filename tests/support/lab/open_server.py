"""The page of ``imagereward open`` in a real browser; needs playwright and a Chromium."""

from __future__ import annotations

import os
import random
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from benchmarks.open_server import PATIENCE, Server
from imagereward_core.library.library import Library
from tests.support.chromium import browser, needed
from tests.support.library.curation import demo_panel, save_scene

__all__ = [
    "MANY",
    "Server",
    "at",
    "browser",
    "home",
    "many",
    "needed",
    "opened",
    "page",
    "place",
    "query",
    "server",
    "shot",
]
MANY = 200
"""Pictures of the folder ``many``."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Pictures enough to scroll through, scored: one colour each, so that they are read quickly."""
    folder, rng = tmp_path_factory.mktemp("many"), random.Random(1)
    for number in range(MANY):
        colour = tuple(rng.randrange(256) for _ in range(3))
        save_scene(
            folder / f"{number // 50}" / f"{number:04d}.png",
            Image.new("RGB", (32, 32), colour),
            f"scene {number // 8}",
        )
    with Library.open(folder / ".imagereward", root=folder) as library:
        library.scan([folder], demo_panel())
    return folder


@pytest.fixture(scope="module")
def server(many, home):
    made = Server(many, home, "--no-watch")
    yield made
    assert made.close() == 0


@pytest.fixture
def page(server, browser):
    """The folder's page once its pictures hear every key."""
    page = opened(browser, server.address)
    page.wait_for_function("() => document.activeElement.classList.contains('imagereward-thumb')")
    yield page
    assert page.errors == []
    page.context.close()


def place(page):
    """Of the chosen picture, among all; -1 where none is."""
    return page.evaluate("imagerewardPage.culling.deck.at")


def at(page, expected):
    """Waits until the picture at this place is chosen."""
    page.wait_for_function(
        "(at) => imagerewardPage.culling.deck.at === at && !imagerewardPage.culling.deck.busy", arg=expected
    )


def query(page):
    """What the address of a page holds."""
    return {name: value[0] for name, value in parse_qs(urlsplit(page.url).query).items()}


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
