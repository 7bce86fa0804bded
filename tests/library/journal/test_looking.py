"""Looking at a journal settles nothing, makes no file, and works where nothing can be written."""

from __future__ import annotations

import os
import shutil
import sqlite3

import pytest

from benchmarks.hostile.tricks import bring
from benchmarks.killing import killed_at_line, lines_of
from imagereward_core.files.sqlite import Database, StoreError
from imagereward_core.library.journal import Journal, open_journal, refused
from imagereward_core.library.store.schema import APPLICATION_ID, MIGRATIONS
from tests.support.library.acting import act, to, well


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def place(outputs):
    with open_journal(outputs / ".imagereward") as journal:
        well(act(journal, to("copy", outputs / "00002.png", outputs / "kept" / "00002.png")))
    return outputs / ".imagereward"


def test_looking_changes_no_byte(place):
    before = files_of(place)
    with Journal.look(place) as journal:
        assert journal.last_done().id == 1 and refused(journal) == []
        assert files_of(place) == before
    assert files_of(place) == before


def test_looking_at_a_journal_that_is_not_there_makes_none(tmp_path):
    with Journal.look(tmp_path / "nothing" / ".imagereward") as journal:
        assert journal.runs() == [] and journal.last_done() is None
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to make processes cheaply")
def test_looking_after_a_kill_sees_what_was_written_and_settles_nothing(outputs, tmp_path):
    def work(root):
        with open_journal(root / ".imagereward") as journal:
            act(journal, to("copy", root / "00002.png", root / "kept" / "00002.png"))

    lines = lines_of(lambda: work(shutil.copytree(outputs, tmp_path / "count")))
    half_done = 0
    for twentieth in range(8, 20):
        root = shutil.copytree(outputs, tmp_path / str(twentieth))
        assert killed_at_line(lines * twentieth // 20, lambda root=root: work(root))
        place = root / ".imagereward"
        kept = sorted(path.name for path in root.rglob("*"))
        with Journal.look(place) as journal:
            half_done += journal.unsettled() == [1]
        assert sorted(path.name for path in root.rglob("*")) == kept
    assert half_done > 0


def test_looking_while_another_writes(place):
    with open_journal(place) as writing, Journal.look(place) as looking:
        run = writing.begin("now", [])
        assert [info.id for info in looking.runs()] == [1, run]


def test_a_journal_of_the_version_before_is_looked_at_as_it_is(outputs):
    journal = bring(outputs, {})
    before = files_of(journal.parent)
    with Journal.look(journal.parent) as looking:
        assert looking.run(1).done == 1
    assert files_of(journal.parent) == before
    with sqlite3.connect(journal) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_what_was_opened_to_look_cannot_be_written(place):
    with Journal.look(place) as journal, pytest.raises(StoreError, match="only to look"):
        journal.begin("x", [])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_can_only_be_read_is_looked_at(place):
    place.chmod(0o500)
    try:
        with Journal.look(place) as journal:
            assert journal.last_done().id == 1
    finally:
        place.chmod(0o700)


def test_a_name_that_sqlite_would_take_for_an_option_is_a_name(tmp_path):
    path = tmp_path / "a?mode=rwc#b%20" / "library.sqlite3"
    Database(path, application=APPLICATION_ID, migrations=MIGRATIONS).close()
    Database(path, application=APPLICATION_ID, read_only=True, migrations=MIGRATIONS).close()
    assert [each.name for each in tmp_path.iterdir()] == ["a?mode=rwc#b%20"]
