"""A folder that sorts itself: files dropped while the watch runs, with the system's real events and the demo scorer."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagereward_core.library.curate.carry_out import take_back
from imagereward_core.library.curate.options import CurateOptions, CurationRule
from imagereward_core.library.journal import JournalError, open_journal
from imagereward_core.library.library import Library
from imagereward_core.library.store.records import Query
from imagereward_core.library.watch.folder_events import WatchError
from imagereward_core.library.watch.watcher import Watcher, WatchSettings
from imagereward_core.selection import Rule
from tests.support.library.curation import draw_outputs, tree

QUICK = WatchSettings(quiet=0.3, gather=0.3)
MOVE = CurateOptions(CurationRule(Rule(min_score=0.0)), action="move")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Pictures as files, to be dropped somewhere."""
    return draw_outputs(tmp_path_factory.mktemp("scenes"), prompts=2, pictures=3)


@pytest.fixture
def outputs(tmp_path):
    where = tmp_path / "out puts"
    where.mkdir()
    return where


class Watching:
    def __init__(self, watcher):
        self.watcher, self.passes, self.complaints = watcher, [], []
        watcher.report, watcher.complain = self.passes.append, self.complaints.append

    def until(self, true, seconds=20):
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"not in {seconds} s; complaints: {self.complaints}"
            time.sleep(0.05)


@contextmanager
def watching(outputs, panel, options=MOVE, settings=QUICK):
    """A watch in a thread, stopped at the end; what it raises is raised."""
    stop, raised = threading.Event(), []
    with Library.open(outputs / ".imagereward") as library:
        found = Watching(Watcher(library, panel, outputs, options, settings))

        def work():
            try:
                found.watcher.run(stop)
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield found
        finally:
            stop.set()
            thread.join(20)
        assert not thread.is_alive(), "it does not stop"
    if raised:
        raise raised[0]


def sorted_names(outputs):
    """Names of what was sorted. Nothing is opened: the watch may just be moving it."""
    return [
        Path(folder, name).relative_to(outputs).as_posix()
        for part in ("kept", "rejected")
        for folder, _, names in os.walk(outputs / part)
        for name in names
    ]


@pytest.mark.parametrize(
    "settings", [QUICK, WatchSettings(quiet=0.3, gather=0.3, poll=0.3)], ids=["events", "poll"]
)
def test_what_arrives_is_sorted_and_what_was_there_too(outputs, scenes, panel, settings):
    pytest.importorskip("watchdog")
    shutil.copy(scenes[0], outputs / "before.png")
    with watching(outputs, panel, settings=settings) as watch:
        watch.until(lambda: len(sorted_names(outputs)) == 1)
        shutil.copy(scenes[1], outputs / "one.png")
        (outputs / "new folder").mkdir()
        shutil.copy(scenes[2], outputs / "new folder" / "two ü.png")
        watch.until(lambda: len(sorted_names(outputs)) == 3)
        whole = outputs.parent / "moved in"
        whole.mkdir()
        shutil.copy(scenes[3], whole / "three.png")
        whole.rename(outputs / "moved in")
        watch.until(lambda: len(sorted_names(outputs)) == 4)
    names = {name.partition("/")[2] for name in sorted_names(outputs)}
    assert names == {"before.png", "one.png", "new folder/two ü.png", "moved in/three.png"}
    with Library.open(outputs / ".imagereward") as library:
        for row in library.scored(panel, outputs).rows:
            assert row.path.relative_to(outputs).parts[0] == ("kept" if row.value >= 0 else "rejected")
    assert watch.complaints == []


