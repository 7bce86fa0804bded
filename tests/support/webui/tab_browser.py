"""The tab of ``tab_server.py`` in a browser, with the extension's files as a host puts them into its page.

Set GRADIO_PYTHONS to interpreters that have Gradio (3.41.2, 3.43.2 and 4.40.0 are those of our hosts) and what the core needs,
separated as in PATH; needs playwright and a Chromium as ``test_browser.py`` does, and SCREENSHOTS has the same meaning.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.chromium import BROWSER, browser  # noqa: F401 - tests take the fixture from here
from tests.support.webui.drawn import save_scenes

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PYTHONS = [each for each in os.environ.get("GRADIO_PYTHONS", "").split(os.pathsep) if each]
PATIENCE = 120
PICTURES = 24
ASKED = re.compile(r"/run/")
"""Addresses by which Gradio's page asks the program."""
needed = pytest.mark.skipif(
    not (PYTHONS and BROWSER),
    reason="needs Gradio and a browser: set GRADIO_PYTHONS, and BROWSER where no chromium is on the path",
)
"""The mark of the modules that use these fixtures."""
HOST = """
window.gradioApp = () => {
    const app = document.getElementsByTagName("gradio-app")[0] || document;
    if (app !== document) app.getElementById = (id) => document.getElementById(id);
    return app;
};
const hooks = [];
let soon = null;
window.onAfterUiUpdate = (hook) => hooks.push(hook);
window.onUiLoaded = (hook) => setTimeout(hook, 300);
new MutationObserver(() => {
    clearTimeout(soon);
    soon = setTimeout(() => hooks.forEach((hook) => hook()), 200);
}).observe(gradioApp(), {childList: true, subtree: true});
// As the hosts' own script does: Escape ends a generation.
window.interrupted = 0;
document.addEventListener("keydown", (event) => { if (event.key === "Escape") window.interrupted += 1; });
"""
"""As much of the hosts' script.js as the tab's files use."""


class TabServer:
    """The tab in a process of its own.

    Args:
        python: An interpreter that has Gradio.
        base: The imitated host's folder; pictures lie in ``outputs/txt2img``.
    """

    def __init__(self, python, base):
        self.samples = Path(base) / "outputs" / "txt2img"
        self.samples.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {
            **os.environ,
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }
        environment |= {
            "no_proxy": "127.0.0.1,localhost",
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
        }
        self.log = Path(base) / "tab.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, HERE / "tab_server.py", base, str(self.port)],
                env=environment,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + PATIENCE
        while "Startup time" not in self.text():
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                raise RuntimeError(f"the tab did not start:\n{self.text()[-3000:]}")
            time.sleep(0.2)
        self.gradio = self.text().split("Startup time")[1].split()[0]

    def text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def open(self, browser, **viewport):
        """A page as somebody sees it who has opened the tab."""
        page = browser.new_page(viewport={"width": 1500, "height": 1000, **viewport})
        page.set_default_timeout(30_000)
        page.goto(f"http://127.0.0.1:{self.port}/", wait_until="domcontentloaded")
        page.wait_for_selector("#imagereward_tab_score")
        page.add_style_tag(content=(ROOT / "style.css").read_text("utf-8"))
        page.add_script_tag(content=HOST)
        for path in sorted((ROOT / "javascript").glob("*.js")):
            page.add_script_tag(content=path.read_text("utf-8"))
        page.wait_for_timeout(600)
        return page

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()


@pytest.fixture(scope="module", params=PYTHONS or ["none"], ids=lambda path: Path(path).parent.parent.name)
def server(request, tmp_path_factory):
    made = TabServer(request.param, tmp_path_factory.mktemp("tab") / "host")
    save_scenes(made.samples, prompts=4, pictures=6)
    yield made
    made.close()


@pytest.fixture
def page(server, browser):
    """The tab with a scored folder, nothing chosen."""
    page = server.open(browser)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    part(page, "score").click()
    part(page, "message").get_by_text("new scores").first.wait_for(timeout=90_000)
    page.locator(".imagereward-thumb").nth(9).wait_for()
    yield page
    assert page.errors == []
    page.close()


def part(page, name):
    return page.locator(f"#imagereward_tab_{name}").first


