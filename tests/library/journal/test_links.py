"""Links in a folder may come along with it, from anybody: where only they lead out, pictures are read, and nothing is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.killing import tree
from imagereward_core.library.journal import execute, files, open_journal, undo
from imagereward_core.library.journal.roots import Root
from imagereward_core.metadata.writing.splice import Splice
from tests.support.library.acting import act, reasons, to, well

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links to files need a right there")

SCORE = (Splice(8, b"", b"score"),)


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


@pytest.fixture
def linked(outputs, elsewhere):
    """A picture elsewhere with a text beside it, and links to both in the folder."""
    (elsewhere / "real.png").write_bytes((outputs / "00003.png").read_bytes())
    (elsewhere / "letter.txt").write_bytes(b"dear all")
    (outputs / "link.png").symlink_to(elsewhere / "real.png")
    (outputs / "link.txt").symlink_to(elsewhere / "letter.txt")
    return outputs / "link.png"


@pytest.fixture
def opened(outputs, tmp_path):
    with open_journal(outputs / ".imagereward", data=tmp_path / "data") as journal:
        yield journal


def through(kind, outputs, elsewhere):
    """A step of a kind that a link in the folder takes elsewhere."""
    if kind == "edit":
        return to("edit", outputs / "link.png", outputs / "link.png", splices=SCORE)
    if kind in ("put", "put anew"):
        xmp = outputs / "00003.png.xmp"
        xmp.symlink_to(elsewhere / ("letter.txt" if kind == "put" else "new.xmp"))
        return to("put", xmp, xmp, content=b"<x/>")
    (outputs / "best").symlink_to(elsewhere, target_is_directory=True)
    return to(kind, outputs / "00002.png", outputs / "best" / "sub" / "00002.png")


WAYS = ("edit", "put", "put anew", "copy", "hardlink", "symlink", "move")


@pytest.mark.parametrize("kind", WAYS)
def test_nothing_is_written_where_a_link_in_the_folder_leads(kind, opened, outputs, linked, elsewhere):
    step = through(kind, outputs, elsewhere)
    before = tree(outputs), tree(elsewhere)
    (reason,) = reasons(act(opened, step))
    assert f"a link leads out of {outputs}" in reason and "--follow-links" in reason
    assert (tree(outputs), tree(elsewhere)) == before


@pytest.mark.parametrize(
    ("kind", "change"), [("edit", "replace"), ("move", "link_new"), ("copy", "rename_new")]
)
def test_a_link_put_there_between_two_steps_of_a_group_is_seen(
    kind, change, opened, outputs, elsewhere, monkeypatch
):
    """What leads where is looked at right before each change, however many there are at once."""
    goal = outputs / "kept"
    goal.mkdir()
    names = [f"{number}.png" for number in range(3)]
    for name in names:
        start = goal if kind == "edit" else outputs
        (start / name).write_bytes((outputs / "00003.png").read_bytes())
    if kind == "edit":
        steps = [to("edit", goal / name, goal / name, splices=SCORE) for name in names]
    else:
        steps = [to(kind, outputs / name, goal / name) for name in names]
    make, before = getattr(files, change), tree(elsewhere)

    def changing(*ends):
        made = make(*ends)
        if not goal.is_symlink():
            goal.rename(outputs / "was kept")
            goal.symlink_to(elsewhere)
        return made

    monkeypatch.setattr(files, change, changing)
    found = reasons(act(opened, *steps))
    assert [reason for reason in found if "a link leads out" in reason] == found[-2:]
    assert tree(elsewhere) == before


@pytest.mark.parametrize("kind", [kind for kind in WAYS if kind != "put anew"])
def test_who_says_so_has_it_written_there_and_undone(kind, opened, outputs, linked, elsewhere, tmp_path):
    step = through(kind, outputs, elsewhere)
    before = tree(outputs), tree(elsewhere)
    well(execute(opened, opened.begin("follow", [step], follow_links=True)))
    assert tree(elsewhere) != before[1]
    opened.close()
    with open_journal(outputs / ".imagereward", data=tmp_path / "data") as journal:
        well(undo(journal))
    assert (tree(outputs), tree(elsewhere)) == before


def test_a_picture_behind_a_link_is_copied_and_its_text_is_not(opened, outputs, linked):
    """The text beside a picture may be a link to a document of its owner's, to be read by others in the copy."""
    (reason,) = reasons(act(opened, to("copy", linked, outputs / "kept" / "link.png")))
    assert "link.txt: a link leads out" in reason
    assert [path.name for path in (outputs / "kept").iterdir()] == ["link.png"]


