"""Several annotators of the same pictures become probabilities."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_lab.data.joined import join
from imagereward_lab.data.ranking import Ranking


@settings(max_examples=100, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda size: st.lists(
            st.tuples(
                st.permutations(range(size)), st.lists(st.integers(0, 3), min_size=size, max_size=size)
            ),
            min_size=1,
            max_size=5,
        )
    )
)
def test_votes_are_counted_pair_by_pair_whatever_the_order(votes):
    rankings = [Ranking("p", tuple(f"i{place}" for place in order), tuple(ranks)) for order, ranks in votes]
    (joined,) = join(rankings)
    found = joined.preferences()
    for one, first in enumerate(joined.images):
        for two, second in enumerate(joined.images):
            half = []
            for ranking in rankings:
                a, b = (ranking.ranks[ranking.images.index(name)] for name in (first, second))
                if a and b and first != second:
                    half.append(1.0 if a < b else 0.5 if a == b else 0.0)
            assert joined.votes[one, two] == len(half)
            np.testing.assert_allclose(found[one, two], np.mean(half) if half else np.nan)


def test_other_prompts_and_other_pictures_are_apart_and_coarse_ranks_tie_nothing():
    rankings = [
        Ranking("p", ("x", "y"), (1, 2), split="test", category="c"),
        Ranking("q", ("x", "y"), (1, 2)),
        Ranking("p", ("x", "y", "z"), (1, 1, 2), coarse=True),
        Ranking("p", ("y", "x"), (1, 2)),
    ]
    first, second, third = join(rankings)
    assert (first.prompt, first.images, first.rankings, first.split, first.category) == (
        "p",
        ("x", "y"),
        2,
        "test",
        "c",
    )
    assert first.preferences()[0, 1] == 0.5 and second.preferences(prior=1)[0, 1] == 2 / 3
    assert third.votes.tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
    assert np.isnan(third.preferences(prior=1)[0, 1])
