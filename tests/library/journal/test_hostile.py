"""A folder may come from a stranger, and so may the journal in it: what no run of ours does is not done, outside or inside."""

from __future__ import annotations

import os
import sqlite3

import pytest

from benchmarks.hostile.tricks import PICTURE, TRICKS, bring, seen
from benchmarks.killing import tree
from imagereward_core.errors import CuratorError
from imagereward_core.library.journal import Journal, execute, open_journal, recover, refused, undo
from imagereward_core.library.journal.roots import read_path
from tests.support.library.acting import act, reasons, to, well

pytestmark = pytest.mark.skipif(os.name == "nt", reason="paths and links are those of other systems")


def everything(folder):
    """All but a copy of the picture beside it, which may be taken back like any other."""
    found = {name: (entry.content, entry.kind) for name, entry in tree(folder).items()}
    return {name: value for name, value in found.items() if (name, value[0]) != ("kept/a.png", PICTURE)}


def attempt(work):
    """Does something with a folder; a clear error is as good as a refusal."""
    try:
        return work()
    except CuratorError as error:
        return error


@pytest.mark.parametrize("name", TRICKS)
def test_a_journal_that_a_folder_brings_along_does_no_harm(name, tmp_path, monkeypatch):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    TRICKS[name](folder, outside)
    monkeypatch.chdir(outside)
    before = everything(folder), everything(outside)

    def look():
        with Journal.look(folder / ".imagereward") as journal:
            return journal.runs(), list(journal.steps(1)), refused(journal)

    def undone():
        with open_journal(folder / ".imagereward", data=tmp_path / "data") as journal:
            return undo(journal, 1)

    def executed():
        with open_journal(folder / ".imagereward", data=tmp_path / "data") as journal:
            recover(journal)
            return execute(journal, 1)

    for work in (look, executed, undone, look):
        attempt(work)
        assert (everything(folder), everything(outside)) == before


def test_the_tricks_would_do_harm_without_the_look_at_each_row(tmp_path, monkeypatch):
    """Otherwise the test above could not fail."""
    from imagereward_core.library.journal.custody import Custody

    monkeypatch.setattr(Custody, "admit", lambda self, record: None)
    monkeypatch.setattr(Custody, "removable", lambda self, run, stored, signature: read_path(stored, None)[0])
    harmful = set()
    for name, make in TRICKS.items():
        folder, outside = tmp_path / name / "folder", tmp_path / name / "outside"
        make(folder, outside)
        monkeypatch.chdir(outside)
        before = everything(folder), everything(outside)
        for work in (lambda journal: execute(journal, 1), lambda journal: undo(journal, 1)):
            try:
                with open_journal(folder / ".imagereward") as journal:
                    work(journal)
            except Exception as error:
                assert not isinstance(error, OSError)
            if (everything(folder), everything(outside)) != before:
                harmful.add(name)
    assert set(TRICKS) - harmful == {
        # kept out before a row is looked at, or after it by a look at the bytes
        "edit_of_a_program_undone", "edit_that_makes_another_kind_of_file",
        "trigger", "lock_that_leads_out", "rollback_journal_that_names_a_file",
        "computed_columns", "store_that_is_a_link", "journal_that_is_a_link", "log_that_is_a_link", "journal_that_is_a_pipe",
        # stands in a statement no more
        "text_file_of_no_step_at_all",
        # would end with a traceback, or in a circle
        "bomb_of_splices", "text_files_in_a_circle",
    }  # fmt: skip


def test_what_is_refused_is_listed_stays_untouched_and_holds_up_nothing(tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    letter = outside / "letter.txt"
    outside.mkdir()
    letter.write_bytes(b"dear all")
    (folder / "kept").mkdir(parents=True)
    (folder / "a.png").write_bytes(PICTURE)
    copy = folder / "kept" / "a.png"
    copy.write_bytes(PICTURE)
    whole = {
        "target": str(copy),
        "made": str(copy),
        **seen("before", PICTURE, copy),
        **seen("after", PICTURE, copy),
    }
    bring(folder, {"state": "doing", "made": str(folder / "b.png"), "temporary": str(letter)}, whole)
    with Journal.look(folder / ".imagereward") as journal:
        ((run, info, reason),) = refused(journal)
        assert (run, info.state) == (1, "doing") and "letter.txt" in reason
    with open_journal(folder / ".imagereward") as journal:
        (problem,) = journal.recovered[0].problems
        assert "left untouched" in problem[1]
        result = undo(journal, 1)
        assert result.done == 1 and not copy.exists() and letter.exists()
        assert [info.state for info in journal.steps(1)] == ["doing", "undone"]


def test_a_text_file_of_no_step_at_all_holds_up_nothing(tmp_path):
    """Its number becomes part of no statement."""
    folder = tmp_path / "folder"
    TRICKS["text_file_of_no_step_at_all"](folder, tmp_path / "outside")
    with Journal.look(folder / ".imagereward") as journal:
        assert ["left untouched" in reason for _, _, reason in refused(journal)] == [True, True]
    with open_journal(folder / ".imagereward") as journal:
        assert [run.id for run in journal.runs()] == [1]


def test_a_link_that_appears_after_the_look_is_seen_before_the_act(journal, outputs, kept, tmp_path):
    """The step was begun while ``kept`` was a folder; now it leads out."""
    run = journal.begin("a test", [to("copy", outputs / "00002.png", kept / "00002.png")])
    (tmp_path.parent / f"{tmp_path.name} elsewhere").mkdir()
    kept.symlink_to(tmp_path.parent / f"{tmp_path.name} elsewhere", target_is_directory=True)
    result = execute(journal, run)
    assert "leads out" in reasons(result)[0] and not list(kept.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a/../../b",
        "./a",
        "a//b",
        "a\x00b",
        "C:\\a",
        "c:/a",
        "\\\\server\\share\\a",
        "\\\\?\\C:\\a",
        "a/" * 2100 + "b",
    ],
)
def test_paths_that_are_none_are_refused_with_a_sentence(text, tmp_path):
    path, flaw = read_path(text, tmp_path, windows=False)
    assert flaw.startswith(repr(text[:200])) and str(path)


