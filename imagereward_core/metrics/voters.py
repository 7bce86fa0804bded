"""How far voters (people, scorers) choose alike between two pictures, and what most of them choose (arXiv 2304.05977, Table 1).

A voter's choices are int8 [P]: for every pair of pictures 1 where the first one is better, -1 where the second one is, 0 where there is no
choice: a tie, or a picture the voter has not seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Votes = NDArray[np.int8]


def choices(values: NDArray[np.float64], higher_is_better: bool = True) -> Votes:
    """Choices of somebody who gave numbers, int8 [K (K - 1) / 2], pairs in the order (0, 1), (0, 2), ..., (1, 2), ...; NaN gives none.

    >>> choices(np.array([0.3, 0.9, np.nan])).tolist()
    [-1, 0, 0]
    """
    one, two = np.triu_indices(len(values), 1)
    first, second = values[one], values[two]
    made = (first > second).astype(np.int8) - (first < second).astype(np.int8)
    return made if higher_is_better else -made


def agreed_pairs(one: Votes, two: Votes) -> tuple[int, int]:
    """Of the pairs about which both have a choice, those with the same choice, and all.

    >>> agreed_pairs(np.array([1, -1, 0, 1], np.int8), np.array([1, 1, 1, 0], np.int8))
    (1, 2)
    """
    both = (one != 0) & (two != 0)
    return int(np.count_nonzero(both & (one == two))), int(np.count_nonzero(both))


def majority(votes: Votes) -> Votes:
    """The choice of most of V voters, int8 [P]; none where as many are for the one as for the other.

    Args:
        votes: [V, P].

    >>> majority(np.array([[1, -1, 1], [1, 1, 0], [-1, 0, 0]], np.int8)).tolist()
    [1, 0, 1]
    """
    return np.sign(votes.sum(axis=0, dtype=np.int64)).astype(np.int8)


def majority_of_others(votes: Votes) -> Votes:
    """For each of V voters the choice of most of the others, int8 [V, P].

    >>> majority_of_others(np.array([[1, -1], [1, 1], [-1, 1]], np.int8)).tolist()
    [[0, 1], [0, 0], [1, 0]]
    """
    wide = votes.astype(np.int64)
    return np.sign(wide.sum(axis=0) - wide).astype(np.int8)
