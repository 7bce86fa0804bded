"""The loop that teaches a network what it must know before it learns to rank: naming and grounding. It goes on after a kill."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..training.state.checkpoints import CheckpointFolder, State, check_settings
from ..training.state.moments import load_moments, moments_of

_WARMUP = 0.05
_RECENT = 50
_OFTEN = 100


@dataclass(frozen=True)
class Lesson:
    """Something to teach.

    Attributes:
        name: For reports.
        learns: All parameters by name, those of heads that are thrown away afterwards included.
        batch: Loss and share of right answers of one batch, drawn with the generator given.
        right: What the share means, in words.
    """

    name: str
    learns: Mapping[str, nn.Parameter]
    batch: Callable[[random.Random], tuple[Tensor, float]]
    right: str


def new_heads(width: int, outputs: int, seed: int) -> nn.Linear:
    """Linear heads, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(width, outputs)


def parameters_of(**modules: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of modules by ``module.name``, but for what is frozen."""
    return {
        f"{part}.{name}": each
        for part, module in modules.items()
        for name, each in module.named_parameters()
        if each.requires_grad
    }


def one_cycle(step: int, steps: int, top: float) -> tuple[float, float]:
    """Learning rate and Adam's first beta at ``step``, from 0, of ``steps``: up to ``top`` along a cosine, then down to nothing.

    As torch's ``OneCycleLR`` with a twentieth of the steps to rise in, but without a state, so that a resumed run has the same.
    """
    peak = _WARMUP * steps - 1
    start = top / 25
    if step < peak:
        done, rates, betas = step / peak, (start, top), (0.95, 0.85)
    else:
        done = (step - peak) / (steps - 1 - peak)
        rates, betas = (top, start / 1e4), (0.85, 0.95)
    rest = (1 + math.cos(math.pi * done)) / 2
    rate, beta = (last + (first - last) * rest for first, last in (rates, betas))
    return rate, beta


def teach(
    lesson: Lesson,
    *,
    seed: int,
    steps: int,
    learning_rate: float,
    report: Callable[[str], None] = print,
    folder: CheckpointFolder | None = None,
) -> float:
    """Trains in place and returns the share of right answers over the last 50 batches.

    Args:
        lesson: What.
        seed: Every batch follows from it and from the number of its step.
        steps: How many.
        learning_rate: The largest.
        report: Told every 100 steps.
        folder: Keeps the state every 100 steps, and is gone on from; None keeps none.

    Raises:
        TrainingError: The state in the folder belongs to another lesson, is damaged, or cannot be written.
    """
    settings = {"lesson": lesson.name, "seed": seed, "steps": steps, "learning_rate": learning_rate}
    optimiser = torch.optim.Adam(lesson.learns.values(), lr=learning_rate)
    done, recent = 0, list[float]()
    if folder is not None and folder.begun():
        state, _ = folder.load()
        check_settings(state.settings, settings, folder.folder)
        with torch.no_grad():
            for name, each in lesson.learns.items():
                each.copy_(state.tensors[f"model.{name}"])
        load_moments(optimiser, lesson.learns, state.tensors)
        done, recent = state.step, list(state.facts["recent"])
        report(f"{lesson.name}: goes on after step {done}")
    for step in range(done, steps):
        rate, beta = one_cycle(step, steps, learning_rate)
        for group in optimiser.param_groups:
            group["lr"], group["betas"] = rate, (beta, 0.999)
        loss, right = lesson.batch(random.Random(f"{lesson.name} {seed} {step}"))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(lesson.learns.values(), 1.0)
        optimiser.step()
        recent = [*recent[1 - _RECENT :], right]
        if (step + 1) % _OFTEN == 0 or step + 1 == steps:
            share = sum(recent) / len(recent)
            report(
                f"{lesson.name}: step {step + 1}/{steps}  loss {float(loss.detach()):.4f}  {lesson.right} {100 * share:.2f} %"
            )
            if folder is not None:
                tensors = {f"model.{name}": each.detach() for name, each in lesson.learns.items()}
                tensors |= moments_of(optimiser, lesson.learns)
                folder.save(State(step + 1, tensors, {"recent": recent}, settings), None)
    return sum(recent) / len(recent)
