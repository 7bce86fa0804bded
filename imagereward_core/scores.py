"""Scores: the typed result that every room speaks. NumPy only, no torch."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from .records import record
from .weights.card import Distribution, ScorerCard

Within = Literal["all", "prompt"]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def grouped(labels: Iterable[Hashable]) -> list[IntArray]:
    """Indexes of those with equal labels, each int64 and rising; groups in the order of first appearance."""
    members: dict[Hashable, list[int]] = {}
    for index, label in enumerate(labels):
        members.setdefault(label, []).append(index)
    return [np.array(indexes, dtype=np.int64) for indexes in members.values()]


@record(frozen=True, eq=False)
class Scores:
    """One number per picture, with what is needed to understand it. Higher is always better.

    Attributes:
        values: float64 [N], raw scores in input order; NaN where a picture could not be scored.
        revision: Which weights gave the numbers.
        prompts: The prompt each picture was scored against, as the scorer was given it.
        cut: For each picture the part of its prompt that did not fit into the scorer; empty where all of it did.
        failures: Reason by index, for the pictures whose value is NaN.
        distribution: What percentiles are read against; None where the scorer has no reference distribution.
        on_reference: False where an option departed from how the scorer was published (for example ``framing="pad"``).
    """

    values: FloatArray
    scorer: str
    revision: str
    prompts: tuple[str, ...]
    cut: tuple[str, ...]
    failures: Mapping[int, str] = field(default_factory=dict)
    distribution: Distribution | None = None
    on_reference: bool = True

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        number = len(values)
        if values.ndim != 1 or len(self.prompts) != number or len(self.cut) != number:
            raise ValueError(
                f"scores of shape {values.shape} with {len(self.prompts)} prompts and {len(self.cut)} cut parts; expected one of each "
                "per picture"
            )
        unexplained = [i for i in range(number) if math.isnan(values[i]) != (i in self.failures)]
        if unexplained or any(i not in range(number) for i in self.failures):
            raise ValueError(
                f"scores whose NaN values and failures do not fit, at {unexplained[:5] or sorted(self.failures)[:5]}; expected a reason "
                "for every NaN and for nothing else"
            )

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[float]:
        return iter(self.values.tolist())

    @property
    def truncated(self) -> tuple[bool, ...]:
        """Whether each picture's prompt was cut."""
        return tuple(bool(part) for part in self.cut)

    @property
    def scored(self) -> int:
        """How many pictures have a score: what ranks are counted among."""
        return len(self) - len(self.failures)

    def order(self) -> IntArray:
        """Indexes from best to worst, int64 [N]; ties keep input order, NaN comes last."""
        return np.argsort(-self.values, kind="stable").astype(np.int64)

    def groups(self, within: Within) -> list[IntArray]:
        """Indexes of the pictures that compete with each other: all of them, or those with the same prompt."""
        if within == "all":
            return [np.arange(len(self), dtype=np.int64)]
        if within != "prompt":
            raise ValueError(f"within is {within!r}; expected 'all' or 'prompt'")
        return grouped(self.prompts)

    def ranks(self, within: Within = "all") -> IntArray:
        """Rank of every picture, int64 [N]: 1 is best, 0 stands for a picture without a score.

        Equal scores share the better rank, and the next rank is skipped (1, 2, 2, 4).
        """
        ranks = np.zeros(len(self), dtype=np.int64)
        for members in self.groups(within):
            values = self.values[members]
            scored = members[~np.isnan(values)]
            ordered = np.sort(-self.values[scored])
            ranks[scored] = np.searchsorted(ordered, -self.values[scored], side="left") + 1
        return ranks

    def percentiles(self) -> FloatArray:
        """Share of the reference distribution below each score, float64 [N] in 0..100; NaN without score or distribution."""
        if self.distribution is None:
            return np.full(len(self), np.nan)
        return np.array(
            [self.distribution.percentile(value) for value in self.values.tolist()], dtype=np.float64
        )

    def take(self, indexes: Sequence[int] | IntArray) -> Scores:
        """The scores of some pictures, in the order of ``indexes``."""
        chosen = [int(index) for index in indexes]
        failed = self.failures
        return replace(
            self,
            values=self.values[chosen],
            prompts=tuple(self.prompts[index] for index in chosen),
            cut=tuple(self.cut[index] for index in chosen),
            failures={place: failed[index] for place, index in enumerate(chosen) if index in failed},
        )

    def spread(self, places: Sequence[int], prompts: Sequence[str], failures: Mapping[int, str]) -> Scores:
        """These scores as part of those of more pictures, some of which were not shown to the scorer.

        ``places`` are their indexes among all pictures, ``prompts`` those of all, and ``failures`` says of every other why it has no score.

        Raises:
            ValueError: A picture has neither a score nor a reason, or has both.
        """
        values = np.full(len(prompts), math.nan)
        cut = [""] * len(prompts)
        reasons = dict(failures)
        for number, place in enumerate(places):
            values[place], cut[place] = self.values[number], self.cut[number]
            if number in self.failures:
                reasons[place] = self.failures[number]
        return replace(self, values=values, prompts=tuple(prompts), cut=tuple(cut), failures=reasons)

    @classmethod
    def join(cls, parts: Sequence[Scores]) -> Scores:
        """Scores of consecutive calls as one.

        Raises:
            ValueError: There is nothing to join, or the parts come from different scorers or weights.
        """
        if not parts:
            raise ValueError("no scores to join; expected at least one part")
        sources = {(part.scorer, part.revision, part.on_reference) for part in parts}
        if len(sources) > 1:
            raise ValueError(
                f"scores of different scorers or weights cannot be joined: {sorted(map(str, sources))}"
            )
        failures: dict[int, str] = {}
        offset = 0
        for part in parts:
            failures.update({offset + index: reason for index, reason in part.failures.items()})
            offset += len(part)
        return replace(
            parts[0],
            values=np.concatenate([part.values for part in parts]),
            prompts=tuple(prompt for part in parts for prompt in part.prompts),
            cut=tuple(piece for part in parts for piece in part.cut),
            failures=failures,
        )

    @classmethod
    def for_card(
        cls,
        card: ScorerCard,
        revision: str,
        values: FloatArray,
        prompts: Sequence[str],
        cut: Sequence[str],
        failures: Mapping[int, str],
        on_reference: bool = True,
    ) -> Scores:
        """Scores made by the scorer of ``card``. Off-reference scores have no reference distribution."""
        return cls(
            values=values,
            scorer=card.id,
            revision=revision,
            prompts=tuple(prompts),
            cut=tuple(cut),
            failures=dict(failures),
            distribution=card.distribution if on_reference else None,
            on_reference=on_reference,
        )
