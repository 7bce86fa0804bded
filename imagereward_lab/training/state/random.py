"""The generators of random numbers of all processes, kept in a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .processes import Processes


def random_state(among: Processes) -> dict[str, Tensor]:
    """The state of every process's generators as tensors by name; the same in every process."""
    states = {"cpu": torch.get_rng_state()}
    if among.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(among.device)
    return {
        f"random.{kind}.{rank}": each
        for kind, state in states.items()
        for rank, each in enumerate(among.gather(state))
    }


def restore_random(stored: Mapping[str, Tensor], among: Processes) -> None:
    """Puts this process's generators back to where they were; those of processes there were not before stay as seeded."""
    own = stored.get(f"random.cpu.{among.rank}")
    if own is not None:
        torch.set_rng_state(own)
    card = stored.get(f"random.cuda.{among.rank}")
    if card is not None and among.device.type == "cuda":
        torch.cuda.set_rng_state(card, among.device)
