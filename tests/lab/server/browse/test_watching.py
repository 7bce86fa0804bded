"""Pictures that arrive while the page is open are scored and shown; the watch is the library's own."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
from PIL import Image

from imagereward_core.errors import CuratorError
from imagereward_core.library.library import Library
from imagereward_core.library.watch.watcher import WatchSettings
from imagereward_lab.server.browse.watching import Scorer
from tests.support.lab.open_page import OpenPage
from tests.support.library.curation import demo_panel, draw_outputs, save_scene, tree

PATIENCE = 90


@contextmanager
def watched(folder, load, **settings):
    """The page of a folder with its scorer at work."""
    with Library.open(folder / ".imagereward", root=folder) as library:
        page = OpenPage(library, folder)
        page.scorer = Scorer(page.desk, load, WatchSettings(quiet=0.3, gather=0.3, **settings))
        page.scorer.begin()
        try:
            yield page
        finally:
            page.scorer.end()


def wait(fits):
    end = time.monotonic() + PATIENCE
    while not fits():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("poll", [0.0, 0.3])
def test_what_is_there_is_scored_and_what_arrives_too_and_nothing_is_moved(tmp_path, poll):
    if not poll:
        pytest.importorskip("watchdog")
    draw_outputs(tmp_path, prompts=1, pictures=3)
    with watched(tmp_path, demo_panel, poll=poll) as page:
        page.deck()
        wait(lambda: page.deck()["total"] == 3)
        wait(lambda: page.scorer.state["stage"] == "watching")
        before = len(page.told)
        save_scene(tmp_path / "new" / "late.png", Image.new("RGB", (64, 64), "red"), "a red square")
        wait(lambda: "new/late.png" in page.names())
        assert ("changed", {"serial": page.desk.serial}) in page.told[before:]
        stages = [facts["stage"] for kind, facts in page.told if kind == "scoring"]
        assert stages[0] == "loading" and "scoring" in stages and stages[-1] == "watching"
        assert {name for name in tree(tmp_path) if ".imagereward" not in name} >= {"new/late.png"}
        assert not (tmp_path / "kept").exists()


def test_stars_given_while_pictures_arrive_stay(tmp_path):
    draw_outputs(tmp_path, prompts=1, pictures=3)
    with watched(tmp_path, demo_panel, poll=0.3) as page:
        wait(lambda: page.deck()["total"] == 3)
        first = page.deck()["pictures"][0]
        page.do("said", wishes=[{"do": "rate", "id": first["id"], "stars": 5}])
        save_scene(tmp_path / "late.png", Image.new("RGB", (64, 64), "red"), "a red square")
        wait(lambda: page.deck()["total"] == 4)
        assert [each["stars"] for each in page.deck()["pictures"] if each["id"] == first["id"]] == [5]


def test_without_a_scorer_the_pictures_are_shown_and_the_page_says_why(tmp_path):
    draw_outputs(tmp_path, prompts=1, pictures=2)
    with Library.open(tmp_path / ".imagereward", root=tmp_path) as library:
        library.scan([tmp_path], demo_panel())

    def fails():
        raise CuratorError("no weights here")

    with watched(tmp_path, fails) as page:
        wait(lambda: page.scorer.state["stage"] == "failed")
        assert page.scorer.state["problem"] == "no weights here" and page.deck()["total"] == 2


def test_beside_another_watch_it_follows_what_that_one_does(tmp_path):
    from imagereward_core.files.locks import exclusive

    draw_outputs(tmp_path, prompts=1, pictures=2)
    (tmp_path / ".imagereward").mkdir()
    with exclusive(tmp_path / ".imagereward" / "watch"), watched(tmp_path, demo_panel) as page:
        wait(lambda: page.scorer.state["stage"] == "following")
        assert page.deck()["total"] == 2
        save_scene(tmp_path / "late.png", Image.new("RGB", (64, 64), "red"), "a red square")
        with Library.open(tmp_path / ".imagereward", root=tmp_path) as library:
            library.scan([tmp_path], demo_panel())
        wait(lambda: page.deck()["total"] == 3)


def test_what_cannot_be_scored_is_listed_also_when_it_arrives(tmp_path):
    draw_outputs(tmp_path, prompts=1, pictures=2)

    def fails():
        raise CuratorError("no weights here")

    with watched(tmp_path, fails, poll=0.2) as page:
        wait(lambda: page.deck()["counts"]["failed"] == 2)
        before = len(page.told)
        save_scene(tmp_path / "late.png", Image.new("RGB", (64, 64), "red"), "a red square")
        wait(lambda: "late.png" in page.names(filter={"show": "failed"}))
        assert "changed" in [kind for kind, _ in page.told[before:]]
        assert page.scorer.state == {"stage": "failed", "problem": "no weights here"}


@pytest.mark.parametrize(("reads_only", "listed"), [(False, 2), (True, 0)])
def test_a_folder_of_which_nothing_is_known_is_listed_once_unless_its_library_is_only_looked_at(
    tmp_path, reads_only, listed
):
    draw_outputs(tmp_path, prompts=1, pictures=2)
    open_library = Library.look if reads_only else Library.open
    with open_library(tmp_path / ".imagereward", root=tmp_path) as library:
        page = OpenPage(library, tmp_path, read_only=reads_only)
        page.scorer.begin()
        wait(lambda: page.scorer.state["stage"] == "none" and page.deck()["counts"]["all"] == listed)
        page.scorer.end()
        assert page.deck()["counts"]["all"] == listed


def test_a_library_that_is_only_looked_at_is_followed_too(tmp_path):
    draw_outputs(tmp_path, prompts=1, pictures=2)
    place = tmp_path / ".imagereward"
    with Library.open(place, root=tmp_path) as library:
        library.scan([tmp_path], demo_panel())
    page = OpenPage(Library.look(place, root=tmp_path), tmp_path, read_only=True)
    page.scorer.begin()
    try:
        wait(lambda: page.scorer.state["stage"] == "none" and page.deck()["total"] == 2)
        for number in range(3):  # each by a program that comes and goes
            save_scene(tmp_path / f"late {number}.png", Image.new("RGB", (64, 64), (number, 2, 3)), "a star")
            with Library.open(place, root=tmp_path) as library:
                library.scan([tmp_path], demo_panel())
            wait(lambda number=number: page.deck()["total"] == 3 + number)
    finally:
        page.scorer.end()
        page.desk.close()
