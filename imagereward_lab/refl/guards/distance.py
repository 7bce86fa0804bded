"""How far a tuned model has gone from the frozen one, at the steps that carried the gradient: a loss that holds it back."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ...training.errors import TrainingError
from ..bases.base import Base
from ..bases.conditions import Conditions
from ..lora.adapter import Adapter
from ..methods.rollout import Rollout, Visit

NOISELESS = "the distance kl was asked for, and a flow model has no noise at its steps of which there could be one; expected --distance l2"


def distance(
    base: Base,
    adapter: Adapter,
    conditions: Conditions,
    rollout: Rollout,
    guidance: float,
    kind: str = "l2",
) -> Tensor:
    """Mean over prompts of the mean distance over the calls of the denoiser that carried a gradient, a scalar with its gradient.

    So it is the same however prompts are parted, also where some have more such calls than others.

    ``l2`` is the mean squared difference of what tuned and frozen model predict. ``kl`` is, for each number of the latents, the divergence
    of the one of DDPM's thousand steps that follows from the tuned prediction from that of the frozen one, both with DDPM's variance.

    Args:
        base: The model, with the adapter in it.
        adapter: Switched off for the frozen model, so that there is one model in memory.
        conditions: Of the prompts of the rollout.
        rollout: Whose visits are compared.
        guidance: That it was drawn with.
        kind: One of :data:`.options.DISTANCES`.

    Raises:
        TrainingError: ``kl`` of a flow model.
    """
    check_distance(base, kind)
    measure = _MEASURES[kind]
    number = len(conditions)
    sums, calls = (rollout.images.new_zeros(number, dtype=torch.float32) for _ in range(2))
    for visit in rollout.visits:
        rows = torch.tensor(visit.rows, device=sums.device)
        found = measure(base, visit, _frozen(base, adapter, conditions, visit, guidance))
        sums = sums.index_add(0, rows, found)
        calls = calls.index_add(0, rows, torch.ones_like(found))
    return (sums / calls.clamp(min=1)).sum() / max(1, number)


def check_distance(base: Base, kind: str) -> None:
    """Raises TrainingError where a model has no distance of this kind."""
    if kind == "kl" and base.prediction == "flow":
        raise TrainingError(NOISELESS)


@torch.no_grad()
def _frozen(base: Base, adapter: Adapter, conditions: Conditions, visit: Visit, guidance: float) -> Tensor:
    """What the frozen model predicts where the tuned one was asked."""
    with adapter.off():
        return base.output(
            visit.latents,
            visit.timesteps.float().to(visit.latents.device),
            conditions.rows(visit.rows),
            guidance,
        )


def _l2(base: Base, visit: Visit, frozen: Tensor) -> Tensor:
    return (visit.output - frozen).float().pow(2).flatten(1).mean(dim=1)


def _kl(base: Base, visit: Visit, frozen: Tensor) -> Tensor:
    """DDPM's equation 8 (arXiv 2006.11239) between two predictions, for one number of the latents."""
    steps = visit.timesteps.cpu().double()
    signal, _ = base.levels(steps)
    earlier, _ = base.levels((steps - 1).clamp(min=0))
    kept = (signal**2).cpu()
    before = torch.where(steps >= 1, (earlier**2).cpu(), torch.ones_like(kept))
    alpha = kept / before
    factor = (1 - alpha) / (2 * alpha * (1 - kept))
    if base.prediction == "v_prediction":  # the difference of the noise is that of v times the signal
        factor = factor * kept
    return _l2(base, visit, frozen) * factor.to(frozen.device, torch.float32)


_MEASURES: dict[str, Callable[[Base, Visit, Tensor], Tensor]] = {"l2": _l2, "kl": _kl}
