"""A ranking: what one person said about several pictures for one prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from imagereward_core.errors import CuratorError
from imagereward_core.metrics.preference import preferred_pairs


class RankingError(CuratorError):
    """A ranking, or a file of rankings, is not in the documented form."""


PHRASE_KINDS = ("content", "style", "function")
"""What a phrase of a prompt is for: what is to be seen, how it is to look, or that it is to be good (arXiv 2304.05977, 2.3)."""


@dataclass(frozen=True)
class Phrase:
    """A phrase that a person marked in a prompt.

    Attributes:
        start: Its first character in the prompt, from 0; a character is a Unicode code point.
        end: The one after its last.
        kind: One of :data:`PHRASE_KINDS`.
        text: The phrase itself, which follows from the others; empty where nobody says it.
    """

    start: int
    end: int
    kind: str
    text: str = field(default="", compare=False)


@dataclass(frozen=True)
class Ranking:
    """What one person, or one rule, said about K pictures for one prompt.

    Attributes:
        prompt: What the pictures were made for.
        images: K names, relative to the data set's folder of images; see :mod:`.images` for what else a name may be.
        ranks: K whole numbers, 1 is best, equal ones are ties, 0 is a picture that was not ranked; empty where the person chose
            only the best or the worst.
        id: Name of the ranking, unique in its file where there is one; empty for none.
        annotator: Who ranked; empty where nobody says.
        ratings: For each picture the ratings it was given by name (``overall``, ``alignment``, ``fidelity``: 1 to 7), empty where none.
        problems: For each picture the problems that were ticked.
        category: Category of the prompt.
        split: ``train``, ``validation``, ``test`` or any other name; empty where none is given.
        best: Index of the picture chosen as the best, for people who chose only that.
        worst: Index of the picture chosen as the worst.
        partial: Whether pictures of the task are missing from the ranking, so that being unranked says nothing about them.
        sources: For each picture the generator that made it or the scorer that picked it, for win rates.
        coarse: Whether the ranks come from a few classes (kept and rejected, stars), so that equal ones are no ties.
        intent_unclear: Whether the prompt does not say what its author wanted; None where nobody was asked.
        prompt_problems: Problems of the prompt that were ticked.
        phrases: Phrases of the prompt that were marked; none overlaps another.
        seconds: How long the person took, None where nobody knows.
    """

    prompt: str
    images: tuple[str, ...]
    ranks: tuple[int, ...] = ()
    id: str = ""
    annotator: str = ""
    ratings: tuple[Mapping[str, float], ...] = ()
    problems: tuple[tuple[str, ...], ...] = ()
    category: str = ""
    split: str = ""
    best: int | None = None
    worst: int | None = None
    partial: bool = False
    sources: tuple[str, ...] = ()
    coarse: bool = False
    intent_unclear: bool | None = None
    prompt_problems: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    seconds: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Fields of a file that this version does not know; written back as they are."""

    @property
    def order(self) -> tuple[int, ...]:
        """K ranks to learn from: those given, else what the choice of the best and the worst implies (1, 2 for the rest, 3).

        Whether equal ranks are ties says :attr:`knows_ties`.
        """
        if self.ranks:
            return self.ranks
        if self.best is None and self.worst is None:
            return (0,) * len(self.images)
        return tuple(
            1 if place == self.best else 3 if place == self.worst else 2 for place in range(len(self.images))
        )

    @property
    def knows_ties(self) -> bool:
        """Whether pictures of equal rank were judged equally good, and not merely left alone."""
        return bool(self.ranks) and not self.coarse

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The strict pairs, as (index of the better, index of the worse)."""
        return preferred_pairs(self.order)

    @property
    def ties(self) -> list[tuple[int, int]]:
        """The pairs judged equally good, as indices."""
        if not self.knows_ties:
            return []
        pairs = combinations(range(len(self.ranks)), 2)
        return [(one, two) for one, two in pairs if self.ranks[one] == self.ranks[two] != 0]

    @property
    def extremes(self) -> tuple[int | None, int | None]:
        """Index of the human best and of the human worst: as chosen, else where a rank says it of one picture alone."""
        return self.best if self.best is not None else self._alone(min), (
            self.worst if self.worst is not None else self._alone(max)
        )

    def _alone(self, extreme: Any) -> int | None:
        ranked = [rank for rank in self.ranks if rank]
        if not ranked or min(ranked) == max(ranked) or ranked.count(extreme(ranked)) > 1:
            return None
        return self.ranks.index(extreme(ranked))
