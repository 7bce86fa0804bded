"""What several annotators said about the same pictures, as probabilities: labels for a soft loss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ranking import Ranking


@dataclass(frozen=True, eq=False)
class JoinedRanking:
    """K pictures for one prompt, and how often each was preferred to each.

    Attributes:
        prompt: What the pictures were made for.
        images: K names, as in the first of the rankings.
        wins: int64 [K, K], how many annotators put the first above the second.
        ties: int64 [K, K], symmetric, how many found both equally good.
        rankings: How many rankings were joined.
        split: That of the first one.
        category: That of the first one.
    """

    prompt: str
    images: tuple[str, ...]
    wins: NDArray[np.int64]
    ties: NDArray[np.int64]
    rankings: int
    split: str = ""
    category: str = ""

    @property
    def votes(self) -> NDArray[np.int64]:
        """int64 [K, K], how many annotators compared the two."""
        return self.wins + self.wins.T + self.ties

    def preferences(self, prior: float = 0.0) -> NDArray[np.float64]:
        """float64 [K, K], the probability that the first is preferred to the second; a tie is half a vote for either.

        NaN where nobody compared the two and on the diagonal. ``p + p.T`` is 1 elsewhere.

        Args:
            prior: Votes added for either side before counting: 1 is Laplace's rule, which keeps few votes from being certain.
        """
        votes = self.votes
        with np.errstate(invalid="ignore", divide="ignore"):
            found = (self.wins + self.ties / 2 + prior) / (votes + 2 * prior)
        return np.where(votes > 0, found, np.nan)


def join(rankings: Iterable[Ranking]) -> list[JoinedRanking]:
    """Joins the rankings of the same pictures for the same prompt, in whatever order each names them.

    A picture that stands twice in a ranking is compared once for each pair, never with itself.

    >>> both = [Ranking("a", ("x", "y"), (1, 2)), Ranking("a", ("y", "x"), (1, 1))]
    >>> float(join(both)[0].preferences()[0, 1])
    0.75
    """
    groups: dict[tuple[str, frozenset[str]], list[Ranking]] = defaultdict(list)
    for ranking in rankings:
        groups[ranking.prompt, frozenset(ranking.images)].append(ranking)
    return [_joined(group) for group in groups.values()]


def _joined(group: list[Ranking]) -> JoinedRanking:
    first = group[0]
    images = tuple(dict.fromkeys(first.images))
    places = {name: place for place, name in enumerate(images)}
    wins = np.zeros((len(images), len(images)), np.int64)
    ties = np.zeros_like(wins)
    for ranking in group:
        where = [places[name] for name in ranking.images]
        for better, worse in {(where[better], where[worse]) for better, worse in ranking.pairs}:
            if better != worse:
                wins[better, worse] += 1
        for one, two in {
            (min(where[one], where[two]), max(where[one], where[two])) for one, two in ranking.ties
        }:
            if one != two:
                ties[one, two] += 1
                ties[two, one] += 1
    return JoinedRanking(first.prompt, images, wins, ties, len(group), first.split, first.category)
