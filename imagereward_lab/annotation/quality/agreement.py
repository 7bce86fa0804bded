"""How far people choose alike: each with the researchers, and with the majority of the annotators without oneself (PAPER: Table 1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagereward_core.metrics.voters import agreed_pairs, choices, majority

from ..protocol.keys import BEST_WORST
from ..records import Agreement


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody said about the pictures of a task: ranks, 1 is the best, equal ones are no choice.

    Attributes:
        task: Which task.
        person: Whose order it is.
        is_researcher: Whether that is a researcher.
        ranks: In the order in which the pictures are kept.
    """

    task: int
    person: int
    is_researcher: bool
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class Agreements:
    """Agreement of one person with both."""

    researchers: Agreement
    ensemble: Agreement


NONE = Agreements(Agreement(share=None, pairs=0), Agreement(share=None, pairs=0))


def ranks_of(mode: str, document: Mapping[str, Any], images: Sequence[str]) -> tuple[int, ...]:
    """Ranks that an answer gives: the number of the slot, or 1, 2 and 3 for the best, the rest and the worst.

    >>> ranks_of("top-picks", {"ranking": [["b"], [], ["a", "c"]]}, ["a", "b", "c"])
    (3, 1, 3)
    """
    if mode == BEST_WORST:
        return tuple(
            1 if image == document["best"] else 3 if image == document["worst"] else 2 for image in images
        )
    slots = {image: place for place, slot in enumerate(document["ranking"], 1) for image in slot}
    return tuple(slots[image] for image in images)


def agreements(orders: Iterable[Order], least_others: int = 1) -> dict[int, Agreements]:
    """Agreement of each person, on the pairs of pictures about which both sides have a choice.

    Args:
        orders: All there are.
        least_others: Annotators besides oneself, at least, whose majority is asked for.
    """
    by_task: dict[int, list[Order]] = defaultdict(list)
    for order in orders:
        by_task[order.task].append(order)
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for some in by_task.values():
        votes = [choices(np.asarray(each.ranks, np.float64), higher_is_better=False) for each in some]
        for at, each in enumerate(some):
            count = counts[each.person]
            others = [place for place in range(len(some)) if some[place].person != each.person]
            for place in others:
                if some[place].is_researcher:
                    _add(count, 0, agreed_pairs(votes[at], votes[place]))
            annotators = [votes[place] for place in others if not some[place].is_researcher]
            if len(annotators) >= max(1, least_others):
                _add(count, 2, agreed_pairs(votes[at], majority(np.stack(annotators))))
    return {
        person: Agreements(_share(count[0], count[1]), _share(count[2], count[3]))
        for person, count in counts.items()
    }


def _add(count: list[int], place: int, more: tuple[int, int]) -> None:
    count[place] += more[0]
    count[place + 1] += more[1]


def _share(agreed: int, pairs: int) -> Agreement:
    return Agreement(share=agreed / pairs if pairs else None, pairs=pairs)
