"""Agreement of scorers about the same pictures, and the pictures on which they differ most.

Pure functions over :class:`~imagereward_core.scores.Scores`; NumPy only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..errors import CuratorError
from ..scores import FloatArray, IntArray, Scores, Within

FLAG_THRESHOLD = 0.6
"""Two scorers that know nothing of each other put one picture in six so far apart (0.4 squared), so a flag says something."""
FLAG_PICTURES = 3
"""With two pictures every disagreement is a total one, and half of all pairs would be flagged by chance."""


class DifferentPicturesError(CuratorError):
    """Scores that were to be compared or combined belong to different pictures or prompts."""


def check_same_pictures(members: Sequence[Scores]) -> None:
    """Makes sure that scores of several scorers stand for the same pictures and prompts, as far as scores show it.

    Raises:
        DifferentPicturesError: Numbers or prompts differ; the text names the scorers and the first difference.
    """
    for other in members[1:]:
        first = members[0]
        if len(other) != len(first):
            raise DifferentPicturesError(
                f"{first.scorer} scored {len(first)} pictures and {other.scorer} {len(other)}; expected scores of the same pictures "
                "in the same order"
            )
        for index, (one, two) in enumerate(zip(first.prompts, other.prompts, strict=True)):
            if one != two:
                raise DifferentPicturesError(
                    f"picture {index} was scored by {first.scorer} for {one!r} and by {other.scorer} for {two!r}; expected the same "
                    "pictures with the same prompts in the same order"
                )


def unscored(members: Sequence[Scores]) -> dict[int, str]:
    """The pictures that one of several scorers has no finite score for: by index, which scorers, and why."""
    by_picture: dict[int, dict[str, list[str]]] = {}
    for scores in members:
        for index in np.flatnonzero(~np.isfinite(scores.values)).tolist():
            reason = scores.failures.get(index, f"its score is {scores.values[index]}")
            by_picture.setdefault(index, {}).setdefault(reason, []).append(scores.scorer)
    return {
        index: "; ".join(f"no score by {', '.join(ids)}: {reason}" for reason, ids in reasons.items())
        for index, reasons in by_picture.items()
    }


def average_ranks(values: FloatArray) -> FloatArray:
    """Ranks of numbers without NaN, float64 [N]: 1 is the highest, equal numbers share the mean of the ranks they take up."""
    below, up_to = _positions(-np.asarray(values, dtype=np.float64))
    return (below + up_to + 1) / 2


def _positions(values: FloatArray | IntArray) -> tuple[IntArray, IntArray]:
    """How many numbers are below each one, and how many are not above it."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    return below, np.searchsorted(ordered, values, side="right")


def normalised_ranks(values: FloatArray, groups: Sequence[IntArray]) -> FloatArray:
    """Where each picture stands among those of its group, float64 [N]: 1 is best, 0 is worst.

    Ties are averaged. A picture alone in its group, and every picture of a group whose values are all equal, stands at 0.5.
    NaN stays NaN and does not count among the others.
    """
    places = np.full(len(values), math.nan)
    for members in groups:
        scored = members[~np.isnan(values[members])]
        if len(scored) == 1:
            places[scored] = 0.5
        elif len(scored):
            places[scored] = (len(scored) - average_ranks(values[scored])) / (len(scored) - 1)
    return places


def standardised(values: FloatArray) -> FloatArray:
    """Values brought to mean 0 and standard deviation 1 (over N), NaN left out; 0 where they are all equal.

    Exact sums make the result independent of the order of the pictures, to the last bit.
    """
    known = values[~np.isnan(values)]
    if not len(known) or known.min() == known.max():
        return values * 0.0
    shifted = values - math.fsum(known / len(known))
    shifted /= np.nanmax(np.abs(shifted))
    squares = shifted[~np.isnan(shifted)] ** 2
    return shifted / math.sqrt(math.fsum(squares) / len(squares))


@dataclass(frozen=True)
class _Pairs:
    """Unordered pairs of pictures by how two scorers order them."""

    total: int
    same: int
    opposite: int
    tied_first: int
    tied_second: int

    @property
    def kendall(self) -> float:
        """Tau-b (Kendall 1945); NaN where a scorer gives all pictures the same score."""
        product = (self.total - self.tied_first) * (self.total - self.tied_second)
        return (self.same - self.opposite) / math.sqrt(product) if product else math.nan


