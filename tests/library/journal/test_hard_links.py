"""Backups of hard links (``cp -al``) share the files of a store: nothing is written into those, and all can be looked at."""

from __future__ import annotations

import os
import shutil

import pytest

from benchmarks.killing import tree
from imagereward_core.files.sqlite_view import StoreError
from imagereward_core.library.journal import Journal, open_journal, undo
from imagereward_core.library.library import Library
from tests.support.library.acting import act, to, well


def linked(path, other):
    """As ``cp -al`` copies."""
    return shutil.copytree(path, other, copy_function=os.link)


def own(path):
    """What the message says is to be done."""
    path.with_name("own").write_bytes(path.read_bytes())
    path.with_name("own").replace(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the log open")
def test_a_store_that_a_backup_shares_is_looked_at_and_not_written(outputs, tmp_path):
    store, before = outputs / ".imagereward", tree(outputs)
    with open_journal(store) as journal:
        well(act(journal, to("move", outputs / "00002.png", outputs / "kept" / "00002.png")))
    backup = linked(outputs, tmp_path / "backup")
    after = tree(outputs)
    for folder in (outputs, backup):
        with pytest.raises(
            StoreError, match="second name.*cp .*journal.sqlite3.* .*journal.sqlite3.own.* && mv"
        ):
            open_journal(folder / ".imagereward")
        with Journal.look(folder / ".imagereward") as journal:
            assert journal.last_done().done == 1
    assert tree(outputs) == after == tree(backup)
    own(backup / ".imagereward" / "journal.sqlite3")
    for folder in (backup, outputs):  # which has a single name again
        with open_journal(folder / ".imagereward") as journal:
            assert well(undo(journal)).done == 1
        assert tree(folder) == before


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_each_file_of_a_library_counts(suffix, tmp_path):
    Library.open(tmp_path / "store").close()
    path = tmp_path / "store" / f"library.sqlite3{suffix}"
    path.touch()
    os.link(path, tmp_path / "backup")
    content = path.read_bytes()
    with pytest.raises(StoreError, match=f"library.sqlite3{suffix} has a second name"):
        Library.open(tmp_path / "store")
    assert path.read_bytes() == content and (tmp_path / "backup").read_bytes() == content
    Library.look(tmp_path / "store").close()
