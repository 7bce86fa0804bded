"""A panel of scorers: one decides, each of the others is shown once beside it."""

from __future__ import annotations

import pytest

from imagereward_core.scorers.blend import Blend, BlendMember, BlendScorer
from imagereward_core.scorers.panel import Panel, PanelResult
from tests.support.library.scans import MeanScorer, pixels

ONE, TWO = MeanScorer("one"), MeanScorer("two", reads_prompt=False)
BOTH = BlendScorer(Blend("both", (BlendMember("one"), BlendMember("two"))), [ONE, TWO])


def judged(panel: Panel) -> PanelResult:
    return panel.judge(
        panel.score([pixels(seed) for seed in range(4)], ["a cat", "a", "a cat on a mat", "cat"])
    )


@pytest.mark.parametrize(
    ("main", "others", "beside", "pairs"),
    [
        (ONE, [ONE], [], 0),
        (ONE, [TWO, ONE], ["two"], 1),
        (ONE, [TWO, MeanScorer("one"), TWO], ["two"], 1),
        (ONE, [BOTH, ONE], ["blend:both"], 1),
        (BOTH, [BOTH], ["one", "two"], 1),
        (BOTH, [TWO, BOTH], ["one", "two"], 1),
        (BOTH, [MeanScorer("three"), ONE], ["one", "two", "three"], 3),
    ],
)
def test_the_scorer_that_decides_is_not_shown_beside_itself_and_no_other_twice(main, others, beside, pairs):
    result = judged(Panel(main, others))
    assert result.main.scorer == main.card.id
    assert [each.scorer for each in result.beside] == beside
    # Whoever agrees with itself tells a person nothing.
    assert len(result.agreement) == pairs and not [
        each for each in result.agreement if each.first == each.second
    ]
