"""Notices a scorer that cannot tell pictures apart, by its numbers. Torch is not needed for it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence

FEW = 3
"""So many different pictures with one number are no coincidence."""
_SAME = 1e-6
"""An untrained head of ImageReward's shape moves its number by some 1e-9 from picture to picture, a trained one by hundredths."""


class Variety:
    """Notices that several different pictures were given one and the same number, and none another.

    >>> variety = Variety()
    >>> variety.note(["a", "b", "b"], [[-0.16], [-0.16], [-0.16]]), variety.is_missing
    (False, False)
    >>> variety.note(["c"], [[-0.16]]), variety.is_missing
    (True, True)
    >>> variety.note(["d"], [[0.5]]), variety.is_missing
    (False, False)
    """

    def __init__(self) -> None:
        self._pictures: set[Hashable] = set()
        self._value: float | None = None
        self._varies = False

    @property
    def is_missing(self) -> bool:
        """Whether so far there were a few different pictures and one number."""
        return not self._varies and len(self._pictures) >= FEW

    def note(self, pictures: Iterable[Hashable], numbers: Iterable[Sequence[float]]) -> bool:
        """Takes in the numbers of some pictures; returns whether these are the first to show that variety is missing.

        Nothing is asked for once numbers vary. ``pictures`` tell the pictures apart; each has one number per prompt, and those that are
        not finite do not count.
        """
        before = self.is_missing
        remaining, identities = iter(numbers), iter(pictures)
        while not self._varies and (row := next(remaining, None)) is not None:
            picture = next(identities)
            for number in filter(math.isfinite, row):
                self._value = number if self._value is None else self._value
                self._varies = self._varies or abs(number - self._value) > _SAME
                if len(self._pictures) < FEW:
                    self._pictures.add(picture)
        return self.is_missing and not before
