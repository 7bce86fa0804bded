"""What a report and an export cost: writing a page, opening it in a browser, and rows per second in every form.

Run as ``python -m benchmarks.report --browser chromium``. Opening is the time a headless Chromium needs to load a page and to draw
its first window, less that for an empty page; ``opened_with_all_cards_s`` is for the same page with every card on it from the start.
Thumbnails are of drawn noise, which compresses worse than most pictures.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

from imagereward_core.library.export import export
from imagereward_core.library.store.records import Generated, Row
from imagereward_core.report.contents import ReportEntry
from imagereward_core.report.write import write_report
from imagereward_core.scorers.panel import PanelResult
from imagereward_core.scores import Scores
from imagereward_core.selection import Rule, select
from imagereward_core.weights.cards import get_card

from .machine import peak_rss_mib
from .scorers import save_results

CARD = get_card("ImageReward-v1.0")
SIZES = (100, 1000, 5000)
ROWS = 100_000
PER_PROMPT = 8
MODELS = ("model a", "model b", "model c")
_TIMES = 2


def make_scores(number: int) -> Scores:
    """Random scores of pictures for prompts of some twenty words."""
    rng = np.random.default_rng(0)
    prompts = [f"picture {index // PER_PROMPT}, {'of a cat in the rain, ' * 4}" for index in range(number)]
    return Scores.for_card(CARD, "0" * 12, rng.normal(size=number), prompts, [""] * number, {})


def pictures(number: int) -> list[Image.Image]:
    """Smooth noise, hard to compress as photographs are; a few, used again and again."""
    rng = np.random.default_rng(0)
    kinds = []
    for _ in range(min(32, number)):
        soft = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize((512, 512))
        noise = rng.normal(0, 8, (512, 512, 3))
        kinds.append(Image.fromarray(np.clip(np.asarray(soft) + noise, 0, 255).astype(np.uint8)))
    return [kinds[index % len(kinds)] for index in range(number)]


def write_page(path: Path, number: int) -> float:
    """Writes a page of ``number`` pictures; returns the seconds."""
    scores = make_scores(number)
    entries = [
        ReportEntry(
            f"{index}.png", picture, path.with_name(f"{index}.png"), model=MODELS[index % 3], seed=str(index)
        )
        for index, picture in enumerate(pictures(number))
    ]
    began = time.perf_counter()
    write_report(path, entries, scores, select(scores, Rule(top_percent=20)), CARD)
    return time.perf_counter() - began


def open_page(browser: str, path: Path) -> float:
    """Seconds that a browser needs from its start to the picture of the first window; the least of a few tries."""
    best = float("inf")
    with tempfile.TemporaryDirectory() as profile:
        for _ in range(_TIMES):
            began = time.perf_counter()
            subprocess.run(
                [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"]
                + [f"--user-data-dir={profile}", f"--screenshot={profile}/window.png", path.as_uri()],
                check=True,
                capture_output=True,
            )
            best = min(best, time.perf_counter() - began)
    return best


def measure_pages(browser: str, folder: Path) -> list[dict[str, Any]]:
    """Figures of pages of every size, the usual way and with all cards on the page."""
    blank = folder / "blank.html"
    blank.write_text("<!doctype html><title>blank</title>", encoding="utf-8")
    nothing = open_page(browser, blank)
    figures = []
    for number in SIZES:
        page = folder / f"{number}.html"
        row: dict[str, Any] = {"pictures": number, "written_s": round(write_page(page, number), 2)}
        row |= {
            "megabytes": round(page.stat().st_size / 1e6, 1),
            "opened_s": round(open_page(browser, page) - nothing, 2),
        }
        modules = [
            f"imagereward_core.library.{name}.AT_ONCE"
            for name in ("report", "report_contents", "report_page")
        ]
        with mock.patch(modules[0], number), mock.patch(modules[1], number), mock.patch(modules[2], number):
            write_page(page, number)
        row["opened_with_all_cards_s"] = round(open_page(browser, page) - nothing, 2)
        page.unlink()
        figures.append(row)
        print(row)
    return figures


def rows_of(number: int) -> Iterator[Row]:
    """Rows of a library, one after another."""
    made = Generated(
        "a (cat:1.2), in the rain",
        "a cat, in the rain",
        "blurry",
        "metadata",
        "a1111",
        "model",
        ("one",),
        "1",
    )
    for index in range(number):
        path = Path(f"/pictures/{index // 1000:05d}/{index:08d}.png")
        yield Row(index, path, f"{index:032x}", 512, 512, 1000, 10**18, made, fingerprint=index)


def measure_exports(folder: Path) -> list[dict[str, Any]]:
    """Rows per second in every form."""
    result = PanelResult(make_scores(ROWS))
    selection = select(result.main)
    figures = []
    for form in ("csv", "json", "jsonl", "parquet"):
        before, began = peak_rss_mib(), time.perf_counter()
        export(folder / f"all.{form}", rows_of(ROWS), result, selection, CARD, history=result.main.values)
        seconds = time.perf_counter() - began
        row = {
            "form": form,
            "rows_per_second": round(ROWS / seconds),
            "more_memory_mib": round(peak_rss_mib() - before),
        }
        figures.append(row | {"bytes_per_row": round((folder / f"all.{form}").stat().st_size / ROWS)})
        print(figures[-1])
    return figures


def main() -> None:
    """Measures and writes ``report.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browser", default="chromium", help="a Chromium")
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        exports = measure_exports(Path(name))
        pages = measure_pages(options.browser, Path(name))
    save_results(
        "report",
        {"what": f"pages and exports of {ROWS:,} rows", "pages": pages, "exports": exports},
        options.output,
    )


if __name__ == "__main__":
    main()
