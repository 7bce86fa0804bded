"""Writes what training made: weights as safetensors, and beside them the card by which every host knows them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imagereward_core.errors import CuratorError
from imagereward_core.files.whole import written_whole
from imagereward_core.plain import plain
from imagereward_core.weights.checkpoint import write_state
from imagereward_core.weights.own import CARD_SUFFIX, own_card

from .networks.starts import Start
from .networks.tuning import changed_tensors

QUANTILES = 41
"""From 0 % to 100 %, evenly spaced."""


class ExportError(CuratorError):
    """What was trained cannot be written."""


@dataclass(frozen=True)
class Made:
    """What is to be said about a trained network, beside its weights.

    Attributes:
        name: Its id, and the name of its files.
        title: One line for menus; empty for one made from the start.
        licence: Of the weights.
        data: SHA-256 of the rankings it learnt from.
        splits: Number of rankings by name of the split.
        rewards: Raw rewards of the validation pictures, from which the scale and the distribution are chosen.
        accuracy: Preference accuracy on the validation set, with the ends of its 95 % interval where known.
        facts: Anything else that should be kept, such as settings, history and machine.
        tuning: What trained: ``full``, ``lora`` or ``head``.
        lora_scale: Factor of a LoRA.
    """

    name: str
    rewards: Sequence[float]
    title: str = ""
    licence: str = "not stated"
    data: str = ""
    splits: dict[str, int] = field(default_factory=dict)
    accuracy: tuple[float, float, float] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    tuning: str = "full"
    lora_scale: float = 1.0


def export(start: Start, made: Made, folder: Path, *, half: bool = False, overwrite: bool = False) -> Path:
    """Writes ``NAME.safetensors`` and ``NAME.card.json``; each is there whole or not at all, the card last.

    Args:
        start: What was trained, in the state to write.
        made: What is said about it.
        folder: Where to; a models folder makes it a scorer of every host at once.
        half: Whether weights are rounded to float16.
        overwrite: Whether files of these names that are there may be replaced.

    Returns:
        The path of the weights.

    Raises:
        ExportError: A file is there already, or the rewards cannot be a scale.
        WeightsError: The name cannot be that of a scorer.
        OSError: A file cannot be written.
    """
    target = folder / f"{made.name}.safetensors"
    card = target.with_name(made.name + CARD_SUFFIX)
    for path in (target, card):
        if path.exists() and not overwrite:
            raise ExportError(f"{path} is there already; choose another --name, or allow --overwrite")
    text = json.dumps(card_of(start, made), indent=1, ensure_ascii=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    tensors = _rounded(_tensors(start, made)) if half else _tensors(start, made)
    write_state(target, tensors, {"format": "pt"})
    with written_whole(card) as temporary:
        temporary.write_text(text, encoding="utf-8")
    own_card(target)  # raises where a host would not take it
    return target


def scale_of(rewards: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (over N) of raw rewards, which bring scores to mean 0 and deviation 1, as the authors chose theirs.

    Raises:
        ExportError: There are fewer than two that are numbers, or all are equal.
    """
    values = np.asarray([value for value in rewards if math.isfinite(value)], dtype=np.float64)
    if len(values) < 2 or not values.std() > 0:
        raise ExportError(
            f"{len(values)} rewards of validation pictures are no scale (they must differ); expected a few hundred pictures to validate on"
        )
    return float(values.mean()), float(values.std())


def check_change(start: Start) -> None:
    """Makes sure that a head alone, or a LoRA, can be stored as a change of what it starts from.

    Raises:
        ExportError: It cannot.
    """
    if not start.whole:
        why = f"it has {' and '.join(start.new)}" if start.new else "it is itself a change of another scorer"
        raise ExportError(
            f"what is trained of {start.scorer} cannot be stored as a change of it: {why}; leave out --tuning, which trains all of it"
        )


def card_of(start: Start, made: Made) -> dict[str, Any]:
    """The card as it is written; see ``docs/scorers.md``."""
    mean, std = scale_of(made.rewards)
    values = (np.asarray([value for value in made.rewards if math.isfinite(value)]) - mean) / std
    marks = [round(float(mark), 5) for mark in np.quantile(values, np.linspace(0.0, 1.0, QUANTILES))]
    spec = start.trainee.spec
    changes = made.tuning != "full"
    card: dict[str, Any] = {
        "id": made.name,
        "title": plain(made.title) or f"{made.name} (trained from {start.scorer})",
        "summary": f"A reward model trained with this program from {start.scorer}.",
        "licence": plain(made.licence),
        "notes": _notes(start, made),
        "typical_range": [marks[1], marks[-2]],
        "distribution": {
            "source": f"its validation pictures ({len(values):,})",
            "mean": 0.0,
            "std": 1.0,
            "quantiles": marks,
        },
        "family": start.trainee.kind,
        "like": start.like,
        "network": _sizes(start),
        "image": {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(spec).items()
        },
        "scale": {"mean": mean, "std": std},
        "training": {
            "from": {"scorer": start.scorer, "revision": start.revision, "new": list(start.new)},
            "data": made.data,
            "splits": made.splits,
            "accuracy": made.accuracy,
            **made.facts,
        },
    }
    if changes:
        check_change(start)
        card["base"] = {"id": start.scorer, "revision": start.revision}
        card["lora_scale"] = made.lora_scale
    return card


def _notes(start: Start, made: Made) -> list[str]:
    sizes = ", ".join(f"{name} {count:,}" for name, count in made.splits.items())
    notes = [
        f"It started from {start.scorer} with the weights {start.revision}"
        + (f", with {' and '.join(start.new)}." if start.new else "."),
    ]
    if sizes:
        notes.append(f"It learnt from rankings with the SHA-256 {made.data[:16]}; rankings: {sizes}.")
    if made.accuracy is not None:
        middle, low, high = (100 * each for each in made.accuracy)
        notes.append(
            f"On its validation set it orders {middle:.1f} % of the pairs as people did (95 % interval {low:.1f} to {high:.1f})."
        )
    return [plain(note)[:500] for note in notes]


def _sizes(start: Start) -> dict[str, Any]:
    sizes: dict[str, Any] = json.loads(json.dumps(start.trainee.network.config.to_dict()))  # type: ignore[union-attr, operator]
    return sizes


def _tensors(start: Start, made: Made) -> dict[str, Tensor]:
    if made.tuning != "full":
        return changed_tensors(start.trainee.network)
    network = start.trainee.network
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in network.state_dict().items()}


def _rounded(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    halves = {
        name: tensor.to(torch.float16) if tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }
    if any(
        not bool(torch.isfinite(tensor).all()) for tensor in halves.values() if tensor.is_floating_point()
    ):
        raise ExportError("a weight is too large for half precision; export without --half")
    return halves