def tab(page, name):
    page.locator("#tabs .tab-nav button", has_text=name).first.click()


def shot(page, server, name):
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"gradio-{server.gradio}-{name}.png"))


@contextmanager
def held_back(page):
    """Keeps what the page asks of the program until the end of it; gives the list of that."""
    asked, open_again = [], False

    def keep(route):
        if open_again:
            route.continue_()
        else:
            asked.append(route)

    page.route(ASKED, keep)
    yield asked
    open_again = True
    for route in asked:
        route.continue_()


def all_names(page):
    """Of all pictures, in their order; the first page is shown again afterwards."""
    found = names(page)
    while len(names(page)) == 10:
        first = names(page)[0]
        part(page, "page_on").click()
        page.wait_for_function(
            "(name) => document.querySelector('.imagereward-thumb img').alt !== name", arg=first
        )
        found += names(page)
    for _ in range((len(found) - 1) // 10):
        first = names(page)[0]
        part(page, "page_back").click()
        page.wait_for_function(
            "(name) => document.querySelector('.imagereward-thumb img').alt !== name", arg=first
        )
    return found


def show(page, which):
    part(page, "show").get_by_text(which, exact=True).click()


def undecide_all(page):
    """Takes back every decision by hand."""
    show(page, "Rejected")
    page.locator(".imagereward-thumb:not(.imagereward-out)").first.wait_for(state="detached")
    while page.locator(".imagereward-thumb").count():
        name = names(page)[0]
        page.locator(".imagereward-thumb").first.click()
        press(page, "u")
        page.locator(f".imagereward-thumb img[alt='{name}']").wait_for(state="detached")
    part(page, "count").get_by_text("0 rejected").wait_for()


def names(page):
    """Of the pictures on the page, in their order."""
    return page.locator(".imagereward-thumb img").evaluate_all("all => all.map((each) => each.alt)")


def framed(page):
    """Name of the one picture in the grid that has the frame; empty for none."""
    found = page.locator(".imagereward-picked img").evaluate_all("all => all.map((each) => each.alt)")
    assert len(found) <= 1
    return "".join(found)


def large(page):
    """Name of the picture beside the grid."""
    return page.locator(".imagereward-frame img").get_attribute("alt")


def settled(page, name=None):
    """Waits until the program knows the choice: its details are those of the picture that is shown large."""
    page.wait_for_function(
        """(name) => {
            const shown = document.querySelector(".imagereward-frame img");
            const details = document.querySelector("#imagereward_tab_details .imagereward-name");
            const sending = document.getElementById("imagereward_tab_sending");
            return shown && details && !sending.inert && details.textContent.endsWith(shown.alt) && (!name || shown.alt === name);
        }""",
        arg=name,
    )


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def state(page):
    """What the large view shows."""
    return page.evaluate(
        """() => {
            const box = document.querySelector(".imagereward-viewer");
            const panes = [...box.querySelectorAll(".imagereward-pane:not([hidden])")];
            return {
                open: !box.hidden, scale: box.dataset.scale,
                help: [...document.querySelectorAll(".imagereward-help")].some((each) => each.getClientRects().length),
                names: panes.map((pane) => pane.querySelector("img").alt),
                widths: panes.map((pane) => pane.querySelector("img").getBoundingClientRect().width),
                place: box.querySelector(".imagereward-place").textContent,
            };
        }"""
    )


def viewing(page, *names):
    """Waits until the large view shows these pictures, or any, out of their files."""
    page.wait_for_function(
        """(names) => {
            const box = document.querySelector(".imagereward-viewer");
            const panes = [...box.querySelectorAll(".imagereward-pane:not([hidden])")];
            const shown = panes.map((pane) => pane.querySelector("img").alt).join("/");
            const loaded = panes.every((pane) => !pane.classList.contains("imagereward-loading"));
            return !box.hidden && loaded && (!names.length || names.join("/") === shown);
        }""",
        arg=list(names),
    )


def stars_on(page):
    """The stars that the buttons beside the grid show; empty for none."""
    pressed = page.locator(".imagereward-panel .imagereward-stars button[aria-pressed=true]")
    return "".join(pressed.evaluate_all("all => all.map((each) => each.dataset.stars)"))
