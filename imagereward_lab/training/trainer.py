"""The trainer: Adam without weight decay, cosine learning rate, validation several times per epoch, the best state kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from imagereward_core.images.spec import ImageSpec
from imagereward_core.nets.reward import RewardNetwork

from .batches.given import Grouped, Whole
from .config import TrainingConfig
from .errors import TrainingError
from .losses import Objective, exact, make_objective
from .networks.freezing import Frozen, freeze
from .networks.memory import checkpointed
from .networks.reward import RewardTrainee
from .progress.record import Record
from .ranking import RankedBatch, RankedData, TrainingData, ValidationData
from .state.checkpoints import CheckpointFolder, State, check_settings
from .state.moments import load_moments, moments_of
from .state.processes import Processes
from .state.random import random_state, restore_random
from .state.scaler import make_scaler
from .state.schedule import is_validated, rate_at
from .trainee import Trainee
from .validation import Validation, autocast, batch_rewards, evaluate

__all__ = ["Step", "Trainer", "TrainingConfig", "train"]

log = logging.getLogger(__name__)

_BLIND_STEPS = 50
_NOT_LEARNING = (
    "the loss is still that of a model which cannot tell pictures apart ({loss:.5f}; {blind:.5f} where all rewards are equal) "
    "after {steps} steps; expected it to fall. Check the initial weights of the head (--fresh-head) and the ranks of the data"
)


@dataclass(frozen=True)
class Step:
    """One optimiser step, for logs.

    Attributes:
        number: 1 for the first.
        loss: Of its batch; NaN where nothing in it could be learnt from.
        rate: Learning rate.
        pairs: What the loss is the mean of: terms, or rankings.
        images: Pictures this process has encoded.
        seconds: Time it took, with waiting for pictures.
    """

    number: int
    loss: float
    rate: float
    pairs: float
    images: int
    seconds: float


@dataclass(kw_only=True)
class Trainer:
    """A training: built, perhaps resumed, and run.

    Attributes:
        trainee: The network, in float32 on the device of ``among``; trained in place.
        training: What is learnt from.
        validation: What a state is judged by.
        config: Settings.
        objective: The loss.
        frozen: What trains.
        among: The processes that work together.
        folder: Where checkpoints go; None keeps none.
        settings: What else a resumed training must agree in, such as hashes of start and data.
        depth: Where the data give hidden states, the number of layers they have been through.
        notes: Pictures that were left out with their reasons, by whichever name; they stay left out when it is resumed.
        on_step: Told of every step.
        on_validation: Told of every validation, after it is saved.
    """

    trainee: Trainee
    training: TrainingData
    validation: ValidationData
    config: TrainingConfig
    objective: Objective
    frozen: Frozen
    among: Processes = field(default_factory=Processes)
    folder: CheckpointFolder | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    depth: int = 0
    notes: dict[str, dict[str, str]] = field(default_factory=dict)
    on_step: Callable[[Step], None] | None = None
    on_validation: Callable[[Record], None] | None = None

    def __post_init__(self) -> None:
        self.record, self.step = Record(), 0
        self.parameters = {
            name: each for name, each in self.trainee.network.named_parameters() if each.requires_grad
        }
        self.lengths = [self.training.length(epoch) for epoch in range(self.config.epochs)]
        self.steps = sum(self.lengths)
        if not self.steps:
            raise TrainingError(
                "there is nothing to learn from: no ranking has two pictures of different rank; expected at least one pair. See "
                "'imagereward rankings check'"
            )
        self.best: dict[str, Tensor] = {}
        self._losses: list[float] = []
        self._shares: list[float] = []
        self.among.share(self.parameters.values())
        self.optimiser = torch.optim.Adam(
            self.parameters.values(),
            lr=self.config.learning_rate,
            betas=self.config.betas,
            eps=self.config.eps,
        )
        self.scaler = make_scaler(self.config.precision, self.among.device)

    def run(self) -> Record:
        """Trains to the end and leaves the network in the state with the lowest validation loss.

        Raises:
            TrainingError: The loss is not a number, or after the first tenth of the steps still that of a model which cannot tell
                pictures apart, or a checkpoint cannot be written.
        """
        began = time.perf_counter() - self.record.seconds
        if not self.step:
            torch.manual_seed(self.config.seed + self.among.rank)
        layers = [layer for tower in self.trainee.towers for layer in tower.layers]
        with checkpointed(layers if self.config.checkpointing else ()):
            while self.step < self.steps and not self.record.stopped:
                self._epoch(*self._position(), began)
        self._load(self.best)
        self.trainee.network.eval()
        return self.record

    def resume(self) -> None:
        """Goes back to where the checkpoint in the folder was written.

        Raises:
            TrainingError: There is none, it is damaged, or belongs to another training.
        """
        assert self.folder is not None
        state, best = self.folder.load()
        check_settings(state.settings, self._settings(), self.folder.folder)
        self._load({name.removeprefix("model."): value for name, value in _part(state.tensors, "model.")})
        load_moments(self.optimiser, self.parameters, state.tensors)
        if self.scaler is not None:
            self.scaler.load_state_dict(state.facts["scaler"])
        restore_random(state.tensors, self.among)
        self.best = best or {}
        self.record = Record.from_dict(state.facts["record"])
        self._losses, self._shares = list(state.facts["losses"]), list(state.facts["shares"])
        for name, noted in self.notes.items():
            noted.update(state.facts["notes"].get(name, {}))
        self.step = state.step

    def _position(self) -> tuple[int, int]:
        """Epoch and step in it, both from 0, of the next step."""
        step = self.step
        for epoch, length in enumerate(self.lengths):
            if step < length:
                return epoch, step
            step -= length
        raise AssertionError("the last step is done")

    def _epoch(self, epoch: int, done: int, began: float) -> None:
        """The rest of an epoch."""
        length = self.lengths[epoch]
        for group in self.training.steps(epoch, done):
            self._take(group)
            done += 1
            if is_validated(done, length, self.config.validations_per_epoch):
                self.record.seconds = time.perf_counter() - began
                self._validate()
                if self.record.stopped:
                    return
        if done != length:
            raise TrainingError(f"epoch {epoch + 1} has {done} batches; expected {length}")

    def _take(self, group: list[RankedBatch]) -> None:
        """One optimiser step: the gradient of the mean over the whole batch, of all its parts and processes."""
        began = time.perf_counter()
        self.frozen.set_modes(self.trainee.network)
        rate = self.config.learning_rate * rate_at(self.step, self.steps, self.config.warmup)
        (weight,) = self.among.add(sum(self.objective.weight(part.targets) for part in group))
        self.step += 1
        loss = blind = math.nan
        if weight:
            loss, blind = self.among.add(*self.gradients(group, weight))
            if not math.isfinite(loss):
                remedy = (
                    "Check the weights it starts from, with 'imagereward models verify'"
                    if self.step == 1  # nothing has been changed yet
                    else "Lower the learning rate"
                )
                raise TrainingError(
                    f"the loss is {loss} at step {self.step}; expected a finite number. {remedy}"
                    + (", or use bf16 or fp32" if self.config.precision == "fp16" else "")
                )
            self._update(rate)
            self._losses.append(loss)
            self._shares.append(loss / blind)
            self._check_learning(loss, blind)
        if self.on_step is not None:
            images = sum(len(part.pixels if part.states is None else part.states) for part in group)
            self.on_step(Step(self.step, loss, rate, weight, images, time.perf_counter() - began))

    def gradients(self, group: list[RankedBatch], weight: float) -> tuple[float, float]:
        """Puts this process's part of the gradients of a batch into the parameters; its part of the loss, and of that of equal rewards."""
        self.optimiser.zero_grad(set_to_none=True)
        device = self.among.device
        losses = exact(torch.zeros(2, device=device))
        for part in group:
            if not self.objective.weight(part.targets):
                continue
            batch = part.to(device)
            with autocast(device, self.config.precision):
                rewards = batch_rewards(self.trainee, batch, self.depth)
            loss = self.objective.total(rewards, batch.targets) / weight
            (loss if self.scaler is None else self.scaler.scale(loss)).backward()
            with torch.no_grad():
                blind = self.objective.total(torch.zeros_like(rewards), batch.targets) / weight
                losses += exact(torch.stack([loss.detach(), blind]))
        return float(losses[0]), float(losses[1])

    def _update(self, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.among.add_gradients(self.parameters.values())
        if self.scaler is not None:
            self.scaler.unscale_(self.optimiser)
        if self.config.clip_norm:
            nn.utils.clip_grad_norm_(self.parameters.values(), self.config.clip_norm)
        if self.scaler is None:
            self.optimiser.step()
        else:
            self.scaler.step(self.optimiser)
            self.scaler.update()

    def _check_learning(self, loss: float, blind: float) -> None:
        """Raises where the loss stays at that of equal rewards: ln 2 for the pairwise loss."""
        self._shares = self._shares[-_BLIND_STEPS:]
        due = max(200, self.steps // 10)
        stuck = self.step == due and min(self._shares) > 0.98
        never = self.step == self.steps < due and self._is_blind()
        if stuck or never:
            raise TrainingError(_NOT_LEARNING.format(loss=loss, blind=blind, steps=self.step))

    def _is_blind(self) -> bool:
        """Whether all rewards were equal of late."""
        return all(abs(share - 1) < 1e-3 for share in self._shares)

    def _validate(self) -> None:
        found = evaluate(
            self.trainee, self.validation, self.objective, self.among, self.config.precision, self.depth
        )
        if not math.isfinite(found.loss):
            raise TrainingError(
                f"the validation loss is {found.loss} after step {self.step}; expected a finite number. Lower the learning rate"
            )
        better = not self.best or found.loss < self.record.best[0]
        self._note(found, better)
        if better:
            self.best = {name: each.detach().to("cpu", copy=True) for name, each in self.parameters.items()}
        patience = self.config.patience
        if patience and self.record.since_best >= patience and self.step < self.steps:
            self.record.stopped = f"no better validation in {patience} of them"
            if self._is_blind():
                raise TrainingError(_NOT_LEARNING.format(loss=found.loss, blind=found.loss, steps=self.step))
        self._save(better)
        if self.on_validation is not None:
            self.on_validation(self.record)

    def _note(self, found: Validation, better: bool) -> None:
        record = self.record
        record.steps.append(self.step)
        record.training_loss.append(sum(self._losses) / len(self._losses) if self._losses else math.nan)
        record.validation_loss.append(found.loss)
        record.validation_accuracy.append(found.accuracy)
        record.best_step = self.step if better else record.best_step
        self._losses = []

    def _save(self, better: bool) -> None:
        random = random_state(self.among)  # of all processes
        if self.folder is not None and self.among.first:
            tensors: dict[str, Tensor] = {f"model.{name}": each for name, each in self.parameters.items()}
            tensors |= moments_of(self.optimiser, self.parameters)
            facts = {
                "record": self.record.to_dict(),
                "losses": self._losses,
                "shares": self._shares,
                "notes": self.notes,
                "scaler": None if self.scaler is None else self.scaler.state_dict(),
            }
            state = State(self.step, {**tensors, **random}, facts, self._settings(), self.record.best_step)
            self.folder.save(state, self.best if better else None)
        self.among.wait()

    def _settings(self) -> dict[str, Any]:
        return {**self.config.facts(), "trains": len(self.parameters), "steps": self.steps, **self.settings}

    def _load(self, state: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in state.items():
                self.parameters[name].copy_(value)


def train(
    network: RewardNetwork,
    training: RankedData,
    validation: RankedData,
    spec: ImageSpec,
    config: TrainingConfig,
    report: Callable[[str], None] = log.info,
) -> Record:
    """Trains ``network`` in place, from batches that are made already, and leaves it in the state with the lowest validation loss.

    Args:
        network: In float32.
        training: Every ``config.accumulate`` of its batches are one step.
        validation: The batches of its epoch 0 judge a state.
        spec: How pictures are prepared.
        config: Settings; ``batch_pairs`` is the data's affair.
        report: Told of every validation.

    Raises:
        TrainingError: See :meth:`Trainer.run`.
    """
    trainee = RewardTrainee(network, spec)
    device = next(network.parameters()).device

    def say(record: Record) -> None:
        report(line_of(record, trainer.steps))

    trainer = Trainer(
        trainee=trainee,
        training=Grouped(training, config.accumulate),
        validation=Whole(validation),
        config=config,
        objective=make_objective(config.loss, config.mean),
        frozen=freeze(trainee, config.freeze, config.freezing),
        among=Processes(device=device),
        on_validation=say,
    )
    return trainer.run()


def line_of(record: Record, steps: int) -> str:
    """The last validation in a line."""
    return (
        f"step {record.steps[-1]}/{steps}  training loss {record.training_loss[-1]:.4f}  validation loss "
        f"{record.validation_loss[-1]:.4f}  accuracy {100 * record.validation_accuracy[-1]:.2f} %  {record.seconds:.0f} s"
    )


def _part(tensors: dict[str, Tensor], prefix: str) -> list[tuple[str, Tensor]]:
    return [(name, value) for name, value in tensors.items() if name.startswith(prefix)]
