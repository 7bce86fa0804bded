"""With a copy of the reference's repository: its test set counts as published, and our accuracy is that of its own script.

``IMAGEREWARD_REPO=path/to/ImageReward pytest tests/lab/evaluation/test_published.py``; docs/evaluation.md says what was seen.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

import numpy as np
import pytest

from imagereward_core.metrics.pairs import PAIR_PROTOCOLS
from imagereward_lab.data.readers import open_rankings
from imagereward_lab.evaluation.accuracy import counts_of
from imagereward_lab.evaluation.options import EvaluateOptions
from imagereward_lab.figures.estimates import Estimator
from tests.support.lab.scored_rankings import scored

REFERENCE = Path(os.environ.get("IMAGEREWARD_REPO", "nowhere"))
pytestmark = pytest.mark.skipif(
    not (REFERENCE / "data" / "test.json").is_file(),
    reason="IMAGEREWARD_REPO names no copy of the reference",
)


@pytest.fixture(scope="module")
def rankings():
    return open_rankings(REFERENCE / "data" / "test.json").rankings


@pytest.fixture(scope="module")
def acc():
    """The function of that name in the reference's test.py, alone: the script's imports are not needed for it."""
    tree = ast.parse((REFERENCE / "test.py").read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "acc"]
    names: dict = {}
    exec(compile(tree, "test.py", "exec"), names)  # noqa: S102 - whoever runs the test has named it
    return names["acc"]


def test_the_test_set_counts_as_published(rankings):
    counts = counts_of(scored(rankings, {"A": [np.zeros(len(each.images)) for each in rankings]}))[0].sum(
        axis=0
    )
    assert len(rankings) == 466
    assert (int(counts[:3].sum()), int(counts[3:].sum())) == (6399, 831)


@pytest.mark.parametrize("seed", range(4))
def test_accuracy_is_that_of_the_reference_s_script(rankings, acc, seed):
    rng = np.random.default_rng(seed)
    # Few different scores, so that the script's rule for ties is tried as well; and scores that follow people.
    values = [
        (-np.array(each.ranks) * (seed % 2) + rng.normal(0, 2, len(each.images))).round(seed // 2)
        for each in rankings
    ]
    theirs = acc(
        [{"ranking": list(each.ranks)} for each in rankings], [{"rewards": row.tolist()} for row in values]
    )
    counts = counts_of(scored(rankings, {"A": values}))[0]
    assert PAIR_PROTOCOLS["pairs"].accuracy(counts) == pytest.approx(theirs, abs=1e-12)


def test_an_interval_on_the_test_set_is_about_two_points_to_each_side(rankings):
    rng = np.random.default_rng(0)
    values = [-np.array(each.ranks) + rng.normal(0, 3.2, len(each.images)) for each in rankings]
    whole = scored(rankings, {"A": values})
    estimator = Estimator(EvaluateOptions(), whole.prompts)
    found = estimator.ratio(*PAIR_PROTOCOLS["pairs"].parts(counts_of(whole)[0]))
    assert 0.6 < found.value < 0.7 and 0.01 < (found.high - found.low) / 2 < 0.02
