"""Win rates: how often a picture of one source is ranked above a picture of another for the same prompt (arXiv 2304.05977, Figure 12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations


def win_counts(
    ranks: Sequence[int], sources: Sequence[str], ties: bool = True
) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Wins of the first, ties and wins of the second for every two sources of one ranking, each two once in the order of first appearance.

    Args:
        ranks: One per picture, 1 is best, 0 was not ranked.
        sources: Where each picture is from; pictures of one source, or without one, are not compared.
        ties: Whether equal ranks are judgements.

    >>> win_counts([1, 2, 2], ["A", "B", "C"])
    {('A', 'B'): (1, 0, 0), ('A', 'C'): (1, 0, 0), ('B', 'C'): (0, 1, 0)}
    """
    order = {source: place for place, source in enumerate(dict.fromkeys(sources))}
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for one, two in combinations(range(len(ranks)), 2):
        if not (ranks[one] and ranks[two] and sources[one] and sources[two]) or sources[one] == sources[two]:
            continue
        if ranks[one] == ranks[two] and not ties:
            continue
        if order[sources[one]] > order[sources[two]]:
            one, two = two, one
        result = 1 if ranks[one] == ranks[two] else 0 if ranks[one] < ranks[two] else 2
        found[sources[one], sources[two]][result] += 1
    return {pair: (counts[0], counts[1], counts[2]) for pair, counts in found.items()}
