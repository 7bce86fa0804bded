"""Pictures of fixed prompts and seeds, and what scorers say of them: the same drawings at every check, so that they can be compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from imagereward_core.scores import FloatArray

from ...training.state.draws import Draws
from ...training.state.processes import Processes
from ..bases.base import Base
from ..guards.check import Check
from ..guards.diversity import diversity
from ..methods.drawing import draw
from ..methods.options import MethodOptions
from ..tuning.shares import dealt, together

_AT_ONCE = 4


class Measure(Protocol):
    """A scorer, as checks ask it."""

    reads_prompts: bool

    def __call__(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> FloatArray:
        """Scores float64 [N, P] of every picture with every prompt; NaN where there is none."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Pictures of a check.

    Attributes:
        pictures: Seeds of the first prompt, then of the second, and so on.
        prompts: P texts.
        seeds: How many pictures there are for each.
    """

    pictures: tuple[Image.Image, ...]
    prompts: tuple[str, ...]
    seeds: int

    def of(self, prompt: int) -> tuple[Image.Image, ...]:
        """The pictures of one prompt."""
        return self.pictures[prompt * self.seeds : (prompt + 1) * self.seeds]


class Previews:
    """Draws and measures.

    Args:
        base: The model.
        prompts: To draw.
        seeds: Pictures for each.
        options: Steps, guidance and size of the drawings.
        seed: Their noise follows from it.
        measures: By scorer, the one that is tuned to first. Called in the first process alone.
        among: The processes that share the drawing.
    """

    def __init__(
        self,
        base: Base,
        prompts: Sequence[str],
        seeds: int,
        options: MethodOptions,
        seed: int,
        measures: Mapping[str, Measure],
        among: Processes | None = None,
    ) -> None:
        self.base, self.prompts, self.seeds, self.options = base, tuple(prompts), seeds, options
        self.seed, self.measures, self.among = seed, dict(measures), among or Processes()
        self.last: Drawn | None = None
        """What was drawn last, in every process."""

    def __len__(self) -> int:
        """Pictures of a check."""
        return len(self.prompts) * self.seeds

    def draw(self) -> Drawn:
        """Draws them with the model as it is; the pictures are rounded to the levels that a saved picture has."""
        places = dealt(len(self), self.among)
        parts = [self._some(places[first : first + _AT_ONCE]) for first in range(0, len(places), _AT_ONCE)]
        if not parts:
            height, width = self.base.image_size
            size = (self.options.height or height, self.options.width or width)
            parts = [torch.empty(0, 3, *size, dtype=torch.uint8)]
        levels = together(torch.cat(parts), len(self), self.among)
        pictures = tuple(
            Image.fromarray(np.ascontiguousarray(each.permute(1, 2, 0).numpy())) for each in levels
        )
        self.last = Drawn(pictures=pictures, prompts=self.prompts, seeds=self.seeds)
        return self.last

    def _some(self, places: Sequence[int]) -> Tensor:
        """Levels uint8 [n, 3, H, W]."""
        conditions = self.base.encode([self.prompts[place // self.seeds] for place in places])
        generators = [Draws.of("preview", self.seed, place).numbers for place in places]
        images = draw(self.base, conditions, generators, self.options)
        return (images.float().cpu() * 255).round().clamp(0, 255).to(torch.uint8)

    def check(self, update: int) -> Check:
        """Draws, and measures what was drawn; in processes other than the first the measures are taken from it."""
        drawn = self.draw()
        found = self.measured(drawn, update).to_dict() if self.among.first else {}
        return Check.from_dict(self.among.first_of(found))

    def measured(self, drawn: Drawn, update: int) -> Check:
        """What is measured of pictures."""
        scores: dict[str, list[float]] = {}
        own: dict[str, float] = {}
        places = np.repeat(np.arange(len(drawn.prompts)), drawn.seeds)
        for name, measure in self.measures.items():
            values = measure(drawn.pictures, drawn.prompts)
            scores[name] = [float(each) for each in values[np.arange(len(places)), places]]
            if measure.reads_prompts and len(drawn.prompts) > 1:
                own[name] = own_over_others(values, places)
        return Check(update=update, scores=scores, diversity=diversity(_images(drawn)), own=own)


def own_over_others(values: FloatArray, places: np.ndarray) -> float:
    """Share of pairs in which a picture scores higher with its own prompt than with another; a tie is wrong.

    Args:
        values: float64 [N, P], a row for each picture, a column for each prompt. Pairs with NaN are left out.
        places: int64 [N], the column of each picture's own prompt.

    >>> own_over_others(np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]]), np.array([0, 1]))
    0.5
    """
    own = values[np.arange(len(places)), places][:, None]
    other = np.ones(values.shape, dtype=bool)
    other[np.arange(len(places)), places] = False
    known = other & np.isfinite(values) & np.isfinite(own)
    return float((own > values)[known].mean()) if known.any() else math.nan


def _images(drawn: Drawn) -> Tensor:
    """Float [P, S, 3, H, W] in 0..1."""
    rows = [torch.from_numpy(np.asarray(each).copy()) for each in drawn.pictures]
    images = torch.stack(rows).permute(0, 3, 1, 2).float() / 255
    return images.reshape(len(drawn.prompts), drawn.seeds, *images.shape[1:])
