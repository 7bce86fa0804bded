"""``undo``, ``curate`` and ``report`` on folders that were copied, renamed, brought by somebody, or can only be read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.hostile.tricks import TRICKS, bring, seen
from tests.support.full_disk import read_only
from tests.support.library.curation import drawn_folder, files, tree


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return drawn_folder(tmp_path_factory)


@pytest.fixture
def outputs(drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "out puts")


def curate(run, outputs, *options):
    return run("curate", outputs, "-s", "demo", "--top", "1", "--per", "prompt", *options)


def at_a_terminal(monkeypatch, *answers):
    left = list(answers)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: left.pop(0))


def stores_of(folder):
    """What lies in the store, byte for byte."""
    return {path.name: path.read_bytes() for path in (folder / ".imagereward").iterdir()}


def test_undo_of_a_backup_leaves_the_original_alone(run, outputs, tmp_path):
    before = tree(outputs)
    assert curate(run, outputs, "--move", "--yes").code == 0
    after, backup = tree(outputs), shutil.copytree(outputs, tmp_path / "backup")
    undone = run("undo", backup, "--yes")
    assert undone.code == 0 and tree(outputs) == after and tree(backup) == before


@pytest.mark.parametrize("store", [(), ("--store", "store")])
def test_a_renamed_folder_is_undone(store, run, outputs, tmp_path):
    before = tree(outputs)
    options = [tmp_path / each if each == "store" else each for each in store]
    assert curate(run, outputs, "--move", "--yes", *options).code == 0
    renamed = outputs.rename(tmp_path / "renamed")
    undone = run("undo", renamed, "--yes", *options)
    assert undone.code == 0 and "8 steps taken back" in undone.err and tree(renamed) == before


def test_folders_elsewhere_are_undone_by_the_one_who_did_it(run, outputs, home, tmp_path, monkeypatch):
    before = tree(outputs)
    options = ("--move", "--yes", "--kept", tmp_path / "best", "--leave", "rejected")
    assert curate(run, outputs, *options).code == 0
    backup = shutil.copytree(outputs, tmp_path / "backup")
    left = run("undo", backup, "--yes")
    assert left.code == 1 and "leads out" in left.err and len(files(tmp_path / "best")) == 2
    assert run("undo", outputs, "--yes").code == 0
    assert tree(outputs) == before and not (tmp_path / "best").exists()
    keys = list(home.rglob("journal.key"))
    assert len(keys) == 1 and keys[0].stat().st_size == 32


def test_what_leads_out_is_shown_and_asked_about(run, outputs, home, tmp_path, monkeypatch):
    before = tree(outputs)
    assert (
        curate(run, outputs, "--move", "--yes", "--kept", tmp_path / "best", "--leave", "rejected").code == 0
    )
    next(home.rglob("journal.key")).unlink()
    best = sorted(files(tmp_path / "best"))
    shown = run("undo", outputs)
    assert "leads this (2 steps)" in shown.out and all(Path(name).name in shown.out for name in best)
    assert "Left untouched (2 steps)" in run("undo", outputs, "--dry-run").out
    assert "Left untouched (2 steps)" in run("undo", outputs, "--list").out
    left = run("undo", outputs, "--yes")
    assert left.code == 1 and "--confirm-outside" in left.err and sorted(files(tmp_path / "best")) == best
    with monkeypatch.context() as patch:
        at_a_terminal(patch, "y", "n")
        assert run("undo", outputs).code == 1 and sorted(files(tmp_path / "best")) == best
        at_a_terminal(patch, "y", "y")
        assert run("undo", outputs).code == 0
    assert tree(outputs) == before


def test_scripts_confirm_by_an_option(run, outputs, home, tmp_path):
    before = tree(outputs)
    assert (
        curate(run, outputs, "--move", "--yes", "--kept", tmp_path / "best", "--leave", "rejected").code == 0
    )
    next(home.rglob("journal.key")).unlink()
    assert run("undo", outputs, "--yes", "--confirm-outside").code == 0 and tree(outputs) == before


@pytest.mark.parametrize(
    "command",
    [("undo", "--list"), ("undo",), ("undo", "--dry-run"), ("undo", "--yes"), ("curate", "--dry-run"), ("curate", "--yes"), ("report",)],
    ids=" ".join,
)  # fmt: skip
def test_no_command_does_what_a_stranger_wrote_down(command, run, outputs, tmp_path):
    """A document that a journal names as a hidden file of its own, and a start file to be written."""
    outside = tmp_path / "outside"
    (outputs / "a.png").write_bytes((outputs / sorted(files(outputs))[0]).read_bytes())
    outside.mkdir()
    letter, start = outside / "letter.txt", outside / ".profile"
    letter.write_bytes(b"dear all")
    start.write_bytes(b"# mine")
    done = {"target": str(outputs / "a.png"), "made": str(outputs / "a.png")}
    bring(
        outputs,
        {"state": "doing", "made": str(outputs / "b.png"), "temporary": str(letter)},
        done,
        {"kind": "put", "state": "planned", "parent": 2, "source": str(start), "target": str(start), "content": b"x"},
    )  # fmt: skip
    name, *options = command
    more = () if name == "undo" else ("-s", "demo") if name == "report" else ("-s", "demo", "--top", "1")
    result = run(name, outputs, *options, *more)
    assert result.code in (0, 1, 2, 4) and "Traceback" not in result.err
    assert (letter.read_bytes(), start.read_bytes()) == (b"dear all", b"# mine")
    if "--list" in command or "--yes" in command:
        assert "letter.txt" in result.out + result.err


def test_a_list_shows_no_control_characters(run, outputs):
    journal = bring(outputs, {})
    import sqlite3

    with sqlite3.connect(journal) as connection:
        connection.execute("UPDATE runs SET title = ?, begun = 'never'", ("kept\x1b[2J",))
    connection.close()
    listed = run("undo", outputs, "--list")
    assert listed.code == 0 and "\x1b" not in listed.out and "kept\\u001b[2J" in listed.out


def test_looking_leaves_the_journal_as_it_is(run, outputs):
    assert curate(run, outputs, "--yes").code == 0
    journal = {name: data for name, data in stores_of(outputs).items() if "journal" in name}
    for options in (("--list",), ("--dry-run",), ()):
        assert run("undo", outputs, *options).code == 0
    assert curate(run, outputs, "--dry-run").code == 0
    assert run("report", outputs, "-s", "demo", "--html", outputs.parent / "page.html").code == 0
    assert {name: data for name, data in stores_of(outputs).items() if "journal" in name} == journal


def test_a_dry_run_settles_nothing(run, outputs):
    hidden = outputs / ".imagereward-0123456789abcdef.tmp"
    hidden.write_bytes(b"half a picture")
    bring(outputs, {"state": "doing", "made": str(outputs / "b.png"), "temporary": str(hidden)})
    for command in (
        ("curate", "-s", "demo", "--top", "1", "--dry-run"),
        ("undo", "--list"),
        ("undo", "--dry-run"),
        ("stars",),
        ("stars", "--import"),
        ("stars", "--set", "3", "0.png"),
        ("watch", "-s", "demo", "--top", "1", "--dry-run"),
    ):
        run(command[0], outputs, *command[1:])
        assert hidden.exists()
    done = curate(run, outputs, "--yes")
    assert not hidden.exists() and "was cut off: 0 steps finished, 1 taken back" in done.err


def test_a_folder_that_can_only_be_read_is_looked_at(run, outputs, tmp_path):
    assert curate(run, outputs, "--yes").code == 0
    with read_only(outputs):
        assert "done" in run("undo", outputs, "--list").out
        assert run("undo", outputs, "--dry-run").code == 0
        page = tmp_path / "page.html"
        assert run("report", outputs, "-s", "demo", "--html", page).code == 0 and page.is_file()
        assert "8 pictures judged" in curate(run, outputs, "--dry-run").out
        assert run("stars", outputs).code == 0
        assert run("stars", outputs, "--set", "3", "0.png").code == 4


def test_a_run_that_could_do_nothing_says_so_and_leaves_nothing_behind(run, outputs, tmp_path):
    away = tmp_path / "away"
    places = ("--store", tmp_path / "store", "--kept", away / "kept", "--rejected", away / "rejected")
    with read_only(outputs):
        done = curate(run, outputs, "--move", "--yes", *places)
    assert done.code == 1 and "0 steps done" in done.err and "8 failed." in done.err
    assert "undo" not in done.err and str(away) not in done.err and not away.exists()


def test_a_folder_without_a_store_that_can_only_be_read_is_previewed(run, outputs):
    with read_only(outputs):
        assert "8 pictures judged" in curate(run, outputs, "--dry-run").out
    assert not (outputs / ".imagereward").exists()


def test_journals_of_the_version_before_are_undone(run, outputs):
    before = tree(outputs)
    name = sorted(files(outputs))[0]
    (outputs / "kept").mkdir()
    made = (outputs / name).rename(outputs / "kept" / Path(name).name)
    marks = {**seen("before", made.read_bytes(), made), **seen("after", made.read_bytes(), made)}
    bring(
        outputs,
        {"kind": "move", "source": str(outputs / name), "target": str(made), "made": str(made), **marks},
        folders=(str(outputs / "kept"),),
    )
    assert run("undo", outputs, "--yes").code == 0 and tree(outputs) == before


def test_a_rollback_journal_that_names_a_document_is_an_error(run, outputs, tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    TRICKS["rollback_journal_that_names_a_file"](folder, outside)
    for command in (("undo", "--list"), ("report", "-s", "demo"), ("curate", "-s", "demo", "--top", "1")):
        result = run(command[0], folder, *command[1:])
        assert result.code == 4 and "would make SQLite remove" in result.err
    assert (outside / "letter.txt").exists()


def test_a_backup_of_hard_links_does_not_undo_the_original(run, outputs, tmp_path):
    import os

    before = tree(outputs)
    assert curate(run, outputs, "--move", "--yes").code == 0
    after, backup = tree(outputs), shutil.copytree(outputs, tmp_path / "backup", copy_function=os.link)
    for command in (("undo", backup, "--yes"), ("undo", outputs, "--yes")):
        refused = run(*command)
        assert refused.code == 4 and "hard link" in refused.err and "cp " in refused.err
    for command in (
        ("undo", outputs, "--list"),
        ("undo", outputs, "--dry-run"),
        ("report", outputs, "-s", "demo"),
    ):
        assert run(*command).code == 0
    assert curate(run, outputs, "--dry-run").code == 0
    assert tree(outputs) == after == tree(backup)
    shutil.rmtree(backup)
    assert run("undo", outputs, "--yes").code == 0 and tree(outputs) == before


def test_a_program_that_has_to_wait_leaves_no_run_behind(run, outputs):
    from imagereward_core.library.journal.exclusion import only_actor

    assert curate(run, outputs, "--dry-run").code == 0
    with only_actor([outputs]):
        refused = curate(run, outputs, "--move", "--yes")
    assert refused.code == 4 and "another program is working with" in refused.err
    assert (
        "curate" not in run("undo", outputs, "--list").out and " 1 " not in run("undo", outputs, "--list").out
    )


def test_copies_on_a_drive_that_is_away_are_told_and_left_for_later(run, outputs, tmp_path):
    drive = tmp_path / "usb"
    drive.mkdir()
    assert curate(run, outputs, "--kept", drive / "kept", "--leave", "rejected", "--yes").code == 0
    away = drive.rename(tmp_path / "away")
    left = run("undo", outputs, "--yes")
    assert (
        left.code == 1 and "is not there; plug its drive in" in left.err and "2 left as they are" in left.err
    )
    away.rename(drive)
    sorted((drive / "kept").rglob("*.png"))[0].unlink()
    taken = run("undo", outputs, "--yes")
    assert taken.code == 0 and "1 step taken back, 1 no longer there." in taken.err


def test_a_copy_without_its_times_is_undone_and_that_is_told(run, outputs, tmp_path):
    before = tree(outputs)
    assert curate(run, outputs, "--move", "--yes").code == 0
    backup = shutil.copytree(outputs, tmp_path / "backup", copy_function=shutil.copyfile)
    undone = run("undo", backup, "--yes")
    assert undone.code == 0 and "8 steps taken back" in undone.err
    assert "8 pictures have another time of change than when they were moved" in undone.err
    assert tree(backup) == before


def test_undo_takes_the_last_run_of_the_folder_that_is_named_and_tells_of_others(run, outputs, tmp_path):
    other = shutil.copytree(outputs, tmp_path / "other")
    before, store = (tree(outputs), tree(other)), ("--store", tmp_path / ".imagereward")
    for folder in (outputs, other):
        assert curate(run, folder, "--move", "--yes", *store).code == 0
    after = tree(other)
    undone = run("undo", outputs, "--yes", *store)
    assert undone.code == 0 and f"later runs of other folders, which stay: run 2 of {other}." in undone.err
    assert tree(outputs) == before[0] and tree(other) == after
    nothing = run("undo", outputs, "--yes", *store)
    assert nothing.code == 2 and f"nothing to take back in {outputs}. The store holds runs of" in nothing.err
    assert run("undo", other, "--yes", *store).code == 0 and tree(other) == before[1]


def test_a_damaged_key_is_told_before_anything_leads_out(run, outputs, home, tmp_path):
    before = tree(outputs)
    away = ("--kept", tmp_path / "best", "--leave", "rejected", "--move")
    assert curate(run, outputs, *away, "--yes").code == 0 and run("undo", outputs, "--yes").code == 0
    key = next(home.rglob("journal.key"))
    key.write_bytes(b"short")
    assert "is damaged" not in curate(run, outputs, "--dry-run").err
    told = curate(run, outputs, *away, "--dry-run")
    assert "journal.key is damaged: it has 5 bytes; expected 32" in told.err and key.read_bytes() == b"short"
    assert "is damaged" in curate(run, outputs, *away, "--yes").err
    assert key.with_name("journal.key.damaged").read_bytes() == b"short"
    assert run("undo", outputs, "--yes").code == 0 and tree(outputs) == before
