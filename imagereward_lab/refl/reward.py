"""A scorer, or a blend of several, as a reward that images can be changed by: gradients flow from its number back into the pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from imagereward_core.images.tensors import differentiable_pixels
from imagereward_core.scorers.blend import Blend, BlendScorer
from imagereward_core.scorers.engine import PictureScorer
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.panel import AnyScorer
from imagereward_core.weights.card import ScorerCard

from ..training.errors import TrainingError

DEVIATIONS = 2.0
"""Above the mean of the reference scores, in their standard deviations, the published bound lies (ImageReward's are 0 and 1)."""


class Reward:
    """Images [N, 3, H, W] in 0..1 and prompts to rewards [N], differentiable in the images.

    The gradient is calculated at once, one scorer after another and a few images at a time, and only it is kept: neither the networks'
    activations nor gradients of their parameters are. Each image's reward depends on that image alone.

    Args:
        scorer: Made by :class:`imagereward_core.scorers.factory.Maker`, for this reward alone.
        at_once: Images per forward pass.

    Raises:
        TrainingError: The number cannot be differentiated in the images.
    """

    def __init__(self, scorer: AnyScorer, at_once: int = 8) -> None:
        self.scorer, self.at_once = scorer, at_once
        self._terms = _terms(scorer)
        for each, _, _ in self._terms:
            # Weights that are rearranged for the processor have no gradient.
            each.tower.packing = False
            each.tower.network.requires_grad_(False)

    @property
    def card(self) -> ScorerCard:
        """Of the scorer."""
        return self.scorer.card

    def bound(self, deviations: float = DEVIATIONS) -> float | None:
        """Where rewards are high: so many standard deviations above the mean of the reference scores, weighted as the terms are.

        None where a scorer has no reference scores.
        """
        total = 0.0
        for scorer, weight, offset in self._terms:
            known = scorer.card.distribution
            if known is None or not known.std > 0:
                return None
            total += weight * (known.mean + deviations * known.std) + offset
        return total

    def cut(self, prompt: str) -> str:
        """The longest part of a prompt that a scorer does not read; empty where all read all."""
        return max((each.cut(prompt) for each, _, _ in self._terms), key=len)

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Rewards of images with their prompts.

        Returns:
            [N] on the images' device and in their precision; what the same image scores as a picture up to the difference that
            :func:`imagereward_core.images.tensors.differentiable_pixels` states.

        Raises:
            TrainingError: A number or a gradient is not finite, or there is no gradient.
            ValueError: There is not one prompt for each image.
        """
        if len(images) != len(prompts):
            raise ValueError(f"{len(images)} images and {len(prompts)} prompts; expected one prompt for each")
        wanted = torch.is_grad_enabled() and images.requires_grad
        values = images.new_zeros(len(images))
        gradient = torch.zeros_like(images) if wanted else None
        for scorer, weight, offset in self._terms:
            for first in range(0, len(images), self.at_once):
                part = slice(first, first + self.at_once)
                found, slope = self._of(scorer, images[part].detach(), prompts[part], wanted)
                values[part] += weight * found + offset
                if gradient is not None and slope is not None:
                    gradient[part] += weight * slope
        if gradient is None:
            return values
        return values + ((images - images.detach()) * gradient).flatten(1).sum(dim=1)

    def _of(
        self, scorer: PictureScorer, images: Tensor, prompts: Sequence[str], wanted: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Rewards [N] by one scorer, and their gradients [N, 3, H, W]."""
        tower, device = scorer.tower, scorer.runtime.device
        with scorer.runtime.resident(tower.network), torch.set_grad_enabled(wanted):
            given = images.to(device).requires_grad_(wanted)
            scorer.begin()
            pixels = differentiable_pixels(given.permute(0, 2, 3, 1), tower.spec)
            rewards = scorer.rewards(tower.encode(pixels), prompts)
            if not wanted:
                return _finite(rewards.to(images.dtype).to(images.device), scorer, "number"), None
            if not rewards.requires_grad:
                raise TrainingError(_without_gradient(scorer.card.id))
            (slope,) = torch.autograd.grad(rewards.sum(), given)
        found = _finite(rewards.detach().to(images.dtype).to(images.device), scorer, "number")
        return found, _finite(slope.to(images.device), scorer, "gradient")

    def check(self) -> None:
        """Makes sure that a gradient arrives, with an image of noise.

        Raises:
            TrainingError: None does, or it is not finite.
        """
        side = 64
        images = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)).requires_grad_()
        reward = self(images, ["a picture"])
        (slope,) = torch.autograd.grad(reward.sum(), images)
        if not slope.abs().max() > 0:
            raise TrainingError(
                f"the gradient of {self.card.id} is zero: it gives every picture the same number, so nothing can be tuned to it. Choose "
                "another scorer"
            )


def load_reward(maker: Maker, name: str, at_once: int = 8) -> Reward:
    """The reward by a scorer's name: an id, the path of a checkpoint, or a blend; errors as of :meth:`Maker.make` and :class:`Reward`."""
    made = Reward(maker.make(name), at_once)
    made.check()
    return made


Term = tuple[PictureScorer, float, float]
"""A scorer, and what its number is multiplied by and raised by."""


def _terms(scorer: AnyScorer) -> list[Term]:
    """The sum that a scorer's number is.

    Raises:
        TrainingError: It is no such sum.
    """
    if isinstance(scorer, PictureScorer):
        return [(scorer, 1.0, 0.0)]
    if not isinstance(scorer, BlendScorer):
        raise TrainingError(_without_gradient(scorer.card.id))
    spec = scorer.spec
    if spec.method == "rank":
        raise TrainingError(
            f"{scorer.card.id} blends places among the pictures of a run, which have no gradient; expected one by standard or weighted: "
            f"--scorer {_written(spec, 'standard')}"
        )
    terms: list[Term] = []
    for factor, member in zip(spec.factors(), scorer.members):
        if not factor:
            continue
        if not isinstance(member, PictureScorer):
            raise TrainingError(_without_gradient(member.card.id))
        if spec.method == "weighted":
            terms.append((member, factor, 0.0))
            continue
        known = member.card.distribution
        if known is None or not known.std > 0:
            raise TrainingError(
                f"{scorer.card.id} measures {member.card.id} against the other pictures of a run, since it has no reference distribution, "
                f"and so other pictures would change the reward; expected a blend by weighted: --scorer {_written(spec, 'weighted')}"
            )
        terms.append((member, factor / known.std, -factor * known.mean / known.std))
    return terms


def _written(spec: Blend, method: str) -> str:
    """A blend with another method, as people write it."""
    return ",".join(f"{each.scorer}={each.weight:g}" for each in spec.members) + f"@{method}"


def _finite(values: Tensor, scorer: PictureScorer, what: str) -> Tensor:
    if not values.isfinite().all():
        raise TrainingError(
            f"{scorer.card.id} gave a {what} that is not finite; expected finite ones. Try --precision fp32, and a smaller learning rate"
        )
    return values


def _without_gradient(name: str) -> str:
    return (
        f"{name} gives a number without a gradient, so nothing can be tuned to it; expected a scorer that reads pictures with a network of "
        "its own, or a blend of such"
    )
