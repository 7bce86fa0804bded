"""Which files a scan finds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from imagereward_core.library.scan import walk as walking
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.library.scan.walk import walk

FILES = (
    "1.png",
    "2.PNG",
    "notes.txt",
    ".hidden.png",
    "a/3.jpg",
    "a/b/4.webp",
    "a/b/grid-5.png",
    ".thumbs/6.png",
    "kept/7.avif",
    "a/kept/8.jpeg",
    "Ünï code/9.png",
    ".imagereward/10.png",
)


@pytest.fixture
def root(tmp_path):
    for name in FILES:
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "root"


def found(root, problems=None, **options):
    told = [] if problems is None else problems
    return [
        (listing.path / each.name).relative_to(root).as_posix()
        for listing in walk(root, ScanOptions(**options), lambda path, reason: told.append((path, reason)))
        for each in sorted(listing.pictures, key=lambda each: each.name)
    ]


def test_small_copies_that_swarmui_makes_are_no_pictures(root):
    for name in ("1.swarmpreview.jpg", "a/3.SwarmPreview.WEBP"):
        (root / name).write_bytes(b"x")
    assert not [name for name in found(root) if "preview" in name.lower()]


def test_the_mark_of_a_picture_tells_of_texts_however_they_are_spelled(root):
    def mark():
        (listing,) = walk(root, ScanOptions(recursive=False), lambda *_: None)
        return {each.name: each.beside for each in listing.pictures}["1.png"]

    marks = [mark()]
    for name in ("1.swarm.json", "1.caption", "1.PNG.TXT", "1.Json"):
        (root / name).write_text("x")
        marks.append(mark())
    assert len(set(marks)) == 5 and marks[0] == 0


def test_pictures_of_all_folders_but_hidden_ones_in_the_order_of_names(root):
    assert found(root) == [
        "1.png",
        "2.PNG",
        "a/3.jpg",
        "a/b/4.webp",
        "a/b/grid-5.png",
        "a/kept/8.jpeg",
        "kept/7.avif",
        "Ünï code/9.png",
    ]


def test_one_folder_alone_on_demand(root):
    assert found(root, recursive=False) == ["1.png", "2.PNG"]


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"include": ("*.png",)}, ["1.png", "2.PNG", "a/b/grid-5.png", "Ünï code/9.png"]),
        ({"include": ("A/*",)}, ["a/3.jpg", "a/b/4.webp", "a/b/grid-5.png", "a/kept/8.jpeg"]),
        ({"include": ("ünï*/*",)}, ["Ünï code/9.png"]),
        ({"exclude": ("grid-*", "kept")}, ["1.png", "2.PNG", "a/3.jpg", "a/b/4.webp", "Ünï code/9.png"]),
        ({"exclude": ("a/b/",), "include": ("*.webp", "*.jpg")}, ["a/3.jpg"]),
        ({"exclude": ("a\\b",), "include": ("*.webp",)}, []),
        ({"include": ("[12].png",), "exclude": ("?.PNG",)}, []),
    ],
)
def test_patterns_include_and_exclude(root, options, expected):
    assert found(root, **options) == expected


def test_folders_to_be_skipped_are_those_folders_and_no_others_of_that_name(root):
    assert "a/kept/8.jpeg" in found(root, skip=(root / "kept",))
    assert "kept/7.avif" not in found(root, skip=(root / "kept",))
    assert "kept/7.avif" not in found(root, skip=(root / "a" / ".." / "kept",))


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_followed_on_demand_and_never_for_ever(root):
    (root / "a" / "up").symlink_to(root)
    (root / "twin").symlink_to(root / "a" / "b")
    (root / "self").symlink_to(root / "self")
    (root / "linked.png").symlink_to(root / "a" / "3.jpg")
    plain = found(root)
    assert "linked.png" in plain and not [name for name in plain if name.startswith(("twin", "a/up"))]
    followed = found(root, follow_links=True)
    assert len(followed) == len(plain) and sorted(
        {Path(root / name).resolve() for name in followed}
    ) == sorted({Path(root / name).resolve() for name in plain})


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_goes_on(root, monkeypatch):
    scandir = os.scandir

    def guarded(folder):
        if Path(folder).name == "b":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(walking.os, "scandir", guarded)
    problems: list = []
    assert "a/kept/8.jpeg" in found(root, problems)
    assert [(path.name, "Permission denied" in reason) for path, reason in problems] == [("b", True)]


def mark(root, name="1.png"):
    listing = next(walk(root, ScanOptions(), lambda *_: None))
    return next(each.beside for each in listing.pictures if each.name == name)


def test_the_mark_of_texts_changes_with_them_and_with_nothing_else(root):
    assert mark(root) == 0
    (root / "1.txt").write_text("one", encoding="utf-8")
    one = mark(root)
    assert one and mark(root) == one and mark(root, "2.PNG") == 0
    (root / "1.xmp").write_text("a rating", encoding="utf-8")
    (root / "10.txt").write_text("of another", encoding="utf-8")
    assert mark(root) == one
    (root / "1.png.txt").write_text("two", encoding="utf-8")
    both = mark(root)
    assert both not in (0, one)
    (root / "1.txt").write_text("three", encoding="utf-8")
    assert mark(root) not in (0, one, both)
    (root / "1.txt").unlink()
    (root / "1.png.txt").unlink()
    assert mark(root) == 0


def test_the_mark_changes_once_when_a_log_gets_newer_than_the_picture_and_not_with_later_entries(root):
    picture = root / "1.png"
    os.utime(picture, (1000, 1000))
    (root / "log.html").write_text("of earlier pictures", encoding="utf-8")
    os.utime(root / "log.html", (900, 900))
    before = mark(root)
    os.utime(root / "log.html", (1001, 1001))
    logged = mark(root)
    os.utime(root / "log.html", (2000, 2000))
    assert before == 0 and logged == mark(root) != 0
