"""Measures the page of ``imagereward open`` in a browser, over a library of many pictures.

Run as ``python -m benchmarks.open_page FOLDER``; the pictures are drawn and scored into FOLDER once. Needs playwright and a Chromium.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from PIL.PngImagePlugin import PngInfo
from torch import nn

from imagereward_core.cli.options import data_folder
from imagereward_core.demo.scenes import draw, random_scene
from imagereward_core.library.library import Library
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.engine import PictureScorer, Tower
from imagereward_core.scorers.factory import create_scorer
from imagereward_core.scorers.panel import Panel
from imagereward_core.weights.cards import CARDS

from .open_server import Server
from .scorers import save_results

PER_FOLDER = 1000
PER_PROMPT = 8


def draw_pictures(folder: Path, number: int, size: int = 128) -> None:
    """Draws so many small scenes with their prompts, in folders of 1,000; what is there is left."""
    rng = random.Random(15)
    for place in range(number):
        if place % PER_PROMPT == 0:
            scene = random_scene(rng, pairs=2)
        path = folder / f"{place // PER_FOLDER:03d}" / f"{place:06d}.png"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        info = PngInfo()
        info.add_text(
            "parameters", f"{scene.prompt}\nSteps: 20, Sampler: Euler, Seed: {place}, Size: {size}x{size}"
        )
        draw(scene, rng, size).save(path, pnginfo=info, compress_level=1)


class QuickDemo(PictureScorer):
    """Numbers that cost nothing, under the demo model's name: what is measured is the page."""

    def __init__(self, revision: str) -> None:
        tower = Tower(nn.Identity(), CARDS["demo"].image, lambda pixels: pixels.mean(dim=(1, 2, 3)))
        super().__init__(CARDS["demo"], tower, LocalRuntime("cpu"), revision, 256)

    def rewards(self, features: torch.Tensor, prompts: Any, rows: Any = None) -> torch.Tensor:
        """The feature itself, for every prompt."""
        return features if rows is None else features[list(rows)]


def fill(folder: Path) -> None:
    """Scans the folder into its library, with quick numbers for what has none by the demo model."""
    demo = create_scorer("demo", LocalRuntime("cpu"))
    with Library.open(folder / ".imagereward", root=folder, data=data_folder()) as library:
        found = library.scan([folder], Panel(QuickDemo(demo.revision)))
        print(found)


_WATCH = """
window.firstRows = {};
new MutationObserver(() => {
    const box = document.getElementById("grid");
    if (!box) return;
    const seen = [...box.querySelectorAll(".imagereward-thumb[data-id]")];
    if (!seen.length) return;
    firstRows.rows = firstRows.rows || performance.now();
    const edge = box.getBoundingClientRect();
    const whole = seen.filter((thumb) => thumb.getBoundingClientRect().top < edge.bottom).every((thumb) => thumb.firstChild.complete);
    if (whole) firstRows.pictures = firstRows.pictures || performance.now();
}).observe(document, {childList: true, subtree: true, attributes: true});
"""
_SCROLL = """
async ([seconds, speed]) => {
    const box = document.getElementById("grid");
    const frames = [], from = performance.now();
    let before = from;
    while (before - from < 1000 * seconds && box.scrollTop + box.clientHeight < box.scrollHeight - 1) {
        const now = await new Promise(requestAnimationFrame);
        box.scrollTop += speed * (now - before) / 1000;
        frames.push(now - before);
        before = now;
    }
    return frames.slice(1);
}
"""


def measure(folder: Path, browser: str) -> dict[str, Any]:
    """The page over a folder that is scored, in a browser of its own."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as home, sync_playwright() as started:
        began = time.perf_counter()
        server = Server(folder, Path(home), "--no-watch")
        listening = time.perf_counter() - began
        made = started.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        page = made.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(300_000)
        page.add_init_script(_WATCH)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")

        def memory() -> dict[str, float]:
            session.send("HeapProfiler.collectGarbage")
            found = {
                each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
            }
            status = Path(f"/proc/{server.process.pid}/status").read_text()
            rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
            return {
                "page_heap_mib": round(found["JSHeapUsedSize"] / 2**20, 1),
                "page_nodes": int(found["Nodes"]),
                "server_rss_mib": round(rss / 1024),
            }

        def opened() -> dict[str, float]:
            page.goto(server.address, wait_until="commit")
            page.wait_for_function("() => window.firstRows && firstRows.pictures")
            return {name: round(value) for name, value in page.evaluate("firstRows").items()}

        first = opened()
        page.goto("about:blank")
        again = opened()
        start = memory()
        frames = page.evaluate(_SCROLL, [10, 2500])
        page.evaluate(_SCROLL, [120, 20_000])
        page.wait_for_function("() => !imagerewardPage.culling.deck.looking")
        place = "(({scrollTop, clientHeight, scrollHeight}) => (scrollTop + clientHeight) / scrollHeight)(document.getElementById('grid'))"
        scrolled = page.evaluate(place)
        end = memory()
        figures = {
            "pictures": page.evaluate("imagerewardPage.culling.deck.total"),
            "seconds_until_the_server_listens": round(listening, 1),
            "milliseconds_to_rows_and_to_all_seen_pictures": {"server just started": first, "again": again},
            "frames_while_scrolling_2500_pixels_a_second": {
                "number": len(frames),
                "median_ms": round(statistics.median(frames), 1),
                "95_percent_ms": round(sorted(frames)[int(0.95 * len(frames))], 1),
                "longest_ms": round(max(frames), 1),
            },
            "share_of_the_page_scrolled_through": round(scrolled, 3),
            "memory_at_the_start": start,
            "memory_after_scrolling_to_the_end": end,
            "load_average": [round(each, 1) for each in os.getloadavg()],
        }
        made.close()
        server.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures are drawn and kept")
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--browser", default=shutil.which("chromium") or "chromium")
    args = parser.parse_args()
    draw_pictures(args.folder, args.pictures)
    fill(args.folder.absolute())
    save_results("open_page", measure(args.folder.absolute(), args.browser))


if __name__ == "__main__":
    main()
