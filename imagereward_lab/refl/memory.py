"""Memory and time of a tuning, told before it starts, and what to change where memory does not suffice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from imagereward_core.plain import count_of
from imagereward_core.runtime import out_of_memory

from ..training.errors import TrainingError
from ..training.progress.estimate import Kept, size_in_words, time_in_words
from .bases.base import Base
from .methods.options import MethodOptions
from .tuning.config import TuningConfig
from .tuning.tuner import Tuner

KEPT_CONDITIONS = 2_000_000_000
"""Bytes of what text encoders make of prompts that are kept in memory, so that the encoders can leave the device."""
_ADAM = 4
"""Numbers that are kept for one of the LoRA beside itself: its gradient, two moments, and its average."""


@dataclass(frozen=True, kw_only=True)
class TuningEstimate:
    """What a tuning will need.

    Attributes:
        parts: Bytes of the weights of each network, by name.
        memory: Bytes on the device, with the largest part of an update.
        free: Bytes that are free there now, beside what is in use; 0 where that is not known.
        update: Seconds of an update.
        updates: How many.
        check: Seconds of a check, roughly.
        checks: How many.
        disk: Bytes of all that is written, at the most.
    """

    parts: Mapping[str, int]
    memory: int
    free: int
    update: float
    updates: int
    check: float
    checks: int
    disk: int

    @property
    def seconds(self) -> float:
        """Of the whole run."""
        return self.update * self.updates + self.check * self.checks

    def describe(self) -> str:
        """All of it in a line."""
        weights = ", ".join(f"{name} {size_in_words(size)}" for name, size in self.parts.items())
        free = f" ({size_in_words(self.free)} are there)" if self.free else ""
        return (
            f"about {size_in_words(self.memory)} of memory{free}, of which weights: {weights}; {self.update:.2g} s an update and "
            f"{time_in_words(self.seconds)} for {count_of(self.updates, 'update')} and {count_of(self.checks, 'check')}; "
            f"{size_in_words(self.disk)} on the disk"
        )


def weight_sizes(base: Base, others: Mapping[str, nn.Module]) -> dict[str, int]:
    """Bytes of the weights of each network that is on the device of the denoiser."""
    networks: dict[str, nn.Module] = {
        "denoiser": base.denoiser,
        "autoencoder": base.vae,
        **base.text_encoders,
        **others,
    }
    found = {
        name: sum(each.nbytes for each in network.parameters() if each.device.type == base.device.type)
        for name, network in networks.items()
    }
    return {name: size for name, size in found.items() if size}


def settle(base: Base, prompts: list[str], to_come: int = 0) -> bool:
    """Makes of all prompts what the denoiser is told, once, and takes the text encoders off the device.

    False where they are too many, with as many more as are ``to_come`` at the most: the text encoders are on the device then, and read
    prompts whenever they are drawn.

    Raises:
        TrainingError: They do not fit into memory.
    """
    different = list(dict.fromkeys(prompts))
    if not different:
        return False
    one = base.encode(different[:1])
    size = one.states.nbytes + (0 if one.pooled is None else one.pooled.nbytes)
    base.to(base.device)  # the text encoders too, where they had left for fewer prompts
    if size * (len(different) + to_come) > KEPT_CONDITIONS:
        return False
    base.keep(different)
    base.park_text()
    return True


def measure(tuner: Tuner, networks: Mapping[str, nn.Module], previews: int, disk: int) -> TuningEstimate:
    """Goes once through a part of an update as tuning does, and leaves the LoRA as it was.

    Args:
        tuner: Before its first update.
        networks: Those of scorers, by name.
        previews: Pictures of a check.
        disk: Bytes of all that is written.

    Raises:
        TrainingError: The part does not fit into the memory of the device.
    """
    device = tuner.among.device
    on_card = device.type == "cuda"
    if on_card:
        torch.cuda.reset_peak_memory_stats(device)
    counter = Kept()
    config = tuner.config
    began = time.perf_counter()
    with (
        answered(config, tuner.options, device),
        torch.autograd.graph.saved_tensors_hooks(counter.pack, lambda each: each),
    ):
        tuner.reward_gradients(0, parts=1)
        tuner.denoising_gradients(0, parts=1)
    if on_card:
        torch.cuda.synchronize(device)
    seconds = time.perf_counter() - began
    tuner.optimiser.zero_grad(set_to_none=True)
    parts = weight_sizes(tuner.base, networks)
    tuned = sum(each.nbytes for each in tuner.parameters.values())
    memory = sum(parts.values()) + _ADAM * tuned + counter.bytes
    free = 0
    if on_card:
        memory = int(torch.cuda.max_memory_allocated(device)) + (_ADAM - 1) * tuned
        free = int(torch.cuda.mem_get_info(device)[0]) + int(torch.cuda.memory_reserved(device))
    pictures = max(1, tuner.pictures_of_a_part)
    passes = config.preview_steps * (2 if config.preview_guidance != 1 else 1)
    one = seconds / pictures / (tuner.options.steps * (2 if tuner.options.guidance != 1 else 1) + 3)
    return TuningEstimate(
        parts=parts,
        memory=memory,
        free=free,
        update=seconds * -(-config.batch // (pictures * tuner.among.number)),
        updates=config.updates,
        check=one * passes * previews / tuner.among.number,
        checks=1 + -(-config.updates // config.check_every),
        disk=disk,
    )


@contextmanager
def answered(config: TuningConfig, options: MethodOptions, device: torch.device) -> Iterator[None]:
    """A context in which a full memory is answered with what to change.

    Raises:
        TrainingError: Memory was full.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise TrainingError(
            f"the memory of {device} does not suffice; expected {count_of(config.batch, 'picture')} in {config.accumulate} parts to fit. "
            f"What takes less: {', or '.join(remedies(config, options))}"
        ) from error


def remedies(config: TuningConfig, options: MethodOptions) -> list[str]:
    """What takes less memory, what costs least first."""
    found = []
    if not config.checkpointing:
        found.append("no option --no-checkpointing")
    if config.precision == "fp32":
        found.append("--precision bf16")
    if config.accumulate < config.batch:
        found.append(f"--accumulate {min(config.batch, 2 * config.accumulate)}")
    if options.guidance != 1:
        found.append("--guidance 1")
    k = getattr(options, "k", 1)
    if k > 1:
        found.append(f"--k {k // 2}")
    if config.rank > 8:
        found.append(f"--rank {config.rank // 2}")
    found.append("a smaller --height and --width")
    return found
