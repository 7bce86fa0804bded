"""The loop in which a network of the generator learns, with a moving average of its weights. It goes on exactly after a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..demo_model.teaching import one_cycle
from ..training.progress.estimate import time_in_words
from ..training.state.average import average_of, exchanged, follow, of_stored, put, stored
from ..training.state.checkpoints import CheckpointFolder, State, check_settings
from ..training.state.draws import Draws
from ..training.state.moments import load_moments, moments_of

OFTEN = 100
"""Steps between two checkpoints."""
_RECENT = 50


@dataclass(frozen=True)
class Lesson:
    """Something to learn.

    Attributes:
        name: For reports.
        learns: The parameters by name.
        loss: Of one batch.
        judge: Measures and draws a preview with the averaged weights; told the number of steps done.
    """

    name: str
    learns: Mapping[str, nn.Parameter]
    loss: Callable[[Draws], Tensor]
    judge: Callable[[int], dict[str, float]]


def learn(
    lesson: Lesson,
    *,
    settings: Mapping[str, Any],
    folder: CheckpointFolder,
    report: Callable[[str], None] = print,
) -> list[dict[str, float]]:
    """Trains in place, leaves the averaged weights in the networks, and returns what was measured on the way.

    Args:
        lesson: What.
        settings: ``seed``, ``steps``, ``learning_rate``, ``ema`` and ``validate_every``, and whatever else it was begun with.
        folder: Keeps the state, and is gone on from.
        report: Told every 100 steps, and at every validation.

    Raises:
        TrainingError: The state in the folder belongs to another lesson, is damaged, or cannot be written.
    """
    seed, steps, every = settings["seed"], settings["steps"], settings["validate_every"]
    optimiser = torch.optim.Adam(lesson.learns.values(), lr=settings["learning_rate"])
    average = average_of(lesson.learns)
    done, recent, history = 0, list[float](), list[dict[str, float]]()
    if folder.begun():
        state, _ = folder.load()
        check_settings(state.settings, settings, folder.folder)
        put(lesson.learns, {name: state.tensors[f"model.{name}"] for name in lesson.learns})
        average = of_stored(state.tensors, lesson.learns)
        load_moments(optimiser, lesson.learns, state.tensors)
        done, recent, history = state.step, list(state.facts["recent"]), list(state.facts["history"])
        report(f"{lesson.name}: goes on after step {done}")
    began, first = time.perf_counter(), done
    for step in range(done, steps):
        rate, beta = one_cycle(step, steps, settings["learning_rate"])
        for group in optimiser.param_groups:
            group["lr"], group["betas"] = rate, (beta, 0.999)
        loss = lesson.loss(Draws.of(lesson.name, seed, step))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(lesson.learns.values(), 1.0)
        optimiser.step()
        follow(average, lesson.learns, settings["ema"], step)
        recent = [*recent[1 - _RECENT :], float(loss.detach())]
        last = step + 1 == steps
        if (step + 1) % every == 0 or last:
            with exchanged(lesson.learns, average):
                found = lesson.judge(step + 1)
            history.append({"step": step + 1, **found})
            report(
                f"{lesson.name}: step {step + 1}: "
                + ", ".join(f"{key} {value:.4f}" for key, value in found.items())
            )
        if (step + 1) % OFTEN == 0 or (step + 1) % every == 0 or last:
            pace = (time.perf_counter() - began) / (step + 1 - first)
            report(
                f"{lesson.name}: step {step + 1}/{steps}  loss {sum(recent) / len(recent):.4f}  {pace:.2f} s a step, about "
                f"{time_in_words(pace * (steps - step - 1))} left of this stage"
            )
            tensors = {f"model.{name}": each.detach() for name, each in lesson.learns.items()}
            tensors |= stored(average)
            tensors |= moments_of(optimiser, lesson.learns)
            folder.save(
                State(step + 1, tensors, {"recent": recent, "history": history}, dict(settings)), None
            )
    put(lesson.learns, average)
    return history
