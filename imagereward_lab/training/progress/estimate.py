"""Memory and time of a training, measured on its largest batch before the first step."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from imagereward_core.files.regular import nearest_existing
from imagereward_core.runtime import out_of_memory

from ..errors import TrainingError
from ..networks.memory import checkpointed
from ..ranking import RankedBatch
from ..trainer import Trainer

_ADAM = 3
"""Numbers that are kept for one that trains: its gradient and two moments."""


@dataclass(frozen=True)
class Estimate:
    """What a training will need.

    Attributes:
        memory: Bytes on the device, at the largest batch.
        step: Seconds of a step, with the largest batch.
        steps: Optimiser steps.
        validations: How often the state is validated.
        validation: Seconds of one validation, roughly.
        checkpoint: Bytes that checkpoints and the result take on the disk at most.
    """

    memory: int
    step: float
    steps: int
    validations: int
    validation: float
    checkpoint: int

    @property
    def seconds(self) -> float:
        """Of the whole training, at most."""
        return self.step * self.steps + self.validation * self.validations

    def describe(self) -> str:
        """All of it in a line."""
        return (
            f"at most about {size_in_words(self.memory)} of memory, {self.step:.2g} s a step and {time_in_words(self.seconds)} for "
            f"{self.steps:,} steps and {self.validations:,} validations; {size_in_words(self.checkpoint)} on the disk"
        )


def measure(trainer: Trainer, group: list[RankedBatch], reading: float, judged: int) -> Estimate:
    """Goes once through a batch as training does, and leaves network and random numbers as they were.

    Args:
        trainer: Before its first step.
        group: This process's parts of the largest batch.
        reading: Seconds it took to read its pictures; they are read while the network is busy.
        judged: Pairs that this process validates on.

    Raises:
        TrainingError: The batch does not fit into the memory of the device.
    """
    device = trainer.among.device
    cards = [device] if device.type == "cuda" else []
    if cards:
        torch.cuda.reset_peak_memory_stats(device)
    weight = sum(trainer.objective.weight(part.targets) for part in group) or 1.0
    layers = [layer for tower in trainer.trainee.towers for layer in tower.layers]
    kept = 0
    trainer.frozen.set_modes(trainer.trainee.network)
    with torch.random.fork_rng(devices=cards):
        try:
            with checkpointed(layers if trainer.config.checkpointing else ()):
                for part in group:
                    counter = Kept()
                    with torch.autograd.graph.saved_tensors_hooks(counter.pack, lambda tensor: tensor):
                        trainer.gradients([part], weight)
                    kept = max(kept, counter.bytes)
                began = time.perf_counter()
                trainer.gradients(group, weight)
                seconds = time.perf_counter() - began
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            raise _too_large(trainer, max(group, key=_pictures)) from error
    memory = _memory(trainer, kept, device)
    trainer.optimiser.zero_grad(set_to_none=True)
    trained = sum(each.numel() for each in trainer.parameters.values())
    pairs = sum(trainer.objective.sizes(part.targets).sum().item() for part in group) or 1.0
    validations = sum(min(trainer.config.validations_per_epoch, length) for length in trainer.lengths)
    return Estimate(
        memory=memory,
        step=max(seconds, reading),
        steps=trainer.steps,
        validations=validations,
        validation=max(seconds / 3, reading) * judged / pairs,
        # A checkpoint and the one it replaces, the best and the one it replaces, and the result.
        checkpoint=4 * (2 * _ADAM * trained + 2 * trained + trainer.frozen.total),
    )


def _pictures(part: RankedBatch) -> int:
    return len(part.pixels if part.states is None else part.states)


def _too_large(trainer: Trainer, part: RankedBatch) -> TrainingError:
    """What to do about a part of a batch that does not fit; a ranking is never taken apart."""
    remedy = "--checkpointing, --precision bf16 or a larger --freeze"
    alone = len(part.ranks) == 1
    found = "a ranking" if alone else "a part"
    remedy = (
        f"{remedy}, or leave pictures out of that ranking"
        if alone
        else f"--accumulate {2 * trainer.config.accumulate}, {remedy}"
    )
    return TrainingError(
        f"{found} of {_pictures(part):,} pictures does not fit into the memory of {trainer.among.device}; expected it to. Give {remedy}"
    )


def _memory(trainer: Trainer, kept: int, device: torch.device) -> int:
    trained = sum(each.numel() for each in trainer.parameters.values())
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device)) + 4 * (_ADAM - 1) * trained
    return 4 * (trainer.frozen.total + _ADAM * trained) + kept


class Kept:
    """Counts what is kept for gradients, each piece of memory once; ``pack`` is the first of ``saved_tensors_hooks``."""

    def __init__(self) -> None:
        self.bytes = 0
        self._seen: set[int] = set()

    def pack(self, tensor: Tensor) -> Tensor:
        """Counts a tensor that is kept, and keeps it."""
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen and not isinstance(tensor, torch.nn.Parameter):
            self._seen.add(storage.data_ptr())
            self.bytes += storage.nbytes()
        return tensor


def check_disk(output: Path, needed: int) -> None:
    """Makes sure that what a training writes has room.

    Raises:
        TrainingError: It has not.
    """
    free = shutil.disk_usage(nearest_existing(output)).free
    if free < needed:
        raise TrainingError(
            f"checkpoints and result need {size_in_words(needed)}, found {size_in_words(free)} free at {output}; make room or name "
            "another --output"
        )


def size_in_words(size: float) -> str:
    """Bytes for people.

    >>> size_in_words(2_500_000_000), size_in_words(3_400_000)
    ('2.5 GB', '3.4 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def time_in_words(seconds: float) -> str:
    """Seconds for people.

    >>> time_in_words(8000), time_in_words(150), time_in_words(7)
    ('2.2 hours', '2 min', '7 s')
    """
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
