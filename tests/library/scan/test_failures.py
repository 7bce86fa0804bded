"""One bad file never stops a scan: it is a row with a reason, and is tried again once it changes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from imagereward_core.library.scan import picture
from imagereward_core.library.scan.keys import key_of
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.library.store.records import Query
from tests.support.library.scans import MeanScorer, failures, panel_of, pixels, save, settle


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "out"
    for number in range(4):
        save(folder / f"good {number}.png", number)
    whole = (folder / "good 0.png").read_bytes()
    (folder / "bad empty.png").write_bytes(b"")
    (folder / "bad text.jpg").write_text("I am no picture", encoding="utf-8")
    (folder / "bad half.png").write_bytes(whole[: len(whole) // 2])
    (folder / "bad signature.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for path in folder.glob("bad*"):
        settle(path)
    return folder


def test_every_bad_file_is_a_row_with_a_reason_and_the_rest_goes_on(library, tree):
    scorer = MeanScorer()
    result = library.scan([tree], panel_of(scorer))
    assert (result.found, result.done, result.scored, result.failed) == (8, 8, 4, 4)
    reasons = {path.name: reason for path, reason in failures(library)}
    assert sorted(reasons) == ["bad empty.png", "bad half.png", "bad signature.png", "bad text.jpg"]
    assert "0 bytes" in reasons["bad empty.png"] and "not a picture" in reasons["bad text.jpg"]
    rows = library.page(Query(key=key_of(scorer), scored=False))
    assert {row.path.name: row.problem for row in rows} == reasons
    assert all((row.content, row.width, row.fingerprint) == ("", 0, None) for row in rows)


def test_a_bad_file_is_tried_again_when_it_changes_and_not_before(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    assert library.scan([tree], panel_of(scorer)).known == 8
    save(tree / "bad half.png", 9)
    result = library.scan([tree], panel_of(scorer))
    assert (result.known, result.done, result.scored) == (7, 1, 1)
    assert len(failures(library)) == 3
    assert library.scan([tree], None, options=ScanOptions(retry=True)).done == 3


def test_a_picture_that_breaks_loses_its_place_and_no_other_does(library, tree):
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer))
    (tree / "good 1.png").write_bytes(b"overwritten")
    library.scan([tree], panel_of(scorer))
    names = {row.path.name for row in library.page(Query(key=key_of(scorer), scored=True))}
    assert names == {"good 0.png", "good 2.png", "good 3.png"}


def test_a_file_that_vanishes_while_it_is_scanned_fails_for_itself(library, tree, monkeypatch):
    read = picture._read

    def vanishing(path):
        if path.name == "good 1.png":
            path.unlink()
        return read(path)

    monkeypatch.setattr(picture, "_read", vanishing)
    result = library.scan([tree], panel_of(MeanScorer()))
    assert (result.done, result.scored) == (8, 3)
    assert "no longer there" in dict(failures(library))[tree / "good 1.png"]
    assert library.scan([tree], None).gone == 1
    assert tree / "good 1.png" not in dict(failures(library))


def test_a_file_that_is_still_being_written_is_tried_again(library, tree, monkeypatch):
    read = picture._read
    half = (tree / "good 1.png").read_bytes()

    def growing(path):
        result = read(path)
        if path.name == "good 1.png":
            path.write_bytes(half + b"more")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(picture, "_read", growing)
        library.scan([tree], panel_of(MeanScorer()))
    assert "being written" in dict(failures(library))[tree / "good 1.png"]
    assert library.scan([tree], panel_of(MeanScorer())).scored == 1
    assert tree / "good 1.png" not in dict(failures(library))


def test_an_error_of_the_disk_is_tried_again_by_every_scan(library, tree, monkeypatch):
    def failing(path):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(picture, "_read", failing)
        assert library.scan([tree], panel_of(MeanScorer())).failed == 8
    assert "Input/output error" in failures(library)[0][1]
    result = library.scan([tree], panel_of(MeanScorer()))
    assert (result.done, result.scored, result.failed) == (8, 4, 4)


def test_whatever_a_decoder_or_a_reader_of_metadata_raises_stays_with_its_file(library, tree, monkeypatch):
    monkeypatch.setattr(picture, "content_hash", _raise(lambda image: image.size == (7, 7), RecursionError))
    pixels(1, 7).save(tree / "odd.png")
    finder = picture.from_found
    monkeypatch.setattr(
        picture, "from_found", lambda found: 1 // 0 if found.seen == "a trap" else finder(found)
    )
    save(tree / "trap.png", 11, "a trap")
    scorer = MeanScorer()
    result = library.scan([tree], panel_of(scorer))
    assert (result.scored, result.failed) == (4, 6)
    assert "RecursionError" in dict(failures(library))[tree / "odd.png"]
    problems = {row.path.name: row.problem for row in library.page(Query(key=key_of(scorer), scored=False))}
    assert "ZeroDivisionError" in problems["trap.png"]


def _raise(when, kind):
    plain = picture.content_hash

    def hashed(image):
        if when(image):
            raise kind("made up")
        return plain(image)

    return hashed


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_to_nowhere_are_rows_and_folders_called_like_pictures_are_no_pictures(library, tree):
    (tree / "nowhere.png").symlink_to(tree / "not there.png")
    save(tree / "folder.png" / "inside.png", 20)
    (tree / "linked.png").symlink_to(tree / "good 1.png")
    result = library.scan([tree], panel_of(MeanScorer()))
    assert (result.found, result.scored) == (11, 5)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep such names")
def test_names_that_are_no_utf8_are_kept_to_the_byte(library, tree):
    odd = os.fsencode(tree) + b"/caf\xe9 \xff"
    folder = Path(os.fsdecode(odd))
    folder.mkdir()
    pixels(30).save(tree / "tmp.png")
    settle(tree / "tmp.png").rename(folder / os.fsdecode(b"na\xefve.png"))
    scorer = MeanScorer()
    library.scan([tree], panel_of(scorer), options=ScanOptions(prompt="a cat"))
    path = next(row.path for row in library.rows(Query(order="name")) if row.path.name.endswith("ve.png"))
    assert os.fsencode(path) == odd + b"/na\xefve.png" and path.exists()
    (row,) = library.page(Query(key=key_of(scorer), folder=path.parent))
    assert row.value is not None
    assert [row.path for row in library.page(Query(text="VE.png"))] == [path]
    library.set_stars(path, 3)
    assert library.scan([tree], panel_of(scorer), options=ScanOptions(prompt="a cat")).known == 9
    assert library.find([path])[0].stars == 3


def test_the_decoder_may_need_more_memory_than_there_is(library, tree, monkeypatch):
    def full(data, name):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(picture, "open_bytes", full)
        assert library.scan([tree], None).failed == 8
    assert library.scan([tree], None).failed == 4


def test_very_large_files_are_decoded_from_the_disk(library, tree, monkeypatch):
    monkeypatch.setattr(picture, "_MOST_BYTES", 100)
    scorer = MeanScorer()
    assert library.scan([tree], panel_of(scorer)).scored == 4


def test_pictures_of_every_mode_are_scored(library, tmp_path):
    folder = tmp_path / "modes"
    folder.mkdir()
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"):
        kind = "tiff" if mode in ("CMYK", "F", "I") else "png"
        Image.new("RGB", (40, 30), "teal").convert("L" if mode in ("I;16", "I", "F") else mode).convert(
            mode
        ).save(folder / f"{mode.replace(';', ' ')}.{kind}")
    result = library.scan([folder], panel_of(MeanScorer()), options=ScanOptions(prompt="a cat"))
    assert {path.stem for path, _ in failures(library)} <= {"I 16"}  # Pillow before 11 cannot resize it
    assert result.scored >= 9
