"""Buckets: kept pictures sorted further, such as great and good, by percentile, by score or by share."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from ...errors import CuratorError
from ...files.devices import is_device
from ...records import record
from ...settings import setting

if TYPE_CHECKING:
    from ...scores import IntArray, Scores

BucketMeasure = Literal["percentile", "score", "share"]
REJECTED = "rejected"
_NAME = r"[^\W_][\w .+-]{0,39}"


class BucketError(CuratorError):
    """Buckets that cannot be: a name no folder can have, limits out of order, shares beyond a hundred percent."""


class Bucket(NamedTuple):
    """A name, that of its folder too by default, and the least percentile or score, or the share in percent."""

    name: str
    limit: float


@record(frozen=True)
class Buckets:
    """Buckets from best to worst. A picture falls into the first whose limit it meets, else to the rest.

    Attributes:
        each: At least one bucket, best first.
        by: ``"percentile"``: against the scorer's reference distribution, limits are the least percentile, 0..100. ``"score"``: limits
            are the least score. ``"share"``: limits are shares in percent; the best so many percent, then the next.
        rest: What the remaining pictures are called; they count as rejected.
    """

    each: tuple[Bucket, ...]
    by: BucketMeasure = setting(
        "percentile",
        "What the numbers of buckets are: least percentiles, least scores, or shares in percent",
        choices=get_args(BucketMeasure),
    )
    rest: str = REJECTED

    def __post_init__(self) -> None:
        if self.by not in get_args(BucketMeasure):
            raise BucketError(f"buckets by {self.by!r}; expected percentile, score or share")
        if not self.each:
            raise BucketError("no bucket has a limit; expected for example great=90,good=50")
        for name in self.names:
            check_name(name)
        if len({name.casefold() for name in self.names}) < len(self.names):
            raise BucketError(f"two buckets of {', '.join(self.names)} have the same name; give each its own")
        limits = [bucket.limit for bucket in self.each]
        if any(not math.isfinite(limit) for limit in limits):
            raise BucketError(f"limits {limits} of the buckets are no ordinary numbers")
        if self.by == "share":
            if min(limits) <= 0 or sum(limits) > 100:
                raise BucketError(
                    f"shares {_listed(limits)} of the buckets; expected positive percentages that are 100 together at most"
                )
        elif any(low >= high for high, low in zip(limits, limits[1:])):
            raise BucketError(
                f"limits {_listed(limits)} of the buckets; expected the best bucket first, falling limits"
            )
        elif self.by == "percentile" and not (limits[-1] >= 0 and limits[0] <= 100):
            raise BucketError(f"percentiles {_listed(limits)} of the buckets; expected numbers from 0 to 100")

    @property
    def names(self) -> tuple[str, ...]:
        """All names from best to worst, that of the rest last."""
        return (*(bucket.name for bucket in self.each), self.rest)

    @classmethod
    def parse(cls, text: str, by: BucketMeasure = "percentile") -> Buckets:
        """Reads ``great=90,good=50``; a last name without a number, as in ``great=90,good=50,poor``, names the rest.

        Raises:
            BucketError: The text cannot be read, or the buckets cannot be.
        """
        parts = [part.strip() for part in text.split(",") if part.strip()]
        rest = parts.pop() if parts and "=" not in parts[-1] else REJECTED
        each = []
        for part in parts:
            name, _, limit = part.partition("=")
            try:
                each.append(Bucket(name.strip(), float(limit.strip().rstrip("%"))))
            except ValueError:
                raise BucketError(
                    f"{part!r} in {text!r} is no bucket; expected NAME=NUMBER, for example great=90,good=50"
                ) from None
        return cls(tuple(each), by, rest)


def check_name(name: str) -> None:
    """Refuses a name that no folder can have on every system.

    Raises:
        BucketError: It is such a name.
    """
    if not re.fullmatch(_NAME, name) or is_device(name) or name[-1] in " .":
        raise BucketError(
            f"{name!r} cannot be the name of a bucket, because folders are named after buckets; expected up to 40 letters, digits, spaces, "
            "'_', '-', '+' or '.', a letter or digit first"
        )


def fill(buckets: Buckets, scores: Scores, groups: Sequence[IntArray]) -> list[str]:
    """The bucket of every picture, in input order; the rest for those without a score.

    ``groups`` are indexes of pictures that compete with each other, for shares; pictures outside of them go to the rest.

    Raises:
        BucketError: Percentiles are asked for where the scorer has no reference distribution.
    """
    if buckets.by == "share":
        return _by_share(buckets, scores, groups)
    if buckets.by == "percentile" and scores.distribution is None:
        raise BucketError(
            f"{scores.scorer} scores made this way have no reference distribution to read percentiles against; sort into buckets by score "
            "or by share"
        )
    values = scores.percentiles() if buckets.by == "percentile" else scores.values
    import numpy as np

    names = np.full(len(scores), buckets.rest, dtype=object)
    for bucket in reversed(buckets.each):
        names[values >= bucket.limit] = bucket.name
    return [str(name) for name in names]


def _by_share(buckets: Buckets, scores: Scores, groups: Sequence[IntArray]) -> list[str]:
    import numpy as np

    names = [buckets.rest] * len(scores)
    for members in groups:
        scored = members[~np.isnan(scores.values[members])]
        ordered = scored[np.argsort(-scores.values[scored], kind="stable")].tolist()
        begin, share = 0, 0.0
        for bucket in buckets.each:
            share += bucket.limit
            # As in a rule's top_percent: rounded up to whole pictures, without the noise of binary fractions.
            end = math.ceil(round(share * len(ordered) / 100, 9))
            for index in ordered[begin:end]:
                names[index] = bucket.name
            begin = max(begin, end)
    return names


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)
