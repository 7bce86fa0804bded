"""A journal acts in the folder it lies in, wherever that is by now; what leads out of it needs the key of the user's own data folder."""

from __future__ import annotations

import os
import shutil
import sqlite3

import pytest

from benchmarks.hostile.tricks import bring, seen
from benchmarks.killing import tree
from imagereward_core.library.journal import (
    Journal,
    JournalError,
    execute,
    leading_out,
    open_journal,
    refused,
    undo,
)
from imagereward_core.library.journal.roots import Anchor
from imagereward_core.library.journal.trust import KEY_FILE
from imagereward_core.metadata.writing.splice import Splice
from tests.support.library.acting import act, reasons, to, well


@pytest.fixture
def data(tmp_path):
    return tmp_path / "home" / "data"


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


def opened(folder, data=None):
    return open_journal(folder / ".imagereward", data=data)


def sort(folder, data=None, away=None, kind="move"):
    """Deals with two pictures, one of them written to; returns the folder as it was before."""
    before = tree(folder)
    pictures = [folder / "00002.png", folder / "00003.png"]
    away = away or folder / "kept"
    steps = [to("edit", pictures[0], pictures[0], splices=(Splice(8, b"", b"score"),))]
    steps += [to(kind, path, away / "new" / path.name) for path in pictures]
    with opened(folder, data) as journal:
        well(act(journal, *steps))
    return before


def test_a_copy_of_a_folder_is_undone_in_the_copy(outputs, tmp_path):
    before = sort(outputs)
    after = tree(outputs)
    backup = shutil.copytree(outputs, tmp_path / "backup")
    with opened(backup) as journal:
        assert well(undo(journal)).done == 3
    assert tree(outputs) == after and tree(backup) == before
    with opened(outputs) as journal:
        well(undo(journal))
    assert tree(outputs) == before


@pytest.mark.parametrize("kind", ["move", "copy", "hardlink", "symlink"])
def test_a_copy_that_lost_its_times_is_undone_and_that_is_told(kind, outputs, tmp_path):
    """As ``cp -r``, archives and other file systems copy; symbolic links stay links."""
    before = {name: entry.content for name, entry in tree(outputs).items()}
    sort(outputs, kind=kind)
    backup = shutil.copytree(outputs, tmp_path / "backup", symlinks=True)
    for path in backup.rglob("*.*"):
        os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    with opened(backup) as journal:
        result = well(undo(journal))
    assert (result.done, result.retimed) == (3, 2 if kind == "move" else 0)
    assert {name: entry.content for name, entry in tree(backup).items()} == before


def test_a_moved_file_of_another_size_is_not_the_one_that_was_moved(outputs, tmp_path):
    sort(outputs)
    backup = shutil.copytree(outputs, tmp_path / "backup", copy_function=shutil.copyfile)
    other = backup / "kept" / "new" / "00003.png"
    other.write_bytes(other.read_bytes() + b"more")
    with opened(backup) as journal:
        result = undo(journal)
        assert result.done == 2 and "changed since it was moved" in reasons(result)[0]
    assert other.read_bytes().endswith(b"more")


def test_where_the_bytes_were_read_when_they_moved_they_decide(outputs, tmp_path, monkeypatch):
    """On to another drive; a file of the same size is another one."""
    from errno import EXDEV

    from imagereward_core.library.journal import files as file_operations

    def link(source, target, **more):
        if str(source.parent) != str(target.parent):
            raise OSError(EXDEV, "another file system", str(source), None, str(target))
        return real(source, target, **more)

    with monkeypatch.context() as patch:
        real = file_operations.link_new
        patch.setattr(file_operations, "link_new", link)
        sort(outputs)
    made = outputs / "kept" / "new" / "00003.png"
    made.write_bytes(b"x" * made.stat().st_size)
    with opened(outputs) as journal:
        assert "changed since it was moved" in reasons(undo(journal))[0]
    assert made.exists()


