"""Adam's moments as named tensors, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

_PREFIX = "adam."


def moments_of(optimiser: torch.optim.Optimizer, names: Iterable[str]) -> dict[str, Tensor]:
    """What an optimiser has kept, as ``adam.<name>.<moment>``.

    Args:
        optimiser: With a single group of parameters.
        names: Of its parameters, in their order.
    """
    stored = optimiser.state_dict()["state"]
    return {
        f"{_PREFIX}{name}.{key}": value
        for place, name in enumerate(names)
        for key, value in stored.get(place, {}).items()
    }


def load_moments(
    optimiser: torch.optim.Optimizer, names: Iterable[str], tensors: Mapping[str, Tensor]
) -> None:
    """Puts back what :func:`moments_of` has given, from among other tensors. Settings of the optimiser stay."""
    kept = {place: dict[str, Tensor]() for place in range(len(optimiser.param_groups[0]["params"]))}
    places = {name: place for place, name in enumerate(names)}
    for full, value in tensors.items():
        name, _, key = full.removeprefix(_PREFIX).rpartition(".")
        if full.startswith(_PREFIX) and name in places:
            kept[places[name]][key] = value
    state = {place: found for place, found in kept.items() if found}
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
