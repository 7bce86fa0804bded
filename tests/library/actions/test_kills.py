"""A process killed at any instant loses, doubles and half-writes nothing, and its run can be finished or taken back."""

from __future__ import annotations

import os
import shutil

import pytest

from benchmarks.killing import contents, instants, killed_at_line, lines_of, problems, tree
from imagereward_core.images.metadata.writing.splice import Splice
from imagereward_core.library.actions import Journal, Step, execute, undo

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to make processes cheaply")

KINDS = ("copy", "hardlink", "symlink", "move", "edit", "put")


def steps_of(kind, outputs):
    if kind == "edit":
        picture = outputs / "00000.png"
        return [Step("edit", picture, picture, (Splice(8, b"", b"chunk"), Splice(20, bytes(4), b"1234")))]
    if kind == "put":
        xmp, new = outputs / "00000.png.xmp", outputs / "new" / "00001.png.xmp"
        return [Step("put", xmp, xmp, content=b"<rated/>"), Step("put", new, new, content=b"<new/>")]
    return [
        Step(kind, outputs / name, outputs / "kept" / "best" / name) for name in ("00000.png", "00001.png")
    ]


def go_on(place, steps):
    """What a person does: opens the journal, begins or continues the run."""
    with Journal.open(place) as journal:
        known = journal.runs()
        execute(journal, known[-1].id if known else journal.begin("a test", steps))


def take_back(place):
    with Journal.open(place) as journal:
        undo(journal)


def fresh(tmp_path, outputs):
    """A copy of the pictures and an empty store, at the same place each time."""
    base = tmp_path / "trial"
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(outputs, base / "out")
    return base / "out", base / ".imagereward"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_any_instant_can_be_finished_and_undone(kind, tmp_path, outputs):
    folder, place = fresh(tmp_path, outputs)
    before = tree(folder)
    lines = lines_of(lambda: go_on(place, steps_of(kind, folder)))
    finished = tree(folder)
    lines_back = lines_of(lambda: take_back(place))
    assert tree(folder) == before
    allowed, once_done = {}, contents(finished)
    for name, content in contents(before).items():
        allowed[name] = {content, once_done.get(name, content)}
    news = {"new/00001.png.xmp": {b"<new/>"}} if kind == "put" else {}

    seed = KINDS.index(kind)
    for turn, number in enumerate(instants(seed, lines, 6)):
        folder, place = fresh(tmp_path, outputs)
        assert killed_at_line(number, lambda: go_on(place, steps_of(kind, folder)))
        wrong = problems(tree(folder), {**allowed, **news}, settled=False)
        assert [each for each in wrong if each != "new/00001.png.xmp is lost"] == [], number
        if turn % 2:
            go_on(place, steps_of(kind, folder))
            assert contents(tree(folder)) == once_done, number
            back = instants(seed, lines_back, 6)[turn]
            assert killed_at_line(back, lambda: take_back(place)), (number, back)
        with Journal.open(place) as journal:
            assert problems(tree(folder), allowed, settled=True) == [] or news
            for run in journal.runs():
                assert not undo(journal, run.id).failed, number
                assert journal.run(run.id).done == 0
        assert tree(folder) == before, number
