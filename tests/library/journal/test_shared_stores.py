"""One store for many folders: what was done in one of them is never settled or undone in another, wherever the first is by now."""

from __future__ import annotations

import os
import shutil
import sqlite3

import pytest

from benchmarks.killing import tree
from imagereward_core.library.journal import JournalError, elsewhere, execute, leading_out, open_journal, undo
from imagereward_core.library.journal import files as file_operations
from tests.support.library.acting import act, to, well


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def drive(outputs, tmp_path):
    """A folder on a drive that may be unplugged, with the same pictures as ``outputs``."""
    (tmp_path / "usb").mkdir()
    return shutil.copytree(outputs, tmp_path / "usb" / "A")


def unplug(drive):
    return drive.parent.rename(drive.parent.with_name("usb away"))


class Killed(BaseException):
    """Ends work where a kill would."""


def sort(store, folder, kind="copy", names=("00002.png", "00003.png")):
    with open_journal(store, root=folder) as journal:
        return well(act(journal, *[to(kind, folder / name, folder / "kept" / name) for name in names]))


def killed_move(store, folder, monkeypatch):
    """Pictures that have both names, as a kill leaves them."""

    def drop(source, target):
        raise Killed

    with monkeypatch.context() as patch, open_journal(store, root=folder) as journal:
        patch.setattr(file_operations, "drop_old", drop)
        with pytest.raises(Killed):
            act(
                journal,
                *[to("move", path, folder / "kept" / path.name) for path in sorted(folder.glob("*.png"))],
            )


@pytest.mark.parametrize("away", [True, False])
def test_undo_takes_the_run_of_the_folder_that_is_named(away, outputs, drive, store):
    before = tree(outputs), tree(drive)
    sort(store, outputs, names=("00002.png", "00003.png"))
    sort(store, drive, names=("00003.png",))
    other = unplug(drive) if away else None
    with open_journal(store, root=outputs) as journal:
        assert journal.last_done().id == 1
        with pytest.raises(
            JournalError, match="was done in .*A; name that folder" + (".*plug" if away else "")
        ):
            undo(journal, 2)
        assert well(undo(journal)).run == 1
        assert journal.last_done() is None
    assert tree(outputs) == before[0]
    if other is not None:
        other.rename(drive.parent)
    with open_journal(store, root=drive) as journal:
        assert well(undo(journal)).run == 2
    assert tree(drive) == before[1]


def test_what_was_cut_off_on_a_drive_that_is_away_is_not_settled_in_another_folder(
    outputs, drive, store, monkeypatch
):
    """The other folder has hard links under the very names that the move was to give."""
    names = sorted(path.name for path in outputs.glob("*.png"))
    sort(store, outputs, "hardlink", names)
    before = tree(drive)
    killed_move(store, drive, monkeypatch)
    after, other = tree(outputs), unplug(drive)
    for work in (lambda journal: None, undo):
        with open_journal(store, root=outputs) as journal:
            assert journal.recovered == [] and journal.unsettled() == []
            assert tree(outputs) == after
            work(journal)
    assert sorted(path.name for path in outputs.glob("*.png")) == names and not (outputs / "kept").exists()
    other.rename(drive.parent)
    with open_journal(store, root=drive) as journal:
        assert journal.recovered[0].finished
        well(undo(journal))
    assert tree(drive) == before


def test_a_folder_in_the_place_of_another_is_undone_where_the_files_fit_or_a_person_says_so(
    outputs, store, tmp_path
):
    """Restored from a backup with its times, and another one."""
    before = tree(outputs)
    sort(store, outputs, "move")
    outputs.rename(tmp_path / "first")
    shutil.copytree(tmp_path / "first", outputs)
    (outputs / "kept" / "00003.png").write_bytes(b"another picture")
    after = tree(outputs)
    with open_journal(store, root=outputs) as journal:
        assert len(leading_out(journal, 1)) == 2
        with pytest.raises(JournalError, match="another folder lies there now"):
            undo(journal)
        assert tree(outputs) == after
    shutil.rmtree(outputs)
    shutil.copytree(tmp_path / "first", outputs)
    with open_journal(store, root=outputs) as journal:
        assert leading_out(journal, 1) == []
        assert well(undo(journal)).done == 2
    assert tree(outputs) == before


