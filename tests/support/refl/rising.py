"""What a tuned LoRA promises of itself, and prompts and a judge to hold a host to it. Set TUNED_LORA to its file."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from imagereward_core.demo.scenes import scene_where

TUNED = os.environ.get("TUNED_LORA")
"""A LoRA that ``imagereward refl --scorer demo`` made for the trained generator, for example by ``nox -s refl_proof``."""
NUMBER, STEPS = 24, 20


def place_tuned(path: Path) -> tuple[float, float]:
    """Puts the LoRA where a host looks for it; returns by how much it says the mean score rose in checks, and their guidance."""
    if not TUNED:
        pytest.skip("TUNED_LORA is not set; set it to a LoRA that was tuned to the demo scorer")
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(TUNED, path)
    with safe_open(path, "np") as file:
        facts = json.loads(file.metadata()["imagereward.facts"])
    assert facts["reward"] == "demo"
    return float(facts["change"]), float(facts["settings"]["preview_guidance"])


def new_prompts() -> list[str]:
    """Prompts that neither the demo scorer nor the generator has learnt from."""
    rng = random.Random("hosts, tuned")
    return [scene_where(rng, held_out=True).prompt for _ in range(NUMBER)]


def mean_score(pictures: Sequence[np.ndarray], prompts: Sequence[str]) -> float:
    """By the demo scorer, of pictures uint8 [S, S, 3]."""
    import imagereward_core

    scorer = imagereward_core.load("demo", device="cpu").scorer
    found = scorer.score([Image.fromarray(each) for each in pictures], list(prompts)).values
    return float(np.mean(np.asarray(found, dtype=np.float64)))
