"""Pipes, sockets, devices and broken links among the pictures: rows with a reason, and never a wait."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from imagereward_core.errors import ImageError
from imagereward_core.files import regular
from imagereward_core.images.decode import open_image
from imagereward_core.library.scan import walk as walking
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.metadata.picture_prompt import read_prompt
from imagereward_core.metadata.sidecar import sidecar_prompt
from imagereward_core.metadata.writing.plan import plan_edit
from tests.support.library.scans import MeanScorer, failures, panel_of, save

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files there")


def in_time(work):
    """What ``work`` returns, from a thread that may hang without hanging the tests."""
    came: list = []
    thread = threading.Thread(target=lambda: came.append(work()), daemon=True)
    thread.start()
    thread.join(30)
    assert came, "it waits"
    return came[0]


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A folder with one picture and everything that only looks like one."""
    folder = tmp_path / "zoo"
    save(folder / "good.png", 1)
    os.mkfifo(folder / "pipe.png")
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "dangling.png").symlink_to("nowhere.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "loop").symlink_to("loop")
    monkeypatch.chdir(folder)  # the path of a socket may be 108 bytes long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        yield folder


def test_a_scan_makes_rows_of_them_and_goes_on(library, zoo):
    scorer = MeanScorer()
    result = in_time(lambda: library.scan([zoo], panel_of(scorer)))
    assert (result.found, result.scored, result.failed, result.problems) == (6, 1, 5, ())
    problems = {path.name: reason for path, reason in failures(library)}
    for name, what in {
        "pipe": "a pipe",
        "device": "a device",
        "socket": "a socket",
        "dangling": "a link",
        "loop": "cannot be read",
    }.items():
        assert what in problems[f"{name}.png"]


def test_texts_beside_a_picture_that_are_pipes_are_passed_over(library, tmp_path):
    path = save(tmp_path / "a" / "1.png", 1, prompt="a cat")
    for name in ("1.txt", "1.png.txt", "1.json", "log.html"):
        os.mkfifo(path.with_name(name))
    assert in_time(lambda: library.scan([path.parent], panel_of(MeanScorer()))).scored == 1
    assert in_time(lambda: sidecar_prompt(path)) is None
    assert "a pipe" in in_time(lambda: refused(read_prompt, path.with_name("1.txt")))
    assert "a pipe" in in_time(lambda: refused(lambda text: plan_edit(text, {}), path.with_name("1.txt")))


def refused(work, *args):
    """What ``work`` says instead of waiting."""
    try:
        work(*args)
    except ImageError as error:
        return str(error)


def test_a_file_that_becomes_a_pipe_after_the_look_is_not_waited_for(tmp_path, monkeypatch):
    path = save(tmp_path / "1.png", 1)
    there = path.stat()
    path.unlink()
    os.mkfifo(path)
    stat = os.stat
    monkeypatch.setattr(
        regular.os, "stat", lambda name, **more: there if Path(name) == path else stat(name, **more)
    )
    assert "found a pipe" in in_time(lambda: refused(open_image, path))


def test_a_folder_that_lists_and_tells_nothing_of_its_files_hides_none(library, tmp_path, monkeypatch):
    save(tmp_path / "a" / "1.png", 1)

    class Mute:
        """An entry of a folder without the right to look into it."""

        def __init__(self, entry):
            self.name, self.path, self.is_dir = entry.name, entry.path, entry.is_dir

        def stat(self, *, follow_symlinks=True):
            raise PermissionError(13, "Permission denied")

    scandir = os.scandir

    class Muted:
        def __init__(self, folder):
            self.inner = scandir(folder)

        def __enter__(self):
            return map(Mute, self.inner)

        def __exit__(self, *_):
            self.inner.close()

    monkeypatch.setattr(walking.os, "scandir", Muted)
    listings = [list(each.pictures) for each in walking.walk(tmp_path / "a", ScanOptions(), lambda *_: None)]
    assert [[found.name for found in each] for each in listings] == [["1.png"]]
