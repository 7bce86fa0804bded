"""The tab from a folder to its best pictures in another one, and back; what is refused is a line on the page."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from tests.support.webui.api_client import ApiHost
from tests.support.webui.drawn import png, save_scenes, scenes
from tests.support.webui.fake_webui import HOSTS, ours
from tests.support.webui.tab_page import QuietLoaded, TabPage, tree


@pytest.fixture
def host(monkeypatch, tmp_path):
    return ApiHost(monkeypatch, tmp_path)


@pytest.fixture
def page(host, monkeypatch):
    """A page about six drawn scenes for two prompts, and a file that is no picture."""
    save_scenes(host.samples)
    (host.samples / "broken.png").write_bytes(b"no picture")
    page = TabPage(host, monkeypatch)
    yield page
    ours("tab").close()


@pytest.mark.parametrize("name", HOSTS)
def test_a_folder_is_scored_shown_best_first_and_known_the_next_time(monkeypatch, tmp_path, name):
    page = TabPage(ApiHost(monkeypatch, tmp_path, name), monkeypatch)
    paths = save_scenes(page.host.samples)
    assert "6 new scores" in page.score()
    values = [page.session.view.rows[place].value for place in page.session.visible(60)]
    assert values == sorted(values, reverse=True) and len(values) == len(paths)
    loaded = QuietLoaded(None)
    expected = loaded.score([str(path) for path in paths], [prompt for prompt, _ in scenes()]).main
    by_name = {row.path.name: row.value for row in page.session.view.rows}
    assert by_name == pytest.approx(
        {path.name: value for path, value in zip(paths, expected, strict=True)}, abs=1e-6
    )
    before = QuietLoaded.working
    assert "0 new scores" in page.score() and QuietLoaded.working == before
    ours("tab").close()


def test_scoring_changes_no_file_and_holds_the_queue_only_while_the_model_works(page):
    before = tree(page.host.samples)
    page.score()
    assert tree(page.host.samples) == before
    assert page.host.queue.turns >= 1 and not page.host.queue.lock.locked()


def test_one_bad_file_is_listed_with_its_reason(page):
    assert "1 could not be scored" in page.score()
    page.filter(show="Not scored")
    assert page.shown == ["broken.png"]
    page.look_at(0)
    assert "broken.png" in page.values["details"] and "not a picture" in page.values["details"]


def test_the_filter_counts_as_it_is_moved_and_turns_pages(page):
    page.score()
    page.filter(top=2)
    assert "<b>2</b>" in page.values["count"] and "1</b>" not in page.values["count"]
    page.filter(show="Kept")
    assert len(page.shown) == 2
    low, high = page.session.view.limits()
    page.filter(show="Kept and rejected", top=0, low=low, high=high)
    assert "<b>6</b>" in page.values["count"]
    page.host.option("imagereward_tab_page", 4)
    page.do("turn_page", 1)
    assert "2" in page.values["pages"] and len(page.deck["pictures"]) == 2
    page.do("turn_page", 1)
    assert len(page.deck["pictures"]) == 2


def test_the_gallery_says_rank_score_and_percentile_and_which_are_rejected(page):
    page.score()
    page.filter(top=1)
    captions = [picture["caption"] for picture in page.deck["pictures"]]
    assert (
        captions[0].startswith("#1\N{NO-BREAK SPACE}· ")
        and captions[0].endswith("%")
        and captions[1].startswith("✕\N{NO-BREAK SPACE}#2")
    )
    assert [picture["name"] for picture in page.deck["pictures"]] == page.shown
    assert [picture["kept"] for picture in page.deck["pictures"]] == [True] + [False] * (len(captions) - 1)


def test_a_chosen_picture_is_shown_with_its_parameters_for_other_tabs(page, monkeypatch):
    page.score()
    page.look_at(0)
    best = page.session.view.rows[page.session.picked]
    picture, parameters = page.send(0)
    assert picture == str(best.path) and best.generated.prompt in page.values["details"]
    assert parameters.startswith(best.generated.written)
    assert page.wish("show", at=1) == 1 and page.session.picked == page.session.visible(60)[1]
    best.path.unlink()
    assert page.wish("show", at=0) == 0
    assert "no longer there" in page.problem
    page.values["picture"] = None
    page.send(0)
    assert page.values["picture"] is None and "no longer there" in page.problem


def test_kept_pictures_are_copied_by_preview_then_hand_and_undo_leaves_everything_as_it_was(page):
    before = tree(page.host.samples)
    page.score()
    page.filter(top=2)
    assert page.do("carry_out") and "Preview first" in page.values["message"]
    page.preview()
    assert tree(page.host.samples) == before and "To copy: 2 to" in page.values["plan"]
    page.do("carry_out")
    assert "2 copied" in page.finish()
    after = tree(page.host.samples)
    assert {name: content for name, content in after.items() if not name.startswith("kept/")} == before
    assert len(after) == len(before) + 2 and len(page.session.view.rows) == 7
    page.filter(top=2)
    page.preview()
    assert "in place already" in page.values["plan"]
    page.do("undo")
    page.finish()
    assert tree(page.host.samples) == before


def test_rejected_pictures_are_moved_and_brought_back(page):
    before = tree(page.host.samples)
    page.score()
    page.filter(top=2)
    page.preview(which="Rejected", how="Move")
    page.do("carry_out")
    page.finish()
    after = tree(page.host.samples)
    assert (
        sorted(after.values()) == sorted(before.values())
        and sum(name.startswith("rejected/") for name in after) == 4
    )
    assert len(page.session.view.rows) == 7 and "broken.png" in after
    page.do("undo")
    page.finish()
    assert tree(page.host.samples) == before


def test_undo_leaves_what_nobody_vouches_for_and_names_the_command_that_asks(page):
    """As after an update: runs of the version before are signed by no key."""
    from imagereward_core.library.journal.trust import KEY_FILE
    from webui_extension.host.info import data_folder

    page.score()
    page.filter(top=2)
    page.preview(which="Rejected", how="Move")
    page.do("carry_out")
    page.finish()
    after = tree(page.host.samples)
    (data_folder() / KEY_FILE).unlink()
    page.do("undo")
    words = page.finish()
    assert tree(page.host.samples) == after
    assert f"imagereward undo FOLDER --store {data_folder() / 'library'}" in words


def test_a_highest_score_holds_for_actions_too(page):
    page.score()
    values = sorted((row.value for row in page.session.view.rows if row.value is not None), reverse=True)
    page.filter(low=-99, high=(values[0] + values[1]) / 2)
    page.preview()
    page.do("carry_out")
    page.finish()
    best = page.session.view.rows[[row.value for row in page.session.view.rows].index(values[0])].path.name
    kept = [name for name in tree(page.host.samples) if name.startswith("kept/")]
    assert len(kept) == 5 and f"kept/{best}" not in kept


def test_what_was_previewed_no_longer_counts_once_something_is_chosen_anew(page):
    page.score()
    page.preview()
    page.do("changed_mind")
    page.do("carry_out")
    assert "Preview first" in page.values["message"]
    page.preview()
    page.filter(top=1)
    page.do("carry_out")
    assert "Preview first" in page.values["message"]


@pytest.mark.parametrize(
    "folder", ["/", "/etc", "{base}", "../..", "", "{samples}/000 szene.png", "{samples}/none"]
)
def test_only_folders_of_the_host_are_scored(page, folder):
    page.score(folder=folder.format(base=page.host.base, samples=page.host.samples))
    assert page.session.view is None and "imagereward-error" in page.values["message"]


@pytest.mark.parametrize("folder", ["/tmp/elsewhere", "../../../secret", "", "{base}/elsewhere"])
def test_nothing_is_written_outside_of_the_hosts_folders(page, folder):
    page.score()
    page.preview(kept_folder=folder.format(base=page.host.base))
    assert page.session.previewed is None and "imagereward-error" in page.values["message"]


def test_a_folder_allowed_in_the_settings_may_be_scored(page, tmp_path):
    save_scenes(tmp_path / "mine, 写真")
    page.host.option("imagereward_extra_folders", f"{tmp_path / 'mine, 写真'}\n")
    assert "6 new scores" in page.score(folder=str(tmp_path / "mine, 写真"))


@pytest.mark.parametrize("form", ["CSV", "JSON", "HTML page"])
def test_what_is_shown_is_exported(page, form):
    page.score()
    page.filter(top=2, show="Kept")
    page.do("export", form)
    message = page.finish()
    path = Path(page.values["file"])
    assert path.is_file() and str(path) in message and path.is_relative_to(page.host.base / "imagereward")
    text = path.read_text(encoding="utf-8-sig")
    if form == "CSV":
        rows = list(csv.DictReader(text.splitlines()))
        assert [Path(row["file"]).name for row in rows] == page.shown and float(rows[0]["score"]) > float(
            rows[1]["score"]
        )
    elif form == "JSON":
        assert [Path(row["file"]).name for row in json.loads(text)["rows"]] == page.shown
    else:
        assert "2 kept" in text and page.shown[0] in text


def test_every_button_of_an_empty_page_answers(page):
    for handler in ("stop", "poll", "undo", "carry_out", "opened", "changed_mind"):
        page.do(handler)
        page.finish()
    for handler, argument in (("turn_page", 1), ("export", "CSV")):
        page.do(handler, argument)
        page.finish()
    for wish in ({"do": "show", "at": 3}, {"do": "rate", "stars": 1}, {"do": "decide", "kept": True}):
        assert page.wish(**wish) == -1
    page.filter()
    page.preview()
    assert "score one first" in page.values["message"]


def test_prompts_may_be_typed_and_pictures_without_prompt_say_so(page):
    (page.host.samples / "bare.png").write_bytes(png(scenes()[0][1]))
    page.score()
    page.filter(show="Not scored")
    assert page.shown == ["bare.png", "broken.png"] or set(page.shown) == {"bare.png", "broken.png"}
    page.score(prompt_from="The prompt below")
    assert "prompt is empty" in page.values["message"]
    page.score(typed=scenes()[0][0])
    page.filter(show="Kept and rejected")
    assert len(page.shown) == 7 and {
        row.generated.prompt for row in page.session.view.rows if row.value is not None
    } == {scenes()[0][0]}


def test_a_text_that_leads_out_of_the_allowed_folders_is_no_prompt(page, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the words of a key")
    (page.host.samples / "bare.png").write_bytes(png(scenes()[0][1]))
    (page.host.samples / "bare.txt").symlink_to(secret)
    page.score()
    page.filter(show="Not scored")
    assert set(page.shown) == {"bare.png", "broken.png"}
    secret.rename(page.host.samples / "words.md")
    (page.host.samples / "bare.txt").unlink()
    (page.host.samples / "bare.txt").symlink_to(page.host.samples / "words.md")
    page.score()
    page.filter(show="Not scored")
    assert page.shown == ["broken.png"]


def test_a_picture_is_compared_with_earlier_scores_and_never_with_its_own_folder(page):
    many, few = page.host.samples / "many", page.host.samples / "few"
    save_scenes(many, prompts=10, pictures=6)
    save_scenes(few)
    page.score(folder=str(many))
    page.look_at(0)
    assert "of 60." in page.values["details"] and "your own" not in page.values["details"]
    page.score(folder=str(few))
    page.look_at(0)
    pixels = [{picture.tobytes() for _, picture in some} for some in (scenes(10, 6), scenes())]
    in_both = len(pixels[0] & pixels[1])  # the same picture is no other one because it lies in two folders
    assert f"of your own {60 - in_both} earlier scores" in page.values["details"]


def test_closing_removes_the_small_pictures(page):
    page.score()
    small_copies = ours("tab.shown").small_copies
    files = [small_copies.file(row.path) for row in page.session.view.rows if row.content]
    assert all(map(os.path.isfile, files))
    ours("tab").close()
    assert not any(map(os.path.exists, files))


def test_scores_written_into_the_files_are_taken_out_again(page):
    before = tree(page.host.samples)
    page.score()
    page.preview(which="Both", how="Nothing, write only", write_scores=True, xmp=True)
    page.do("carry_out")
    assert "steps done" in page.finish()
    after = tree(page.host.samples)
    pictures = [name for name in before if name.endswith("szene.png")]
    assert all(b"ImageRewardDemo" in after[name] for name in pictures) and any(
        name.endswith(".xmp") for name in after
    )
    page.do("undo")
    page.finish()
    assert tree(page.host.samples) == before


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"top": -3}, "Keep at most so many is -3; expected a whole number, 0 or more."),
        ({"percent": -5}, "Keep the best percent is -5; expected a number from 0 to 100."),
    ],
)
def test_a_number_that_does_not_fit_is_told_until_one_that_does(page, typed, told):
    page.score()
    page.filter(top=2, show="Kept")
    page.preview()
    line = page.finish()
    shown = page.session.shown
    assert page.session.previewed is not None and len(shown) == 2
    page.filter(**typed)
    assert told in page.values["count"] and page.values["message"] == line
    assert page.session.shown == shown and page.session.previewed is None
    page.filter(top=1, percent=100)
    assert "<b>1</b>" in page.values["count"] and told not in page.values["count"]
    page.filter(percent=None)
    assert "<b>1</b>" in page.values["count"]
