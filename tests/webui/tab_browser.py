"""The tab of ``tab_server.py`` in a browser, with the extension's files as a host puts them into its page."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BROWSER = os.environ.get("BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 120
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
