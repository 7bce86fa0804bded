"""Who is admitted after the test: whoever agrees enough with the researchers and with the other annotators."""

from __future__ import annotations

from ..store.people import ACTIVE, CANDIDATE, REFUSED
from .agreement import NONE, Agreements

LEAST_OTHERS = 3
"""Annotators whose majority says something; with fewer, two who guess would refuse each other."""


def decision(found: Agreements | None, threshold: float, least_pairs: int) -> tuple[str, str]:
    """The state of who has done the whole test, and why in a sentence.

    ``candidate`` means that there is nobody yet to compare with: a researcher has to take the test too, or admit by name.

    Args:
        found: Agreement in the test, the ensemble of at least ``LEAST_OTHERS``.
        threshold: Least share, 0..1, by each measure that is known.
        least_pairs: Pairs that a measure needs to be known.
    """
    both = found or NONE
    known = {
        name: each
        for name, each in (("the researchers", both.researchers), ("the other annotators", both.ensemble))
        if each.share is not None and each.pairs >= least_pairs
    }
    if not known:
        return CANDIDATE, f"no measure has {least_pairs} pairs yet"
    texts = [
        f"{100 * (each.share or 0):.0f} % with {name} on {each.pairs} pairs" for name, each in known.items()
    ]
    enough = all((each.share or 0) >= threshold for each in known.values())
    return (
        ACTIVE if enough else REFUSED,
        f"agrees to {' and '.join(texts)}; asked for are {100 * threshold:.0f} %",
    )
