"""Clips: frames chosen by a rule, and one score out of theirs."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core import clips
from imagereward_core.clips import FrameRule
from imagereward_core.scores import Scores


def frames(values, failures=()):
    number = len(values)
    prompts = tuple(f"prompt {at}" for at in range(number))
    return Scores(np.array(values), "demo", "r", prompts, ("",) * number, dict(failures))


def test_the_examples_hold():
    assert doctest.testmod(clips).attempted >= 2 and not doctest.testmod(clips).failed


@given(st.sampled_from(["first", "middle", "last", "spread"]), st.integers(1, 40), st.integers(1, 300))
def test_frames_are_inside_the_clip_rising_and_each_once(which, count, length):
    found = FrameRule(which, count).of(length)
    assert list(found) == sorted(set(found)) and found[0] >= 0 and found[-1] < length
    assert len(found) == (min(count, length) if which == "spread" else 1)
    if which == "spread" and count > 1:
        assert found[0] == 0 and found[-1] == length - 1
        steps = np.diff(found)
        assert len(steps) == 0 or steps.max() - steps.min() <= 1


@pytest.mark.parametrize(("pooling", "expected"), [("mean", [2.0, 5.0]), ("lowest", [1.0, 5.0])])
def test_a_clip_has_the_mean_or_the_lowest_of_its_frames(pooling, expected):
    pooled = FrameRule("spread", 3, pooling).pool(frames([1.0, 2.0, 3.0, 5.0]), [(0, 4, 8), (0,)])
    assert pooled.values.tolist() == expected and pooled.prompts == ("prompt 0", "prompt 3")


def test_a_clip_with_a_bad_frame_has_no_score_and_names_the_frame():
    scores = frames([1.0, math.nan, math.nan, math.nan], {1: "it holds NaN", 2: "no prompt", 3: "no prompt"})
    pooled = FrameRule("spread", 2).pool(scores, [(0, 8), (0, 4)])
    assert pooled.failures == {0: "frame 9: it holds NaN", 1: "no prompt"}


@pytest.mark.parametrize("bad", [{"which": "all"}, {"pooling": "max"}, {"count": 0}])
def test_a_rule_that_means_nothing_is_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        FrameRule(**bad)