def test_what_was_cut_off_is_settled_in_the_place_of_its_folder_only_when_a_person_says_so(
    outputs, store, tmp_path, monkeypatch
):
    before = tree(outputs)
    killed_move(store, outputs, monkeypatch)
    outputs.rename(tmp_path / "first")
    shutil.copytree(tmp_path / "first", outputs)
    for path in (outputs / "kept").iterdir():  # a copy that knows hard links
        path.unlink()
        os.link(outputs / path.name, path)
    after = tree(outputs)
    with open_journal(store, root=outputs) as journal:
        ((_, reason),) = journal.recovered[0].problems
        assert "another folder lies there now" in reason and "imagereward undo" in reason
        assert tree(outputs) == after
        shown = leading_out(journal, 1)
        assert len(shown) == 4
        well(undo(journal, 1, confirmed=shown))
    assert {name: entry.content for name, entry in tree(outputs).items()} == {
        name: entry.content for name, entry in before.items()
    }


def test_a_run_goes_on_in_its_own_folder_alone(outputs, drive, store):
    with open_journal(store, root=drive) as journal:
        run = journal.begin("a test", [to("move", drive / "00002.png", drive / "kept" / "00002.png")])
    unplug(drive)
    after = tree(outputs)
    with open_journal(store, root=outputs) as journal, pytest.raises(JournalError, match="name that folder"):
        execute(journal, run)
    assert tree(outputs) == after


def test_a_thousand_later_runs_of_another_folder_are_passed_over(outputs, drive, store):
    """As ``watch`` makes them, one for each new picture."""
    sort(store, outputs)
    sort(store, drive)
    with sqlite3.connect(store / "journal.sqlite3") as connection:
        columns = "title, base, anchor, device, inode, folder"
        for number in range(3, 1103):
            connection.execute(
                f"INSERT INTO runs (id, begun, {columns}) SELECT ?, begun, {columns} FROM runs WHERE id = 2",
                (number,),
            )
            connection.execute(
                "INSERT INTO steps (run, kind, source, target, state, made) VALUES (?, 'copy', 'a', 'b', 'done', 'b')",
                (number,),
            )
    connection.close()
    with open_journal(store, root=outputs) as journal:
        assert journal.last_done().id == 1
        assert well(undo(journal)).done == 2


def test_in_the_store_of_a_folder_around_them_each_folder_has_its_own_last_run(outputs, tmp_path):
    """By the name it has now: the folder around them was renamed."""
    around = tmp_path / "around"
    folders = [shutil.copytree(outputs, around / name) for name in ("one", "two")]
    before = tree(around)
    for folder in folders:
        sort(around / ".imagereward", folder)
    renamed = around.rename(tmp_path / "renamed")
    store = renamed / ".imagereward"
    after = tree(renamed / "two")
    with open_journal(store, root=renamed / "one") as journal:
        assert elsewhere(journal, journal.last_done().id) == [(2, renamed / "two")]
        assert well(undo(journal)).run == 1 and tree(renamed / "two") == after
        with pytest.raises(JournalError, match="nothing to undo.*Run 2 was done in .*two; name that folder"):
            undo(journal)
    with open_journal(store, root=renamed) as journal:
        assert elsewhere(journal) == []
        assert well(undo(journal)).run == 2
    assert tree(renamed) == before


def test_a_run_of_the_webui_is_undone_by_the_folder_it_was_about(outputs, drive, store, tmp_path):
    """Its store is about no folder."""
    data = tmp_path / "data"
    before = tree(outputs)
    with open_journal(store, data=data) as journal:
        for folder in (outputs, drive):
            step = to("copy", folder / "00002.png", folder / "kept" / "00002.png")
            well(execute(journal, journal.begin("a test", [step], folder)))
        assert journal.last_done().id == 2 and elsewhere(journal) == []
    with open_journal(store, root=outputs, data=data) as journal:
        assert well(undo(journal)).run == 1
    assert tree(outputs) == before and (drive / "kept" / "00002.png").exists()
