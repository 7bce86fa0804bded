"""What the result of a training depends on, to know whether one that is there is the one that is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import TrainingError
from .options import JobOptions
from .splits import Splits


def identity(options: JobOptions, splits: Splits) -> dict[str, Any]:
    """All that a result depends on, as JSON has it."""
    judged = [[each.prompt, list(each.images), list(each.order)] for each in splits.validation]
    return {
        **options.config.facts(),
        "start": options.start,
        "fresh_head": options.fresh_head,
        "tuning": [options.tuning, options.lora_rank],
        "vision": [options.vision, options.vision_size, options.vision_random],
        "half": options.half,
        "data": splits.sha256,
        "validation": hashlib.sha256(json.dumps(judged).encode()).hexdigest(),
    }


def check_same(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path, whole: str) -> None:
    """Makes sure that a result that is there was made as it would be now.

    Args:
        before: What it was made with.
        now: What it would be made with.
        folder: Where it is.
        whole: What it was to be a part of, in words.

    Raises:
        TrainingError: It was made otherwise; the text says in what.
    """
    other = [name for name in now if before.get(name) != now[name]]
    if other:
        shown = "; ".join(f"{name} {before.get(name)!r}, now {now[name]!r}" for name in other)
        raise TrainingError(
            f"{folder} was made with other settings ({shown}), and is no part of {whole}; expected the same ones. Give those, or name "
            "another --output"
        )