def test_a_copy_left_half_done_is_settled_in_the_copy(outputs, tmp_path):
    """What was being done in the original goes on there."""
    hidden = outputs / ".imagereward-0123456789abcdef.tmp"
    hidden.write_bytes(b"half a picture")
    row = {
        "state": "doing",
        "source": "00002.png",
        "target": "x.png",
        "made": "x.png",
        "temporary": hidden.name,
    }
    bring(outputs, row, version=3)
    backup = shutil.copytree(outputs, tmp_path / "backup")
    with opened(backup) as journal:
        assert journal.recovered[0].taken_back == 1
    assert hidden.exists() and not (backup / hidden.name).exists()


def test_a_renamed_folder_is_undone_in_its_new_place(outputs, tmp_path):
    before = sort(outputs)
    moved = outputs.rename(tmp_path / "renamed")
    with opened(moved) as journal:
        assert well(undo(journal)).done == 3
    assert tree(moved) == before and not outputs.exists()


def test_a_folder_with_its_store_elsewhere_is_undone_where_it_is_named(outputs, tmp_path):
    before, store = tree(outputs), tmp_path / "store"
    with open_journal(store, root=outputs) as journal:
        well(act(journal, to("move", outputs / "00002.png", outputs / "kept" / "00002.png")))
    backup = shutil.copytree(outputs, tmp_path / "backup")
    after = tree(outputs)
    with open_journal(store, root=backup) as journal:
        assert journal.last_done() is None
        with pytest.raises(JournalError, match="run 1 was done in .*outputs.*; name that folder"):
            undo(journal, 1)
    assert tree(outputs) == tree(backup) == after
    moved = outputs.rename(tmp_path / "renamed")
    with open_journal(store, root=moved) as journal:
        well(undo(journal))
    assert tree(moved) == before


def test_two_folders_may_share_a_store(outputs, tmp_path):
    other, store = shutil.copytree(outputs, tmp_path / "other"), tmp_path / "store"
    before = tree(outputs), tree(other)
    for folder in (outputs, other):
        with open_journal(store, root=folder) as journal:
            well(act(journal, to("move", folder / "00002.png", folder / "kept" / "00002.png")))
    with open_journal(store, root=outputs) as journal:
        assert well(undo(journal)).run == 1
    assert tree(outputs) == before[0] and tree(other) != before[1]
    with open_journal(store, root=other) as journal:
        well(undo(journal))
    assert tree(other) == before[1]


