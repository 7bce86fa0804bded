"""Win rates: how often a picture of one source is ranked above a picture of another for the same prompt (arXiv 2304.05977, Figure 12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, product

SHARED = " | "
"""Between the names of several sources that share a picture, such as scorers that picked the same one."""


def sources_of(source: str) -> tuple[str, ...]:
    """The names that a picture's source stands for; none where it has none.

    >>> sources_of("CLIP | BLIP"), sources_of("CLIP"), sources_of("")
    (('CLIP', 'BLIP'), ('CLIP',), ())
    """
    return tuple(filter(None, source.split(SHARED)))


def win_counts(
    ranks: Sequence[int], sources: Sequence[str], ties: bool = True, shared: bool = False
) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Wins of the first, ties and wins of the second for every two sources of one ranking, each two once in the order of first appearance.

    Args:
        ranks: One per picture, 1 is best, 0 was not ranked.
        sources: Where each picture is from; pictures of one source, or without one, are not compared.
        ties: Whether equal ranks are judgements.
        shared: Whether a source may name several, see ``SHARED``. The picture counts for each of them then, and not against itself.

    >>> win_counts([1, 2, 2], ["A", "B", "C"])
    {('A', 'B'): (1, 0, 0), ('A', 'C'): (1, 0, 0), ('B', 'C'): (0, 1, 0)}
    >>> win_counts([1, 2], ["A | B", "A"], shared=True)
    {('A', 'B'): (0, 0, 1)}
    """
    parts = [sources_of(source) if shared else (source,) * bool(source) for source in sources]
    order = {
        source: place for place, source in enumerate(dict.fromkeys(each for some in parts for each in some))
    }
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for one, two in combinations(range(len(ranks)), 2):
        if not (ranks[one] and ranks[two]) or (ranks[one] == ranks[two] and not ties):
            continue
        for first, second in product(parts[one], parts[two]):
            if first == second:
                continue
            turned = order[first] > order[second]
            won = (ranks[one] > ranks[two]) == turned
            result = 1 if ranks[one] == ranks[two] else 0 if won else 2
            found[(second, first) if turned else (first, second)][result] += 1
    return {pair: (counts[0], counts[1], counts[2]) for pair, counts in found.items()}
