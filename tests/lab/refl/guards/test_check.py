"""What makes a state bad, and what is decided then."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch

from imagereward_lab.refl.guards.check import Check, faults_of
from imagereward_lab.refl.guards.diversity import diversity
from imagereward_lab.refl.guards.options import GuardOptions
from imagereward_lab.refl.guards.watchdog import History, decide

BEFORE = Check(
    update=0,
    scores={"tuned": [0.0, 2.0], "other": [1.0, 3.0]},  # both have a deviation of 1
    diversity=0.5,
    own={"tuned": 0.9, "other": 0.8},
)


def now(update=10, **changes):
    return replace(BEFORE, update=update, **changes)


@pytest.mark.parametrize(
    "changes, words",
    [
        (
            {"scores": {"tuned": [3.0, 5.0], "other": [0.69, 2.69]}},
            "other (not tuned to) has fallen from 2.000 to 1.690",
        ),
        ({"scores": {"tuned": [-0.31, 1.69], "other": [1.0, 3.0]}}, "tuned (the reward) has fallen"),
        ({"diversity": 0.399}, "differ by 20 % less than before"),
        (
            {"own": {"tuned": 0.9, "other": 0.74}},
            "by other pictures go better with their own prompt than with another's in 74 %",
        ),
        ({"scores": {"tuned": [3.0, 5.0], "other": [math.nan, math.nan]}}, "other has no score"),
    ],
)
def test_a_fall_beyond_what_is_allowed_is_a_fault(changes, words):
    (fault,) = faults_of(now(**changes), BEFORE, GuardOptions())
    assert words in fault


def test_a_fall_within_what_is_allowed_and_any_rise_are_none():
    scores = {"tuned": [9.0, 9.0], "other": [0.71, 2.71]}
    found = now(scores=scores, diversity=0.401, own={"tuned": 1.0, "other": 0.76})
    assert faults_of(found, BEFORE, GuardOptions()) == ()


def test_what_cannot_be_measured_is_no_fault():
    blind = replace(BEFORE, diversity=math.nan, own={}, scores={"tuned": [1.0, 1.0]})
    assert faults_of(replace(blind, scores={"tuned": [0.0, 0.0]}), blind, GuardOptions()) == ()


def course(watch, goods, patience=2):
    """Takes checks that are good or not into a history until it is stopped; the history, and what was kept."""
    history, kept = History(), []
    options = GuardOptions(watch=watch, patience=patience)
    decide(history, BEFORE, options)
    for number, good in enumerate(goods, 1):
        found = now(number, diversity=0.5 if good else 0.1)
        kept.append(decide(history, found, options))
        if history.stopped:
            break
    return history, kept


def test_the_last_good_state_is_kept_and_bad_checks_in_a_row_stop_the_run():
    history, kept = course("stop", [True, False, True, False, False, True])
    assert kept == [True, False, True, False, False]
    assert (
        history.good == 3
        and "bad in 2 checks one after another: pictures for one prompt differ" in history.stopped
    )


def test_keep_goes_on_to_the_end_and_off_keeps_whatever_is_last():
    history, _ = course("keep", [True, False, False, False])
    assert (history.good, history.stopped, len(history.checks)) == (1, "", 5)
    history, _ = course("off", [True, False, False, False])
    assert (history.good, history.stopped) == (4, "")
    assert all(each.faults for each in history.checks[2:])  # they are still told


def test_a_history_comes_back_from_json():
    history, _ = course("stop", [True, False])
    history.checks.append(now(99, diversity=math.nan, scores={"tuned": [math.nan, 1.5], "other": [1.0, 3.0]}))
    again = History.from_dict(json.loads(json.dumps(history.to_dict(), allow_nan=False)))
    assert json.dumps(again.to_dict()) == json.dumps(history.to_dict())
    assert math.isnan(again.checks[-1].diversity) and math.isnan(again.checks[-1].scores["tuned"][0])


def test_diversity_is_about_pictures_of_one_prompt_and_not_about_their_grain():
    numbers = torch.Generator().manual_seed(0)
    flat = torch.rand(3, 4, 3, 1, 1, generator=numbers).expand(-1, -1, -1, 64, 64)
    grain = 0.2 * (torch.rand(flat.shape, generator=numbers) - 0.5)
    assert abs(diversity(flat + grain) / diversity(flat) - 1) < 0.02
    alike = flat[:, :1].expand(-1, 4, -1, -1, -1)
    assert diversity(alike) == 0  # though prompts differ
    assert math.isnan(diversity(flat[:, :1]))
