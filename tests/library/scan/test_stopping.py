"""A scan may end at any instant: what it reported is in the store, and the next one goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagereward_core.errors import Cancelled
from imagereward_core.library.library import Library
from imagereward_core.library.scan import work
from imagereward_core.library.scan.keys import key_of
from imagereward_core.library.store.records import Query
from tests.support.library.scans import MeanScorer, panel_of, save

NUMBER = 40
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(NUMBER):
        save(folder / str(number % 3) / f"{number}.png", number)
    return folder


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(work, "_LEAST", 2)
    monkeypatch.setattr(work, "_MOST", 4)


def scored(library, scorer):
    return library.count(Query(key=key_of(scorer), scored=True))


def test_what_is_reported_is_in_the_store(tree, tmp_path, small_steps):
    scorer, told = MeanScorer(), []
    with Library.open(tmp_path / "a") as library, Library.open(tmp_path / "a") as other:
        result = library.scan(
            [tree], panel_of(scorer), progress=lambda now: told.append((now, scored(other, scorer)))
        )
    assert all(count >= now.done - now.failed for now, count in told)
    assert [now.total for now, _ in told][-1] == NUMBER == result.done
    last = told[-1][0]
    assert (last.found, last.known, last.done, last.failed) == (NUMBER, 0, NUMBER, 0)
    assert last.rate > 0 and last.seconds_left == 0
    assert all(last.stages[name] > 0 for name in ("read", "decode", "infer", "write"))
    assert told[0][0].total is None and told[0][0].found > 0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_a_scan_stopped_again_and_again_scores_everything_once(tree, tmp_path_factory, small_steps, stops):
    scorer = MeanScorer()
    with Library.open(tmp_path_factory.mktemp("store")) as library:
        for patience in stops:
            left = iter(range(patience))
            result = library.scan(
                [tree], panel_of(scorer), cancelled=lambda left=left: next(left, None) is None
            )
            assert result.stopped or result.done + result.known == NUMBER
            assert scored(library, scorer) == len(scorer.seen)
        assert not library.scan([tree], panel_of(scorer)).stopped
        assert scored(library, scorer) == len(scorer.seen) == NUMBER


def test_a_host_that_stops_the_model_stops_the_scan(tree, tmp_path, small_steps):
    scorer = MeanScorer()

    def check():
        if len(scorer.seen) >= 10:
            raise Cancelled("the person has stopped it")

    scorer.runtime.check_cancelled = check
    with Library.open(tmp_path / "a") as library:
        result = library.scan([tree], panel_of(scorer))
        assert result.stopped and 0 < scored(library, scorer) <= 12
        scorer.runtime.check_cancelled = lambda: None
        library.scan([tree], panel_of(scorer))
        assert scored(library, scorer) == NUMBER


def test_a_scorer_that_breaks_raises_and_loses_nothing_before_it(tree, tmp_path, small_steps):
    scorer = MeanScorer()
    rewards = scorer.rewards

    def breaking(*given):
        if len(scorer.seen) >= 10:
            raise RuntimeError("device-side assert")
        return rewards(*given)

    scorer.rewards = breaking
    with Library.open(tmp_path / "a") as library:
        with pytest.raises(RuntimeError, match="device-side"):
            library.scan([tree], panel_of(scorer))
        kept = scored(library, scorer)
        assert kept >= 8
        scorer.rewards = rewards
        assert library.scan([tree], panel_of(scorer)).scored == NUMBER - kept


def test_steps_that_become_smaller_than_what_is_decoded_ahead_go_on(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "_AHEAD", 2)
    monkeypatch.setattr(work, "_SECONDS", 0.0)
    with Library.open(tmp_path / "a") as library:
        assert library.scan([tree], panel_of(MeanScorer())).done == NUMBER


CHILD = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.support.library.scans import MeanScorer, panel_of
from imagereward_core.library.library import Library
from imagereward_core.library.scan import work
work._LEAST = work._MOST = 2
with Library.open(Path(sys.argv[1])) as library:
    library.scan([Path(sys.argv[2])], panel_of(MeanScorer()), progress=lambda now: print(now.done, flush=True))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_no_score_is_lost_once_reported_when_the_process_is_killed(tree, tmp_path):
    code = CHILD.format(root=str(ROOT))
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a"), str(tree)], stdout=subprocess.PIPE, text=True
    )
    reported = 0
    for line in child.stdout:
        reported = int(line)
        if reported >= 6:
            os.kill(child.pid, signal.SIGKILL)
            break
    child.wait()
    child.stdout.close()
    scorer = MeanScorer()
    with Library.open(tmp_path / "a") as library:
        kept = scored(library, scorer)
        assert reported >= 6 and kept >= reported
        assert library.scan([tree], panel_of(scorer)).scored == len(scorer.seen) == NUMBER - kept
        assert scored(library, scorer) == NUMBER


def test_two_scans_at_once_on_one_store_agree(tree, tmp_path, small_steps):
    errors: list[BaseException] = []

    def run():
        try:
            with Library.open(tmp_path / "a") as library:
                library.scan([tree], panel_of(MeanScorer()))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    scorer = MeanScorer()
    with Library.open(tmp_path / "a") as library:
        assert scored(library, scorer) == NUMBER == library.count(Query())
        assert library.scan([tree], panel_of(scorer)).known == NUMBER
        check = library.database._writer.execute("PRAGMA integrity_check").fetchone()[0]
    assert check == "ok"


def test_pages_are_read_while_a_scan_writes(tree, tmp_path, small_steps):
    scorer = MeanScorer()
    pages = []
    with Library.open(tmp_path / "a") as library:
        library.scan(
            [tree],
            panel_of(scorer),
            progress=lambda now: pages.append(len(library.page(Query(key=key_of(scorer))))),
        )
    assert pages[-1] == NUMBER