@pytest.mark.parametrize(
    "text",
    [
        "..",
        "a/..",
        "C:a",
        "/a",
        "\\a",
        "a\\..\\b",
        "a:stream",
        "con.png",
        "sub/NUL",
        "a.",
        "\\\\.\\COM1",
        "C:\\a\\..\\b",
        "C:\\aux\\b",
    ],
)
def test_on_windows_its_own_names_are_refused_too(text, tmp_path):
    assert read_path(text, tmp_path, windows=True)[1]


@pytest.mark.parametrize("text", ["a/b.png", "C:\\pictures\\b.png", "\\\\server\\share\\b.png"])
def test_plain_paths_of_windows_are_read(text, tmp_path):
    assert read_path(text, tmp_path, windows=True)[1] == ""


def test_names_that_other_systems_lack_are_read_where_they_are_allowed(journal, outputs, kept):
    """A colon, a backslash, bytes that are no text, and a name of a device are plain names here."""
    names = ["12:30.png", "a\\b.png", "con.png", os.fsdecode(b"\xff.png")]
    for name in names:
        (outputs / name).write_bytes(b"picture " + os.fsencode(name))
    before = tree(outputs)
    well(act(journal, *(to("move", outputs / name, kept / name) for name in names)))
    assert {path.name for path in kept.iterdir()} == set(names)
    well(undo(journal))
    assert tree(outputs) == before


def sorted_folder(outputs):
    """Two pictures moved by run 1; returns the journal's file."""
    with open_journal(outputs / ".imagereward") as journal:
        well(
            act(journal, *[to("move", outputs / n, outputs / "kept" / n) for n in ("00002.png", "00003.png")])
        )
    return outputs / ".imagereward" / "journal.sqlite3"


def change(path, *statements):
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("column", ["reason", "made", "source", "kind", "after_digest", "temporary"])
def test_text_that_is_none_spoils_its_own_row_alone(column, outputs):
    path = sorted_folder(outputs)
    change(
        path,
        f"UPDATE steps SET {column} = CAST(x'ff41' AS TEXT) WHERE id = 1",
        "UPDATE runs SET title = CAST(x'ff41' AS TEXT)",
    )
    with Journal.look(path.parent) as journal:
        assert [info.title for info in journal.runs()] == ["\ufffdA"]
        assert len(refused(journal)) == (0 if column == "reason" else 1)
    with open_journal(path.parent) as journal:
        result = undo(journal)
        assert result.done == (2 if column == "reason" else 1)
        assert all("left untouched" in reason for reason in reasons(result))
    assert (outputs / "00003.png").exists()


@pytest.mark.parametrize("table", ["runs", "steps", "both", "sequence"])
def test_a_row_with_the_last_number_holds_up_no_run(table, outputs):
    path, last = sorted_folder(outputs), (1 << 63) - 1
    run = last if table in ("runs", "both") else 1
    rows = {
        "runs": [f"INSERT INTO runs (id, begun, title) VALUES ({last}, 'x', 'y')"],
        "steps": [
            "INSERT INTO steps (id, run, kind, source, target, made, state) "
            f"VALUES ({last}, {run}, 'copy', 'x.png', 'y.png', 'y.png', 'done')"
        ],
        "sequence": [f"UPDATE sqlite_sequence SET seq = {last}"],
    }
    change(path, *(rows["runs"] + rows["steps"] if table == "both" else rows[table]))
    with Journal.look(path.parent) as journal:
        told = [reason for _, _, reason in refused(journal)]
        assert len(told) == (table in ("steps", "both")) and all(
            "a number that none of ours" in text for text in told
        )
    with open_journal(path.parent) as journal:
        assert well(act(journal, to("copy", outputs / "00000.png", outputs / "kept" / "00000.png"))).run == 2
        assert well(undo(journal)).run == 2
        result = undo(journal)
        assert result.run == 1 and result.done == 2
