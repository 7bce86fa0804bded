"""Each kind of step does what it says, keeps what was there, does nothing twice, and can be taken back byte for byte."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from benchmarks.killing import contents, tree
from imagereward_core.library.journal import JournalError, Step, execute, groups, open_journal, undo
from imagereward_core.metadata.writing.splice import Splice
from tests.support.library.acting import act, reasons, states, to, well


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink", "move"])
def test_text_files_travel_with_their_picture(kind, journal, outputs, kept):
    well(act(journal, to(kind, outputs / "00000.png", kept / "00000.png")))
    assert names(kept) == ["00000.png", "00000.png.xmp", "00000.txt"]
    assert (kept / "00000.txt").read_text(encoding="utf-8") == "a red star"
    assert (outputs / "00000.txt").exists() == (kind != "move")


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink", "move"])
def test_files_of_other_programs_travel_however_they_are_spelled(kind, journal, outputs, kept):
    beside = {
        "00002.swarm.json": "00002.swarm.json",
        "00002.swarmpreview.jpg": "00002.swarmpreview.jpg",
        "00002.swarmpreview.webp": "00002.swarmpreview.webp",
        "00002.caption": "00002.caption",
        "00002.Txt": "00002.Txt",
        "F\u00dcCHSE.JSON": "fu\u0308chse.JSON",
    }
    for name in beside:
        (outputs / name).write_text(name, encoding="utf-8")
    (outputs / "fu\u0308chse.png").write_bytes(b"a picture")
    before = tree(outputs)
    steps = [to(kind, outputs / name, kept / name) for name in ("00002.png", "fu\u0308chse.png")]
    well(act(journal, *steps))
    assert names(kept) == sorted(["00002.png", "fu\u0308chse.png", *beside.values()])
    assert [(outputs / name).exists() for name in beside] == [kind != "move"] * len(beside)
    well(undo(journal))
    assert tree(outputs) == before


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink", "move"])
def test_text_files_follow_a_picture_that_got_another_name(kind, journal, outputs, kept):
    kept.mkdir()
    (kept / "00000.png").write_bytes(b"somebody else's")
    (kept / "00000.txt").write_bytes(b"somebody else's prompt")
    well(act(journal, to(kind, outputs / "00000.png", kept / "00000.png")))
    assert names(kept) == [
        "00000 (2).png",
        "00000 (2).png.xmp",
        "00000 (2).txt",
        "00000.png",
        "00000.txt",
    ]
    assert (kept / "00000.png").read_bytes() == b"somebody else's"
    assert (kept / "00000.txt").read_bytes() == b"somebody else's prompt"


def test_a_picture_never_lands_beside_text_of_another(journal, outputs, kept):
    kept.mkdir()
    (kept / "00002.txt").write_text("the prompt of a picture that is gone", encoding="utf-8")
    well(act(journal, to("copy", outputs / "00002.png", kept / "00002.png")))
    assert names(kept) == ["00002 (2).png", "00002.txt"]


def test_a_text_file_that_two_pictures_share_stays_with_the_one_that_stays(journal, outputs, kept):
    shutil.copy(outputs / "00003.png", outputs / "00000.jpg")
    well(act(journal, to("move", outputs / "00000.png", kept / "00000.png")))
    assert (outputs / "00000.txt").exists() and (kept / "00000.txt").exists()
    assert not (outputs / "00000.png.xmp").exists()
    well(undo(journal))
    assert (outputs / "00000.txt").exists() and not kept.exists()


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink", "move"])
def test_a_run_undone_leaves_the_folder_byte_for_byte(kind, journal, outputs, kept):
    before = tree(outputs)
    steps = [to(kind, path, kept / "a" / "b" / path.name) for path in sorted(outputs.glob("*.png"))]
    result = well(act(journal, *steps))
    assert result.done == 4 and tree(outputs) != before
    assert well(undo(journal)).done == 4
    assert tree(outputs) == before
    assert [run.state for run in journal.runs()] == ["undone"]


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink", "move"])
def test_the_same_plan_again_does_nothing_twice(kind, journal, outputs, kept):
    kept.mkdir()
    (kept / "00001.png").write_bytes(b"somebody else's")
    steps = [to(kind, path, kept / path.name) for path in sorted(outputs.glob("*.png"))]
    well(act(journal, *steps))
    once = tree(outputs)
    result = well(act(journal, *steps))
    assert (result.done, result.skipped) == (0, 4)
    assert tree(outputs) == once


def test_the_same_plan_again_does_nothing_twice_after_the_copy_was_edited(journal, outputs, kept):
    picture, copy = outputs / "00000.png", kept / "00000.png"
    steps = [
        to("copy", picture, copy),
        to("edit", copy, copy, splices=(Splice(8, b"", b"scores"),)),
        to("put", kept / "00000.xmp", kept / "00000.xmp", content=b"<rating/>"),
    ]
    assert well(act(journal, *steps)).done == 3
    once = tree(outputs)
    assert well(act(journal, *steps)).skipped == 3
    assert tree(outputs) == once


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink"])
def test_without_the_journal_what_is_there_already_is_still_seen(kind, journal, outputs, kept, tmp_path):
    step = to(kind, outputs / "00000.png", kept / "00000.png")
    well(act(journal, step))
    with open_journal(tmp_path / "another") as other:
        assert well(act(other, step)).skipped == 1
    assert len(names(kept)) == 3


def test_copies_keep_times_and_permissions(journal, outputs, kept):
    picture = outputs / "00002.png"
    os.utime(picture, ns=(10**18, 10**18 + 123_456_700))
    picture.chmod(0o444)
    well(act(journal, to("copy", picture, kept / "00002.png")))
    made = (kept / "00002.png").stat()
    assert made.st_mtime_ns == picture.stat().st_mtime_ns
    assert made.st_mode == picture.stat().st_mode
    well(undo(journal))
    assert not kept.exists()


def test_symbolic_links_inside_one_folder_survive_its_move(journal, outputs, kept, tmp_path):
    well(act(journal, to("symlink", outputs / "00002.png", kept / "00002.png")))
    elsewhere = tmp_path / "elsewhere"
    outputs.rename(elsewhere)
    assert (elsewhere / "kept" / "00002.png").read_bytes() == (elsewhere / "00002.png").read_bytes()


@pytest.mark.parametrize("absolute", [True, False])
def test_a_symbolic_link_that_moves_still_leads_to_its_picture(absolute, journal, outputs, kept):
    link = outputs / "link.png"
    link.symlink_to(outputs / "00003.png" if absolute else "00003.png")
    before = tree(outputs)
    well(act(journal, to("move", link, kept / "deep" / "link.png")))
    assert not link.is_symlink()
    assert (kept / "deep" / "link.png").is_symlink()
    assert (kept / "deep" / "link.png").read_bytes() == (outputs / "00003.png").read_bytes()
    well(undo(journal))
    assert tree(outputs) == before


def test_a_copy_of_a_symbolic_link_is_the_picture_and_a_hard_link_of_it_too(journal, outputs, kept):
    link = outputs / "link.png"
    link.symlink_to("00003.png")
    well(act(journal, to("copy", link, kept / "copy.png"), to("hardlink", link, kept / "hard.png")))
    assert not (kept / "copy.png").is_symlink() and not (kept / "hard.png").is_symlink()
    assert (kept / "hard.png").samefile(outputs / "00003.png")


def test_a_swap_loses_nothing(journal, outputs):
    a, b = outputs / "00002.png", outputs / "00003.png"
    before = tree(outputs)
    well(act(journal, to("move", a, b), to("move", b, a)))
    assert sorted(contents(tree(outputs)).values()) == sorted(contents(before).values())
    well(undo(journal))
    assert tree(outputs) == before


def test_a_chain_of_moves_is_undone_in_reverse(journal, outputs, kept):
    before = tree(outputs)
    a, b, c = outputs / "00000.png", kept / "00000.png", kept / "best" / "00000.png"
    assert well(act(journal, to("move", a, b), to("move", b, c))).done == 2
    assert names(kept) == ["best"]
    well(undo(journal))
    assert tree(outputs) == before


def test_one_bad_step_does_not_stop_the_others(journal, outputs, kept):
    result = act(
        journal,
        to("copy", outputs / "gone.png", kept / "gone.png"),
        to("copy", outputs, kept / "folder"),
        to("copy", outputs / "00000.png", outputs / "00001.png" / "inside" / "00000.png"),
        to("copy", outputs / "00002.png", kept / "00002.png"),
    )
    assert (result.done, len(result.failed)) == (1, 3)
    gone, folder, inside = reasons(result)
    assert "gone.png is no longer there" in gone
    assert "is no file" in folder
    assert "00001.png is a file; expected a folder" in inside
    assert states(journal, result.run) == ["failed", "failed", "failed", "done"]


def test_a_picture_moved_to_where_it_is_stays(journal, outputs):
    before = tree(outputs)
    result = well(act(journal, to("move", outputs / "00000.png", outputs / "00000.png")))
    assert result.skipped == 1 and tree(outputs) == before


def test_relative_paths_are_of_the_moment_of_planning(journal, outputs, monkeypatch, tmp_path):
    monkeypatch.chdir(outputs)
    run = journal.begin("relative", [Step("copy", Path("00002.png"), Path("kept") / "00002.png")])
    monkeypatch.chdir(tmp_path)
    well(execute(journal, run))
    assert (outputs / "kept" / "00002.png").is_file()


def test_names_that_are_no_unicode_are_handled(journal, outputs, kept):
    picture = outputs / os.fsdecode(b"caf\xe9.png")
    try:
        picture.write_bytes(b"picture")
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    before = tree(outputs)
    well(act(journal, to("move", picture, kept / picture.name)))
    assert (kept / picture.name).read_bytes() == b"picture"
    well(undo(journal))
    assert tree(outputs) == before


def test_progress_and_cancelling(journal, outputs, kept, monkeypatch):
    monkeypatch.setattr(groups, "MOST_STEPS", 1)
    steps = [to("copy", path, kept / path.name) for path in sorted(outputs.glob("*.png"))]
    seen = []
    run = journal.begin("some", steps)
    result = execute(journal, run, progress=lambda *now: seen.append(now), cancelled=lambda: len(seen) == 2)
    assert seen == [(1, 4), (2, 4)] and (result.done, result.left) == (2, 2)
    assert journal.run(run).state == "interrupted"
    assert well(execute(journal, run, progress=lambda *now: seen.append(now))).done == 2
    assert seen[2:] == [(3, 4), (4, 4)] and journal.run(run).state == "done"


def test_a_run_taken_back_half_way_is_not_gone_on_with(journal, outputs, kept, monkeypatch):
    monkeypatch.setattr(groups, "MOST_STEPS", 1)
    before = tree(outputs)
    steps = [to("copy", path, kept / path.name) for path in sorted(outputs.glob("*.png"))]
    run = journal.begin("some", steps)
    execute(journal, run, cancelled=lambda: kept.exists())
    well(undo(journal, run))
    assert tree(outputs) == before
    with pytest.raises(JournalError, match="was undone; begin a new run"):
        execute(journal, run)
