"""A store that came along with a folder is no proof of anything: that its numbers are used is told, and they can be made anew."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from imagereward_core.library.store.schema import MIGRATIONS
from tests.support.command import SETTINGS, save_picture

CURATE = ("curate", "-s", "demo", "--top", "1", "-n", "-f", "json")
NOTE = "was made elsewhere"


@pytest.fixture
def batch(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for number in range(3):
        save_picture(tmp_path / "batch" / f"{number}.png", (40 * number, 120, 200), "a red star" + SETTINGS)
    return tmp_path / "batch"


def kept(done):
    return [
        each["file"].rpartition("/")[2] for each in done.document["pictures"] if each["sorted_as"] == "kept"
    ]


def forge(folder):
    with closing(sqlite3.connect(folder / ".imagereward" / "library.sqlite3")) as connection:
        connection.execute("UPDATE scores SET value = -value")
        connection.execute("UPDATE ranking SET negated = -negated")
        connection.commit()


def test_ones_own_store_is_not_spoken_of_also_renamed(run, batch, tmp_path):
    for place in (batch, batch, tmp_path / "renamed"):
        if place != batch:
            batch.rename(place)
        done = run(*CURATE, place)
        assert done.code == 0 and NOTE not in done.err


def test_a_strangers_numbers_are_told_in_every_command_and_made_anew(run, batch, tmp_path):
    best = kept(run(*CURATE, batch))
    forge(batch)
    theirs = tmp_path / "theirs"
    shutil.copytree(batch, theirs)
    done = run(*CURATE, theirs)
    assert kept(done) != best and NOTE in done.err and "--rescore" in done.err
    assert NOTE in run("report", theirs).err and NOTE in run("stars", theirs).err
    done = run(*CURATE, theirs, "--rescore")
    assert kept(done) == best and NOTE not in done.err
    assert NOTE not in run(*CURATE, theirs).err and NOTE not in run("report", theirs).err


def test_a_store_of_before_is_not_scored_again(run, batch, monkeypatch):
    """It has no signature; one option makes it one's own."""
    run(*CURATE, batch)
    with closing(sqlite3.connect(batch / ".imagereward" / "library.sqlite3")) as connection:
        connection.execute("DROP TABLE origin")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
        connection.commit()
    forge(batch)  # so that scoring again would show
    done = run(*CURATE, batch)
    before = [each["score"] for each in done.document["pictures"]]
    assert NOTE in done.err
    done = run(*CURATE, batch, "--trust-scores")
    assert NOTE not in done.err and [each["score"] for each in done.document["pictures"]] == before
    assert NOTE not in run(*CURATE, batch).err


def test_a_signature_is_of_one_folder_and_one_key(run, batch, tmp_path, home):
    """Copied rows, changed rows and another user's key prove nothing."""
    run(*CURATE, batch)
    store = batch / ".imagereward" / "library.sqlite3"
    with closing(sqlite3.connect(store)) as connection:
        row = connection.execute("SELECT * FROM origin").fetchone()
    other = tmp_path / "other"
    save_picture(other / "1.png", (1, 2, 3), "a star" + SETTINGS)
    run(*CURATE, other)
    place = str(other / ".imagereward")
    for values in (row, (row[0], place, *row[2:]), (row[0], place, "1", "2", b"x"), (None, 1, 2, 3, None)):
        with closing(sqlite3.connect(other / ".imagereward" / "library.sqlite3")) as connection:
            connection.execute("DELETE FROM origin")
            connection.execute("INSERT INTO origin VALUES (?, ?, ?, ?, ?)", (values[0] or b"", *values[1:]))
            connection.commit()
        assert NOTE in run(*CURATE, other).err
    (home / ".local" / "share" / "imagereward" / "journal.key").unlink(missing_ok=True)
    assert NOTE in run(*CURATE, batch).err


def test_nothing_is_forgotten_where_the_scorer_cannot_be_had(run, batch):
    assert run(*CURATE, batch).code == 0
    place = batch / ".imagereward" / "library.sqlite3"
    with closing(sqlite3.connect(place)) as connection:
        (before,) = connection.execute("SELECT count(*) FROM scores").fetchone()
    failed = run("curate", batch, "-s", "PickScore", "--offline", "--top", "1", "-n", "--rescore")
    assert failed.code != 0
    with closing(sqlite3.connect(place)) as connection:
        assert before and connection.execute("SELECT count(*) FROM scores").fetchone() == (before,)
