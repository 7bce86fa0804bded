"""Which files belong to which picture, by their names."""

from __future__ import annotations

import os
import sys
import unicodedata

import pytest

from imagereward_core.metadata import companions
from imagereward_core.metadata.companions import PROMPT_ENDINGS, owners, side_files
from imagereward_core.metadata.sidecar import sidecar_prompt

EXACT = sys.platform.startswith("linux")
exact_names = pytest.mark.skipif(not EXACT, reason="needs a file system that tells letter case apart")


def write(folder, **texts):
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        ("a.png", "a.TXT"),
        ("a.png", "a.Txt"),
        ("A.PNG", "a.txt"),
        ("a.png", "A.png.txt"),
        ("a.png", "a.caption"),
        ("a.png", "A.Caption"),
        ("a.png", "a.png.caption"),
        (unicodedata.normalize("NFD", "füchse.png"), "füchse.txt"),
        ("füchse.png", unicodedata.normalize("NFD", "FÜCHSE.TXT")),
        ("a.v2.png", "a.v2.txt"),
    ],
)
def test_letter_case_and_ways_to_write_a_letter_make_no_difference(tmp_path, picture, text):
    (tmp_path / picture).touch()
    (tmp_path / text).write_text("a cat", encoding="utf-8")
    found = sidecar_prompt(tmp_path / picture)
    assert found is not None and found.prompt == "a cat"
    assert owners(tmp_path / text) == [tmp_path / picture]


@exact_names
def test_a_text_is_of_the_picture_that_it_fits_to_the_letter(tmp_path):
    for name in ("A.png", "a.png", "B.jpg", "b.png"):
        (tmp_path / name).touch()
    write(tmp_path, a_txt="of the small one", B_jpg_txt="of the jpeg", b_TXT="of the png")
    assert sidecar_prompt(tmp_path / "a.png").prompt == "of the small one"
    assert sidecar_prompt(tmp_path / "A.png") is None
    assert sidecar_prompt(tmp_path / "B.jpg").prompt == "of the jpeg"
    assert sidecar_prompt(tmp_path / "b.png").prompt == "of the png"
    # What fits to the letter comes before what does not.
    write(tmp_path, B_TXT="of B")
    assert sidecar_prompt(tmp_path / "b.png").prompt == "of the png"


def test_the_order_of_endings_is_kept(tmp_path):
    (tmp_path / "a.png").touch()
    for name, text in (
        ("a.swarm.json", '{"sui_image_params": {"prompt": "of SwarmUI"}}'),
        ("a.json", '{"positive_prompt": "of JSON"}'),
        ("a.caption", "a caption"),
        ("a.txt", "a text"),
        ("a.png.txt", "the whole name"),
    ):
        (tmp_path / name).write_text(text)
        prompts = sidecar_prompt(tmp_path / "a.png").prompt
        assert prompts == {"a.swarm.json": "of SwarmUI", "a.json": "of JSON"}.get(name, text)
    assert [each.path.name for each in side_files(tmp_path / "a.png", PROMPT_ENDINGS)] == [
        "a.png.txt",
        "a.txt",
        "a.caption",
        "a.json",
        "a.swarm.json",
    ]


def test_a_listing_is_used_again_only_while_it_is_right(tmp_path, monkeypatch):
    reads = []
    monkeypatch.setattr(
        companions, "_read", lambda folder, read=companions._read: reads.append(folder) or read(folder)
    )
    pictures = [tmp_path / f"{number}.png" for number in range(20)]
    for picture in pictures:
        picture.touch()
    long_ago = 1_000_000_000
    os.utime(tmp_path, (long_ago, long_ago))
    for picture in pictures:
        assert sidecar_prompt(picture) is None
    assert len(reads) == 1
    (tmp_path / "3.Txt").write_text("a cat")
    assert sidecar_prompt(pictures[3]).prompt == "a cat"
    (tmp_path / "4.Txt").write_text("a dog")
    assert sidecar_prompt(pictures[4]).prompt == "a dog"


@exact_names
def test_names_that_are_no_text_of_their_system_do_no_harm(tmp_path):
    for name in (b"b\xff.png", b"B\xff.txt"):
        (tmp_path / os.fsdecode(name)).write_text("a cat")
    (picture,) = tmp_path.glob("b*.png")
    assert sidecar_prompt(picture).prompt == "a cat"
    assert owners(next(tmp_path.glob("B*.txt"))) == [picture]
