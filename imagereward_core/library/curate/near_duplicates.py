"""Near-duplicates among many pictures: the best of each group leads it, and what looks like the leader belongs to it.

Two pictures look alike where their perceptual hashes of 64 bits differ in few bits. Groups never chain: a picture is within the
distance of its leader, not merely of some other member, so a slow change over a hundred pictures does not become one group.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from ...scores import IntArray
from .options import DISTANCE, MOST_DISTANCE

_BITS = 64

HashArray = npt.NDArray[np.uint64]


def near_duplicates(
    fingerprints: Sequence[int | None],
    order: Sequence[int],
    distance: int = DISTANCE,
    labels: Sequence[Hashable] | None = None,
) -> IntArray:
    """The leader of every picture, int64 [N]: the first of ``order`` that looks like it and has no leader itself.

    Pictures are taken in order; each that has no leader yet becomes one, and leads all later ones within the distance. So a
    leader is its own leader, and whoever has another is never better than it. The work grows with the number of pictures whose
    hashes agree in at least one of ``distance + 1`` bands of bits, which near-duplicates must, and not with all pairs.

    Args:
        fingerprints: Perceptual hashes, 0..2**64 - 1; None for a picture without one, which is like no other.
        order: Indexes of the pictures to group, best first. The others are their own leaders.
        distance: In how many bits near-duplicates may differ, 0..12.
        labels: One per picture; only pictures with equal labels are compared. By default all are.

    Raises:
        ValueError: The distance is out of range.
    """
    if not 0 <= distance <= MOST_DISTANCE:
        raise ValueError(f"distance is {distance}; expected 0 to {MOST_DISTANCE} of {_BITS} bits")
    leaders = np.arange(len(fingerprints), dtype=np.int64)
    known = np.array([index for index in order if fingerprints[index] is not None], dtype=np.int64)
    if not len(known):
        return leaders
    hashes = np.array([fingerprints[index] for index in known], dtype=np.uint64)
    circles = _numbers([labels[index] for index in known] if labels is not None else [0] * len(known))
    # Copies have equal hashes: they are settled at once, and only one of each goes on.
    _, first, copy_of = np.unique(
        np.stack([circles.astype(np.uint64), hashes]), axis=1, return_index=True, return_inverse=True
    )
    kinds = np.sort(first)
    chosen = kinds[_lead(hashes[kinds], circles[kinds], distance)]
    leader_of_kind = np.zeros(len(known), dtype=np.int64)
    leader_of_kind[kinds] = chosen
    leaders[known] = known[leader_of_kind[first[copy_of.reshape(-1)]]]
    return leaders


def _numbers(labels: Sequence[Hashable]) -> IntArray:
    """Labels as numbers from 0 on."""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(label, len(seen)) for label in labels], dtype=np.int64)


def _lead(hashes: HashArray, circles: IntArray, distance: int) -> IntArray:
    """Leaders among different hashes that stand best first; only those of one circle are compared."""
    leaders = np.arange(len(hashes), dtype=np.int64)
    bands = [_band(hashes, circles, number, distance + 1) for number in range(distance + 1)]
    crowded = np.zeros(len(hashes), dtype=bool)
    for _, start, end in bands:
        crowded |= end - start > 1
    free = np.ones(len(hashes), dtype=bool)
    for index in np.flatnonzero(crowded).tolist():
        if not free[index]:
            continue
        near = np.concatenate([members[start[index] : end[index]] for members, start, end in bands])
        near = near[(near > index) & free[near]]
        near = near[_bits(hashes[near] ^ hashes[index]) <= distance]
        leaders[near] = index
        free[near] = False
    return leaders


def _band(
    hashes: HashArray, circles: IntArray, number: int, bands: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Who agrees in one band of bits: members sorted by it, and for every hash where those that agree with it begin and end.

    A band takes every ``bands``-th bit, so that it looks at the whole picture: plain backgrounds, which give many pictures the
    same neighbouring bits, then fall into different bands.
    """
    mask = np.uint64(sum(1 << bit for bit in range(number, _BITS, bands)))
    keys = hashes & mask
    members = np.lexsort((keys, circles)).astype(np.int64)
    keys, sorted_circles = keys[members], circles[members]
    new = np.ones(len(members), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]) | (sorted_circles[1:] != sorted_circles[:-1])
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(members))
    run = np.cumsum(new) - 1
    start, end = np.empty_like(members), np.empty_like(members)
    start[members], end[members] = starts[run], ends[run]
    return members, start, end


def _bits(words: HashArray) -> npt.NDArray[np.int64]:
    """How many bits of each word are set (NumPy 1.26 has no function for it)."""
    one, two, four = (
        np.uint64(mask) for mask in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F)
    )
    words = words - ((words >> np.uint64(1)) & one)
    words = (words & two) + ((words >> np.uint64(2)) & two)
    words = (words + (words >> np.uint64(4))) & four
    return ((words * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.int64)
