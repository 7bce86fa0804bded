"""What two texts have otherwise: exact however often they repeat their words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imagereward_lab.server.browse.difference import pieces

texts = st.lists(st.sampled_from(["a", "b", ",", " ", "fox"]), max_size=14).map("".join)


def longest_in_common(one, other):
    """Letters of a longest common subsequence, by the textbook's table."""
    lengths = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for row, left in enumerate(one):
        for column, right in enumerate(other):
            more = max(lengths[row][column + 1], lengths[row + 1][column])
            lengths[row + 1][column + 1] = max(more, lengths[row][column] + (left == right))
    return lengths[-1][-1]


def words(text):
    """Single letters are words here, so that the table of letters is that of words."""
    return " ".join(text.replace(" ", "").replace("fox", "f"))


@given(texts, texts)
def test_all_of_both_texts_is_there_and_what_is_shared_is_the_same_and_the_most(one, other):
    one, other = words(one), words(other)
    left, right = pieces(one, other)
    assert "".join(text for text, _ in left) == one and "".join(text for text, _ in right) == other
    shared = ["".join(text for text, is_own in side if not is_own) for side in (left, right)]
    assert shared[0] == shared[1] and len(shared[0]) == longest_in_common(one, other)
    assert all(before[1] != after[1] for side in (left, right) for before, after in zip(side, side[1:]))


def test_texts_of_strangers_that_repeat_themselves_are_compared_as_well():
    left, right = pieces("a," * 1500, ",a b" * 750)  # difflib takes many minutes for these
    assert "".join(text for text, _ in left) == "a," * 1500
    assert "".join(text for text, is_own in right if is_own).replace(" ", "") == "b" * 750
