"""A text file beside two pictures goes where both go, and comes back with either."""

from __future__ import annotations

import pytest

from benchmarks.killing import tree
from imagereward_core.library.journal import execute, files, groups, open_journal, undo
from tests.support.library.acting import act, to, well
from tests.support.library.faults import Killed


@pytest.fixture
def pair(outputs, kept):
    """Steps that move two pictures with one text file between them, the one left behind a third of it."""
    for suffix in (".jpg", ".webp"):
        (outputs / f"00000{suffix}").write_bytes(b"\xff\xd8\xff" + suffix.encode())
    return [
        to("move", outputs / f"00000{suffix}", kept / f"00000{suffix}")
        for suffix in (".png", ".jpg", ".webp")
    ]


@pytest.mark.parametrize("most", [1, 256])
def test_the_last_one_to_move_takes_it_along_and_undo_gives_all_back(
    journal, outputs, kept, pair, monkeypatch, most
):
    monkeypatch.setattr(groups, "MOST_STEPS", most)
    before = tree(outputs)
    well(act(journal, *pair))
    assert (
        not list(outputs.glob("00000*")) and (kept / "00000.txt").read_text(encoding="utf-8") == "a red star"
    )
    well(undo(journal))
    assert tree(outputs) == before


def test_it_stays_while_one_of_them_stays_and_where_the_copy_was_changed(journal, outputs, kept, pair):
    well(act(journal, *pair[:2]))
    assert (outputs / "00000.txt").exists() and (kept / "00000.txt").exists()
    well(undo(journal))
    well(act(journal, *pair[:2]))
    well(act(journal, pair[2]))  # another run: the copy is the first one's, which undo counts on
    assert (outputs / "00000.txt").exists() and (kept / "00000.txt").exists()
    well(undo(journal))
    well(undo(journal))
    assert not kept.exists()


@pytest.mark.parametrize("before", [True, False])
def test_killed_while_it_takes_the_place_of_its_copy(tmp_path, outputs, kept, pair, monkeypatch, before):
    tidy = tree(outputs)
    real = files.link_new

    def call(source, target):
        if source.name == "00000.txt":
            assert not target.exists()
            if not before:
                real(source, target)
            raise Killed
        return real(source, target)

    journal = open_journal(tmp_path / ".imagereward")
    run = journal.begin("a test", pair)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(files, "link_new", call)
        execute(journal, run)
    journal._later.clear()
    journal.close()
    with open_journal(tmp_path / ".imagereward") as journal:
        assert journal.recovered and not any(each.problems for each in journal.recovered)
        well(execute(journal, run))
        assert not list(outputs.glob("00000*")) and (kept / "00000.txt").exists()
        well(undo(journal))
    assert tree(outputs) == tidy
