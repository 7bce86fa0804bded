"""Ranks of the pictures of one prompt by quick questions: the answers so far, the next question, and the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from .comparisons import Comparison
from .intervals import rank_intervals
from .prior import prior_from_scores
from .question import Question, next_question
from .rows import RankedRow
from .strengths import StrengthFit, fit_strengths


@dataclass(frozen=True, kw_only=True, eq=False)
class QuickRanking:
    """Pictures of one prompt and what was answered about them. Never changes; what is derived is worked out when it is first asked for.

    Attributes:
        images: Their names: anything that does not change, such as the hash of their pixels.
        comparisons: Answers, the latest last. Of pictures that are not among ``images``, such as one deleted since, they say nothing.
        skips: Pictures that were shown together and got no answer.
        scores: What scorers say, one list for each of them with a number for each picture; NaN where there is none.
        seed: Decides between equally good questions, and which picture stands where.
        before: The fit of fewer answers, for speed alone; :meth:`answered` takes it along.

    Raises:
        ValueError: A name stands twice, or a scorer has another number of scores than there are pictures.

    >>> ranking = QuickRanking(images=("a", "b", "c"), comparisons=(Comparison(("a", "b"), winner="b"),))
    >>> [(row.rank, row.image) for row in ranking.rows()]
    [(1, 'b'), (2, 'c'), (3, 'a')]
    """

    images: tuple[str, ...]
    comparisons: tuple[Comparison[str], ...] = ()
    skips: tuple[tuple[str, ...], ...] = ()
    scores: tuple[Sequence[float], ...] = ()
    seed: int = 0
    before: StrengthFit | None = None

    def __post_init__(self) -> None:
        if len(set(self.images)) < len(self.images):
            raise ValueError("found a picture twice; expected each once")
        wrong = [len(each) for each in self.scores if len(each) != len(self.images)]
        if wrong:
            raise ValueError(
                f"found {wrong[0]} scores by one scorer; expected {len(self.images)}, one per picture"
            )

    def answered(self, comparison: Comparison[str]) -> QuickRanking:
        """The same with one answer more."""
        return replace(self, comparisons=(*self.comparisons, comparison), before=self.fit)

    def skipped(self, images: Sequence[str]) -> QuickRanking:
        """The same with one question skipped."""
        return replace(self, skips=(*self.skips, tuple(images)), before=self.fit)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {image: place for place, image in enumerate(self.images)}

    @cached_property
    def _numbered(self) -> list[Comparison[int]]:
        places = self._places
        known = (each.among(places) for each in self.comparisons)
        return [
            Comparison(
                tuple(places[image] for image in each.images),
                None if each.winner is None else places[each.winner],
            )
            for each in known
            if each is not None
        ]

    @cached_property
    def fit(self) -> StrengthFit:
        """Strengths of the pictures, in their order."""
        prior = prior_from_scores(self.scores) if self.scores and self.images else None
        return fit_strengths(len(self.images), self._numbered, prior, start=self.before)

    def question(self, size: int = 2) -> Question[str] | None:
        """Which ``size`` pictures, 2 to 4, to show next; None where there are fewer than two."""
        places = self._places
        skips = [tuple(places[image] for image in each if image in places) for each in self.skips]
        found = next_question(
            self.fit, [each.images for each in self._numbered], size=size, skipped=skips, seed=self.seed
        )
        if found is None:
            return None
        return Question(tuple(self.images[place] for place in found.images), found.information)

    def rows(self) -> list[RankedRow]:
        """A row for each picture, best first."""
        fit, intervals = self.fit, rank_intervals(self.fit)
        won, tied = [0] * len(self.images), [0] * len(self.images)
        for each in self._numbered:
            if each.winner is not None:
                won[each.winner] += 1
            else:
                for image in each.images:
                    tied[image] += 1
        rows = [
            RankedRow(
                image=image,
                rank=int(intervals.ranks[at]),
                rank_low=int(intervals.low[at]),
                rank_high=int(intervals.high[at]),
                best=float(intervals.best[at]),
                strength=float(fit.values[at]),
                error=float(fit.errors[at]),
                shown=int(fit.compared[at]),
                won=won[at],
                tied=tied[at],
            )
            for at, image in enumerate(self.images)
        ]
        return sorted(rows, key=lambda row: row.rank)
