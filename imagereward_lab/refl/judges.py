"""The scorers of a run: what it is tuned to, and those that checks ask."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.blend import BlendScorer
from imagereward_core.scorers.requests import LoadRequest, make_panel
from imagereward_core.scores import FloatArray

from .options import RunOptions
from .reward import Reward
from .watching.previews import Measure

if TYPE_CHECKING:
    from imagereward_core.scorers.engine import PictureScorer
    from imagereward_core.scorers.saved_blends import SavedBlends
    from imagereward_core.weights.manifest import Progress


@dataclass(frozen=True)
class Judges:
    """All scorers of a run.

    Attributes:
        reward: What it is tuned to.
        scale: Mean and standard deviation of its reference scores; None where there are none.
        measures: By id, the one that is tuned to first.
        networks: Of all of them, by id.
        revisions: Which weights, by id.
        warnings: What must be known about them.
    """

    reward: Reward
    scale: tuple[float, float] | None
    measures: Mapping[str, Measure]
    networks: Mapping[str, nn.Module]
    revisions: Mapping[str, str]
    warnings: tuple[str, ...]


def judges_of(
    options: RunOptions,
    device: torch.device,
    report: Progress | None = None,
    blends: SavedBlends | None = None,
) -> Judges:
    """Loads the scorers.

    Args:
        options: Their names, and where weights are.
        device: Where they run.
        report: Told the progress of a download.
        blends: Saved blends.

    Raises:
        CuratorError: There is no such scorer or blend, its weights are missing or damaged, or it is not differentiable.
    """
    request = LoadRequest(options.scorer, also=options.also)
    runtime = LocalRuntime(device)
    panel, _ = make_panel(request, runtime, options.weights, report, blends=blends)
    reward = Reward(panel.main)
    measures: dict[str, Measure] = {}
    for scorer in (panel.main, *panel.others):
        if isinstance(scorer, BlendScorer):
            measures[scorer.card.id] = BlendMeasure(reward if scorer is panel.main else Reward(scorer))
            for each in scorer.members:
                measures.setdefault(each.card.id, ScorerMeasure(each))  # type: ignore[arg-type]
        else:
            measures.setdefault(scorer.card.id, ScorerMeasure(scorer))
    return Judges(
        reward=reward,
        scale=scale_of(reward),
        measures=measures,
        networks={each.card.id: each.tower.network for each in panel.scorers},
        revisions={each.card.id: each.revision for each in panel.scorers},
        warnings=panel.warnings(),
    )


def scale_of(reward: Reward) -> tuple[float, float] | None:
    """Mean and standard deviation of the reference scores of a reward; None where there are none."""
    mean, above = reward.bound(0.0), reward.bound(1.0)
    return None if mean is None or above is None or not above > mean else (mean, above - mean)


class ScorerMeasure:
    """A scorer on saved pictures: what ``imagereward score`` would say of them."""

    def __init__(self, scorer: PictureScorer) -> None:
        self.scorer = scorer
        self.reads_prompts = scorer.card.needs_prompt

    def __call__(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> FloatArray:
        """See :class:`.watching.previews.Measure`."""
        return self.scorer.score_matrix(list(pictures), list(prompts))


class BlendMeasure:
    """A blend as it is tuned to, on saved pictures; it is asked for each picture's own prompt alone."""

    reads_prompts = False

    def __init__(self, reward: Reward) -> None:
        self.reward = reward

    def __call__(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> FloatArray:
        """See :class:`.watching.previews.Measure`; NaN for the prompts of other pictures."""
        values = np.full((len(pictures), len(prompts)), math.nan)
        each = len(pictures) // len(prompts)
        for row, picture in enumerate(pictures):
            pixels: Any = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float() / 255
            with torch.no_grad():
                values[row, row // each] = float(self.reward(pixels, [prompts[row // each]])[0])
        return values