@pytest.mark.parametrize("kind", ["move", "copy", "hardlink", "symlink"])
def test_what_leads_out_is_undone_with_the_key(kind, outputs, elsewhere, data):
    before = sort(outputs, data, elsewhere, kind)
    assert len(list((elsewhere / "new").iterdir())) == 2
    with opened(outputs, data) as journal:
        assert refused(journal) == []
        well(undo(journal))
    assert tree(outputs) == before and not list(elsewhere.iterdir())
    if os.name != "nt":
        assert (data / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_what_leads_out_follows_a_renamed_folder_and_not_a_copied_one(outputs, elsewhere, data, tmp_path):
    before = sort(outputs, data, elsewhere)
    backup = shutil.copytree(outputs, tmp_path / "backup")
    taken = tree(elsewhere)
    with opened(backup, data) as journal:
        result = undo(journal)
        assert [("leads out" in reason) for reason in reasons(result)] == [True, True, False]
    assert tree(elsewhere) == taken
    moved = outputs.rename(tmp_path / "renamed")
    with opened(moved, data) as journal:
        well(undo(journal))
    assert tree(moved) == before


def test_a_copy_in_the_place_of_the_original_has_to_be_confirmed_outside(outputs, elsewhere, data, tmp_path):
    """The folder itself was renamed, and is the one that the pictures outside belong to."""
    before = sort(outputs, data, elsewhere)
    first = outputs.rename(tmp_path / "renamed")
    shutil.copytree(first, outputs)
    taken = tree(elsewhere)
    with opened(outputs, data) as journal:
        assert {info.made.parent for info in leading_out(journal, 1)} == {elsewhere / "new"}
        result = undo(journal)
        assert [("leads out" in reason) for reason in reasons(result)] == [True, True, False]
    assert tree(elsewhere) == taken
    with opened(first, data) as journal:
        well(undo(journal))
    assert tree(first) == before


def test_a_folder_stays_the_same_where_its_device_has_another_number(outputs, elsewhere, data):
    """As after the machine was started anew; and where the system has no numbers, its path is what it is known by."""
    before = sort(outputs, data, elsewhere)
    with sqlite3.connect(outputs / ".imagereward" / "journal.sqlite3") as connection:
        (inode,) = connection.execute("SELECT inode FROM runs").fetchone()
    connection.close()
    place = os.path.realpath(outputs)
    here = Anchor.of(outputs)
    assert (here.path, here.inode) == (place, inode)
    assert (
        here.is_same(Anchor(place, "7", inode))
        and here.is_same(Anchor(place))
        and Anchor(place).is_same(here)
    )
    assert here.is_same(Anchor("/elsewhere", here.device, inode))
    assert not here.is_same(Anchor("/elsewhere", "7", inode)) and not here.is_same(
        Anchor(place, here.device, "7")
    )
    assert not here.is_same(Anchor("/elsewhere"))
    with opened(outputs, data) as journal:
        well(undo(journal))
    assert tree(outputs) == before


@pytest.mark.parametrize("other", [None, "another computer"])
def test_what_leads_out_is_left_without_the_key(other, outputs, elsewhere, data, tmp_path):
    sort(outputs, data, elsewhere)
    taken = tree(elsewhere)
    with opened(outputs, other and tmp_path / other) as journal:
        assert len(refused(journal)) == 2
        result = undo(journal)
    assert result.done == 0 and len(result.failed) == 3 and tree(elsewhere) == taken


def test_a_folder_made_outside_goes_only_with_the_key(outputs, elsewhere, data):
    with opened(outputs, data) as journal:
        well(act(journal, to("copy", outputs / "00002.png", elsewhere / "new" / "00002.png")))
    (elsewhere / "new" / "00002.png").unlink()
    with opened(outputs) as journal:
        journal._database._writer.execute("UPDATE steps SET state = 'undone'")
    opened(outputs).close()
    assert (elsewhere / "new").is_dir()


def test_a_person_may_confirm_what_leads_out(outputs, elsewhere, data, tmp_path):
    before = sort(outputs, data, elsewhere)
    with opened(outputs, tmp_path / "another computer") as journal:
        shown = leading_out(journal, 1)
        assert {info.made.parent for info in shown} == {elsewhere / "new"}
        assert undo(journal, 1, confirmed=shown[:0]).done == 0
        assert well(undo(journal, 1, confirmed=shown)).done == 3
    assert tree(outputs) == before


@pytest.mark.parametrize(
    ("column", "value"),
    [("made", "letter"), ("source", "00001.png"), ("after_digest", "0" * 64), ("kind", "move"), ("run", 2)],
)
def test_a_row_that_was_tampered_with_is_not_vouched_for(column, value, outputs, elsewhere, data):
    sort(outputs, data, elsewhere, "copy")
    letter = elsewhere / "new" / "letter"
    letter.write_bytes(b"dear all")
    taken = tree(elsewhere)
    if value == "letter":
        value = str(letter)
    with sqlite3.connect(outputs / ".imagereward" / "journal.sqlite3") as connection:
        connection.execute(
            "INSERT INTO runs SELECT 2, begun, title, base, anchor, device, inode, folder FROM runs"
        )
        connection.execute(f"UPDATE steps SET {column} = ? WHERE kind = 'copy'", (value,))
    connection.close()
    with opened(outputs, data) as journal:
        for run in (1, 2):
            result = undo(journal, run)
            allowed = ("leads out", "left untouched", "of this run with", "undo that run first")
            assert all(any(words in reason for words in allowed) for reason in reasons(result))
    assert {name: entry for name, entry in tree(elsewhere).items() if entry.kind == "file"} == {
        name: entry for name, entry in taken.items() if entry.kind == "file"
    }


def test_a_row_of_another_journal_is_not_vouched_for(outputs, elsewhere, data, tmp_path):
    """The same rows in a journal of another number, in the same folder."""
    sort(outputs, data, elsewhere, "copy")
    taken = tree(elsewhere)
    with sqlite3.connect(outputs / ".imagereward" / "journal.sqlite3") as connection:
        connection.execute("UPDATE identity SET id = randomblob(16)")
    connection.close()
    with opened(outputs, data) as journal:
        assert undo(journal).done == 0
    assert tree(elsewhere) == taken


def test_a_data_folder_that_cannot_be_used_stops_nothing(outputs, elsewhere, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    sort(outputs, tmp_path / "file" / "data", elsewhere, "copy")
    assert len(list((elsewhere / "new").iterdir())) == 2
    with opened(outputs, tmp_path / "file" / "data") as journal:
        assert undo(journal).done == 0


# Journals of the version before, with absolute paths.


def old_journal(outputs, away):
    """A picture moved inside and one moved out, as the version before wrote it down."""
    rows = []
    for name, folder in (("00002.png", outputs / "kept"), ("00003.png", away)):
        folder.mkdir(exist_ok=True)
        made = (outputs / name).rename(folder / name)
        marks = {**seen("before", made.read_bytes(), made), **seen("after", made.read_bytes(), made)}
        marks = {key: value for key, value in marks.items() if not key.endswith("digest")} | {
            "before_digest": "", "after_digest": ""
        }  # fmt: skip
        rows.append(
            {"kind": "move", "source": str(outputs / name), "target": str(made), "made": str(made), **marks}
        )
    bring(outputs, *rows, folders=(str(outputs / "kept"),))


def test_a_journal_of_the_version_before_is_undone_inside_and_asks_outside(outputs, elsewhere, data):
    before = tree(outputs)
    old_journal(outputs, elsewhere)
    with Journal.look(outputs / ".imagereward", data=data) as journal:
        assert [info.made.parent for info in leading_out(journal, 1)] == [elsewhere]
    with opened(outputs, data) as journal:
        result = undo(journal)
        assert result.done == 1 and "leads out" in reasons(result)[0]
        assert (outputs / "00002.png").exists() and (elsewhere / "00003.png").exists()
        well(undo(journal, 1, confirmed=leading_out(journal, 1)))
    assert tree(outputs) == before


def test_a_journal_of_the_version_before_moves_with_its_folder_from_then_on(outputs, tmp_path):
    """Its paths start from the folder once somebody has acted."""
    before = tree(outputs)
    old_journal(outputs, outputs / "away")
    opened(outputs).close()
    moved = outputs.rename(tmp_path / "renamed")
    with opened(moved) as journal:
        assert well(undo(journal)).done == 2
    after = tree(moved)
    after.pop("away")
    assert after == before


def test_a_copied_journal_of_the_version_before_leaves_the_original_alone(outputs, tmp_path):
    old_journal(outputs, outputs / "away")
    after = tree(outputs)
    backup = shutil.copytree(outputs, tmp_path / "backup")
    with opened(backup) as journal:
        assert len(undo(journal).failed) == 2
    assert tree(outputs) == after == tree(backup)


def test_a_journal_of_the_first_version_is_gone_on_with(outputs):
    bring(outputs, version=1)
    step = to("copy", outputs / "00002.png", outputs / "kept" / "00002.png")
    with opened(outputs) as journal:
        well(act(journal, step))
        assert well(act(journal, step)).skipped == 1
        assert well(undo(journal)).done == 1


def test_new_steps_know_those_of_the_version_before(outputs):
    """Doing the same again does nothing twice, whichever way paths are stored."""
    old_journal(outputs, outputs / "away")
    step = to("move", outputs / "00002.png", outputs / "kept" / "00002.png")
    with opened(outputs) as journal:
        run = journal.begin("again", [step])
        assert well(execute(journal, run)).skipped == 1
