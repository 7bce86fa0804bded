"""What scores say about generators: for every prompt the mean and the best picture of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imagereward_core.scores import FloatArray, IntArray

from ..scoring import Failure, ScoredRankings


@dataclass(frozen=True, eq=False)
class Results:
    """The result of G generators for P prompts, by one scorer.

    Attributes:
        scorer: Its id.
        means: Mean score of a generator's pictures for a prompt, float64 [P, G].
        best: Score of its best picture, float64 [P, G]; see :func:`compared`.
        best_at: Which picture of the prompt that is, int64 [P, G].
        values: All scores of a generator, for each one float64 [N].
    """

    scorer: str
    means: FloatArray
    best: FloatArray
    best_at: IntArray
    values: tuple[FloatArray, ...]

    def differences(self, one: int, two: int) -> FloatArray:
        """Mean score of the one minus that of the other for every prompt, float64 [P]."""
        return np.asarray(self.means[:, one] - self.means[:, two])


@dataclass(frozen=True, eq=False)
class Compared:
    """What can be compared.

    Attributes:
        generators: Their names.
        scored: Prompts for which every generator has a picture with a score.
        results: By each scorer.
        empty: Prompts left out because a generator has no picture with a score for them.
        uneven: Prompts for which generators have different numbers of pictures.
        failures: Pictures without a score, those of prompts that were left out as well.
    """

    generators: tuple[str, ...]
    scored: ScoredRankings
    results: tuple[Results, ...]
    empty: int
    uneven: int
    failures: tuple[Failure, ...] = ()


def compared(scored: ScoredRankings, generators: Sequence[str]) -> Compared:
    """Results by every scorer.

    The best of ten pictures is better than the best of four even if one generator made all fourteen. So for each prompt the best is looked
    for among the first pictures of each generator, as many as the one with the fewest has; the mean is of all of them.

    Args:
        scored: Rankings with one source for each picture.
        generators: Their names.
    """
    members: list[list[list[int]]] = []
    kept, uneven = [], 0
    for number, ranking in enumerate(scored.rankings):
        usable = scored.usable[scored.places[number]]
        of = [
            [at for at, source in enumerate(ranking.sources) if source == name and usable[at]]
            for name in generators
        ]
        if all(of):
            kept.append(number)
            members.append(of)
            uneven += len(set(map(len, of))) > 1
    part = scored.part(kept)
    return Compared(
        generators=tuple(generators),
        scored=part,
        results=tuple(_results(part, members, at, len(generators)) for at in range(len(part.scores))),
        empty=len(scored.rankings) - len(kept),
        uneven=uneven,
        failures=tuple(scored.failures),
    )


def _results(
    part: ScoredRankings, members: Sequence[Sequence[Sequence[int]]], scorer: int, number: int
) -> Results:
    shape = (len(part.rankings), number)
    means, best, best_at = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64)
    values: list[list[float]] = [[] for _ in range(number)]
    for row, of in enumerate(members):
        numbers = part.of(row)[scorer]
        fewest = min(map(len, of))
        for column, places in enumerate(of):
            own = numbers[places]
            means[row, column] = own.mean()
            first = int(own[:fewest].argmax())
            best[row, column], best_at[row, column] = own[first], places[first]
            values[column] += own.tolist()
    return Results(part.scorers[scorer], means, best, best_at, tuple(np.array(each) for each in values))
