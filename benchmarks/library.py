"""Measures libraries: how fast one is filled, scanned again and read in order, from 1,000 to 1,000,000 pictures.

Run as ``python -m benchmarks.library``. Every size is measured in a process of its own, so that its peak memory is its own.

- ``store``: rows written by the store's own functions, then pages read as the command, the tab and the node read them.
- ``tree``: real files in folders of 1,000, drawn, scanned, scanned again without changes, and after a folder was renamed. They
  are scored by a scorer that costs nothing, so that what is measured is the library; the first 1,000 also by the demo model.
- ``links``: 1,000,000 hard links to a few pictures, known to the store, scanned again without changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.PngImagePlugin import PngInfo
from torch import nn

from imagereward_core.demo.scenes import draw, random_scene
from imagereward_core.images.spec import ImageSpec
from imagereward_core.library.library import FILE_NAME, Library
from imagereward_core.library.scan.keys import Voice, key_of
from imagereward_core.library.store.files import (
    Content,
    State,
    add_file,
    folder_number,
    show_prompt,
    write_generated,
    write_version,
)
from imagereward_core.library.store.records import Generated, Query, ScorerKey
from imagereward_core.library.store.scores import rank_file, scorer_number, write_scores
from imagereward_core.metadata.picture_prompt import READER
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.engine import PictureScorer, Tower
from imagereward_core.scorers.factory import create_scorer
from imagereward_core.scorers.panel import Panel
from imagereward_core.scores import Scores
from imagereward_core.weights.cards import CARDS

from .machine import peak_rss_mib
from .scorers import RESULTS, save_results

PER_FOLDER = 1000
KEY = ScorerKey("benchmark", "1")
PICTURES_PER_PROMPT = 20
PAGE = 100


class FreeScorer(PictureScorer):
    """A scorer whose number is the mean level of the picture: it costs next to nothing."""

    def __init__(self) -> None:
        tower = Tower(nn.Identity(), ImageSpec(size=32), lambda pixels: pixels.mean(dim=(1, 2, 3)))
        card = replace(CARDS["demo"], id="benchmark", image=tower.spec)
        super().__init__(card, tower, LocalRuntime("cpu"), "1", 256)

    def rewards(self, features: torch.Tensor, prompts: Any, rows: Any = None) -> torch.Tensor:
        """The feature itself, for every prompt."""
        return features if rows is None else features[list(rows)]


def measure_store(folder: Path, number: int) -> dict[str, Any]:
    """Fills a store with ``number`` rows and reads pages."""
    place = folder / f"store {number}"
    root = (folder / "pictures").absolute()
    with Library.open(place) as library:
        began = time.perf_counter()
        _fill(library, root, number)
        filled = time.perf_counter() - began
    with Library.open(place) as library:
        pages = _measure_pages(library, root, number)
    size = sum(path.stat().st_size for path in place.glob(FILE_NAME + "*"))
    shutil.rmtree(place)
    return {
        "rows_written_per_second": round(number / filled),
        "bytes_per_row": round(size / number),
        "peak_memory_mib": round(peak_rss_mib()),
        "milliseconds": pages,
    }


def _fill(
    library: Library, root: Path, number: int, status: Callable[[int], os.stat_result] | None = None
) -> None:
    rng = random.Random(0)
    with library.database.writing() as connection:
        voice = Voice(scorer_number(connection, KEY, True), None, True)  # type: ignore[arg-type]
    for start in range(0, number, PER_FOLDER):
        with library.database.writing() as connection:
            folder = folder_number(connection, root / f"{start // PER_FOLDER:05d}")
            files, pictures, prompts = [], [], []
            for index in range(start, min(number, start + PER_FOLDER)):
                file = add_file(connection, folder, f"{index:08d}.png")
                digest = hashlib.blake2b(str(index).encode(), digest_size=16).digest()
                content = Content(digest, 512, 512, rng.getrandbits(64))
                size, modified = 1000 + index, 10**18 + index * 10**9
                if status is not None:
                    found = status(index)
                    size, modified = found.st_size, found.st_mtime_ns
                write_version(connection, file, size, modified, State.READ, content)
                words = f"a picture of a cat, number {index // PICTURES_PER_PROMPT}, in the rain"
                generated = Generated(
                    words, words, "blurry", "metadata", "a1111", "model", ("one",), str(index)
                )
                write_generated(connection, file, 0, f"auto/{READER}", generated)
                show_prompt(connection, file, None)
                row = connection.execute("SELECT picture, prompt FROM files WHERE id = ?", (file,)).fetchone()
                files.append(file)
                pictures.append(row[0])
                prompts.append(row[1])
            values = np.array([rng.gauss(0, 1) for _ in files])
            words_of = [""] * len(files)
            write_scores(
                connection,
                voice,
                pictures,
                prompts,
                Scores(values, "benchmark", "1", tuple(words_of), tuple(words_of)),
            )
            for file in files:
                rank_file(connection, file, [voice.number])


def _measure_pages(library: Library, root: Path, number: int) -> dict[str, Any]:
    every = Query(key=KEY)
    half = library.page(every, PAGE, offset=number // 2)[-1]
    below = replace(every, folder=root)
    middle = library.page(below, PAGE, offset=min(number // 2, 5000))[-1]
    prompt = f"a picture of a cat, number {number // PICTURES_PER_PROMPT // 2}, in the rain"
    asked: dict[str, Callable[[], Any]] = {
        "best first": lambda: library.page(every, PAGE),
        "worst first": lambda: library.page(replace(every, order="worst"), PAGE),
        "best first, from the middle on": lambda: library.page(every, PAGE, after=half),
        "best first, offset to the middle": lambda: library.page(every, PAGE, offset=number // 2),
        "best first, of a folder and all below": lambda: library.page(below, PAGE),
        "best first, of a folder and all below, from further on": lambda: library.page(
            below, PAGE, after=middle
        ),
        "best first, of one folder": lambda: library.page(replace(every, folder=root / "00000"), PAGE),
        "best first, of one prompt": lambda: library.page(replace(every, prompt=prompt), PAGE),
        "best first, scores of a range": lambda: library.page(
            replace(every, minimum=-1.0, maximum=0.0), PAGE
        ),
        "newest first": lambda: library.page(replace(every, order="newest"), PAGE),
        "by name": lambda: library.page(replace(every, order="name"), PAGE),
        "best first, with a common word": lambda: library.page(replace(every, text="CAT"), PAGE),
        "best first, with a rare word": lambda: library.page(
            replace(every, text=f"number {number // 40},"), PAGE
        ),
        "without a score": lambda: library.page(replace(every, scored=False), PAGE),
        "count": lambda: library.count(every),
        "count, of a folder and all below": lambda: library.count(below),
    }
    figures = {}
    for name, ask in asked.items():
        times, worked = [], []
        for _ in range(12):
            began, before = time.perf_counter(), time.process_time()
            ask()
            times.append(1000 * (time.perf_counter() - began))
            worked.append(1000 * (time.process_time() - before))
        figures[name] = {
            "first": round(times[0], 2),
            "median": round(statistics.median(times[1:]), 2),
            "most": round(max(times[1:]), 2),
            "processor": round(statistics.median(worked[1:]), 2),
        }
    return figures


def measure_tree(folder: Path, number: int) -> dict[str, Any]:
    """Draws ``number`` files, and scans them in every state."""
    tree = folder / f"tree {number}"
    _draw_tree(tree, number)
    panel = Panel(FreeScorer())
    figures: dict[str, Any] = {}
    with Library.open(folder / f"tree store {number}") as library:
        first = library.scan([tree], panel)
        assert (first.done, first.failed, first.scored) == (number, 0, number), first
        figures["first_scan_files_per_second"] = round(number / first.seconds)
        figures["first_scan_stages"] = {name: round(seconds, 2) for name, seconds in first.stages.items()}
        figures |= _scan_again(library, tree, panel, number)
        (tree / "00000").rename(tree / "renamed")
        moved = library.scan([tree], panel)
        assert (moved.done, moved.scored, moved.gone) == (min(number, PER_FOLDER),) + (
            0,
            min(number, PER_FOLDER),
        ), moved
        figures["renamed_folder"] = {
            "files": moved.done,
            "seconds": round(moved.seconds, 2),
            "scored": moved.scored,
        }
        if number == PER_FOLDER:
            scored = library.scan([tree], Panel(create_scorer("demo", LocalRuntime("cpu"))))
            figures["demo_model_files_per_second"] = round(number / scored.seconds)
            figures["demo_model_stages"] = {
                name: round(seconds, 2) for name, seconds in scored.stages.items()
            }
    figures["peak_memory_mib"] = round(peak_rss_mib())
    shutil.rmtree(tree)
    return figures


def _scan_again(library: Library, tree: Path, panel: Panel, number: int) -> dict[str, Any]:
    """Scans a tree in which nothing has changed."""
    rates, worked = [], []
    for _ in range(3):
        before = time.process_time()
        again = library.scan([tree], panel)
        assert (again.known, again.scored) == (number, 0), again
        rates.append(number / again.seconds)
        worked.append(number / (time.process_time() - before))
    return {
        "scan_without_changes_files_per_second": round(statistics.median(rates)),
        "scan_without_changes_files_per_processor_second": round(statistics.median(worked)),
    }


def _draw_tree(tree: Path, number: int) -> None:
    """Small pictures with prompts in their metadata, older than a minute; no two hold the same pixels."""
    rng = random.Random(0)
    scenes = [random_scene(rng) for _ in range(min(number, 200))]
    drawn = [draw(scene, rng, 64) for scene in scenes]
    then = time.time() - 60
    for index in range(number):
        folder = tree / f"{index // PER_FOLDER:05d}"
        if index % PER_FOLDER == 0:
            folder.mkdir(parents=True)
        scene, picture = scenes[index % len(scenes)], drawn[index % len(scenes)]
        picture.putpixel((0, 0), (index % 256, index // 256 % 256, index // 65536))
        text = PngInfo()
        text.add_itxt(
            "parameters",
            f"{scene.prompt}\nSteps: 20, Sampler: Euler, Seed: {index}, Size: 64x64, Model: demo",
        )
        path = folder / f"{index:08d}.png"
        picture.save(path, pnginfo=text, compress_level=1)
        os.utime(path, (then, then))


def measure_links(folder: Path, number: int) -> dict[str, Any]:
    """Scans ``number`` hard links that the store knows."""
    tree = folder / "links"
    originals = []
    for index in range(number // 50_000 + 1):
        original = folder / f"original {index}.png"
        draw(random_scene(random.Random(index)), random.Random(index), 64).save(original)
        os.utime(original, (time.time() - 60,) * 2)
        originals.append(original)
    for index in range(number):
        path = tree / f"{index // PER_FOLDER:05d}" / f"{index:08d}.png"
        if index % PER_FOLDER == 0:
            path.parent.mkdir(parents=True)
        os.link(originals[index // 50_000], path)
    found = [original.stat() for original in originals]
    panel = Panel(FreeScorer())
    assert key_of(panel.scorers[0]) == KEY
    with Library.open(folder / "links store") as library:
        _fill(library, tree.absolute(), number, lambda index: found[index // 50_000])
    before = peak_rss_mib()
    with Library.open(folder / "links store") as library:
        again = _scan_again(library, tree, panel, number)
    shutil.rmtree(tree)
    return {
        "files": number,
        **again,
        "memory_added_by_the_scan_mib": round(max(0.0, peak_rss_mib() - before)),
        "peak_memory_mib": round(peak_rss_mib()),
    }


def _alone(measure: Callable[[Path, int], dict[str, Any]], folder: Path, number: int) -> dict[str, Any]:
    """The measurement in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        figures = pool.apply(measure, (folder, number))
    if hasattr(os, "getloadavg"):
        figures["other_load"] = round(os.getloadavg()[0], 2)
    print(f"{measure.__name__} {number:,}: {figures}", flush=True)
    return figures


def main() -> None:
    """Measures and writes ``library.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="folder for the result; by default benchmarks/results")
    parser.add_argument(
        "--folder", type=Path, help="where to draw the pictures; by default the system's temporary folder"
    )
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--files", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--links", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        figures = {
            "what": f"pages of {PAGE} rows, milliseconds (first: right after opening; processor: of the processor's time, whatever else "
            f"runs); files in folders of {PER_FOLDER}, 64 x 64 PNG; other_load: of the machine with this and all else, over a minute",
            "store": {f"{number}": _alone(measure_store, folder, number) for number in options.rows},
            "tree": {f"{number}": _alone(measure_tree, folder, number) for number in options.files},
            "links": _alone(measure_links, folder, options.links) if options.links else {},
        }
    earlier = (options.output or RESULTS) / "library.json"
    if earlier.is_file():  # a part left out keeps the figures it has
        kept = json.loads(earlier.read_text(encoding="utf-8"))
        figures = {name: figure or kept.get(name) for name, figure in figures.items()}
    save_results("library", figures, options.output)


if __name__ == "__main__":
    main()
