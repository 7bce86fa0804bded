"""The loop of a tuning: pictures are drawn, scored, and the LoRA moves towards those that score higher; killed, it goes on exactly."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ...training.errors import TrainingError
from ...training.state.average import average_of, exchanged, follow, of_stored, put, stored
from ...training.state.checkpoints import CheckpointFolder, State, check_settings
from ...training.state.draws import Draws
from ...training.state.moments import load_moments, moments_of
from ...training.state.processes import Processes
from ...training.state.scaler import make_scaler
from ..bases.base import Base
from ..guards.check import Check
from ..guards.distance import distance
from ..guards.options import GuardOptions
from ..guards.watchdog import History, decide
from ..lora.adapter import Adapter
from ..methods.options import MethodOptions
from ..methods.rollout import Method, loss
from ..reward import DEVIATIONS
from .config import FREE, TuningConfig
from .even import evened, length_of
from .examples import Examples
from .prompts import prompt_order
from .shares import dealt
from .update import Update


class Reward(Protocol):
    """What pictures are tuned to."""

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Rewards [N] of images [N, 3, H, W] in 0..1, differentiable in the images."""


@dataclass(kw_only=True)
class Tuner:
    """A tuning: built, perhaps resumed, and run.

    Attributes:
        base: The model, with the adapter in it.
        adapter: What is tuned.
        reward: Towards what.
        method: How.
        options: Of the method.
        config: Of the course.
        guards: Of the guards.
        prompts: Tuned on.
        examples: Of the second loss; None for none.
        check: Measures fixed prompts and seeds, and draws previews; told the number of updates done. In every process.
        among: The processes that work together.
        folder: Where checkpoints go; None keeps none.
        settings: What else a resumed tuning must agree in.
        scale: Mean and standard deviation of the reward, in which its loss is measured; None takes those of the first check.
        on_update: Told of every update.
        on_check: Told of every check, after it is saved.
    """

    base: Base
    adapter: Adapter
    reward: Reward
    method: Method
    options: MethodOptions
    config: TuningConfig
    guards: GuardOptions
    prompts: Sequence[str]
    examples: Examples | None
    check: Callable[[int], Check]
    among: Processes = field(default_factory=Processes)
    folder: CheckpointFolder | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    scale: tuple[float, float] | None = None
    on_update: Callable[[Update], None] | None = None
    on_check: Callable[[History], None] | None = None

    def __post_init__(self) -> None:
        self.history, self.update = History(), 0
        self.parameters: dict[str, nn.Parameter] = self.adapter.named_parameters()
        self.among.share(self.parameters.values())
        self.average = average_of(self.parameters)
        self.best: dict[str, Tensor] = {}
        self.optimiser = torch.optim.AdamW(
            self.parameters.values(), lr=self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        self.scaler = make_scaler(self.config.precision, self.among.device)
        self._order = prompt_order(len(self.prompts), self.config.seed)

    def run(self) -> History:
        """Tunes to the end, or until the guards stop it, and leaves the adapter in the state that is kept.

        Raises:
            TrainingError: A loss is not a number, no state was good, or a checkpoint cannot be written.
        """
        began = time.perf_counter() - self.history.seconds
        if not self.history.checks:
            self._check(began)
        while self.update < self.config.updates and not self.history.stopped:
            self._take()
            last = self.update == self.config.updates
            if last or self.update % self.config.check_every == 0:
                self._check(began)
            elif self.update % self.config.save_every == 0:
                self.history.seconds = time.perf_counter() - began
                self._save(None)
        if not self.history.good:
            raise TrainingError(
                f"no state was good: {'; '.join(self.history.checks[-1].faults)}. Nothing is written but what was measured. Give a smaller "
                "--learning-rate, a smaller --check-every, or a larger --denoising-weight or --distance-weight"
            )
        self.adapter.fill(self.best)
        return self.history

    def resume(self) -> None:
        """Goes back to where the checkpoint in the folder was written.

        Raises:
            TrainingError: There is none, it is damaged, or belongs to another tuning.
        """
        assert self.folder is not None
        state, best = self.folder.load()
        check_settings(state.settings, self.all_settings(), self.folder.folder)
        put(self.parameters, {name: state.tensors[f"model.{name}"] for name in self.parameters})
        self.average = of_stored(state.tensors, self.parameters)
        load_moments(self.optimiser, self.parameters, state.tensors)
        if self.scaler is not None:
            self.scaler.load_state_dict(state.facts["scaler"])
        self.history = History.from_dict(state.facts["history"])
        self.best = best or {}
        self.update = state.step

    @property
    def unit(self) -> tuple[float, float]:
        """Mean and standard deviation of the reward, in which its loss is measured, so that a weight means the same for all scorers.

        Raises:
            TrainingError: All pictures of the first check have one reward.
        """
        if self.scale is not None:
            return self.scale
        if not self.history.checks:  # what an update takes is measured before
            return 0.0, 1.0
        first = self.history.checks[0]
        mean, deviation = first.mean(first.reward), first.deviation(first.reward)
        if not deviation > 0:
            raise TrainingError(
                f"{first.reward} gives {mean:g} to all pictures of the first check, or none a score; expected numbers that differ. Choose "
                "another --scorer"
            )
        return mean, deviation

    @property
    def pictures_of_a_part(self) -> int:
        """Prompts that this process draws at once, at the most."""
        return max(map(len, self._parts()), default=0)

    def _parts(self) -> list[Sequence[int]]:
        return _parts(dealt(self.config.batch, self.among), self.config.accumulate)

    def gradients(self, number: int) -> list[float]:
        """Puts the gradients of an update into the parameters, the same in every process; returns the sums that are logged.

        Args:
            number: Of the update, 0 is the first: all random choices follow from it.
        """
        sums = self.among.add(*self.reward_gradients(number))
        self.among.add_gradients(self.parameters.values())
        rewarded = [each.grad for each in self.parameters.values()]
        (lost,) = self.among.add(self.denoising_gradients(number))
        if self._denoises:
            self.among.add_gradients(self.parameters.values())
        self._bring_together(rewarded, max(1.0 - sums[2], 1.0 / self.config.batch))
        return [*sums, lost]

    def reward_gradients(self, number: int, parts: int | None = None) -> list[float]:
        """Puts this process's part of the gradients of reward and distance into the parameters; returns its part of the sums.

        Args:
            number: Of the update.
            parts: Only so many parts, to measure what one takes.
        """
        self.optimiser.zero_grad(set_to_none=True)
        sums = torch.zeros(5, dtype=torch.float64)
        for part in self._parts()[:parts]:
            sums += self._rewarded(number, part)
        return sums.tolist()

    def denoising_gradients(self, number: int, parts: int | None = None) -> float:
        """The same for the second loss, without its weight."""
        self.optimiser.zero_grad(set_to_none=True)
        if not self._denoises or self.examples is None:
            return 0.0
        return sum(self._denoised(number, part, self.examples) for part in self._parts()[:parts])

    @property
    def _denoises(self) -> bool:
        return self.examples is not None and self.config.denoising_weight > 0

    @torch.no_grad()
    def _bring_together(self, rewarded: Sequence[Tensor | None], below: float) -> None:
        """Adds gradients of the reward to those of the second loss that are in the parameters.

        The second loss is larger than the published reward's by orders of magnitude. Brought to one length first, the reward's counts
        by the share of pictures below the bound, with the distance in it: where there are none, as one picture, which draws it back.
        """
        denoised = [each.grad for each in self.parameters.values()]
        first, second = 1.0, self.config.denoising_weight
        if self.config.balance == "lengths":
            one = 1.0 if self.scaler is None else float(self.scaler.get_scale())
            first, second = (
                weight * one / length if length else 0.0
                for weight, length in ((below, length_of(rewarded)), (second, length_of(denoised)))
            )
        for each, mine, other in zip(self.parameters.values(), rewarded, denoised):
            parts = [factor * grad for factor, grad in ((first, mine), (second, other)) if grad is not None]
            each.grad = sum(parts[1:], parts[0]) if parts else None

    def _rewarded(self, number: int, part: Sequence[int]) -> Tensor:
        """Of pictures that are drawn: rewards, their squares, those above the bound, loss and distance, each summed and over the batch."""
        batch = self.config.batch
        prompts = [self.prompts[self._order(number * batch + place)] for place in part]
        generators = [Draws.of("update", self.config.seed, number, place).numbers for place in part]
        conditions = self.base.encode(prompts)
        rollout = self.method.rollout(self.base, conditions, generators, self.options)
        rewards = self.reward(rollout.images, [prompts[row] for row in rollout.rows])
        share = len(part) / len(rewards) / batch  # several pictures of one prompt count as one
        mean, deviation = self.unit
        bound = self._bound(mean, deviation)
        lost = loss((rewards - mean) / deviation, replace(self.options, bound=bound)).sum() * share
        total, far = self._evened(lost, rollout.latents, share), torch.zeros(())
        if self.guards.distance_weight:
            far = (
                distance(
                    self.base, self.adapter, conditions, rollout, self.options.guidance, self.guards.distance
                )
                * len(part)
                / batch
            )
            total = total + self._distance_weight(rollout.latents) * far
        self._backward(total)
        known = rewards.detach().cpu().double()
        return torch.stack(
            [
                known.sum() * share,
                known.pow(2).sum() * share,
                (known > mean + bound * deviation).sum() * share,
                lost.detach().cpu().double(),
                far.detach().cpu().double(),
            ]
        )

    def _evened(self, lost: Tensor, latents: Tensor, share: float) -> Tensor:
        """What is differentiated for the reward."""
        if self.config.balance == "losses":
            return lost
        return evened(self._scaled(lost), latents, self.options.weight * share)

    def _distance_weight(self, latents: Tensor) -> float:
        """By lengths such that the distance that is allowed does not depend on the size of latents."""
        weight = self.guards.distance_weight
        return weight if self.config.balance == "losses" else weight * math.sqrt(latents[0].numel())

    def _bound(self, mean: float, deviation: float) -> float:
        """Of the reward, in deviations above the mean."""
        bound = self.options.bound
        return DEVIATIONS if bound is None else (bound - mean) / deviation

    def _denoised(self, number: int, part: Sequence[int], examples: Examples) -> float:
        """The second loss of as many pictures as are drawn, over the batch."""
        draws = [Draws.of("denoising", self.config.seed, number, place) for place in part]
        rows = [each.plain.randrange(len(examples.prompts)) for each in draws]
        generators = [each.numbers for each in draws]
        latents = examples.latents[rows].to(self.base.device)
        noise = torch.stack([torch.randn(latents.shape[1:], generator=each) for each in generators])
        timesteps = self.base.draw_timesteps(generators)
        conditions = self.base.encode([examples.prompts[row] for row in rows])
        found = self.base.denoising_loss(latents, conditions, noise.to(latents), timesteps)
        lost = found.sum() / self.config.batch
        self._backward(lost)
        return float(lost.detach())

    def _backward(self, total: Tensor) -> None:
        self._scaled(total).backward()

    def _scaled(self, loss: Tensor) -> Tensor:
        """So large that its gradients do not vanish in half precision."""
        return loss if self.scaler is None else self.scaler.scale(loss)

    def _take(self) -> None:
        """One update."""
        began = time.perf_counter()
        reward, squares, above, lost, far, denoised = self.gradients(self.update)
        number = self.update + 1
        if not math.isfinite(reward + lost + far + denoised):
            remedy = (
                "Check the model it starts from: draw with it in your program"
                if number == 1
                else "Lower --learning-rate"
            )
            raise TrainingError(
                f"update {number} gave reward {reward:g}, loss {lost:g} and denoising loss {denoised:g}; expected finite numbers. {remedy}"
                + (", or use bf16 or fp32" if self.config.precision == "fp16" else "")
            )
        rate = self._rate()
        norm = self._step(rate)
        follow(self.average, self.parameters, self.config.ema, self.update)
        self.update = number
        if self.on_update is not None:
            self.on_update(
                Update(
                    number=number,
                    reward=reward,
                    deviation=math.sqrt(max(0.0, squares - reward**2)),
                    above=above,
                    reward_loss=lost,
                    denoising_loss=denoised if self._denoises else math.nan,
                    distance=far if self.guards.distance_weight else math.nan,
                    norm=norm,
                    rate=rate,
                    seconds=time.perf_counter() - began,
                )
            )

    def _rate(self) -> float:
        """Learning rate of the next update."""
        config = self.config
        rising, falling = (int(share * config.updates) for share in (config.warmup, config.cooldown))
        up = (self.update + 1) / rising if rising else 1.0
        down = (config.updates - self.update) / falling if falling else 1.0
        return config.learning_rate * min(1.0, up, down)

    def _step(self, rate: float) -> float:
        """Changes the adapter; returns the norm of the gradients."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        if self.scaler is not None:
            self.scaler.unscale_(self.optimiser)
        norm = nn.utils.clip_grad_norm_(self.parameters.values(), self.config.clip_norm or math.inf)
        if self.scaler is None:
            self.optimiser.step()
        else:
            self.scaler.step(self.optimiser)
            self.scaler.update()
        return float(norm)

    def _check(self, began: float) -> None:
        """Measures the averaged state, decides whether it is the one to keep, and saves."""
        with exchanged(self.parameters, self.average):
            found = self.check(self.update)
        self.history.seconds = time.perf_counter() - began
        keeps = decide(self.history, replace(found, seconds=self.history.seconds), self.guards)
        if keeps:
            self.best = {name: each.to("cpu", copy=True) for name, each in self.average.items()}
        self._save(self.best if keeps else None)
        if self.on_check is not None:
            self.on_check(self.history)

    def _save(self, best: dict[str, Tensor] | None) -> None:
        if self.folder is not None and self.among.first:
            tensors = {f"model.{name}": each.detach() for name, each in self.parameters.items()}
            tensors |= stored(self.average)
            tensors |= moments_of(self.optimiser, self.parameters)
            facts = {
                "history": self.history.to_dict(),
                "scaler": None if self.scaler is None else self.scaler.state_dict(),
            }
            self.folder.save(State(self.update, tensors, facts, self.all_settings(), self.history.good), best)
        self.among.wait()

    def all_settings(self) -> dict[str, Any]:
        """What a resumed tuning must agree in, as it comes back from JSON."""
        own = {
            "scale": None if self.scale is None else list(self.scale),
            "method": self.method.name,
            # JSON has no infinity.
            **{
                f"method.{key}": str(each) if each == math.inf else each
                for key, each in self.options.facts().items()
            },
        }
        course = {name: each for name, each in self.config.facts().items() if name not in FREE}
        return {**course, **self.guards.facts(), **own, **self.settings}


def _parts(places: Sequence[int], number: int) -> list[Sequence[int]]:
    """Places in so many parts of about one size, none of them empty.

    >>> _parts([0, 1, 2, 3, 4], 2)
    [[0, 1, 2], [3, 4]]
    """
    size = max(1, -(-len(places) // number))
    return [places[first : first + size] for first in range(0, len(places), size)]
