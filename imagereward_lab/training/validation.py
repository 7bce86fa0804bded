"""How well a network agrees with rankings: loss and preference accuracy, and the rewards behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from imagereward_core.images.preprocess import normalize
from imagereward_core.metrics.preference import agreeing_pairs

from .errors import TrainingError
from .losses import Objective
from .ranking import RankedBatch, ValidationData
from .state.processes import Processes
from .trainee import Trainee

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Validation:
    """How a state did.

    Attributes:
        loss: Mean over all validation rankings, as the objective takes it.
        right: Strict pairs in which the better picture has the higher reward; equal rewards are wrong.
        pairs: All strict pairs.
    """

    loss: float
    right: int
    pairs: int

    @property
    def accuracy(self) -> float:
        """Share of right pairs; NaN without any."""
        return self.right / self.pairs if self.pairs else float("nan")


def batch_rewards(trainee: Trainee, batch: RankedBatch, depth: int = 0) -> Tensor:
    """Raw rewards float32 [G, K], 0 in empty places; each picture goes through the image tower once.

    Args:
        trainee: The network.
        batch: On the device of the network.
        depth: Where the batch has hidden states, the number of layers they have been through.
    """
    if batch.states is not None:
        features = trainee.upper(batch.states, depth)
    else:
        features = trainee.encode_images(normalize(batch.pixels, trainee.spec))
    present = batch.ranks > 0
    texts = torch.arange(len(batch.ranks), device=batch.ranks.device)[:, None].expand_as(batch.ranks)[present]
    found = trainee.rewards(features, batch.ids, batch.mask, batch.members[present], texts).float()
    return found.new_zeros(batch.ranks.shape).masked_scatter(present, found)


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """A context of mixed precision; none for ``fp32``."""
    return nullcontext() if precision == "fp32" else torch.autocast(device.type, dtype=HALF[precision])


@contextmanager
def judging(network: torch.nn.Module) -> Iterator[None]:
    """A context without dropout and gradients; afterwards every module is in the mode it was in."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def rankings_of(
    trainee: Trainee,
    data: ValidationData,
    device: torch.device,
    precision: str = "fp32",
    depth: int = 0,
) -> Iterator[tuple[RankedBatch, Tensor]]:
    """All batches with the rewards [G, K] of their pictures, in order; 0 where nothing is ranked."""
    with judging(trainee.network):
        for part in data.parts():
            batch = part.to(device)
            if not bool(part.ranks.any()):  # no picture of it can be read; the order of the rankings stays
                yield batch, torch.zeros(part.ranks.shape, device=device)
                continue
            with autocast(device, precision):
                rewards = batch_rewards(trainee, batch, depth)
            yield batch, rewards


def evaluate(
    trainee: Trainee,
    data: ValidationData,
    objective: Objective,
    among: Processes | None = None,
    precision: str = "fp32",
    depth: int = 0,
) -> Validation:
    """Loss and accuracy over all of ``data``, of all processes together.

    Raises:
        TrainingError: There is nothing to judge by.
    """
    among = among or Processes()
    total = weight = 0.0
    right = pairs = 0
    for batch, rewards in rankings_of(trainee, data, among.device, precision, depth):
        for row, ranks in zip(rewards.tolist(), batch.ranks.tolist()):
            agreeing, of = agreeing_pairs(row, ranks)
            right, pairs = right + agreeing, pairs + of
        total += float(objective.total(rewards, batch.targets))
        weight += objective.weight(batch.targets)
    total, weight, right_all, pairs_all = among.add(total, weight, right, pairs)
    if not weight:
        raise TrainingError(
            "no ranking for validation has two pictures of different rank that can be read; expected at least one pair to judge by. "
            "Add rankings, or name others for validation"
        )
    return Validation(total / weight, int(right_all), int(pairs_all))
