"""Networks of diffusers and transformers, filled with tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imagereward_core.nets.skeleton import build_skeleton

from ....training.errors import TrainingError


def filled(
    make: Callable[[], Any], tensors: Mapping[str, Tensor], dtype: torch.dtype, path: Path, what: str
) -> Any:
    """The network that ``make`` builds with these tensors, in ``dtype``.

    Raises:
        TrainingError: A tensor is missing, is left over, or has another shape.
    """
    network = build_skeleton(make)
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    kept = {name: value for name, value in tensors.items() if name in wanted}
    missing = sorted(wanted.keys() - kept.keys() - _unstored(wanted))
    left = sorted(tensors.keys() - wanted.keys() - _unstored(tensors))
    other = sorted(name for name, value in kept.items() if tuple(value.shape) != wanted[name])
    for names, words in ((missing, "lacks"), (left, "also has"), (other, "has another shape of")):
        if names:
            raise TrainingError(
                f"the {what} of {path} {words} {len(names)} tensors, among them {names[0]}; expected those of a plain model of its kind. "
                "Pruned and enlarged models cannot be tuned; a folder of diffusers, if there is one, says its sizes itself"
            )
    for name in wanted.keys() - kept.keys():
        kept[name] = torch.arange(wanted[name][-1])[None]  # position_ids
    with torch.no_grad():
        own = {
            name: value.to(dtype, copy=True) if value.is_floating_point() else value.clone()
            for name, value in kept.items()
        }
        network.load_state_dict(own, assign=True)
    return network.eval()


def _unstored(names: Mapping[str, object]) -> set[str]:
    """Rows of numbers that some versions of the libraries store and others do not."""
    return {name for name in names if name.endswith("position_ids")}
