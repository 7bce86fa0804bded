"""Means and shares in groups of prompts, each with an interval by prompt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imagereward_core.scores import FloatArray, IntArray

from ...figures.estimates import Estimate, Estimator, IntervalOptions


@dataclass(frozen=True, eq=False)
class Group:
    """Prompts that belong together.

    Attributes:
        label: What they are called.
        prompts: Their numbers, int64.
    """

    label: str
    prompts: IntArray

    def __len__(self) -> int:
        return len(self.prompts)


def groups_of(numbers: IntArray, labels: Sequence[str], order: Sequence[int]) -> list[Group]:
    """The groups that have prompts.

    Args:
        numbers: For every prompt the number of its group, int64 [P].
        labels: Names by number.
        order: Numbers in the order wanted.
    """
    found = [Group(labels[number], np.flatnonzero(numbers == number)) for number in order]
    return [group for group in found if len(group)]


@dataclass(frozen=True, eq=False)
class Measures:
    """Values by prompt, M different things said about them or their pictures.

    Attributes:
        names: Of these.
        sums: Sums of what was said, float64 [P, M].
        counts: How often something was said, float64 [P, M].
    """

    names: tuple[str, ...]
    sums: FloatArray
    counts: FloatArray

    @classmethod
    def of(cls, values: Mapping[str, FloatArray], prompts: IntArray, number: int) -> Measures:
        """Sums of values that belong to prompts; NaN is nothing said.

        Args:
            values: By name, float64 [A].
            prompts: For every value the number of its prompt, int64 [A].
            number: How many prompts there are.
        """
        sums, counts = np.zeros((number, len(values))), np.zeros((number, len(values)))
        for at, column in enumerate(values.values()):
            known = ~np.isnan(column)
            sums[:, at] = np.bincount(prompts[known], column[known], minlength=number)
            counts[:, at] = np.bincount(prompts[known], minlength=number)
        return cls(tuple(values), sums, counts)

    def within(self, group: Group, options: IntervalOptions) -> dict[str, Estimate]:
        """The mean of everything over what was said in a group; its interval by drawing the group's prompts anew.

        There is no interval where only one prompt says something, or all say the same: how much prompts differ cannot be seen then.
        """
        sums, counts = self.sums[group.prompts], self.counts[group.prompts]
        estimator = Estimator(options, np.arange(len(group), dtype=np.int64))
        draws = estimator.draws(sums, counts)
        found = {}
        for at, name in enumerate(self.names):
            total = float(counts[:, at].sum())
            low = high = math.nan
            if np.count_nonzero(counts[:, at]) > 1:
                low, high = estimator.interval(draws[:, at])
                low, high = (math.nan, math.nan) if low == high else (low, high)
            value = float(sums[:, at].sum()) / total if total else math.nan
            found[name] = Estimate(value, low, high, round(total))
        return found
