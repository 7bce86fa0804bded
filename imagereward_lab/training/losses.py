"""Losses over ranked pictures, by name; each is a sum of terms of every ranking, so that means over any number of parts are exact.

The default is the pairwise loss of arXiv 2304.05977, equation 1. All of them depend on differences of rewards within a ranking alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from .ranking import Targets, ranked_pairs, tied_pairs


class Loss(Protocol):
    """A loss as terms."""

    def counts(self, targets: Targets) -> Tensor:
        """Number of terms of every ranking, float64 [G]; 0 for one from which nothing is learnt."""

    def sums(self, rewards: Tensor, targets: Targets) -> Tensor:
        """Sum of the terms of every ranking, [G], differentiable in ``rewards`` [G, K]."""


def exact(numbers: Tensor) -> Tensor:
    """In float64 where the device has it, which Apple's has not."""
    return numbers.to(torch.float32 if numbers.device.type == "mps" else torch.float64)


def _sum(terms: Tensor, chosen: Tensor) -> Tensor:
    """Sum of the chosen terms of every ranking; what is not chosen may be infinite and has no gradient."""
    return torch.where(chosen, terms, torch.zeros_like(terms)).flatten(1).sum(1)


def _differences(rewards: Tensor) -> Tensor:
    return rewards[:, :, None] - rewards[:, None, :]


def _known_ties(targets: Targets) -> Tensor:
    """Pairs that were judged equally good, bool [G, K, K]; equal ranks of people who only chose the best or worst are none."""
    pairs = tied_pairs(targets.ranks)
    return torch.zeros_like(pairs) if targets.ties is None else pairs & targets.ties[:, None, None]


@dataclass(frozen=True)
class PairwiseLoss:
    """``-log sigmoid(better - worse)`` of every strict pair; ties are left out.

    Equals the reference's ``cross_entropy([r_better, r_worse], 0)`` (train/src/train.py).
    """

    def counts(self, targets: Targets) -> Tensor:
        """Strict pairs."""
        return exact(ranked_pairs(targets.ranks).flatten(1).sum(1))

    def sums(self, rewards: Tensor, targets: Targets) -> Tensor:
        """See :class:`Loss`."""
        return _sum(-F.logsigmoid(_differences(rewards)), ranked_pairs(targets.ranks))


