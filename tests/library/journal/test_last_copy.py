"""Two paths may lead to one file: the name that is the only one is never removed."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from unittest import mock

import pytest

from imagereward_core.library.journal import execute, files, open_journal, undo
from tests.support.library.acting import act, reasons, to, well
from tests.support.library.faults import replaced, without_links
from tests.support.library.mounts import mounted

DATA = b"\x89PNG\r\n\x1a\n" + b"\x02" * 1002


@contextmanager
def linked(folder, place):
    """``folder`` shows at ``place`` as well, by a link."""
    if place.is_dir():
        place.rmdir()
    place.symlink_to(folder, target_is_directory=True)
    yield
    place.unlink()


@contextmanager
def without_numbers(*parts):
    """The system gives files no useful inode, as some network drives do; the parts seem to be on drives of their own."""
    real = os.stat, os.lstat

    def told(call):
        def facts(path, *arguments, **more):
            found = call(path, *arguments, **more)
            if isinstance(path, int):
                return found
            drive = next((1 + number for number, part in enumerate(parts) if str(part) in os.fspath(path)), 0)
            values = list(found[:10])
            values[1], values[2] = 0, found.st_dev * 10 + drive
            more_values = {name: getattr(found, name) for name in ("st_mtime_ns", "st_atime_ns")}
            return os.stat_result(values, more_values)

        return facts

    with replaced(os, "stat", told(real[0])), replaced(os, "lstat", told(real[1])):
        yield


WAYS = [linked, mounted] if os.name != "nt" else [linked]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink", "move"])
def test_undo_keeps_a_file_whose_original_is_the_same_by_another_path(kind, way, journal, outputs, kept):
    picture, made = outputs / "00002.png", kept / "00002.png"
    well(act(journal, to(kind, picture, made)))
    if kind == "move":
        shutil.copy2(made, picture)
    made.unlink()
    with way(outputs, kept):
        result = undo(journal)
        assert result.done == 0 and len(result.failed) == 1
        assert picture.read_bytes() == DATA


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["copy", "hardlink"])
def test_a_third_name_does_not_make_one_name_two(kind, way, journal, outputs, kept, tmp_path):
    """The file has two links, one of them somewhere else: what the paths lead to is still one name."""
    picture, made = outputs / "00002.png", kept / "00002.png"
    well(act(journal, to(kind, picture, made)))
    made.unlink()
    os.link(picture, tmp_path / "backup.png")
    with way(outputs, kept):
        assert "one and the same file" in reasons(undo(journal))[0]
        assert picture.read_bytes() == DATA


@pytest.mark.parametrize("way", WAYS)
def test_a_move_onto_itself_by_another_path_does_nothing(way, journal, outputs, kept, tmp_path):
    picture = outputs / "00002.png"
    os.link(picture, tmp_path / "backup.png")
    with way(outputs, kept):
        for kind in ("move", "copy", "hardlink"):
            assert well(act(journal, to(kind, picture, kept / picture.name))).skipped == 1
        assert picture.read_bytes() == DATA


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hidden", [False, True])
def test_recovery_keeps_a_file_that_two_paths_lead_to(hidden, way, outputs, kept, tmp_path):
    """A move was cut off before anything happened; since then its target's folder is its source's."""
    picture, made = outputs / "00002.png", kept / "00002.png"
    os.link(picture, tmp_path / "backup.png")
    with open_journal(tmp_path / ".imagereward") as journal:
        run = journal.begin("a test", [to("move", picture, made)])
        (record,) = journal.records("run = ?", (run,))
        record.state, record.made = "ready", made
        record.before = record.after = files.mark_of(picture)
        if hidden:
            record.temporary = files.temporary_in(kept)
        journal.write(record)
    with way(outputs, kept):
        with open_journal(tmp_path / ".imagereward") as journal:
            assert picture.read_bytes() == DATA
            execute(journal, run)
        assert picture.read_bytes() == DATA


@pytest.mark.parametrize("kind", ["copy", "hardlink"])
def test_without_numbers_of_the_system_a_file_is_kept_where_in_doubt(kind, journal, outputs, kept):
    """Two drives that are one: a hidden file put into one shows in the other."""
    picture, made = outputs / "00002.png", kept / "00002.png"
    well(act(journal, to(kind, picture, made)))
    made.unlink()
    with (
        linked(outputs, kept),
        without_numbers("kept"),
        mock.patch.object(os.path, "realpath", os.path.abspath),
    ):
        result = undo(journal)
        assert result.done == 0 and picture.read_bytes() == DATA
        assert "one and the same file" in reasons(result)[0]
    assert not list(outputs.glob(".imagereward-*"))


def test_without_numbers_of_the_system_a_copy_is_still_undone(journal, outputs, kept):
    picture, made = outputs / "00002.png", kept / "00002.png"
    well(act(journal, to("copy", picture, made)))
    with without_numbers("kept"):
        well(undo(journal))
    assert picture.read_bytes() == DATA and not made.exists()


def test_a_copy_that_became_a_second_name_of_its_original_can_go(journal, outputs, kept):
    """As programs that save room by linking what is alike leave it."""
    picture, made = outputs / "00002.png", kept / "00002.png"
    well(act(journal, to("copy", picture, made)))
    facts = made.stat()
    made.unlink()
    os.link(picture, made)
    os.utime(made, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    well(undo(journal))
    assert picture.read_bytes() == DATA and not made.exists()


def test_a_move_across_paths_of_one_folder_under_another_name(journal, outputs, kept):
    """The names differ, so there are two; without hard links too."""
    picture = outputs / "00002.png"
    with linked(outputs, kept), without_links():
        well(act(journal, to("move", picture, kept / "other.png")))
        assert (outputs / "other.png").read_bytes() == DATA and not picture.exists()
        well(undo(journal))
        assert picture.read_bytes() == DATA
