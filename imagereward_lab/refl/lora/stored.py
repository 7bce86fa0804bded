"""The file of a LoRA: written whole or not at all, never over somebody else's, and read back."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from imagereward_core.weights.checkpoint import write_state
from imagereward_core.weights.checkpoint.fingerprint import bytes_of
from imagereward_core.weights.checkpoint.writer import write_order

from ...training.errors import TrainingError
from ..bases.schedule import Prediction
from .adapter import Adapter
from .metadata import MARK, LoraFacts, metadata_of
from .names import STYLES


@dataclass(frozen=True)
class StoredLora:
    """What stands in a file.

    Attributes:
        tensors: By the names that hosts know.
        metadata: What is said about it.
    """

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def lora_tensors(
    adapter: Adapter, state: Mapping[str, Tensor] | None = None, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """A LoRA under the names that hosts read.

    Layers that are one layer in a host's model are put side by side: matrices [parts * rank, in] and [parts * out, parts * rank] whose
    product is the same.

    Args:
        adapter: The LoRA.
        state: Other numbers than it has now, as :meth:`Adapter.state` gives them: a running mean, for instance.
        dtype: Of the matrices; alpha is float32 always.

    Raises:
        TrainingError: A number is not finite, or is none of that dtype.
    """
    state = adapter.state() if state is None else state
    style = STYLES[adapter.kind]
    grouped: dict[str, dict[int, tuple[Tensor, Tensor]]] = {}
    parts: dict[str, int] = {}
    for (network, layer), place in adapter.places.items():
        down, up = (state[f"{network}/{layer}/{which}"].detach().cpu().float() for which in ("down", "up"))
        grouped.setdefault(place.name, {})[place.part] = (down, up if style.alpha else up * adapter.scale)
        parts[place.name] = place.parts
    made: dict[str, Tensor] = {}
    for name, pieces in grouped.items():
        down, up = _side_by_side(pieces, parts[name])
        made[name + style.down], made[name + style.up] = down.to(dtype), up.to(dtype)
        if style.alpha:
            # The factor is alpha / rank of what is stored.
            made[name + style.alpha] = torch.tensor(adapter.scale * len(down), dtype=torch.float32)
    bad = [name for name, each in made.items() if not each.isfinite().all()]
    if bad:
        raise TrainingError(
            f"the LoRA has numbers that are not finite in {dtype} ({bad[0]} and {len(bad) - 1} others); expected finite ones. Nothing has "
            "been written. Take an earlier state, or a smaller learning rate"
        )
    return made


def write_lora(
    path: Path,
    adapter: Adapter,
    facts: LoraFacts,
    *,
    prediction: Prediction = "epsilon",
    state: Mapping[str, Tensor] | None = None,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Writes a LoRA as ComfyUI, Automatic1111, Forge and Forge Neo load it.

    Args:
        path: A name that ends in ``.safetensors``; nothing is replaced there but a LoRA of the same run.
        adapter: The LoRA.
        facts: What is said about it.
        prediction: What the model gives: ``epsilon``, ``v_prediction`` or ``flow``.
        state: See :func:`lora_tensors`.
        dtype: Of the matrices.

    Raises:
        TrainingError: Another file is there, or the numbers cannot be written.
        OSError: It cannot be written; what was there stays.
    """
    if why := objection(path, facts.run):
        raise TrainingError(why)
    tensors = lora_tensors(adapter, state, dtype)
    metadata = metadata_of(facts, adapter, prediction, folded=not STYLES[adapter.kind].alpha)
    # The WebUIs know a LoRA by the hash of all that follows the header, and read it here rather than calculate it.
    digest = hashlib.sha256()
    for _, tensor in write_order(tensors):
        digest.update(bytes_of(tensor))
    write_state(path, tensors, {**metadata, "sshs_model_hash": digest.hexdigest()})


def objection(path: Path, run: str) -> str:
    """Why a LoRA of a run must not be written to ``path``; empty where it may."""
    if path.suffix != ".safetensors":
        return f"{path.name} is no name of a LoRA; expected one that ends in .safetensors, as hosts look for"
    if not os.path.lexists(path):
        return ""
    try:
        made_by = read_lora(path).metadata.get(MARK)
    except TrainingError:
        made_by = None
    if made_by is None:
        return f"{path} is there already and was not written by this program; it stays as it is. Give another name"
    if made_by != run:
        return f"{path} is there already, a LoRA of another run; it stays as it is. Give another name"
    return ""


def read_lora(path: Path) -> StoredLora:
    """A LoRA's tensors and what is said about it.

    Raises:
        TrainingError: It is missing, or no safetensors file.
    """
    try:
        with safe_open(path, "pt") as file:
            return StoredLora({name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {})  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise TrainingError(
            f"{path} cannot be read as a LoRA ({error}); expected a safetensors file"
        ) from error


def state_of(stored: StoredLora, adapter: Adapter) -> dict[str, Tensor]:
    """What :meth:`Adapter.fill` takes, of a file that :func:`write_lora` has written for an adapter of the same model and layers.

    Raises:
        TrainingError: The file is for other layers, another rank, or another factor.
    """
    style, found = STYLES[adapter.kind], dict[str, Tensor]()
    used = set[str]()
    for (network, layer), place in adapter.places.items():
        names = [place.name + ending for ending in (style.down, style.up, style.alpha) if ending]
        if any(name not in stored.tensors for name in names):
            raise TrainingError(f"the LoRA has nothing for {place.name}; expected one for the same layers")
        used.update(names)
        down, up = (stored.tensors[name].float() for name in names[:2])
        present = sorted(each.part for each in adapter.places.values() if each.name == place.name)
        if len(down) != adapter.rank * len(present) or len(up) % place.parts:
            raise TrainingError(
                f"the LoRA has rank {len(down) // len(present)} at {place.name}; expected {adapter.rank}"
            )
        factor = float(stored.tensors[names[2]]) / len(down) if style.alpha else 1.0
        # Alpha is stored in single precision.
        if style.alpha and not math.isclose(factor, adapter.scale, rel_tol=1e-6):
            raise TrainingError(
                f"the LoRA multiplies by {factor:g} at {place.name}; expected {adapter.scale:g}, that is alpha {adapter.alpha:g}"
            )
        at, height = present.index(place.part) * adapter.rank, len(up) // place.parts
        found[f"{network}/{layer}/down"] = down[at : at + adapter.rank].clone()
        piece = up[place.part * height :][:height, at : at + adapter.rank]
        found[f"{network}/{layer}/up"] = piece.clone() if style.alpha else piece / adapter.scale
    if more := sorted(stored.tensors.keys() - used):
        raise TrainingError(f"the LoRA also has {more[0]}; expected only the layers that are tuned")
    return found


def _side_by_side(pieces: Mapping[int, tuple[Tensor, Tensor]], parts: int) -> tuple[Tensor, Tensor]:
    """The two matrices of a layer that stands for several, some of which may have no LoRA."""
    if parts == 1:
        return pieces[0]
    ordered = sorted(pieces.items())
    height, rank = ordered[0][1][1].shape
    up = torch.zeros(parts * height, rank * len(ordered))
    for at, (part, (_, piece)) in enumerate(ordered):
        up[part * height : (part + 1) * height, at * rank : (at + 1) * rank] = piece
    return torch.cat([down for _, (down, _) in ordered]), up
