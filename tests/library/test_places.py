"""Which library a folder of pictures begins with, and how it is named in a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from imagereward_core.files import STORE_FOLDER
from imagereward_core.library.library import Library
from imagereward_core.library.places import TAB_FOLDER, first_library
from tests.support.library.curation import demo_panel, draw_outputs


@pytest.fixture
def outputs(tmp_path):
    folder = tmp_path / "webui" / "outputs"
    draw_outputs(folder, prompts=1, pictures=2)
    return folder


def known(place, folder, panel=None):
    with Library.open(place, root=folder) as library:
        library.scan([folder], panel)
        return [row.path for row in library.find(sorted(folder.rglob("*.png")))]


def say_nothing(library, picture):
    """The pictures are known, and nothing else."""


def give_stars(library, picture):
    library.set_stars(picture, 0)


def decide(library, picture):
    library.decide(picture, False)


def score(library, picture):
    library.scan([picture.parent], demo_panel())


@pytest.mark.parametrize(
    ("says", "own_counts"), [(say_nothing, False), (give_stars, True), (decide, True), (score, True)]
)
def test_its_own_library_comes_first_where_anything_is_judged_in_it(outputs, says, own_counts):
    own, tab = outputs / STORE_FOLDER, outputs.parent / TAB_FOLDER
    assert first_library(outputs) == own
    picture = known(own, outputs)[0]
    assert first_library(outputs) == own, "there is no other one"
    known(tab, outputs)
    with Library.open(own, root=outputs) as library:
        says(library, picture)
    assert first_library(outputs) == (own if own_counts else tab)


def test_the_tabs_library_is_none_for_a_folder_it_does_not_know_and_for_a_store_that_cannot_be_read(outputs):
    other = outputs.parent / "other"
    Image.new("RGB", (8, 8)).save(_made(other) / "a.png")
    known(outputs.parent / TAB_FOLDER, outputs)
    assert first_library(other) == other / STORE_FOLDER
    (_made(outputs / STORE_FOLDER) / "library.sqlite3").write_bytes(b"no database" * 100)
    assert first_library(outputs) == outputs / STORE_FOLDER, "whoever opens it is told"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
