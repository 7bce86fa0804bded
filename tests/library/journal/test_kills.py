"""A process killed at any instant loses, doubles and half-writes nothing, and its run can be finished or taken back."""

from __future__ import annotations

import os
from importlib import import_module

import pytest

from benchmarks.kill_lines import KINDS, LineKills
from benchmarks.killing import WATCHED, instants
from tests.support import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to make processes cheaply")


def test_processes_are_killed_in_code_that_is_there():
    files = [str(path) for path in (ROOT / "imagereward_core").rglob("*.py")]
    assert [part for part in WATCHED if not any(part in file for file in files)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_any_instant_can_be_finished_and_undone(kind, tmp_path):
    trials = LineKills(kind, tmp_path)
    seed = KINDS.index(kind)
    trials.while_doing(instants(seed, trials.lines, 6))
    trials.while_undoing(instants(seed, trials.lines_back, 3))
    assert trials.wrong == [] and trials.kills == 9


@pytest.mark.parametrize("kind", ["copy", "move", "edit"])
def test_a_kill_at_any_instant_leaves_steps_that_lead_out_signed(kind, tmp_path):
    trials = LineKills(kind, tmp_path, leading_out=True)
    seed = KINDS.index(kind)
    trials.while_doing(instants(seed, trials.lines, 4))
    trials.while_undoing(instants(seed, trials.lines_back, 3))
    assert trials.wrong == [] and trials.kills == 7


@pytest.mark.parametrize("kind", ["copy", "move"])
def test_a_kill_while_an_earlier_one_is_settled_leaves_nothing_half_done(kind, tmp_path):
    trials = LineKills(kind, tmp_path)
    # Where pictures are back and their text files are to follow.
    late = range(trials.lines_back * 3 // 5, trials.lines_back * 9 // 10, trials.lines_back // 16)
    trials.while_settling(True, late, 5, seed=5)
    trials.while_settling(False, instants(2, trials.lines, 2), 4, seed=5)
    assert trials.wrong == [] and trials.kills >= 30


def test_the_kill_test_sees_what_it_looks_for(tmp_path, monkeypatch):
    """Where nothing is settled after a kill, the same trials fail."""
    for name in ("run", "recovery"):
        monkeypatch.setattr(
            import_module(f"imagereward_core.library.journal.{name}"), "settle_all", lambda journal: []
        )
    trials = LineKills("move", tmp_path)
    trials.while_doing(instants(0, trials.lines, 12), lambda number: False)
    assert trials.wrong != []
