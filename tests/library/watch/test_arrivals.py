"""Files are handed on once they are whole, whatever the pace at which they are written."""

from __future__ import annotations

import os

import pytest

from imagereward_core.library.watch.arrivals import PATIENCE, Arrivals
from imagereward_core.library.watch.folder_events import pictures_of


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def arrivals(clock):
    return Arrivals(2.0, clock)


def test_a_file_is_handed_on_once_it_has_been_quiet(arrivals, clock, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"1")
    arrivals.note(path)
    assert arrivals.whole() == []
    clock.now += 1.9
    assert arrivals.whole() == []
    clock.now += 0.1
    assert arrivals.whole() == [path] and len(arrivals) == 0 and arrivals.whole() == []


def test_a_file_that_grows_is_waited_for_even_if_nobody_tells(arrivals, clock, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"1")
    arrivals.note(path)
    for size in range(2, 8):
        clock.now += 1.5
        path.write_bytes(b"1" * size)
        assert arrivals.whole() == []
    clock.now += 2
    assert arrivals.whole() == [path]


def test_a_file_rewritten_in_the_same_size_is_waited_for(arrivals, clock, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"1")
    arrivals.note(path)
    clock.now += 1.5
    os.utime(path, ns=(1, 1))
    clock.now += 1.5
    assert arrivals.whole() == []


def test_a_file_that_goes_is_forgotten(arrivals, clock, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"1")
    arrivals.note(path)
    path.unlink()
    clock.now += 5
    assert arrivals.whole() == [] and len(arrivals) == 0


def test_an_empty_file_is_one_whose_writing_has_not_begun(arrivals, clock, tmp_path):
    path = tmp_path / "a.png"
    path.touch()
    arrivals.note(path)
    clock.now += PATIENCE / 2
    assert arrivals.whole() == [] and len(arrivals) == 1
    clock.now += PATIENCE
    assert arrivals.whole() == [] and len(arrivals) == 0


def test_an_unreadable_file_is_waited_for_until_it_changes_or_patience_ends(arrivals, clock, tmp_path):
    half, bad = tmp_path / "half.png", tmp_path / "bad.png"
    for path in (half, bad):
        path.write_bytes(b"1")
        arrivals.unreadable(path)
    clock.now += 10
    assert arrivals.whole() == []
    half.write_bytes(b"12")
    assert arrivals.whole() == []
    clock.now += 2
    assert arrivals.whole() == [half]
    clock.now += PATIENCE
    assert arrivals.whole() == [] and len(arrivals) == 0


def test_changes_concern_pictures_texts_their_pictures_and_folders_all_in_them(tmp_path):
    (tmp_path / "new").mkdir()
    for name in ("a.png", "b.webp", "notes.doc", "new/c.JPG", "new/.hidden.png", ".imagereward/d.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()

    def seen(name, is_folder=False):
        return sorted(
            path.relative_to(tmp_path).as_posix()
            for path in pictures_of(tmp_path / name, tmp_path, is_folder)
        )

    assert seen("a.png") == ["a.png"]
    assert seen("a.txt") == ["a.png"] and seen("b.webp.txt") == ["b.webp"]
    assert seen("notes.doc") == [] and seen("library.sqlite3") == [] and seen("lonely.txt") == []
    assert seen("new", True) == ["new/c.JPG"]
    assert seen("a.swarm.json") == ["a.png"] and seen("a.swarmpreview.jpg") == []
    (tmp_path / "B.TXT").touch()
    assert seen("B.TXT") == ["b.webp"]
    assert seen(".", True) == ["a.png", "b.webp", "new/c.JPG"]
    assert seen(".imagereward/d.png") == [] and seen("new/.hidden.png") == [] and seen("../b.png") == []
