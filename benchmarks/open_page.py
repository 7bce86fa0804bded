"""Measures the page of ``imagereward open`` in a browser, over a library of many pictures."""

from __future__ import annotations

import argparse
import random
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=20_000)
    args = parser.parse_args()
    draw_pictures(args.folder, args.pictures)
    fill(args.folder.absolute())


if __name__ == "__main__":
    main()