def _count_pairs(first: FloatArray, second: FloatArray) -> _Pairs:
    """Counts pairs in N log² N steps, so that a folder of 100,000 pictures takes a second."""
    number = len(first)
    ranks_first, tied_first = _ranks_and_ties(first)
    ranks_second, tied_second = _ranks_and_ties(second)
    _, tied_both = _ranks_and_ties(ranks_first * number + ranks_second)
    # Ties of the first are in the second's order here, so that no inversion is counted among them.
    opposite = _inversions(ranks_second[np.lexsort((ranks_second, ranks_first))])
    total = number * (number - 1) // 2
    same = total - tied_first - tied_second + tied_both - opposite
    return _Pairs(total, same, opposite, tied_first, tied_second)


def _ranks_and_ties(values: FloatArray | IntArray) -> tuple[IntArray, int]:
    """How many numbers are below each one, and how many pairs of them are equal."""
    below, up_to = _positions(values)
    return below.astype(np.int64), (int((up_to - below).sum()) - len(values)) // 2


def _inversions(ranks: IntArray) -> int:
    """Pairs in which a larger number stands before a smaller one, counted by the highest binary digit in which they differ."""
    count = 0
    for bit in reversed(range(int(ranks.max(initial=0)).bit_length())):
        prefix, ones = ranks >> (bit + 1), (ranks >> bit) & 1
        ones_before = np.cumsum(ones) - ones
        starts = np.flatnonzero(np.diff(prefix, prepend=-1))
        in_group = ones_before - np.repeat(ones_before[starts], np.diff(starts, append=len(ranks)))
        count += int(in_group[ones == 0].sum())
        ranks = ranks[np.argsort(ranks >> bit, kind="stable")]
    return count


