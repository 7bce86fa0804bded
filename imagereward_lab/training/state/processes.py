"""The processes of a training: one, or as many as ``torchrun`` has started, each with its own device."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import TrainingError

_BUCKET = 16 * 1024 * 1024
"""Numbers that are added up between processes at once."""


@dataclass(frozen=True)
class Processes:
    """This process among those of a training.

    Attributes:
        rank: Its number.
        number: How many there are.
        device: Where its part of the work is done.
    """

    rank: int = 0
    number: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this one writes files and talks."""
        return self.rank == 0

    def add(self, *numbers: float) -> list[float]:
        """Sums of numbers over all processes, in float64."""
        if self.number == 1:
            return list(numbers)
        together = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(together)
        return [float(value) for value in together]

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces every gradient by its sum over all processes, the same to the last bit in each; one without counts as 0."""
        if self.number == 1:
            return
        for bucket in _buckets(parameters):
            for each in bucket:
                if each.grad is None:
                    each.grad = torch.zeros_like(each)
            flat = torch.cat([each.grad.reshape(-1) for each in bucket if each.grad is not None])
            torch.distributed.all_reduce(flat)
            for each, part in zip(bucket, flat.split([each.numel() for each in bucket])):
                assert each.grad is not None
                each.grad.copy_(part.view_as(each))

    def share(self, parameters: Iterable[nn.Parameter]) -> None:
        """Gives all processes the parameters of the first."""
        if self.number > 1:
            for each in parameters:
                torch.distributed.broadcast(each.data, 0)

    def gather(self, state: Tensor) -> list[Tensor]:
        """A uint8 tensor of every process, all of one length; in every process."""
        if self.number == 1:
            return [state]
        gathered = [torch.empty_like(state, device=self.device) for _ in range(self.number)]
        torch.distributed.all_gather(gathered, state.to(self.device))
        return [each.cpu() for each in gathered]

    def gather_texts(self, text: str) -> list[str]:
        """A text of every process; in every process."""
        data = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
        lengths = [
            int(each) for each in self.add(*(len(data) * (rank == self.rank) for rank in range(self.number)))
        ]
        padded = torch.zeros(max(lengths), dtype=torch.uint8)
        padded[: len(data)] = data
        return [bytes(each[:length].tolist()).decode() for each, length in zip(self.gather(padded), lengths)]

    def first_of(self, facts: Any) -> Any:
        """What the first process has, fit for JSON; in every process."""
        if self.number == 1:
            return facts
        return json.loads(self.gather_texts(json.dumps(facts if self.first else None))[0])

    def wait(self) -> None:
        """Waits until every process has come here."""
        if self.number > 1:
            torch.distributed.barrier()


@contextmanager
def processes(device: str = "auto") -> Iterator[Processes]:
    """The processes that ``torchrun`` has started, joined while the context lasts, or this one alone.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``; among several processes each takes the card of its number.

    Raises:
        TrainingError: There are more processes than graphics cards.
    """
    from imagereward_core.runtime import pick_device

    number = int(os.environ.get("WORLD_SIZE", "1"))
    chosen = pick_device(device)
    if number == 1:
        yield Processes(device=chosen)
        return
    local = int(os.environ.get("LOCAL_RANK", os.environ.get("RANK", "0")))
    if chosen.type == "cuda":
        if local >= torch.cuda.device_count():
            raise TrainingError(
                f"found {torch.cuda.device_count()} graphics cards for process {local + 1} of this computer; expected one for each. Give "
                "torchrun a smaller --nproc_per_node"
            )
        chosen = torch.device("cuda", local)
        torch.cuda.set_device(chosen)
    torch.distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(torch.distributed.get_rank(), torch.distributed.get_world_size(), chosen)
    finally:
        torch.distributed.destroy_process_group()


def _buckets(parameters: Iterable[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    bucket: list[nn.Parameter] = []
    size = 0
    for each in parameters:
        if bucket and (size + each.numel() > _BUCKET or bucket[0].dtype != each.dtype):
            yield bucket
            bucket, size = [], 0
        bucket.append(each)
        size += each.numel()
    if bucket:
        yield bucket
