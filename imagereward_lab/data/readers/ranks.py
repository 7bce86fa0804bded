"""Ranks as others write them."""

from __future__ import annotations

from typing import Any

from ..form import list_in, whole_in


def from_one(field: str, value: Any) -> tuple[int, ...]:
    """Ranks of a whole ranking, of which the best is 1: some files count from 0, which is not "unranked" there.

    >>> from_one("rank", [0, 2, 1]), from_one("rank", [1, 3, 1])
    ((1, 3, 2), (1, 3, 1))

    Raises:
        FieldError: They are no list of whole numbers.
    """
    ranks = list_in(field, value, whole_in)
    return tuple(rank + 1 for rank in ranks) if 0 in ranks else ranks
