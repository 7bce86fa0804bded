"""Pictures on the disk and scorers that count what they are shown, for the tests of scans."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor, nn

from imagereward_core.images.spec import ImageSpec
from imagereward_core.library.store.records import Query
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.engine import PictureScorer, Tower
from imagereward_core.scorers.panel import Panel
from imagereward_core.weights.cards import CARDS

LONG_AGO = time.time() - 3600


class MeanScorer(PictureScorer):
    """The mean level of a picture, plus a hundredth for every letter of its prompt if it reads prompts.

    Attributes:
        seen: The prompt of every picture it was ever shown.
        broken: Prompts for which it gives no number.
    """

    def __init__(
        self,
        name: str = "mean",
        revision: str = "1",
        reads_prompt: bool = True,
        spec: ImageSpec | None = None,
    ) -> None:
        published = ImageSpec(size=8)
        tower = Tower(nn.Identity(), spec or published, lambda pixels: pixels.mean(dim=(1, 2, 3)))
        card = replace(CARDS["demo"], id=name, image=published, needs_prompt=reads_prompt, distribution=None)
        super().__init__(card, tower, LocalRuntime("cpu"), revision)
        self.seen: list[str] = []
        self.broken: set[str] = set()

    def rewards(self, features: Tensor, prompts: Sequence[str], rows: Sequence[int] | None = None) -> Tensor:
        self.seen += prompts
        weight = 0.01 if self.card.needs_prompt else 0.0
        added = [float("nan") if prompt in self.broken else weight * len(prompt) for prompt in prompts]
        values = features.double()
        return (values if rows is None else values[list(rows)]) + torch.tensor(added, dtype=torch.float64)

    def cut(self, prompt: str) -> str:
        return prompt[40:]


def panel_of(*scorers: PictureScorer) -> Panel:
    return Panel(scorers[0], scorers[1:])


def pixels(seed: int, side: int = 24) -> Image.Image:
    """A picture of noise, different for every seed."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def save(path: Path, seed: int, prompt: str | None = "a cat", age: float = 0.0) -> Path:
    """A PNG with ``prompt`` as a WebUI stores it, last changed an hour ago and ``age`` seconds before that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = PngInfo()
    if prompt is not None:
        text.add_itxt(
            "parameters", f"{prompt}\nSteps: 20, Sampler: Euler, Seed: {seed}, Size: 24x24, Model: m"
        )
    pixels(seed).save(path, pnginfo=text)
    return settle(path, age)


def settle(path: Path, age: float = 0.0) -> Path:
    """Makes a file look as if it had last been changed an hour and ``age`` seconds ago."""
    os.utime(path, (LONG_AGO - age, LONG_AGO - age))
    return path


def same(values: Sequence[float | None], expected: Sequence[float]) -> bool:
    """Whether numbers agree to within the rounding of batches of other sizes."""
    return list(values) == pytest.approx(list(expected), abs=1e-5, rel=0)


def failures(library, folder=None):
    """Files that could not be decoded, each with the reason, by path."""
    rows = library.rows(Query(folder=folder, order="name"))
    return [(row.path, row.problem) for row in rows if not row.content]