def _both(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    kept = ~(np.isnan(one) | np.isnan(two))
    return one[kept], two[kept]


def kendall_tau_b(first: FloatArray, second: FloatArray) -> float:
    """Kendall's tau-b of two lists of numbers, in -1..1.

    Pictures with NaN in either list are left out; NaN where fewer than two remain or one list holds one value only.

    >>> kendall_tau_b([1.0, 2.0, 3.0], [10.0, 30.0, 20.0])
    0.3333333333333333
    """
    return _count_pairs(*_both(first, second)).kendall


def spearman(first: FloatArray, second: FloatArray) -> float:
    """Spearman's rank correlation of two lists of numbers with ties averaged, in -1..1; NaN as in :func:`kendall_tau_b`.

    >>> spearman([1.0, 2.0, 3.0], [10.0, 30.0, 20.0])
    0.5
    """
    one, two = (average_ranks(values) for values in _both(first, second))
    if len(one) < 2:
        return math.nan
    one, two = one - one.mean(), two - two.mean()
    product = float((one @ one) * (two @ two))
    return float(one @ two) / math.sqrt(product) if product else math.nan


def top_overlap(first: FloatArray, second: FloatArray, top_k: int) -> float:
    """Share of the best ``top_k`` pictures that two lists have in common, in 0..1.

    Where ties straddle the border, the free places are shared out among the tied pictures, so that the order of the pictures
    does not matter. NaN pictures are left out; NaN where no more than ``top_k`` remain, since all of them would be "top".
    """
    one, two = _both(first, second)
    if len(one) <= top_k:
        return math.nan
    return float(np.minimum(_membership(one, top_k), _membership(two, top_k)).sum()) / top_k


def _membership(values: FloatArray, top_k: int) -> FloatArray:
    """How far each picture belongs to the best ``top_k``: 1, 0, or its share of the places left at the border."""
    border = np.sort(values)[-top_k]
    above, tied = values > border, values == border
    share_of_tied = (top_k - int(above.sum())) / int(tied.sum())
    return np.where(above, 1.0, np.where(tied, share_of_tied, 0.0))


@dataclass(frozen=True)
class PairAgreement:
    """How far two scorers agree.

    Attributes:
        prompts: Groups (prompts) in which both tell pictures apart; ``kendall`` is the mean over these.
        kendall: Kendall's tau-b in -1..1; NaN where there is no such group.
        pairs: Pairs of pictures of one group that both order strictly.
        agreed: Share of those pairs that both order the same way, in 0..1; NaN without pairs.
        favourite: In how many of the groups with several pictures both have the same best, in 0..1; else NaN.
    """

    first: str
    second: str
    pictures: int
    prompts: int
    kendall: float
    pairs: int
    agreed: float
    favourite: float

    def sentence(self) -> str:
        """The agreement in plain words."""
        who = f"{self.first} and {self.second}"
        if not self.pairs:
            return f"{who} cannot be compared: there are no two pictures for one prompt that both tell apart."
        same = f"{who} order {100 * self.agreed:.0f} % of {self.pairs} pairs of pictures the same way (50 % would be chance)"
        if math.isnan(self.favourite):
            return f"{same}."
        return f"{same} and have the same favourite for {100 * self.favourite:.0f} % of the prompts."


def agreement(members: Sequence[Scores]) -> tuple[PairAgreement, ...]:
    """Agreement of every two scorers about pictures with the same prompt, in the order of ``members``.

    Raises:
        DifferentPicturesError: The scores are not of the same pictures and prompts.
    """
    check_same_pictures(members)
    groups = members[0].groups("prompt") if members else []
    return tuple(_pair(one, two, groups) for one, two in combinations(members, 2))


def _pair(one: Scores, two: Scores, groups: Sequence[IntArray]) -> PairAgreement:
    taus, favourites = [], []
    pictures = same = opposite = 0
    for group in groups:
        first, second = _both(one.values[group], two.values[group])
        counted = _count_pairs(first, second)
        pictures, same, opposite = pictures + len(first), same + counted.same, opposite + counted.opposite
        taus.append(counted.kendall)
        favourites.append(top_overlap(first, second, 1))
    return PairAgreement(
        first=one.scorer,
        second=two.scorer,
        pictures=pictures,
        prompts=sum(not math.isnan(tau) for tau in taus),
        kendall=_mean(taus),
        pairs=same + opposite,
        agreed=same / (same + opposite) if same + opposite else math.nan,
        favourite=_mean(favourites),
    )


def _mean(numbers: Sequence[float]) -> float:
    """Mean of the numbers that are not NaN, whatever their order; NaN where there are none."""
    known = [number for number in numbers if not math.isnan(number)]
    return math.fsum(known) / len(known) if known else math.nan


@dataclass(frozen=True)
class Disagreement:
    """A picture that scorers place very differently.

    ``spread`` is the distance between its best and its worst normalised rank, in 0..1; 1 means first for one scorer, last for another.
    ``reason`` names the extremes in plain words.
    """

    index: int
    spread: float
    reason: str


def disagreements(
    members: Sequence[Scores], threshold: float = FLAG_THRESHOLD, within: Within = "prompt"
) -> tuple[Disagreement, ...]:
    """Pictures a person should look at, the most disputed first.

    A picture is flagged where its normalised ranks (:func:`normalised_ranks`) among the pictures of its prompt that every
    scorer scored lie at least ``threshold`` apart and there are at least three such pictures.

    Raises:
        DifferentPicturesError: The scores are not of the same pictures and prompts.
        ValueError: ``threshold`` is not above 0 and at most 1.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold}; expected a number above 0 and at most 1")
    check_same_pictures(members)
    if len(members) < 2:
        return ()
    complete = np.logical_and.reduce([~np.isnan(scores.values) for scores in members])
    found = []
    for group in members[0].groups(within):
        compared = group[complete[group]]
        if len(compared) < FLAG_PICTURES:
            continue
        everyone = [np.arange(len(compared), dtype=np.int64)]
        places = np.array([normalised_ranks(scores.values[compared], everyone) for scores in members])
        # Without the rounding, ranks 0.9 and 0.3 would be less than 0.6 apart.
        spreads = np.round(places.max(axis=0) - places.min(axis=0), 12)
        for at in np.flatnonzero(spreads >= threshold).tolist():
            high, low = int(places[:, at].argmax()), int(places[:, at].argmin())
            best = _rank_in_words(members[high].values[compared], at)
            worst = _rank_in_words(members[low].values[compared], at)
            reason = (
                f"{members[high].scorer} puts it {best} of {len(compared)}, {members[low].scorer} {worst}"
            )
            found.append(Disagreement(int(compared[at]), float(spreads[at]), reason))
    return tuple(sorted(found, key=lambda flag: (-flag.spread, flag.index)))


def _rank_in_words(values: FloatArray, at: int) -> str:
    """``2nd``, or ``2nd (tied)`` where other pictures have the same score."""
    rank = ordinal(int((values > values[at]).sum()) + 1)
    return f"{rank} (tied)" if (values == values[at]).sum() > 1 else rank


def ordinal(number: int) -> str:
    """A place in English: 1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
