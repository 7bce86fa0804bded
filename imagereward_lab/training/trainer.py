"""The trainer: Adam without weight decay, cosine learning rate, validation several times per epoch, the best state kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor

from imagereward_core.images.preprocess import normalize
from imagereward_core.images.spec import ImageSpec
from imagereward_core.metrics.preference import agreeing_pairs
from imagereward_core.nets.reward import RewardNetwork

from .ranking import RankedBatch, RankedData, ranking_loss

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingConfig:
    """The published run's settings (REFERENCE: train/scripts/train_one_node.sh) are the defaults; the batch is the data's affair.

    Attributes:
        warmup: Share of all steps over which the learning rate rises linearly from 0.
        autocast: Whether the forward pass runs in bfloat16 (weights stay float32).
        clip_norm: Largest gradient norm; 0 leaves gradients alone, as the reference does.
    """

    epochs: int = 10
    learning_rate: float = 1e-5
    warmup: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    accumulate: int = 1
    validations_per_epoch: int = 4
    clip_norm: float = 0.0
    autocast: bool = False


@dataclass
class Record:
    """The history of a training, one entry per validation."""

    steps: list[int] = field(default_factory=list)
    training_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0


def batch_rewards(network: RewardNetwork, batch: RankedBatch, spec: ImageSpec) -> Tensor:
    """Raw rewards float32 [G, K] of every picture in every ranking; each picture goes through the image tower once."""
    image = network.encode_images(normalize(batch.pixels, spec))
    rankings, members = batch.members.shape
    ids = batch.ids.repeat_interleave(members, dim=0)
    mask = batch.mask.repeat_interleave(members, dim=0)
    states = network.text_states(ids, mask, image, batch.members.reshape(-1))
    return network.mlp(states).view(rankings, members)


def evaluate(network: RewardNetwork, data: RankedData, spec: ImageSpec) -> tuple[float, float]:
    """Mean loss and preference accuracy over all strict pairs of ``data``; a predicted tie counts as wrong."""
    was_training = network.training
    network.eval()
    loss, correct, pairs = 0.0, 0, 0
    with torch.no_grad():
        for batch in data.batches(0):
            rewards = batch_rewards(network, batch, spec)
            counted = [agreeing_pairs(*each) for each in zip(rewards.tolist(), batch.ranks.tolist())]
            number = sum(of for _, of in counted)
            loss += float(ranking_loss(rewards, batch.ranks)) * number
            correct += sum(right for right, _ in counted)
            pairs += number
    network.train(was_training)
    return loss / pairs, correct / pairs


def train(
    network: RewardNetwork,
    training: RankedData,
    validation: RankedData,
    spec: ImageSpec,
    config: TrainingConfig,
    report: Callable[[str], None] = log.info,
) -> Record:
    """Trains ``network`` in place and leaves it in the state with the lowest validation loss.

    Raises:
        RuntimeError: The loss is not a number, or after the first tenth of the steps still that of a model which cannot tell
            pictures apart.
    """
    steps = max(1, config.epochs * len(training) // config.accumulate)
    optimiser = torch.optim.Adam(
        [parameter for parameter in network.parameters() if parameter.requires_grad],
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.eps,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step, steps, config.warmup))
    every = max(1, len(training) // config.accumulate // max(1, config.validations_per_epoch))
    record, best, best_state = Record(), math.inf, None
    started, losses = time.perf_counter(), []
    network.train()
    for step, group in enumerate(_accumulated(training, config), start=1):
        if step > steps:
            break
        losses.append(_step(network, group, spec, optimiser, config))
        schedule.step()
        if math.isnan(losses[-1]):
            raise RuntimeError(
                f"the loss is not a number at step {step}; expected a finite one. Lower the learning rate"
            )
        if step == max(200, steps // 10) and min(losses[-50:]) > 0.98 * math.log(2):
            raise RuntimeError(
                f"after {step} steps the loss is still {losses[-1]:.5f}, that of a model which cannot tell pictures apart (ln 2 = "
                "0.69315); check the initial weights of the head and the ranks of the data"
            )
        if step % every == 0 or step == steps:
            loss, accuracy = evaluate(network, validation, spec)
            record.steps.append(step)
            record.training_loss.append(sum(losses[-every:]) / len(losses[-every:]))
            record.validation_loss.append(loss)
            record.validation_accuracy.append(accuracy)
            record.seconds = time.perf_counter() - started
            report(
                f"step {step}/{steps}  training loss {record.training_loss[-1]:.4f}  validation loss {loss:.4f}  "
                f"accuracy {100 * accuracy:.2f} %  {record.seconds:.0f} s"
            )
            if loss < best:
                best, best_state = loss, {name: value.clone() for name, value in network.state_dict().items()}
    if best_state is not None:
        network.load_state_dict(best_state)
    network.eval()
    return record


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Share of the full learning rate at ``step`` of ``steps``: linear warm-up, then a cosine to 0."""
    rising = int(warmup * steps)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - rising) / max(1, steps - rising))))


def _accumulated(training: RankedData, config: TrainingConfig) -> Iterator[list[RankedBatch]]:
    group: list[RankedBatch] = []
    for epoch in range(config.epochs):
        for batch in training.batches(epoch):
            group.append(batch)
            if len(group) == config.accumulate:
                yield group
                group = []


def _step(
    network: RewardNetwork,
    group: list[RankedBatch],
    spec: ImageSpec,
    optimiser: torch.optim.Optimizer,
    config: TrainingConfig,
) -> float:
    optimiser.zero_grad(set_to_none=True)
    total = 0.0
    for batch in group:
        device = batch.pixels.device.type
        with torch.autocast(device, dtype=torch.bfloat16) if config.autocast else nullcontext():
            rewards = batch_rewards(network, batch, spec)
        loss = ranking_loss(rewards.float(), batch.ranks) / len(group)
        loss.backward()
        total += float(loss.detach())
    if config.clip_norm:
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip_norm)
    optimiser.step()
    return total
