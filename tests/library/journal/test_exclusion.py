"""One actor at a time in a folder, whatever store each of them uses."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.killing import tree
from imagereward_core.errors import WeightsError
from imagereward_core.library.journal import (
    JournalError,
    exclusion,
    execute,
    files,
    open_journal,
    undo,
)
from imagereward_core.library.journal.exclusion import BusyError, only_actor
from tests.support.library.acting import act, to, well


@pytest.fixture(params=["by the folder", "by a file"])
def way(request, monkeypatch, tmp_path):
    """Both ways in which folders are locked; the second is that of Windows."""
    if request.param == "by a file":
        monkeypatch.setattr(exclusion, "fcntl", None)
        (tmp_path / "temporary").mkdir()
        monkeypatch.setattr(exclusion.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    elif exclusion.fcntl is None:
        pytest.skip("folders cannot be locked on Windows")
    return request.param


def test_two_stores_on_one_folder_exclude_each_other(way, outputs, kept, tmp_path):
    before = tree(outputs)
    step = to("copy", outputs / "00002.png", kept / "00002.png")
    with ExitStack() as stack:
        own, other, hosts = (
            stack.enter_context(open_journal(*place[:1], root=place[1]))
            for place in ((outputs / ".imagereward", None), (tmp_path / "a", outputs), (tmp_path / "b", None))
        )
        for first, second in ((own, other), (other, own), (own, hosts), (hosts, own)):
            run = first.begin("a test", [step], outputs)
            with first.acting(run), pytest.raises(JournalError, match="another program is working with"):
                execute(second, second.begin("a test", [step], outputs))
        assert tree(outputs) == before
        well(act(own, step))


@pytest.mark.parametrize(
    "places", [("out", "out"), ("out", "out/sub"), ("out/sub", "out"), ("out/sub", "out/sub/deep")]
)
def test_folders_that_overlap_exclude_each_other(places, way, tmp_path):
    one, other = (tmp_path / place for place in places)
    for folder in (one, other):
        folder.mkdir(parents=True, exist_ok=True)
    with (
        only_actor([one]),
        pytest.raises(WeightsError, match="another program is working in"),
        only_actor([other]),
    ):
        raise AssertionError
    with only_actor([other]):
        pass


def test_folders_beside_each_other_do_not(way, tmp_path):
    for name in ("out", "out 2", "outer"):
        (tmp_path / name).mkdir()
    with only_actor([tmp_path / "out"]), only_actor([tmp_path / "out 2"]), only_actor([tmp_path / "outer"]):
        pass


def test_a_folder_by_another_path_is_the_same(way, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out", target_is_directory=True)
    with only_actor([tmp_path / "out"]), pytest.raises(WeightsError), only_actor([tmp_path / "link"]):
        raise AssertionError


def test_nothing_is_left_in_the_folder_or_in_those_above(way, outputs, tmp_path):
    (tmp_path / "temporary").mkdir(exist_ok=True)
    before = sorted(path for path in tmp_path.rglob("*") if "temporary" not in path.parts)
    with only_actor([outputs]):
        pass
    assert sorted(path for path in tmp_path.rglob("*") if "temporary" not in path.parts) == before


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be locked on Windows")
def test_a_folder_that_can_only_be_read_is_locked(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o500)
    monkeypatch.setattr(exclusion, "_lock_by_file", lambda *_: pytest.fail("nothing need be written"))
    with only_actor([tmp_path / "out"]), pytest.raises(WeightsError), only_actor([tmp_path / "out"]):
        raise AssertionError


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be locked on Windows")
def test_where_folders_cannot_be_locked_files_do_it(tmp_path, monkeypatch):
    """As on a network share, which takes no lock of a folder."""

    real = exclusion.fcntl.flock

    def refused(handle, kind):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        real(handle, kind)

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(exclusion.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(exclusion.fcntl, "flock", refused)
    with only_actor([tmp_path / "out"]):
        assert list(tmp_path.glob("imagereward-locks-*/*.folder"))


def test_what_a_killed_program_left_is_tidied_up(tmp_path, monkeypatch):
    monkeypatch.setattr(exclusion, "fcntl", None)
    monkeypatch.setattr(exclusion.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / "out").mkdir()
    (tmp_path / "other").mkdir()
    with only_actor([tmp_path / "out"]):
        pass  # the note stays, as it does after a kill
    with only_actor([tmp_path / "other"]):
        notes = [path.read_bytes() for path in tmp_path.glob("imagereward-locks-*/*.folder")]
        assert notes == [os.fsencode(os.path.realpath(tmp_path / "other"))]


def is_free(folder):
    try:
        with only_actor([folder]):
            return True
    except BusyError:
        return False


@pytest.mark.parametrize("there", [False, True], ids=["new", "there"])
@pytest.mark.parametrize("below", ["", "deep"])
def test_nobody_else_acts_where_pictures_go(way, outputs, tmp_path, monkeypatch, there, below):
    """Destinations elsewhere are kept for the run as well, as soon as they are there; undoing it too."""
    kept = tmp_path / "elsewhere" / "kept"
    (kept / below if there else kept.parent).mkdir(parents=True)
    seen = []

    def drop_old(source, target):
        seen.append((is_free(kept), is_free(kept / below), is_free(outputs)))
        real(source, target)

    real = files.drop_old
    monkeypatch.setattr(files, "drop_old", drop_old)
    with open_journal(outputs / ".imagereward", data=tmp_path / "data") as journal:
        steps = [to("move", outputs / f"0000{n}.png", kept / below / f"{n}.png") for n in range(3)]
        well(execute(journal, journal.begin("a test", steps)))
        well(undo(journal))
    assert len(seen) >= 6 and set(seen) == {(False, False, False)}
    assert not kept.exists() or is_free(kept)


def test_a_run_waits_for_who_acts_in_its_destination(way, outputs, tmp_path):
    kept = tmp_path / "elsewhere"
    kept.mkdir()
    before = tree(outputs)
    with open_journal(outputs / ".imagereward", data=tmp_path / "data") as journal:
        run = journal.begin("a test", [to("move", outputs / "00002.png", kept / "sub" / "2.png")])
        with only_actor([kept]), pytest.raises(JournalError, match="working with .*elsewhere"):
            execute(journal, run)
        assert tree(outputs) == before
        well(execute(journal, run))


def test_one_actor_may_have_folders_inside_of_each_other(way, tmp_path):
    folders = [tmp_path / name for name in ("a/b", "a", "a/b/c", "d")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    with only_actor(folders) as held:
        held.add([tmp_path / "a" / "b", tmp_path / "d"])
        assert not any(map(is_free, folders))
    assert all(map(is_free, folders))


def test_a_thousand_folders_take_few_locks(way, tmp_path, monkeypatch):
    folders = [tmp_path / "a" / str(number) for number in range(200)]
    for folder in folders:
        folder.mkdir(parents=True)
    with only_actor(folders) as held:
        assert len(held._open) + len(held._notes) < 100
        assert not any(map(is_free, folders[::50])) and not is_free(tmp_path / "a")


def test_a_folder_shown_in_a_second_place_is_known(tmp_path):
    """A part of a folder is mounted elsewhere: who acts in one acts in the other."""
    from tests.support.library.mounts import mounted

    (tmp_path / "a" / "sub" / "deep").mkdir(parents=True)
    with mounted(tmp_path / "a" / "sub", tmp_path / "m"):
        for one, other in (
            ("a", "m"),
            ("m", "a"),
            ("a", "m/deep"),
            ("m/deep", "a"),
            ("a/sub", "m"),
            ("m", "a/sub/deep"),
        ):
            with only_actor([tmp_path / one]):
                assert not is_free(tmp_path / other), (one, other)
        with only_actor([tmp_path / "m"]):
            (tmp_path / "b").mkdir(exist_ok=True)
            assert is_free(tmp_path / "b")


def test_mounts_are_read_as_the_system_writes_them(tmp_path, monkeypatch):
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        "2 1 8:2 / /data\\040disk rw - ext4 /dev/sdb1 rw\n"
        "3 1 8:2 /pictures/out /srv/out rw - ext4 /dev/sdb1 rw\n"
        "4 1 8:2 /other /srv/other rw - ext4 /dev/sdb1 rw\n"
        "damaged\n"
    )
    monkeypatch.setattr(exclusion, "_MOUNTS", table)
    monkeypatch.setattr(exclusion, "_same", lambda one, other: True)
    found = exclusion.ways_to(Path("/srv/out/kept"))
    assert found == [Path("/srv/out/kept"), Path("/data disk/pictures/out/kept")]
    assert exclusion.ways_to(Path("/home/me")) == [Path("/home/me")]
    monkeypatch.setattr(exclusion, "_MOUNTS", tmp_path / "none")
    assert exclusion.ways_to(Path("/srv/out")) == [Path("/srv/out")]
