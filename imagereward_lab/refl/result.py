"""Writes what came of a tuning: the LoRA, the sheet, the page and the facts."""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from imagereward_core.files.whole import written_whole
from imagereward_core.plain import count_of
from imagereward_core.weights.manifest import sha256_of

from .guards.check import Check
from .guards.watchdog import History
from .judges import Judges
from .lora.metadata import LoraFacts
from .lora.stored import write_lora
from .options import RunOptions
from .tuning.prompts import PromptSplits
from .tuning.tuner import Tuner
from .watching.page import PAGE, change_of, write_tuning_page
from .watching.previews import Drawn
from .watching.sheets import SHEET, write_before_and_after

FACTS = "run.json"
"""Facts about a finished run, in its folder."""
_END = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was measured.

    Attributes:
        history: The checks.
        first: The one before tuning.
        last: The one of the result.
        before: What the untouched model drew.
        after: What the tuned one drew, of the same prompts and seeds.
        left_out: Pictures for the second loss that could not be used.
    """

    history: History
    first: Check
    last: Check
    before: Drawn
    after: Drawn
    left_out: list[str] = field(default_factory=list)


def model_digest(path: Path) -> str:
    """SHA-256 of a checkpoint of one file; of a folder of diffusers that of its index, and of the sizes and ends of its files."""
    if path.is_file():
        return sha256_of(path)
    files = [
        (str(each.relative_to(path)), each.stat().st_size, _end(each))
        for each in sorted(path.rglob("*.safetensors"))
    ]
    text = json.dumps([sha256_of(path / "model_index.json"), files])
    return hashlib.sha256(text.encode()).hexdigest()


def _end(path: Path) -> str:
    """SHA-256 of the last bytes of a file: other numbers in a model of the same layout differ there as everywhere."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END))
        return hashlib.sha256(file.read()).hexdigest()


def run_identity(name: str, tuner: Tuner) -> str:
    """Of a run: equal for the same name and settings."""
    text = json.dumps([name, tuner.all_settings()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_result(
    options: RunOptions, splits: PromptSplits, judges: Judges, tuner: Tuner, model: str, found: Found
) -> Path:
    """Writes all of it into the folder of the run; returns the path of the LoRA.

    Args:
        options: What was asked for.
        splits: The prompts.
        judges: The scorers.
        tuner: At its end, the adapter in the state that is kept.
        model: Its digest.
        found: What was measured.

    Raises:
        TrainingError: Somebody else's file lies where the LoRA would go.
        OSError: Something cannot be written.
    """
    output, path = options.output, options.path
    write_lora(
        path, tuner.adapter, _lora_facts(options, tuner, model, found), prediction=tuner.base.prediction
    )
    write_before_and_after(output / SHEET, found.before, found.after, found.first, found.last)
    facts = _facts(options, splits, judges, tuner, found)
    title = f"{options.name}: tuned to {found.first.reward}"
    write_tuning_page(
        output / PAGE,
        title,
        facts,
        found.history,
        found.last,
        found.before,
        found.after,
        judges.warnings,
    )
    told = {
        "result": path.name,
        "facts": facts,
        "settings": tuner.all_settings(),
        "history": found.history.to_dict(),
        "left_out": found.left_out[:1000],
    }
    with written_whole(output / FACTS) as temporary:
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return path


def _facts(
    options: RunOptions, splits: PromptSplits, judges: Judges, tuner: Tuner, found: Found
) -> dict[str, Any]:
    """What was tuned, and how, for people."""
    config, base, adapter = options.config, tuner.base, tuner.adapter
    names = list(judges.measures)
    updates = f"{tuner.update} of {config.updates}, of {count_of(config.batch, 'picture')} each"
    return {
        "Model": f"{options.model.name} ({base.kind}, {base.prediction})",
        "Tuned to": names[0],
        "Not tuned to": names[1:],
        "Method": options.method,
        "Prompts": f"{len(splits.tuned):,}, and {len(splits.checked)} that are checked",
        "Updates": f"{updates}; the result is the state after {found.history.good}",
        "Learning rate": f"{config.learning_rate:g}",
        "LoRA": f"rank {adapter.rank}, alpha {adapter.alpha:g}, {len(adapter.places)} layers",
        "Second loss": "none" if tuner.examples is None else tuner.examples.origin,
        "Time": f"{found.history.seconds:.0f} s",
        "Machine": f"{tuner.among.device.type}, {count_of(tuner.among.number, 'process')}, torch {torch.__version__}",
    }


def _lora_facts(options: RunOptions, tuner: Tuner, model: str, found: Found) -> LoraFacts:
    config, first, last = options.config, found.first, found.last
    height, width = tuner.base.image_size
    chosen = options.method_options
    change, _ = change_of(first, last, first.reward, found.before.seeds)
    means = f"{first.mean(first.reward):.3f} before, {last.mean(first.reward):.3f} after"
    return LoraFacts(
        name=options.name,
        run=run_identity(options.name, tuner),
        base=options.model.name,
        base_sha256=model if options.model.is_file() else "",
        reward=first.reward,
        method=options.method,
        updates=found.history.good,
        learning_rate=config.learning_rate,
        seed=config.seed,
        resolution=(chosen.width or width, chosen.height or height),
        started=time.time() - found.history.seconds,
        description=f"Tuned to {first.reward} by {options.method} in {count_of(found.history.good, 'update')}; mean score of previews "
        f"{means}",
        more={
            "change": change.value if math.isfinite(change.value) else None,
            "settings": tuner.all_settings(),
        },
    )
