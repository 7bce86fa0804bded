"""The reference's published test set, where it is given: IMAGEREWARD_REPO names a clone of the ImageReward repository."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from imagereward_lab.data.readers import open_rankings

REPOSITORY = os.environ.get("IMAGEREWARD_REPO")


@pytest.mark.skipif(not REPOSITORY, reason="IMAGEREWARD_REPO names no clone of the ImageReward repository")
def test_the_published_test_set_counts_as_the_paper_says():
    data = open_rankings(Path(str(REPOSITORY)) / "data" / "test.json")
    assert (data.format, len(data), data.left_out) == ("reference", 466, 0)
    assert sum(len(ranking.pairs) for ranking in data.rankings) == 6399
    assert sum(len(ranking.ties) for ranking in data.rankings) == 831
    assert Counter(len(ranking.images) for ranking in data.rankings) == {
        4: 194,
        5: 2,
        6: 45,
        7: 159,
        8: 43,
        9: 23,
    }
    assert len({ranking.prompt for ranking in data.rankings}) == 463  # three repeat another one's prompt
    # Five slots of at most two pictures: what people ranked with.
    assert all(
        max(Counter(ranking.ranks).values()) <= 2 and max(ranking.ranks) <= 5 for ranking in data.rankings
    )
