"""Full disks, read-only places, other file systems and odd names: a reason for the step, and no file the worse for it."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from acting import act, reasons, to, well
from faults import another_file_system, refusal, refusing, without_letter_case, without_links
from full_disk import read_only

from benchmarks.killing import contents, hidden, tree
from imagereward_core.errors import CuratorError
from imagereward_core.images.metadata.writing.splice import Splice
from imagereward_core.library.actions import Journal, execute, files, safe_name, undo
from imagereward_core.library.actions.names import free_names


def half_then_full(source, target):
    target.write(source.read(500))
    raise refusal(errno.ENOSPC)


def test_a_full_disk_leaves_no_half_copy(journal, outputs, kept, monkeypatch):
    before = contents(tree(outputs))
    monkeypatch.setattr(files, "_copy_all", half_then_full)
    result = act(journal, to("copy", outputs / "00000.png", kept / "00000.png"))
    assert "is full; free some room" in reasons(result)[0]
    assert contents(tree(outputs)) == before
    monkeypatch.undo()
    well(act(journal, to("copy", outputs / "00000.png", kept / "00000.png")))
    assert len(list(kept.iterdir())) == 3


def test_a_full_disk_leaves_an_edited_picture_and_a_sidecar_as_they_are(journal, outputs):
    picture, xmp = outputs / "00000.png", outputs / "00000.png.xmp"
    before = tree(outputs)
    with refusing("fsync", errno.ENOSPC):
        result = act(
            journal,
            to("edit", picture, picture, splices=(Splice(8, b"", b"score"),)),
            to("put", xmp, xmp, content=b"<rated/>"),
        )
    assert len(result.failed) == 2 and all("is full" in reason for reason in reasons(result))
    assert tree(outputs) == before


def test_a_full_disk_stops_a_move_to_another_file_system_before_anything_is_removed(
    journal, outputs, kept, monkeypatch
):
    monkeypatch.setattr(files, "_copy_all", half_then_full)
    before = contents(tree(outputs))
    with another_file_system(kept):
        result = act(journal, to("move", outputs / "00000.png", kept / "00000.png"))
    assert "is full" in reasons(result)[0] and contents(tree(outputs)) == before


def test_a_move_to_another_file_system_and_back(journal, outputs, kept):
    before = tree(outputs)
    with another_file_system(kept):
        well(act(journal, to("move", outputs / "00000.png", kept / "00000.png")))
        assert not (outputs / "00000.png").exists() and not (outputs / "00000.txt").exists()
        assert (kept / "00000.png").read_bytes() == before["00000.png"].content
        well(undo(journal))
    assert tree(outputs) == before


def test_a_real_other_file_system(journal, outputs, tmp_path):
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    before, target = tree(outputs), Path(tempfile.mkdtemp(dir=other))
    try:
        well(act(journal, to("move", outputs / "00000.png", target / "kept" / "00000.png")))
        assert sorted(path.name for path in (target / "kept").iterdir()) == [
            "00000.png",
            "00000.png.xmp",
            "00000.txt",
        ]
        linked = act(journal, to("hardlink", outputs / "00002.png", target / "00002.png"))
        assert "hard links work only within one file system" in reasons(linked)[0]
        well(undo(journal))
        assert tree(outputs) == before and list(target.iterdir()) == []
    finally:
        shutil.rmtree(target)


def test_a_disk_that_gives_back_other_bytes_is_caught_before_the_source_goes(
    journal, outputs, kept, monkeypatch
):
    real = files.read_mark

    def rotten(path):
        mark = real(path)
        return files.Mark(mark.size, mark.modified_ns, "0" * 64) if path.suffix == ".tmp" else mark

    monkeypatch.setattr(files, "read_mark", rotten)
    before = contents(tree(outputs))
    with another_file_system(kept):
        result = act(journal, to("move", outputs / "00000.png", kept / "00000.png"))
    assert "gave back other bytes" in reasons(result)[0] and contents(tree(outputs)) == before


@pytest.mark.parametrize("across", [False, True])
def test_a_source_that_may_not_be_removed_is_not_doubled(across, journal, outputs, kept):
    before = contents(tree(outputs))
    picture = outputs / "00002.png"
    with refusing("unlink", errno.EACCES, lambda path, *_: path == str(picture)):
        if across:
            with another_file_system(kept):
                result = act(journal, to("move", picture, kept / "00002.png"))
        else:
            result = act(journal, to("move", picture, kept / "00002.png"))
    assert "may not be changed by this user" in reasons(result)[0]
    assert str(kept) not in reasons(result)[0] and str(outputs) in reasons(result)[0]
    assert contents(tree(outputs)) == before and not kept.exists()


@pytest.mark.parametrize("across", [False, True])
def test_a_move_out_of_a_folder_that_can_only_be_read_names_that_folder(across, journal, outputs, tmp_path):
    target = outputs / "kept" if not across else tmp_path / "elsewhere" / "kept"
    (outputs / "day").mkdir()
    (outputs / "00002.png").rename(outputs / "day" / "00002.png")
    before = tree(outputs)
    with read_only(outputs / "day"):
        result = act(
            journal,
            to("move", outputs / "day" / "00002.png", target / "day" / "00002.png"),
            to("move", outputs / "00003.png", target / "00003.png"),
        )
    reason = reasons(result)[0]
    assert reason.startswith(f"{outputs / 'day'} is on a file system that can only be read")
    assert "it can be copied" in reason and len(result.failed) == 1
    assert [path.name for path in target.iterdir()] == ["00003.png"]
    well(undo(journal))
    assert tree(outputs) == before and not target.exists()


def test_a_copy_into_a_folder_that_can_only_be_read_names_that_folder(journal, outputs, kept):
    kept.mkdir()
    with read_only(kept):
        result = act(journal, to("copy", outputs / "00002.png", kept / "day" / "00002.png"))
    assert reasons(result)[0].startswith(f"{kept} is on a file system that can only be read")


def test_a_picture_that_may_not_be_read_is_named(journal, outputs, kept, monkeypatch):
    picture = outputs / "00002.png"
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK or Path(path) != picture)
    with refusing("open", errno.EACCES, lambda path, *_: path == str(picture), io):
        result = act(journal, to("copy", picture, kept / "00002.png"))
    assert reasons(result)[0].startswith(f"{picture} may not be read by this user") and not kept.exists()


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink", "move", "edit", "put"])
def test_a_read_only_folder_is_a_reason(kind, journal, outputs, kept):
    kept.mkdir()
    (kept / "old.png").write_bytes(b"12345678")
    before = tree(outputs)
    kept.chmod(0o555)
    if os.access(kept, os.W_OK):
        pytest.skip("this user may write anywhere")
    try:
        more = {"splices": (Splice(8, b"", b"x"),)} if kind == "edit" else {}
        source = kept / "old.png" if kind in ("move", "edit") else outputs / "00002.png"
        target = {"move": outputs / "new.png", "edit": source}.get(kind, kept / "new.png")
        result = act(journal, to(kind, source, target, **more))
        assert "may not be changed by this user" in reasons(result)[0]
    finally:
        kept.chmod(0o755)
    assert contents(tree(outputs)) == contents(before)


def test_a_disk_that_can_only_be_read_is_a_reason(journal, outputs, kept):
    with refusing("mkdir", errno.EROFS):
        result = act(journal, to("copy", outputs / "00002.png", kept / "00002.png"))
    assert "can only be read" in reasons(result)[0] and not kept.exists()


@pytest.mark.parametrize("kind", ["copy", "move", "put"])
def test_a_file_system_without_hard_links(kind, journal, outputs, kept):
    before = tree(outputs)
    more = {"content": b"new"} if kind == "put" else {}
    name = "00002.xmp" if kind == "put" else "00002.png"
    with without_links():
        well(act(journal, to(kind, outputs / name, kept / name, **more)))
        kept_files = [path.name for path in kept.iterdir()]
        refused = act(journal, to("hardlink", outputs / "00003.png", kept / "00003.png"))
        assert "hard links work only" in reasons(refused)[0]
        well(undo(journal))
    assert kept_files == [name] and tree(outputs) == before


@pytest.mark.parametrize("kind", ["copy", "move"])
def test_names_that_differ_in_letter_case_clash_where_case_does_not_count(kind, journal, outputs, kept):
    kept.mkdir()
    (kept / "A.PNG").write_bytes(b"somebody else's")
    (outputs / "a.png").write_bytes(b"ours")
    before = tree(outputs)
    with without_letter_case(outputs):
        well(act(journal, to(kind, outputs / "a.png", kept / "a.png")))
        assert sorted(path.name for path in kept.iterdir()) == ["A.PNG", "a (2).png"]
        assert (kept / "A.PNG").read_bytes() == b"somebody else's"
        well(undo(journal))
    assert tree(outputs) == before


def test_a_move_may_change_letter_case_alone_where_case_does_not_count(journal, outputs):
    picture = outputs / "a.png"
    picture.write_bytes(b"ours")
    before = tree(outputs)
    with without_letter_case(outputs):
        well(act(journal, to("move", picture, outputs / "A.png")))
        names = [path.name for path in outputs.iterdir()]
        assert "A.png" in names and "a.png" not in names
        well(undo(journal))
    assert tree(outputs) == before


def test_one_entry_with_two_spellings_is_never_taken_for_two_files(outputs):
    (outputs / "a.png").write_bytes(b"ours")
    with without_letter_case(outputs):
        assert files.same_entry(outputs / "a.png", outputs / "A.png")
        assert not files.two_names(outputs / "a.png", outputs / "A.png")


@pytest.mark.parametrize("stem", ["n" * 240, "ü" * 120, "画" * 82])
@pytest.mark.parametrize("kind", ["copy", "move"])
def test_very_long_names_get_their_number_and_their_text_files(kind, stem, journal, outputs, kept):
    name = f"{stem}.png"
    kept.mkdir()
    (kept / name).write_bytes(b"somebody else's")
    (outputs / name).write_bytes(b"ours")
    (outputs / f"{name}.xmp").write_bytes(b"<x/>")
    well(act(journal, to(kind, outputs / name, kept / name)))
    made = {path.name: path.read_bytes() for path in kept.iterdir()}
    assert made.pop(name) == b"somebody else's"
    (picture,) = (each for each in made if each.endswith(" (2).png"))
    assert made == {picture: b"ours", f"{picture}.xmp": b"<x/>"}


def test_a_name_too_long_for_any_file_system_is_shortened(journal, outputs, kept):
    well(act(journal, to("copy", outputs / "00002.png", kept / ("prompt " * 60 + ".png"))))
    (made,) = kept.iterdir()
    assert made.suffix == ".png" and len(os.fsencode(made.name)) <= 250


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("CON", "_CON"),
        ("con.png", "_con.png"),
        ("Aux.tar.gz", "_Aux.tar.gz"),
        ("com1.txt", "_com1.txt"),
        ("COM¹.png", "_COM¹.png"),
        ("console.png", "console.png"),
        ('a: "red" <car>|?*.png', "a_ _red_ _car____.png"),
        ("dots...", "dots"),
        ("", "_"),
        ("...", "_"),
        ("a/b\\c", "a_b_c"),
        ("tab\there", "tab_here"),
        ("ü 画.png", "ü 画.png"),
    ],
)
def test_names_windows_reserves_are_changed(name, safe):
    assert safe_name(name) == safe
    assert safe_name(safe) == safe


def test_on_windows_no_target_is_a_device(tmp_path):
    names = free_names(tmp_path / "con.png", windows=True)
    assert [next(names).name, next(names).name] == ["_con.png", "_con (2).png"]
    assert next(free_names(tmp_path / "con.png", windows=False)).name == "con.png"


def test_a_name_taken_in_the_last_moment_is_not_overwritten(journal, outputs, kept, monkeypatch):
    real, taken = files.link_new, []

    def racing(source, target):
        if not taken:
            taken.append(target)
            target.write_bytes(b"a racing program's")
        return real(source, target)

    monkeypatch.setattr(files, "link_new", racing)
    well(act(journal, to("move", outputs / "00000.png", kept / "00000.png")))
    assert (kept / "00000.png").read_bytes() == b"a racing program's"
    assert sorted(path.name for path in kept.iterdir()) == [
        "00000 (2).png",
        "00000 (2).png.xmp",
        "00000 (2).txt",
        "00000.png",
    ]


@pytest.mark.parametrize("kind", ["copy", "edit"])
def test_a_picture_that_is_still_being_written_is_left_alone(kind, journal, outputs, kept, monkeypatch):
    picture = outputs / "00002.png"
    real = files._keep_facts

    def growing(source, facts, temporary):
        real(source, facts, temporary)
        with picture.open("ab") as file:
            file.write(b"the rest")

    monkeypatch.setattr(files, "_keep_facts", growing)
    more = {"splices": (Splice(8, b"", b"score"),)} if kind == "edit" else {}
    target = picture if kind == "edit" else kept / "00002.png"
    result = act(journal, to(kind, picture, target, **more))
    assert "something is still writing it" in reasons(result)[0]
    assert picture.read_bytes().endswith(b"the rest") and b"score" not in picture.read_bytes()
    assert not hidden(tree(outputs))


def test_a_text_file_that_cannot_follow_is_a_reason_of_its_own(journal, outputs, kept):
    with refusing("link", errno.EACCES, lambda source, *_: source.endswith("00000.txt")):
        result = act(journal, to("move", outputs / "00000.png", kept / "00000.png"))
    assert result.done == 1 and len(result.failed) == 1
    assert (outputs / "00000.txt").exists() and (kept / "00000.png").exists()
    before_names = {"00000.png", "00000.txt", "00000.png.xmp"}
    well(undo(journal))
    assert before_names <= {path.name for path in outputs.iterdir()}


@pytest.mark.parametrize("kind", ["move", "copy"])
def test_a_text_file_for_which_there_was_no_room_follows_as_soon_as_there_is_some(
    kind, outputs, kept, tmp_path
):
    """Else a picture has lost its prompt."""
    before = contents(tree(outputs))
    name, module = {"move": ("link", os), "copy": ("_copy_all", files)}[kind]

    def is_a_text(*_):
        return (kept / "00000.png").exists()

    with (
        Journal.open(tmp_path / ".imagereward") as journal,
        refusing(name, errno.ENOSPC, is_a_text, module),
    ):
        result = act(journal, to(kind, outputs / "00000.png", kept / "00000.png"))
        assert result.done == 1 and all("is full" in reason for reason in reasons(result))
        assert not (kept / "00000.txt").exists()
    with Journal.open(tmp_path / ".imagereward") as journal:
        assert [(each.finished, each.problems) for each in journal.recovered] == [(len(result.failed), ())]
        assert (kept / "00000.txt").read_text() == "a red star"
        well(undo(journal))
    assert contents(tree(outputs)) == before


def test_a_full_disk_under_the_journal_stops_before_any_file_changes(outputs, kept, tmp_path):
    before = tree(outputs)
    with Journal.open(tmp_path / "store") as journal:
        run = journal.begin("a test", [to("move", outputs / "00000.png", kept / "00000.png")])
        journal._database._writer.execute("PRAGMA query_only = ON")
        with pytest.raises(CuratorError):
            execute(journal, run)
    assert tree(outputs) == before
