"""The journal: what it tells about runs, who may act, and what it does with files it cannot use."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import tracemalloc

import pytest

from benchmarks.killing import killed_at_line, lines_of
from imagereward_core.errors import CuratorError
from imagereward_core.library.journal import Journal, JournalError, Step, execute, open_journal, recover, undo
from imagereward_core.metadata.writing.splice import Splice
from tests.support.library.acting import act, states, to, well

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to make processes cheaply")


def test_runs_tell_what_became_of_them(journal, outputs, kept):
    steps = [to("copy", outputs / name, kept / name) for name in ("00002.png", "00003.png", "gone.png")]
    first = journal.begin("keep the best ü", steps)
    journal.begin("never executed", steps)
    assert [run.state for run in journal.runs()] == ["planned", "planned"]
    execute(journal, first)
    run = journal.run(first)
    assert (run.title, run.state, run.steps, run.done, run.failed) == ("keep the best ü", "done", 3, 2, 1)
    assert run.when.endswith("+00:00")
    assert journal.undone() == {}
    undo(journal, first)
    assert (journal.run(first).state, journal.run(first).undone) == ("undone", 2)
    assert list(journal.undone()) == [first]


def test_steps_tell_where_files_went(journal, outputs, kept):
    kept.mkdir()
    (kept / "00000.png").write_bytes(b"somebody else's")
    run = act(journal, to("move", outputs / "00000.png", kept / "00000.png")).run
    picture, *texts = journal.steps(run)
    assert (picture.made, picture.state, picture.companion) == (kept / "00000 (2).png", "done", False)
    assert {info.made.name for info in texts} == {"00000 (2).txt", "00000 (2).png.xmp"}
    assert all(info.companion for info in texts)


def test_everything_survives_closing(outputs, kept, tmp_path):
    picture = outputs / "00002.png"
    steps = [
        Step("copy", picture, kept / "00002.png"),
        Step("edit", picture, picture, (Splice(8, b"", b"a"), Splice(20, bytes([2]) * 4, b""))),
        Step("put", outputs / "x.xmp", outputs / "x.xmp", content=bytes(range(256))),
    ]
    with open_journal(tmp_path / ".imagereward") as journal:
        journal.begin("later", steps)
    with open_journal(tmp_path / ".imagereward") as journal:
        assert [info.step for info in journal.steps(1)] == steps
        well(execute(journal, 1))
        assert states(journal, 1) == ["done"] * 3


@pytest.mark.parametrize(
    "bad", [{"kind": "delete"}, {"kind": "copy", "content": b"x"}, {"kind": "put", "splices": (1,)}]
)
def test_a_step_that_makes_no_sense_is_refused_at_once(bad, outputs):
    with pytest.raises(ValueError, match="kind"):
        Step(source=outputs, target=outputs, **bad)


def test_an_unknown_run_is_an_error(journal):
    for work in (execute, undo):
        with pytest.raises(JournalError, match="knows no run 7"):
            work(journal, 7)


def test_two_cannot_act_on_one_journal(outputs, kept, tmp_path):
    step = to("copy", outputs / "00002.png", kept / "00002.png")
    with open_journal(tmp_path / ".imagereward") as one, open_journal(tmp_path / ".imagereward") as other:
        run = one.begin("a test", [step])
        with one.acting():
            for work in (lambda: execute(other, run), lambda: undo(other), lambda: recover(other)):
                with pytest.raises(JournalError, match="another program is working with"):
                    work()
            assert [info.id for info in other.runs()] == [run]
        well(execute(other, run))


@forks
def test_the_lock_of_a_killed_process_is_free(outputs, tmp_path):
    def work(root):
        with open_journal(root / ".imagereward") as journal:
            act(journal, to("copy", root / outputs.name / "00002.png", root / "kept" / "00002.png"))

    shutil.copytree(outputs, tmp_path / "one" / outputs.name)
    lines = lines_of(lambda: work(tmp_path / "one"))
    assert killed_at_line(lines - 200, lambda: work(tmp_path))
    with open_journal(tmp_path / ".imagereward") as journal:
        well(execute(journal, 1))


def test_opening_does_not_settle_what_another_process_is_doing(outputs, kept, tmp_path):
    with open_journal(tmp_path / ".imagereward") as one:
        run = one.begin("a test", [to("copy", outputs / "00002.png", kept / "00002.png")])
        seen = []

        def progress(done, total):
            with open_journal(tmp_path / ".imagereward") as other:
                seen.append(other.recovered)

        well(execute(one, run, progress=progress))
    assert seen == [[]]


def test_a_journal_can_be_read_in_a_thread_while_another_acts(journal, outputs, kept):
    seen = []

    def read():
        seen.append(journal.runs())

    def progress(done, total):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()

    run = journal.begin("a test", [to("copy", outputs / "00002.png", kept / "00002.png")])
    well(execute(journal, run, progress=progress))
    assert len(seen) == 1 and seen[0][0].id == run


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\x00" + bytes(2000)])
def test_a_damaged_journal_is_a_clear_error_and_stays(content, tmp_path):
    file = tmp_path / "journal.sqlite3"
    file.write_bytes(content)
    with pytest.raises(CuratorError, match=r"journal\.sqlite3"):
        open_journal(tmp_path)
    assert file.read_bytes() == content


def test_a_journal_of_a_newer_version_is_refused(tmp_path):
    open_journal(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(CuratorError, match="newer version"):
        open_journal(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("made,", "made AS (source),"),
        ("id INTEGER PRIMARY KEY", "id INTEGER PRIMARY KEY ON CONFLICT REPLACE"),
        ("state TEXT NOT NULL", "state TEXT NOT NULL CHECK (kind <> 'put')"),
        ("reason TEXT NOT NULL DEFAULT ''", "reason TEXT NOT NULL DEFAULT 'x'"),
        ("kind TEXT", "kind\xa0TEXT"),
        ("ON steps(source)", "ON steps(lower(source))"),
        ("CREATE INDEX unsettled_steps ON steps(run)", "CREATE INDEX unsettled_step ON steps(run)"),
    ],
)
def test_a_journal_with_tables_in_another_form_is_refused(old, new, tmp_path):
    """They may compute what is read of them, and let rows replace others."""
    open_journal(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.sqlite3") as connection:
        made = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).fetchall()
        statements = [sql for (sql,) in made if "sqlite_" not in sql]
        changed = [sql.replace(old, new) for sql in statements]
        assert changed != statements
        for name in ("steps", "runs", "folders", "identity"):
            connection.execute(f"DROP TABLE {name}")
        for sql in changed:
            connection.execute(sql)
    connection.close()
    for opener in (open_journal, Journal.look):
        with pytest.raises(CuratorError, match="which this program never makes"):
            opener(tmp_path)


def test_statistics_that_sqlite_keeps_are_no_other_form(tmp_path):
    open_journal(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.sqlite3") as connection:
        connection.execute("ANALYZE")
    connection.close()
    open_journal(tmp_path).close()


def test_entries_are_on_the_disk_before_files_change(journal):
    with journal._database.writing() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal.path.name == "journal.sqlite3"


def test_planning_a_long_run_takes_little_memory(journal, outputs):
    """The steps hold 20 MB; what is held at once is a fraction. Few names, since Python keeps each and now and then doubles the room."""
    names = [outputs / f"{number}.xmp" for number in range(20)]
    steps = (to("put", names[n % 20], names[n % 20], content=b"%9d" % n * 1000) for n in range(2200))
    tracemalloc.start()
    journal.begin("long", steps)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000, peak
