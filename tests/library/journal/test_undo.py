"""Undo never removes what is not elsewhere, and never touches a file that changed: it says so and goes on."""

from __future__ import annotations

import os
import shutil

import pytest

from benchmarks.killing import contents, tree
from imagereward_core.library.journal import JournalError, groups, undo
from imagereward_core.metadata.writing.splice import Splice
from tests.support.library.acting import act, reasons, to, well
from tests.support.library.faults import another_file_system


@pytest.fixture
def copied(journal, outputs, kept):
    """A run that copied two pictures; returns the first copy."""
    well(act(journal, *(to("copy", outputs / name, kept / name) for name in ("00002.png", "00003.png"))))
    return kept / "00002.png"


def test_a_changed_copy_stays_and_the_others_go(journal, kept, copied):
    copied.write_bytes(b"retouched by hand")
    result = undo(journal)
    assert result.done == 1 and "changed since; it is left as it is" in reasons(result)[0]
    assert [path.name for path in kept.iterdir()] == ["00002.png"]
    assert journal.run(1).state == "partly undone"


def test_a_copy_changed_under_the_same_size_and_time_stays(journal, copied):
    facts = copied.stat()
    copied.write_bytes(bytes(facts.st_size))
    os.utime(copied, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert "changed since" in reasons(undo(journal))[0] and copied.exists()


@pytest.mark.parametrize("kind", ["copy", "hardlink"])
@pytest.mark.parametrize("fate", ["removed", "replaced"])
def test_the_last_of_its_kind_is_never_removed(kind, fate, journal, outputs, kept):
    picture, made = outputs / "00002.png", kept / "00002.png"
    data = picture.read_bytes()
    well(act(journal, to(kind, picture, made)))
    picture.unlink()
    if fate == "replaced":
        picture.write_bytes(b"a new picture under the old number")
    assert "may be the last of its kind" in reasons(undo(journal))[0]
    assert made.read_bytes() == data


@pytest.mark.parametrize("kind", ["copy", "hardlink"])
def test_an_original_that_became_a_link_to_its_copy_is_no_original(kind, journal, outputs, kept):
    """As programs that remove duplicates leave it."""
    picture, made = outputs / "00002.png", kept / "00002.png"
    well(act(journal, to(kind, picture, made)))
    picture.unlink()
    picture.symlink_to(made)
    assert "may be the last of its kind" in reasons(undo(journal))[0]
    assert made.is_file() and not made.is_symlink()


def test_an_original_that_became_a_hard_link_of_its_copy_is_one(journal, outputs, kept):
    picture, made = outputs / "00002.png", kept / "00002.png"
    data = picture.read_bytes()
    well(act(journal, to("copy", picture, made)))
    picture.unlink()
    picture.hardlink_to(made)
    well(undo(journal))
    assert picture.read_bytes() == data and not made.exists()


def test_a_move_to_a_disk_with_coarse_times_is_undone(journal, outputs, kept):
    before = contents(tree(outputs))
    with another_file_system(kept):
        well(act(journal, to("move", outputs / "00002.png", kept / "00002.png")))
        os.utime(kept / "00002.png", ns=(10**18, 10**18))  # as a memory card does when it is put in again
        well(undo(journal))
    assert contents(tree(outputs)) == before


def test_what_the_user_removed_already_needs_no_undoing(journal, kept, copied):
    copied.unlink()
    result = well(undo(journal))
    assert (result.done, result.skipped) == (1, 1) and not kept.exists()


def test_another_file_under_the_name_of_a_symbolic_link_stays(journal, outputs, kept):
    link = kept / "00002.png"
    well(act(journal, to("symlink", outputs / "00002.png", link)))
    link.unlink()
    link.write_bytes(b"mine")
    assert "is another file now" in reasons(undo(journal))[0] and link.read_bytes() == b"mine"


def test_a_folder_of_ours_that_holds_something_else_stays(journal, kept, copied):
    (kept / "notes.txt").write_text("mine", encoding="utf-8")
    well(undo(journal))
    assert [path.name for path in kept.iterdir()] == ["notes.txt"]


@pytest.fixture
def moved(journal, outputs, kept):
    well(act(journal, to("move", outputs / "00000.png", kept / "00000.png")))
    return outputs / "00000.png", kept / "00000.png"


def test_a_move_is_not_undone_onto_a_new_file(journal, moved):
    source, made = moved
    source.write_bytes(b"the generator reused the number")
    assert "there is another file named" in reasons(undo(journal))[0]
    assert source.read_bytes() == b"the generator reused the number" and made.exists()
    source.unlink()
    well(undo(journal))
    assert source.exists() and source.with_suffix(".txt").exists() and not made.exists()


def test_a_moved_file_that_changed_stays(journal, moved):
    source, made = moved
    made.write_bytes(b"cropped")
    assert "changed since it was moved" in reasons(undo(journal))[0]
    assert made.read_bytes() == b"cropped" and made.with_suffix(".txt").exists() and not source.exists()


def test_a_file_moved_on_by_hand_is_not_looked_for(journal, moved, tmp_path):
    _, made = moved
    made.rename(tmp_path / "mine.png")
    assert "is no longer there" in reasons(undo(journal))[0]


def test_a_file_moved_back_by_hand_is_undone(journal, moved):
    source, made = moved
    made.rename(source)
    result = undo(journal)
    assert (result.skipped, len(result.failed)) == (1, 0) and source.exists()


def test_a_move_is_undone_into_a_folder_that_is_gone(journal, outputs, tmp_path):
    folder = outputs / "2024-01-01"
    folder.mkdir()
    shutil.move(outputs / "00002.png", folder / "00002.png")
    well(act(journal, to("move", folder / "00002.png", outputs / "kept" / "00002.png")))
    folder.rmdir()
    well(undo(journal))
    assert (folder / "00002.png").is_file() and not (outputs / "kept").exists()


def test_a_changed_edit_stays(journal, outputs):
    picture = outputs / "00002.png"
    well(act(journal, to("edit", picture, picture, splices=(Splice(8, b"", b"score"),))))
    picture.write_bytes(picture.read_bytes() + b"more by another program")
    after = picture.read_bytes()
    assert "changed since" in reasons(undo(journal))[0] and picture.read_bytes() == after


def test_a_changed_sidecar_stays(journal, outputs):
    xmp = outputs / "00000.png.xmp"
    well(act(journal, to("put", xmp, xmp, content=b"<ours/>")))
    xmp.write_bytes(b"<rated by hand/>")
    assert "changed since" in reasons(undo(journal))[0] and xmp.read_bytes() == b"<rated by hand/>"


def test_runs_are_undone_latest_first_for_each_file(journal, outputs, kept):
    before = tree(outputs)
    first, other = outputs / "00000.png", outputs / "00003.png"
    well(act(journal, to("move", first, kept / "00000.png"), to("move", other, kept / "00003.png")))
    well(act(journal, to("move", kept / "00000.png", kept / "best" / "00000.png")))
    result = undo(journal, 1)
    assert result.done == 1 and "undo that run first" in reasons(result)[0]
    well(undo(journal, 2))
    well(undo(journal, 1))
    assert tree(outputs) == before


def test_any_run_can_be_undone_where_no_later_one_used_its_files(journal, outputs, kept):
    well(act(journal, to("copy", outputs / "00002.png", kept / "00002.png")))
    well(act(journal, to("copy", outputs / "00003.png", kept / "00003.png")))
    well(undo(journal, 1))
    assert [path.name for path in kept.iterdir()] == ["00003.png"]
    assert [run.state for run in journal.runs()] == ["undone", "done"]


def test_undo_takes_the_last_run_that_still_stands(journal, outputs, kept):
    for name in ("00002.png", "00003.png"):
        well(act(journal, to("copy", outputs / name, kept / name)))
    assert [undo(journal).run, undo(journal).run] == [2, 1]
    with pytest.raises(JournalError, match="nothing to undo"):
        undo(journal)


def test_undone_steps_can_be_done_again_in_a_new_run(journal, outputs, kept):
    step = to("move", outputs / "00002.png", kept / "00002.png")
    for _ in range(2):
        assert well(act(journal, step)).done == 1
        well(undo(journal))
    assert (outputs / "00002.png").exists()


def test_a_cancelled_undo_is_gone_on_with(journal, outputs, kept, monkeypatch):
    monkeypatch.setattr(groups, "MOST_STEPS", 1)
    before = tree(outputs)
    well(act(journal, *(to("move", path, kept / path.name) for path in sorted(outputs.glob("*.png")))))
    seen = []
    result = undo(journal, progress=lambda *now: seen.append(now), cancelled=lambda: len(seen) == 1)
    assert (result.done, result.left, seen) == (1, 3, [(1, 4)])
    assert journal.run(1).state == "partly undone"
    well(undo(journal))
    assert tree(outputs) == before


def test_a_text_file_that_could_not_go_back_is_tried_again(journal, outputs, kept):
    text, made = outputs / "00002.txt", kept / "00002.txt"
    text.write_text("a red star", encoding="utf-8")
    well(act(journal, to("copy", outputs / "00002.png", kept / "00002.png")))
    made.write_text("edited by hand", encoding="utf-8")
    assert "changed since; it is left as it is" in reasons(undo(journal))[0]
    assert "changed since; it is left as it is" in reasons(undo(journal))[0]
    made.write_text("a red star", encoding="utf-8")
    assert undo(journal).failed == [] and not made.exists()
    with pytest.raises(JournalError, match="nothing to undo"):
        undo(journal)


def test_another_picture_of_the_same_size_is_not_moved_back(journal, outputs, moved, kept):
    source, made = moved
    size = made.stat().st_size
    made.rename(kept / "mine.png")
    made.write_bytes(bytes(size))
    assert "changed since it was moved" in reasons(undo(journal))[0]
    assert made.read_bytes() == bytes(size) and not source.exists()
