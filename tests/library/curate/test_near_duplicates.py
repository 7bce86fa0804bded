"""Near-duplicates: the best of each group leads it, groups do not chain, and no pair is overlooked."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagereward_core.images.identity import fingerprint
from imagereward_core.library.curate import near_duplicates as near
from imagereward_core.library.curate.near_duplicates import near_duplicates
from imagereward_core.library.curate.options import MOST_DISTANCE

words = st.integers(0, 2**64 - 1)


def flipped(word, bits):
    for bit in bits:
        word ^= 1 << bit
    return word


def differ(one, other):
    return (one ^ other).bit_count()


@st.composite
def families(draw):
    """Hashes in families: some alike, some the same, some missing."""
    found = []
    for word in draw(st.lists(words, min_size=1, max_size=5)):
        found += [
            flipped(word, bits)
            for bits in draw(st.lists(st.sets(st.integers(0, 63), max_size=9), min_size=1, max_size=5))
        ]
    return draw(st.permutations([*found, *[None] * draw(st.integers(0, 2))]))


@given(families(), st.integers(0, MOST_DISTANCE), st.data())
def test_it_is_what_comparing_all_pairs_best_first_gives(fingerprints, distance, data):
    order = data.draw(st.permutations(range(len(fingerprints))))
    labels = data.draw(
        st.lists(st.sampled_from("ab"), min_size=len(fingerprints), max_size=len(fingerprints))
    )
    expected = list(range(len(fingerprints)))
    chiefs: list[int] = []
    for index in order:
        mine = fingerprints[index]
        like = [
            chief
            for chief in chiefs
            if mine is not None
            and labels[chief] == labels[index]
            and differ(fingerprints[chief], mine) <= distance
        ]
        if like:
            expected[index] = like[0]
        elif mine is not None:
            chiefs.append(index)
    assert near_duplicates(fingerprints, order, distance, labels).tolist() == expected


def test_a_chain_of_small_changes_does_not_become_one_group():
    chain = [flipped(0, range(step)) for step in range(0, 60, 3)]
    leaders = near_duplicates(chain, range(len(chain)), distance=6)
    assert all(differ(chain[index], chain[leader]) <= 6 for index, leader in enumerate(leaders))
    assert len(set(leaders.tolist())) == 7  # a leader every nine bits


def test_pictures_outside_of_the_order_and_without_a_hash_stay_alone():
    assert near_duplicates([5, 5, None, None, 5], [1, 2, 0]).tolist() == [1, 1, 2, 3, 4]


def test_nothing_is_no_problem():
    assert near_duplicates([], []).tolist() == []
    assert near_duplicates([None], [0]).tolist() == [0]


@pytest.mark.parametrize("distance", [-1, MOST_DISTANCE + 1])
def test_a_senseless_distance_is_refused(distance):
    with pytest.raises(ValueError, match=f"distance is {distance}"):
        near_duplicates([1], [0], distance)


@pytest.mark.parametrize("plain", [False, True])
def test_thirty_thousand_pictures_take_no_quadratic_loop(plain, monkeypatch):
    """All pairs would be 450 million comparisons; half of the pictures may share most of their bits, as plain backgrounds do."""
    random = np.random.default_rng(1)
    words = random.integers(0, 2**64, 30_000, dtype=np.uint64)
    if plain:
        words[::2] &= np.uint64(0xFFFF_0000_FF00_0000)
    compared = []
    bits = near._bits
    monkeypatch.setattr(near, "_bits", lambda words: compared.append(len(words)) or bits(words))
    near_duplicates(words.tolist(), range(len(words)))
    assert sum(compared) < 10_000_000 and len(compared) <= len(words)


def photograph(random):
    """A random picture with the spectrum of a photograph."""
    noise = np.fft.rfft2(random.normal(size=(3, 256, 256)))
    distance = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None]) + 1 / 256
    levels = np.fft.irfft2(noise / distance**1.3)
    levels -= levels.min(axis=(1, 2), keepdims=True)
    levels *= 255 / levels.max(axis=(1, 2), keepdims=True)
    return Image.fromarray(levels.transpose(1, 2, 0).astype(np.uint8))


def test_resized_and_compressed_copies_are_found_and_other_pictures_are_not():
    random = np.random.default_rng(2)
    pictures = [photograph(random) for _ in range(20)]
    copies = []
    for picture in pictures:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=50)
        copies += [Image.open(stream).convert("RGB"), picture.resize((160, 160), Image.Resampling.LANCZOS)]
    hashes = [fingerprint(each) for each in [*pictures, *copies]]
    leaders = near_duplicates(hashes, range(len(hashes))).tolist()
    assert leaders == [*range(20), *(index // 2 for index in range(40))]