def test_a_picture_written_slowly_is_moved_once_whole(outputs, scenes, panel):
    data = scenes[0].read_bytes()
    with watching(outputs, panel) as watch:
        time.sleep(0.3)
        with (outputs / "slow.png").open("wb") as file:
            for start in range(0, len(data), len(data) // 8):
                file.write(data[start : start + len(data) // 8])
                file.flush()
                time.sleep(0.12)
                assert sorted_names(outputs) == []
        watch.until(lambda: sorted_names(outputs))
    assert (outputs / sorted_names(outputs)[0]).read_bytes() == data


def test_a_half_written_picture_is_waited_for_longer_than_it_is_quiet(outputs, scenes, panel):
    """A generator may pause in the middle of a file: what cannot be decoded stays, and is sorted when the rest comes."""
    data = scenes[0].read_bytes()
    path = outputs / "half.png"
    with watching(outputs, panel) as watch:
        path.write_bytes(data[: len(data) // 2])
        watch.until(lambda: any(row.problem for each in watch.passes for row in each.curation.rows))
        time.sleep(0.5)
        assert path.exists() and sorted_names(outputs) == []
        with path.open("ab") as file:
            file.write(data[len(data) // 2 :])
        watch.until(lambda: sorted_names(outputs))
    assert (outputs / sorted_names(outputs)[0]).read_bytes() == data


def test_a_restart_deals_with_what_came_meanwhile_and_does_nothing_twice(outputs, scenes, panel):
    shutil.copy(scenes[0], outputs / "a.png")
    with watching(outputs, panel) as watch:
        watch.until(lambda: len(sorted_names(outputs)) == 1)
    shutil.copy(scenes[1], outputs / "b.png")
    with watching(outputs, panel) as watch:
        watch.until(lambda: len(sorted_names(outputs)) == 2 and watch.passes)
        assert sum(each.scan.scored for each in watch.passes) == 1
    before = tree(outputs)
    with watching(outputs, panel) as watch:
        time.sleep(1.5)
    assert watch.passes == [] and tree(outputs) == before
    with open_journal(outputs / ".imagereward") as journal:
        assert [info.done for info in journal.runs()] == [1, 1]


def test_its_own_copies_and_edits_keep_it_quiet(outputs, scenes, panel):
    """Files that the watch makes or changes itself, beside the originals too, do not keep it busy for ever."""
    for action in ("copy", "stay"):
        options = CurateOptions(MOVE.rule, action=action, write_scores=True, xmp="both")
        for number in range(3):
            shutil.copy(scenes[number], outputs / f"{action} {number}.png")
        with watching(outputs, panel, options) as watch:
            watch.until(lambda: sum(each.carried.done for each in watch.passes) >= 9)
            time.sleep(1.5)
            before, done = tree(outputs), len(watch.passes)
            time.sleep(1.5)
            assert tree(outputs) == before and len(watch.passes) == done


def test_a_batch_costs_no_look_at_all_other_pictures(outputs, scenes, panel, monkeypatch):
    """With a hundred thousand pictures in a folder, every batch read all of their rows."""
    for number in range(3):
        shutil.copy(scenes[number], outputs / f"{number}.png")
    with watching(outputs, panel) as watch:
        watch.until(lambda: len(sorted_names(outputs)) == 3)
        monkeypatch.setattr(Library, "rows", lambda *_: pytest.fail("all rows were read"))
        shutil.copy(scenes[3], outputs / "new.png")
        watch.until(
            lambda: sum(each.carried.done for each in watch.passes) == 4
        )  # files show before their pass ends
        assert len(watch.passes[-1].curation.rows) == 1
    assert watch.complaints == []


@pytest.mark.parametrize("rule", [Rule(min_score=0.0), Rule(top_percent=50)], ids=["alone", "compared"])
def test_scores_are_written_into_what_arrives_and_into_nothing_else(outputs, scenes, panel, rule):
    options = CurateOptions(CurationRule(rule), action="move", write_scores=True, xmp="full")
    for number in range(3):
        shutil.copy(scenes[number], outputs / f"{number}.png")
    with watching(outputs, panel, options) as watch:
        watch.until(lambda: sum(each.carried.done for each in watch.passes) == 9)
        before = tree(outputs)
        shutil.copy(scenes[3], outputs / "new.png")
        watch.until(lambda: sum(each.carried.done for each in watch.passes) == 12)
    after = tree(outputs)
    assert {name: after[name] for name in before} == before


def take_back_soon(outputs):
    """Takes the last run back as soon as the watch, which may still be at work in the folder, lets us."""
    for _ in range(100):
        with Library.open(outputs / ".imagereward") as library:
            try:
                return take_back(library)
            except JournalError as error:
                assert "another program" in str(error)
                time.sleep(0.1)
    raise AssertionError("the watch never let the folder go")


def test_what_is_taken_back_meanwhile_is_left_alone_until_the_next_start(outputs, scenes, panel):
    shutil.copy(scenes[0], outputs / "a.png")
    with watching(outputs, panel) as watch:
        watch.until(lambda: len(sorted_names(outputs)) == 1)
        take_back_soon(outputs)
        assert (outputs / "a.png").exists()
        shutil.copy(scenes[1], outputs / "b.png")
        watch.until(lambda: len(sorted_names(outputs)) == 1)
        time.sleep(1)
        assert (outputs / "a.png").exists()
    with watching(outputs, panel) as watch:
        watch.until(lambda: len(sorted_names(outputs)) == 2)


def test_two_watches_of_one_folder_are_refused(outputs, panel):
    with watching(outputs, panel):
        time.sleep(0.5)
        with pytest.raises(WatchError, match="is being watched already"), watching(outputs, panel):
            time.sleep(0.5)


def test_a_folder_that_goes_away_is_waited_for(outputs, scenes, panel, monkeypatch, tmp_path):
    import imagereward_core.library.watch.watcher as module

    monkeypatch.setattr(module, "_AGAIN", 0.2)
    settings = WatchSettings(quiet=0.2, gather=0.2, sweep=0.4)
    with Library.open(tmp_path / "store") as library:
        stop = threading.Event()
        found = Watching(Watcher(library, panel, outputs, MOVE, settings))
        thread = threading.Thread(target=found.watcher.run, args=(stop,))
        thread.start()
        try:
            time.sleep(0.5)
            outputs.rename(tmp_path / "away")
            found.until(lambda: any("is not there" in each for each in found.complaints))
            (tmp_path / "away").rename(outputs)
            shutil.copy(scenes[0], outputs / "a.png")
            found.until(lambda: sorted_names(outputs))
        finally:
            stop.set()
            thread.join(20)


def test_without_the_package_it_says_what_to_do(outputs, panel, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "watchdog.events", None)
    with pytest.raises(WatchError, match="--poll"), watching(outputs, panel):
        time.sleep(0.5)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
def test_more_folders_than_the_system_watches_are_looked_at_every_so_often(
    outputs, panel, scenes, monkeypatch, number
):
    observers = pytest.importorskip("watchdog.observers")

    def limited(self):
        raise OSError(number, "inotify watch limit reached")

    monkeypatch.setattr(observers.Observer, "start", limited)
    monkeypatch.setattr("imagereward_core.library.watch.watcher._POLL", 0.3)
    with watching(outputs, panel) as found:
        found.until(lambda: found.complaints)
        shutil.copy(scenes[0], outputs / "late.png")
        found.until(lambda: not (outputs / "late.png").exists())
    assert "limit reached" in found.complaints[0] and "every" in found.complaints[0]


def test_events_that_end_at_a_folder_made_later_are_noticed(outputs):
    pytest.importorskip("watchdog.observers")
    from watchdog.observers.api import EventEmitter

    from imagereward_core.library.watch.folder_events import folder_events

    with folder_events(outputs, lambda _: None) as alive:
        assert alive()
        emitter = next(each for each in threading.enumerate() if isinstance(each, EventEmitter))
        emitter.stop()
        emitter.join(10)
        assert not alive()


def test_a_folder_that_vanishes_and_returns_keeps_its_store(outputs, panel, scenes, monkeypatch):
    monkeypatch.setattr("imagereward_core.library.watch.watcher._AGAIN", 0.2)
    away = outputs.with_name("away")
    with watching(outputs, panel, settings=WatchSettings(quiet=0.3, gather=0.3, poll=0.2)) as found:
        shutil.copy(scenes[0], outputs / "first.png")
        found.until(lambda: found.passes)
        outputs.rename(away)
        found.until(lambda: any("is not there" in text for text in found.complaints))
        time.sleep(0.5)
        assert not outputs.exists()
        away.rename(outputs)
        shutil.copy(scenes[1], outputs / "second.png")
        found.until(lambda: len(found.passes) > 1)
    with Library.open(outputs / ".imagereward") as library:
        assert len(list(library.rows(Query()))) == 2


def test_a_folder_that_returns_without_its_store_is_left_alone(outputs, panel, monkeypatch):
    monkeypatch.setattr("imagereward_core.library.watch.watcher._AGAIN", 0.2)
    settings = WatchSettings(quiet=0.3, gather=0.3, poll=0.2)
    with (
        pytest.raises(WatchError, match="is another or none"),
        watching(outputs, panel, settings=settings) as found,
    ):
        found.until(lambda: found.watcher._undone is not None)
        time.sleep(0.5)
        outputs.rename(outputs.with_name("away"))
        found.until(lambda: found.complaints)
        outputs.mkdir()
        time.sleep(1)
    assert not any(outputs.iterdir())
