"""Values survive the way into SQLite and back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.files import values
from imagereward_core.files.values import from_name, intern, signed, to_name, unsigned
from imagereward_core.library.library import Library
from imagereward_core.plain import well_formed


@given(st.integers(0, 2**64 - 1))
def test_64_bits_come_back(number):
    assert unsigned(signed(number)) == number
    assert -(2**63) <= signed(number) < 2**63


@pytest.mark.skipif(sys.platform == "win32", reason="names are UTF-16 there")
@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_every_name_comes_back_to_the_byte(name):
    stored = to_name(os.fsdecode(name))
    assert os.fsencode(from_name(stored)) == name
    if isinstance(stored, str):
        stored.encode("utf-8")


@given(st.lists(st.text(alphabet=st.characters(), max_size=12), max_size=30))
def test_equal_texts_share_a_number_and_different_ones_do_not(texts):
    with Library.open(PLACE) as library, library.database.writing() as connection:
        numbers = [intern(connection, text) for text in texts]
        stored = [
            connection.execute("SELECT text FROM texts WHERE id = ?", (number,)).fetchone()[0]
            for number in numbers
        ]
    assert stored == [well_formed(text) for text in texts]
    assert len(set(numbers)) == len(set(stored))


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory):
    global PLACE
    PLACE = tmp_path_factory.mktemp("place")


PLACE = Path()


def test_texts_with_one_hash_stay_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(values, "text_hash", lambda text: 7)
    with Library.open(tmp_path) as library, library.database.writing() as connection:
        numbers = [intern(connection, text) for text in ("one", "two", "one", "")]
    assert numbers[0] == numbers[2] != numbers[1] and numbers[3] == 0


def test_halves_of_surrogate_pairs_are_replaced():
    assert well_formed("a\ud800b") == "a?b"