def test_a_run_that_another_process_goes_on_with_is_no_freer(outputs, linked, elsewhere, tmp_path):
    with open_journal(outputs / ".imagereward", data=tmp_path / "data") as journal:
        run = journal.begin("later", [to("copy", linked, outputs / "kept" / "link.png")])
    with open_journal(outputs / ".imagereward", data=tmp_path / "data") as journal:
        (reason,) = reasons(execute(journal, run))
    assert "link.txt: a link leads out" in reason and not (outputs / "kept" / "link.txt").exists()


def test_links_are_moved_as_links(opened, outputs, linked, elsewhere):
    before = tree(outputs), tree(elsewhere)
    well(act(opened, to("move", linked, outputs / "kept" / "link.png")))
    assert (outputs / "kept" / "link.txt").is_symlink() and tree(elsewhere) == before[1]
    well(undo(opened))
    assert tree(outputs) == before[0]


def test_a_folder_that_is_a_link_itself_is_dealt_with(outputs, elsewhere, tmp_path):
    """Named as the folder of the store, and named as the folder that a run is about, inside of another one."""
    real = outputs.rename(tmp_path / "real")
    outputs.symlink_to(real, target_is_directory=True)
    before = tree(real)
    step = to("move", outputs / "00002.png", outputs / "kept" / "00002.png")
    write = to("edit", outputs / "00003.png", outputs / "00003.png", splices=SCORE)
    with open_journal(outputs / ".imagereward") as journal:
        well(act(journal, step, write))
        well(undo(journal))
    assert tree(real) == before
    around = tmp_path / "around"
    around.mkdir()
    project = around / "project"
    project.symlink_to(real, target_is_directory=True)
    step = to("move", project / "00002.png", project / "kept" / "00002.png")
    with open_journal(around / ".imagereward", data=tmp_path / "data") as journal:
        well(execute(journal, journal.begin("a project", [step], project)))
        assert (real / "kept" / "00002.png").exists()
        well(undo(journal))
    assert tree(real) == before


def test_where_a_file_really_lies_is_what_the_system_says(tmp_path):
    inner = tmp_path / "a" / "b.c" / "..d"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "link").symlink_to("b.c")
    (tmp_path / "a" / "out").symlink_to(tmp_path.parent)
    (tmp_path / "a" / "round").symlink_to("round")
    (tmp_path / "a" / "b.c" / "file").symlink_to("../../file")
    folders = [
        *(inner, inner.parent, tmp_path, tmp_path.parent, Path("/")),
        *(
            tmp_path / "a" / name
            for name in ("link", "link/..d/e", "out/x", "round/x", "not/there", "b.c/../out/x")
        ),
        Path(f"/{tmp_path}/a/link"),
    ]
    paths = [(folder / "file", follows) for folder in folders for follows in (False, True)]
    root = Root(tmp_path / "empty" / ".imagereward")
    for some in ([each] for each in paths):
        ((path, follows),) = some
        real = str(Path(os.path.realpath(path)).parent) if follows else os.path.realpath(path.parent)
        assert root.outside(some) == (real,)
    assert root.outside(paths) == tuple(sorted({root.outside([each])[0] for each in paths}))