@dataclass(frozen=True)
class _TieAwareLoss:
    """A loss that knows ties, with the chance of one between equals.

    Attributes:
        tie_share: Chance of a tie between two pictures of equal reward, in (0, 1).
    """

    tie_share: float

    def counts(self, targets: Targets) -> Tensor:
        """Strict pairs, and pairs that were judged equally good."""
        pairs = ranked_pairs(targets.ranks) | _known_ties(targets)
        return exact(pairs.flatten(1).sum(1))

    def _logs(self, difference: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of the chances of "the first is better" and of a tie, for differences of rewards."""
        raise NotImplementedError

    def sums(self, rewards: Tensor, targets: Targets) -> Tensor:
        """See :class:`Loss`."""
        better, tie = self._logs(_differences(rewards))
        return _sum(-better, ranked_pairs(targets.ranks)) + _sum(-tie, _known_ties(targets))


class DavidsonLoss(_TieAwareLoss):
    """Minus the log-likelihood of Davidson's model of comparisons with ties (Davidson 1970).

    With d the difference of two rewards, "better", "worse" and "tie" are as likely as ``e^(d/2)``, ``e^(-d/2)`` and ``nu``. Between
    equals a tie has the chance ``nu / (2 + nu)``.
    """

    def _logs(self, difference: Tensor) -> tuple[Tensor, Tensor]:
        nu = 2.0 * self.tie_share / (1.0 - self.tie_share)
        tie = torch.full_like(difference, math.log(nu))
        whole = torch.logsumexp(torch.stack([difference / 2, -difference / 2, tie]), dim=0)
        return difference / 2 - whole, tie - whole


class RaoKupperLoss(_TieAwareLoss):
    """Minus the log-likelihood of the model of Rao and Kupper (1967).

    A picture is better where it is so by a threshold: ``P(better) = sigmoid(d - log theta)``, and a tie is what is left. Between
    equals that has the chance ``(theta - 1) / (theta + 1)``.
    """

    def _logs(self, difference: Tensor) -> tuple[Tensor, Tensor]:
        theta = (1.0 + self.tie_share) / (1.0 - self.tie_share)
        better = F.logsigmoid(difference - math.log(theta))
        worse = F.logsigmoid(-difference - math.log(theta))
        # 1 - a/(a + theta b) - b/(b + theta a) = (theta^2 - 1) ab / ((a + theta b)(b + theta a))
        return better, math.log(theta * theta - 1.0) + better + worse


@dataclass(frozen=True)
class PlackettLuceLoss:
    """Minus the log-likelihood of a ranking as choices from the best down (Plackett 1975).

    Ties: a picture is chosen from itself and those ranked strictly below it. Pictures of equal rank are never in one another's way, so
    nothing is learnt about which of them is better, and people who chose only the best or worst are read rightly as well.
    """

    def counts(self, targets: Targets) -> Tensor:
        """Choices: pictures with at least one below."""
        return exact(ranked_pairs(targets.ranks).any(2).sum(1))

    def sums(self, rewards: Tensor, targets: Targets) -> Tensor:
        """See :class:`Loss`."""
        below = ranked_pairs(targets.ranks)
        itself = torch.eye(rewards.shape[1], dtype=torch.bool, device=rewards.device)
        options = torch.where(
            below | itself, rewards[:, None, :], rewards.new_full((), torch.finfo(rewards.dtype).min)
        )
        return _sum(torch.logsumexp(options, dim=2) - rewards, below.any(2))


@dataclass(frozen=True)
class SoftLoss:
    """Cross entropy between ``sigmoid(difference)`` and the share of people who prefer the first of two pictures.

    Where only ranks are known the share is 1 for the better, and a half for pictures that were judged equally good.
    """

    def counts(self, targets: Targets) -> Tensor:
        """Pairs of which a share is known, each once."""
        return exact(self._shares(targets).isnan().logical_not().triu(1).flatten(1).sum(1))

    def sums(self, rewards: Tensor, targets: Targets) -> Tensor:
        """See :class:`Loss`."""
        shares = self._shares(targets)
        known = shares.isnan().logical_not().triu(1)
        shares = torch.nan_to_num(shares).to(rewards.dtype)
        difference = _differences(rewards)
        terms = -(shares * F.logsigmoid(difference) + (1.0 - shares) * F.logsigmoid(-difference))
        return _sum(terms, known)

    @staticmethod
    def _shares(targets: Targets) -> Tensor:
        """[G, K, K], NaN where unknown or where a picture is missing."""
        better = ranked_pairs(targets.ranks)
        shares = torch.full(better.shape, math.nan, dtype=torch.float32, device=better.device)
        shares = shares.masked_fill(better, 1.0).masked_fill(better.transpose(1, 2), 0.0)
        shares = shares.masked_fill(_known_ties(targets), 0.5)
        if targets.preferences is None:
            return shares
        present = targets.ranks > 0
        given = targets.preferences.to(shares).masked_fill(
            ~(present[:, :, None] & present[:, None, :]), math.nan
        )
        # A ranking without any given share is one of a person alone.
        alone = targets.preferences.isnan().flatten(1).all(1)
        return torch.where(alone[:, None, None], shares, given)


LOSSES: dict[str, Callable[[float], Loss]] = {
    "pairwise": lambda tie_share: PairwiseLoss(),
    "davidson": DavidsonLoss,
    "rao-kupper": RaoKupperLoss,
    "plackett-luce": lambda tie_share: PlackettLuceLoss(),
    "soft": lambda tie_share: SoftLoss(),
}
"""By name; each is made from the chance of a tie between equals, which only the tie-aware ones use."""

MEANS = ("pairs", "rankings")


@dataclass(frozen=True)
class Objective:
    """A loss with the mean that is taken of it.

    Attributes:
        loss: Its terms.
        mean: ``pairs``: over all terms of a batch (equation 1); ``rankings``: over rankings, within each over its terms.
    """

    loss: Loss
    mean: str = "pairs"

    def weight(self, targets: Targets) -> float:
        """What :meth:`total` is to be divided by, summed over all parts of a batch; 0 for a part from which nothing is learnt."""
        counts = self.loss.counts(targets)
        return float(counts.sum() if self.mean == "pairs" else (counts > 0).sum())

    def total(self, rewards: Tensor, targets: Targets) -> Tensor:
        """The sum of which the loss is the mean, a scalar."""
        sums = self.loss.sums(rewards, targets)
        if self.mean == "pairs":
            return sums.sum()
        counts = self.loss.counts(targets)
        return (sums / counts.clamp(min=1).to(sums)).sum()

    def mean_of(self, rewards: Tensor, targets: Targets) -> Tensor:
        """The loss of a whole batch.

        Raises:
            ValueError: There is nothing to learn from in it.
        """
        weight = self.weight(targets)
        if not weight:
            raise ValueError(
                "no ranking in this batch has two pictures of different rank; expected at least one pair to learn from"
            )
        return self.total(rewards, targets) / weight

    def sizes(self, targets: Targets) -> Tensor:
        """Pairs of every ranking, by which batches are filled whatever the loss counts; float64 [G], 0 for one without a term."""
        counts = self.loss.counts(targets)
        strict = exact(ranked_pairs(targets.ranks).flatten(1).sum(1))
        return torch.where(counts > 0, torch.maximum(counts, strict), torch.zeros_like(counts))


def make_objective(name: str = "pairwise", mean: str = "pairs", tie_share: float = 0.1) -> Objective:
    """The objective for the name of a loss and of a mean.

    Args:
        name: One of :data:`LOSSES`.
        mean: One of :data:`MEANS`.
        tie_share: For the tie-aware losses the chance of a tie between equals, see :func:`tie_share_of`.
    """
    return Objective(LOSSES[name](tie_share), mean)


def tie_share_of(ties: int, pairs: int) -> float:
    """The chance of a tie that a tie-aware loss is made with: their share of all judged pairs, kept off 0 and 1.

    >>> round(tie_share_of(831, 7230), 6)
    0.114991
    """
    return round((ties + 0.5) / (pairs + 1.0), 11)
