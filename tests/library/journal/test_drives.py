"""Folders on a drive that is away for the moment: what lies there is left standing, and is dealt with once it is back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.killing import tree
from imagereward_core.library.journal import execute, open_journal, undo
from imagereward_core.library.journal import files as file_operations
from tests.support.library.acting import act, reasons, to, well


@pytest.fixture
def drive(tmp_path):
    (tmp_path / "usb").mkdir()
    return tmp_path / "usb"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


class Killed(BaseException):
    """Ends work where a kill would."""


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink", "move"])
def test_what_lies_on_a_drive_that_is_away_is_left_standing(kind, outputs, drive, data):
    before = tree(outputs)
    steps = [to(kind, outputs / name, drive / "kept" / name) for name in ("00002.png", "00003.png")]
    with open_journal(outputs / ".imagereward", data=data) as journal:
        well(act(journal, *steps))
    away = drive.rename(drive.with_name("away"))
    with open_journal(outputs / ".imagereward", data=data) as journal:
        result = undo(journal)
        assert (result.done, result.skipped) == (0, 0)
        assert all(f"the folder {drive / 'kept'} is not there; plug" in reason for reason in reasons(result))
        assert journal.last_done().done == 2
    away.rename(drive)
    with open_journal(outputs / ".imagereward", data=data) as journal:
        assert well(undo(journal)).done == 2
    assert tree(outputs) == before and not list(drive.iterdir())


@pytest.mark.parametrize("where", ["outputs", "usb"])
def test_a_copy_that_somebody_removed_is_done_with(where, outputs, drive, data):
    """Alone, its folder being there; or with a folder inside of the one that is there."""
    kept = {"outputs": outputs, "usb": drive}[where] / "kept"
    with open_journal(outputs / ".imagereward", data=data) as journal:
        well(act(journal, to("copy", outputs / "00002.png", kept / "00002.png")))
        if where == "usb":
            (kept / "00002.png").unlink()
        else:
            shutil.rmtree(kept)
        result = well(undo(journal))
        assert (result.done, result.skipped) == (0, 1) and journal.last_done() is None


def test_pictures_do_not_go_back_beside_a_drive_that_is_away(outputs, drive, tmp_path):
    """As the WebUI acts, whose store is about no folder: nothing is made where the drive was."""
    pictures = shutil.copytree(outputs, drive / "pictures")
    before = tree(drive)
    with open_journal(tmp_path / "store", data=tmp_path / "data") as journal:
        run = journal.begin(
            "a test", [to("move", pictures / "00002.png", tmp_path / "kept" / "00002.png")], pictures
        )
        well(execute(journal, run))
        away = drive.rename(drive.with_name("away"))
        assert "is not there; plug" in reasons(undo(journal))[0] and not drive.exists()
        away.rename(drive)
        well(undo(journal))
    assert tree(drive) == before


@pytest.mark.parametrize("back", [False, True])
def test_what_was_cut_off_on_a_drive_is_settled_when_it_is_back(back, outputs, drive, data, monkeypatch):
    before = tree(outputs)

    def kill(*paths):
        raise Killed

    def cut_off(journal, work):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(file_operations, "drop_old", kill)
            work()

    step = to("move", outputs / "00002.png", drive / "kept" / "00002.png")
    with open_journal(outputs / ".imagereward", data=data) as journal:
        if back:
            well(act(journal, step))
        cut_off(journal, (lambda: undo(journal)) if back else (lambda: act(journal, step)))
    away = drive.rename(drive.with_name("away"))
    for _ in range(2):
        with open_journal(outputs / ".imagereward", data=data) as journal:
            ((_, reason),) = journal.recovered[0].problems
            assert "is not there; plug" in reason and journal.unsettled() == [1]
    away.rename(drive)
    with open_journal(outputs / ".imagereward", data=data) as journal:
        assert journal.recovered[0].finished == 1 and not journal.recovered[0].problems
        if not back:
            well(undo(journal))
    assert tree(outputs) == before and not list(drive.iterdir())


def test_a_folder_that_a_kill_left_unmade_is_no_drive(outputs, drive, data, monkeypatch):
    make = Path.mkdir

    def kill(self, *arguments, **more):
        if drive in self.parents:
            raise Killed
        make(self, *arguments, **more)

    with open_journal(outputs / ".imagereward", data=data) as journal, monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", kill)
        with pytest.raises(Killed):
            act(journal, to("copy", outputs / "00002.png", drive / "new" / "kept" / "00002.png"))
    with open_journal(outputs / ".imagereward", data=data) as journal:
        assert journal.recovered[0].taken_back == 1 and not journal.recovered[0].problems
