"""What happened between the kill and the next start is looked at as it is: no file of anybody is removed to make the journal right."""

from __future__ import annotations

import os

import pytest

from benchmarks.hostile.tricks import bring
from benchmarks.killing import hidden, tree
from imagereward_core.library.journal import execute, files, open_journal, undo
from imagereward_core.metadata.writing.splice import Splice
from tests.support.library.acting import to, well
from tests.support.library.faults import Killed, another_file_system


@pytest.fixture
def place(tmp_path):
    return tmp_path / ".imagereward"


def killed(place, monkeypatch, step, name, before=True, module=files):
    """Begins a run and ends its 'process' at a call of ``files.<name>``, before it or after."""
    real = getattr(module, name)

    def call(*arguments, **more):
        if not before:
            real(*arguments, **more)
        raise Killed

    journal = open_journal(place)
    run = journal.begin("a test", [step])
    with monkeypatch.context() as patch:
        patch.setattr(module, name, call)
        # A killed process tidies nothing up and writes nothing more.
        patch.setattr(files.Path, "unlink", lambda *arguments, **more: None)
        patch.setattr(journal, "write", _only_before_the_end(journal))
        with pytest.raises(Killed):
            execute(journal, run)
    journal._later.clear()
    journal.close()


def _only_before_the_end(journal):
    import sys

    write = journal.write

    def guarded(*records, **more):
        if not isinstance(sys.exc_info()[1], Killed):
            write(*records, **more)

    return guarded


def test_what_was_settled_is_told(place, outputs, kept, monkeypatch):
    killed(place, monkeypatch, to("copy", outputs / "00000.png", kept / "00000.png"), "rename_new")
    assert hidden(tree(outputs))
    with open_journal(place) as journal:
        (found,) = journal.recovered
        assert (found.run.id, found.finished, found.taken_back, found.problems) == (1, 0, 1, ())
        assert not hidden(tree(outputs)) and journal.run(1).state == "planned"
        assert well(execute(journal, 1)).done == 1
    with open_journal(place) as journal:
        assert journal.recovered == []


def test_a_finished_copy_brings_its_text_files_after_it(place, outputs, kept, monkeypatch):
    killed(
        place, monkeypatch, to("copy", outputs / "00000.png", kept / "00000.png"), "rename_new", before=False
    )
    with open_journal(place) as journal:
        assert journal.recovered[0].finished == 3
        assert sorted(path.name for path in kept.iterdir()) == ["00000.png", "00000.png.xmp", "00000.txt"]
        well(undo(journal))
    assert not kept.exists()


def test_a_new_picture_under_the_old_name_is_not_taken_for_the_moved_one(place, outputs, kept, monkeypatch):
    source, target = outputs / "00002.png", kept / "00002.png"
    data = source.read_bytes()
    killed(place, monkeypatch, to("move", source, target), "drop_name")
    assert os.path.samestat(source.stat(), target.stat())
    source.unlink()
    source.write_bytes(b"the generator reused the number")
    with open_journal(place) as journal:
        assert source.read_bytes() == b"the generator reused the number"
        assert target.read_bytes() == data
        execute(journal, 1)
    names = {path.read_bytes() for path in kept.iterdir()}
    assert names == {data, b"the generator reused the number"}


def test_two_names_of_one_file_become_one_again(place, outputs, kept, monkeypatch):
    source, target = outputs / "00002.png", kept / "00002.png"
    killed(place, monkeypatch, to("move", source, target), "drop_name")
    assert source.exists() and target.exists()
    with open_journal(place) as journal:
        assert not source.exists() and target.exists()
        well(undo(journal))
    assert source.exists() and not kept.exists()


def test_a_copied_target_that_somebody_changed_is_kept(place, outputs, kept, monkeypatch):
    source, target = outputs / "00002.png", kept / "00002.png"
    killed(place, monkeypatch, to("copy", source, target), "rename_new", before=False)
    target.write_bytes(b"retouched by hand")
    with open_journal(place) as journal:
        well(execute(journal, 1))
        undo(journal)
    assert target.read_bytes() == b"retouched by hand"


def test_a_move_across_file_systems_whose_source_changed_keeps_both(place, outputs, kept, monkeypatch):
    source, target = outputs / "00002.png", kept / "00002.png"
    data = source.read_bytes()
    with another_file_system(kept):
        killed(place, monkeypatch, to("move", source, target), "drop_name", before=True)
    assert source.read_bytes() == target.read_bytes() == data
    source.write_bytes(b"changed meanwhile")
    with open_journal(place) as journal:
        (problem,) = journal.recovered[0].problems
        assert "changed while it was moved" in problem[1]
    assert source.read_bytes() == b"changed meanwhile" and target.read_bytes() == data


def test_the_last_copy_under_a_hidden_name_gets_its_place(place, outputs, kept, monkeypatch):
    """Somebody removed the source of a move across file systems after it was read whole, before it was put in place."""
    source, target = outputs / "00002.png", kept / "00002.png"
    data = source.read_bytes()

    def killed_before(*arguments):
        raise Killed

    with another_file_system(kept), monkeypatch.context() as patch:
        patch.setattr(files.Path, "unlink", lambda *arguments, **more: None)
        patch.setattr(files, "rename_new", killed_before)
        with open_journal(place) as journal, pytest.raises(Killed):
            execute(journal, journal.begin("a test", [to("move", source, target)]))
    assert not target.exists() and len(hidden(tree(outputs))) == 1
    source.unlink()
    open_journal(place).close()
    assert target.read_bytes() == data and not hidden(tree(outputs))


def test_an_edit_whose_file_changed_meanwhile_is_left_as_it_is(place, outputs, monkeypatch):
    picture = outputs / "00002.png"
    step = to("edit", picture, picture, splices=(Splice(8, b"", b"score"),))
    killed(place, monkeypatch, step, "replace")
    picture.write_bytes(b"something else")
    with open_journal(place) as journal:
        (problem,) = journal.recovered[0].problems
        assert "neither as it was nor as it should become" in problem[1]
        assert picture.read_bytes() == b"something else" and not hidden(tree(outputs))


def test_a_finished_edit_is_undone_after_a_kill(place, outputs, monkeypatch):
    picture = outputs / "00002.png"
    before = tree(outputs)
    step = to("edit", picture, picture, splices=(Splice(8, b"", b"score"),))
    killed(place, monkeypatch, step, "replace", before=False)
    with open_journal(place) as journal:
        assert journal.recovered[0].finished == 1
        well(undo(journal))
    assert tree(outputs) == before


@pytest.mark.parametrize("empty", [True, False])
def test_a_folder_made_for_steps_of_which_nothing_came_goes_where_it_is_empty(empty, outputs, kept):
    """A disk was full before the first file was written."""
    kept.mkdir()
    if not empty:
        (kept / "mine.txt").write_bytes(b"mine")
    row = {"state": "doing", "source": "00002.png", "target": "kept/00002.png", "made": "kept/00002.png"}
    bring(outputs, row, version=3, folders=("kept",))
    with open_journal(outputs / ".imagereward") as journal:
        assert kept.exists() is not empty
        well(execute(journal, 1))
        well(undo(journal))
    assert kept.exists() is not empty
