"""Shares with their intervals, made alike in every section."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from imagereward_core.metrics.uncertainty import interval, resampled_ratios, sums_by_group
from imagereward_core.scores import FloatArray, IntArray
from imagereward_core.settings import check, setting


@dataclass(frozen=True, kw_only=True)
class IntervalOptions:
    """How intervals are made.

    Raises:
        ValueError: A setting is out of its range.
    """

    confidence: float = setting(
        95.0, "How often an interval should hold the true figure", low=50, high=99.9, unit="percent"
    )
    resamples: int = setting(
        2000, "How many times prompts are drawn anew for an interval", low=100, high=1_000_000
    )
    seed: int = setting(0, "Number from which everything random is drawn", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        check(self)


Options = TypeVar("Options", bound=IntervalOptions)


@dataclass(frozen=True)
class Estimate:
    """A figure and how sure it is.

    Attributes:
        value: The figure; NaN where there is nothing to make it from.
        low: Lower end of its interval; NaN where there is none.
        high: Upper end.
        count: From how many things it was made.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    count: int = 0

    def percent(self) -> str:
        """As text in percent, with its interval.

        >>> Estimate(0.6514, 0.631, 0.672).percent()
        '65.1 (63.1 to 67.2)'
        >>> Estimate(-0.0001).percent()
        '0.0'
        """
        return self._text(100, 1)

    def plain(self, digits: int = 3) -> str:
        """As text as it is, with its interval."""
        return self._text(1, digits)

    def _text(self, factor: float, digits: int) -> str:
        if math.isnan(self.value):
            return "-"
        # Adding 0 makes 0 of what is rounded to -0.
        value, low, high = (
            f"{round(factor * each, digits) + 0.0:.{digits}f}" for each in (self.value, self.low, self.high)
        )
        return value if math.isnan(self.low) else f"{value} ({low} to {high})"


@dataclass(frozen=True, eq=False)
class Estimator(Generic[Options]):
    """Makes estimates over things that belong to prompts.

    Attributes:
        options: How.
        prompts: For everything the number of its prompt, int64 [N].
    """

    options: Options
    prompts: IntArray

    def draws(self, numerators: FloatArray, denominators: FloatArray) -> FloatArray:
        """Ratios over prompts drawn with replacement, float64 [resamples, ...]; only prompts that count for anything are drawn.

        Args:
            numerators: [N, ...].
            denominators: [N, ...].
        """
        number = int(self.prompts.max(initial=-1)) + 1
        over = sums_by_group(numerators, self.prompts, number)
        under = sums_by_group(denominators, self.prompts, number)
        known = under.reshape(number, -1).any(axis=1) if number else np.zeros(0, bool)
        if np.count_nonzero(known) < 2:
            return np.full((self.options.resamples, *numerators.shape[1:]), math.nan)
        return resampled_ratios(over[known], under[known], self.options.resamples, self.options.seed)

    def interval(self, draws: FloatArray) -> tuple[float, float]:
        """The interval that the options ask for."""
        return interval(draws, self.options.confidence / 100)

    def ratio(self, numerators: FloatArray, denominators: FloatArray) -> Estimate:
        """Sum of the first over sum of the second.

        Args:
            numerators: float64 [N].
            denominators: float64 [N].
        """
        total = float(denominators.sum())
        if not total:
            return Estimate(math.nan)
        low, high = self.interval(self.draws(numerators, denominators))
        return Estimate(float(numerators.sum()) / total, low, high, round(total))
