"""Whole rankings packed to batches of a number of pairs, and batches shared out in parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

LOOK_AHEAD = 32
"""Rankings of the order that are looked through for one that still fits into a batch."""


def pack(sizes: Sequence[int], order: Iterable[int], limit: int) -> list[list[int]]:
    """Batches of rankings, by number, each of at most ``limit`` pairs; a ranking that is larger alone has a batch for itself.

    A batch takes the next ranking of the order that still fits, so that few pairs are missing from it, and rankings keep about
    their places.

    Args:
        sizes: Pairs of every ranking.
        order: Numbers of the rankings.
        limit: Pairs of a batch.

    >>> pack([28, 28, 15, 6, 36], [0, 1, 2, 3, 4], 64)
    [[0, 1, 3], [2, 4]]
    """
    coming = iter(order)
    waiting = list(islice(coming, LOOK_AHEAD))
    batches = []
    while waiting:
        batch, room = [waiting[0]], limit - sizes[waiting.pop(0)]
        waiting += islice(coming, 1)
        place = 0
        while place < len(waiting) and room > 0:
            if sizes[waiting[place]] <= room:
                room -= sizes[waiting[place]]
                batch.append(waiting.pop(place))
                waiting += islice(coming, 1)
            else:
                place += 1
        batches.append(batch)
    return batches


def together(images: Sequence[Iterable[str]], sizes: Sequence[int], limit: int) -> list[list[int]]:
    """Numbers of rankings, those of the same pictures side by side as far as a batch holds them, so that these are encoded once.

    Args:
        images: For every ranking its pictures.
        sizes: Its pairs.
        limit: Pairs of a batch.

    >>> together([("a", "b"), ("c", "d"), ("b", "a"), ("a", "b")], [1, 1, 1, 1], 2)
    [[0, 2], [1], [3]]
    """
    units: list[list[int]] = []
    last: dict[frozenset[str], tuple[int, int]] = {}
    for number, (names, size) in enumerate(zip(images, sizes)):
        key = frozenset(names)
        place, filled = last.get(key, (0, limit + 1))
        if filled + size <= limit:
            units[place].append(number)
        else:
            place, filled = len(units), 0
            units.append([number])
        last[key] = place, filled + size
    return units


def share_out(batch: Sequence[int], images: Mapping[int, Iterable[str]], parts: int) -> list[list[int]]:
    """A batch in ``parts``, with about as many pictures in each; rankings of the same pictures stay together, to be encoded once.

    Args:
        batch: Numbers of rankings.
        images: For every ranking its pictures.
        parts: How many; some are empty where there are fewer rankings.
    """
    if parts == 1:
        return [list(batch)]
    together: dict[frozenset[str], list[int]] = {}
    for number in batch:
        together.setdefault(frozenset(images[number]), []).append(number)
    shared: list[list[int]] = [[] for _ in range(parts)]
    filled = [0] * parts
    for names, numbers in sorted(together.items(), key=lambda each: -len(each[0])):
        least = filled.index(min(filled))
        shared[least] += numbers
        filled[least] += len(names)
    return shared
