"""Our scorers over the benchmark's checkpoint, and the files that keep results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imagereward_core.runtime import LocalRuntime, Precision
from imagereward_core.scorers.factory import create_scorer
from imagereward_core.scorers.families.imagereward import ImageRewardScorer
from imagereward_core.weights.locate import WeightSettings

from .machine import describe

RESULTS = Path(__file__).parent / "results"


def make_scorer(
    checkpoint: Path, precision: Precision = "fp32", device: str = "cpu", batch_size: int | None = None
) -> ImageRewardScorer:
    """The scorer as any program would make it, from a checkpoint with its vocabulary beside it; no network, no conversion."""
    settings = WeightSettings(use_hub_cache=False, allow_download=False, auto_convert=False)
    scorer = create_scorer(checkpoint, LocalRuntime(device, precision), settings, batch_size=batch_size)
    assert isinstance(scorer, ImageRewardScorer)
    return scorer


def save_results(name: str, figures: dict[str, Any], folder: Path | None = None) -> Path:
    """Writes ``name.json`` with the description of machine and versions first."""
    folder = folder or RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(
        json.dumps({**describe(), **figures}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    print(f"wrote {path.name}")
    return path
