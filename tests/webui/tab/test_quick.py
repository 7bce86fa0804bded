"""Quick ranking in the tab: what the script wishes is asked, written down, taken back and exported, by the core's own code."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest

from imagereward_core.files import STORE_FOLDER
from imagereward_core.library.answers import ACROSS, AnswerStore
from imagereward_core.library.places import TAB_FOLDER
from tests.support.webui.api_client import ApiHost
from tests.support.webui.drawn import save_scenes
from tests.support.webui.fake_webui import ours
from tests.support.webui.tab_page import TabPage


@pytest.fixture
def page(monkeypatch, tmp_path):
    """A page about eight drawn scenes for two prompts, two of them equal, and a file that is no picture."""
    page = TabPage(ApiHost(monkeypatch, tmp_path), monkeypatch)
    save_scenes(page.host.samples, prompts=2, pictures=4)
    first = sorted(page.host.samples.rglob("*.png"))[0]
    first.with_name("copy.png").write_bytes(first.read_bytes())
    (page.host.samples / "broken.png").write_bytes(b"no picture")
    page.score()
    yield page
    ours("tab").close()


def ask(page, do, **what):
    """The answer to a command of quick ranking; None where there is none."""
    page.wish(f"quick_{do}", **what)
    text = re.search(r'data-quick="([^"]*)"', page.values["answer"])[1]
    return json.loads(html.unescape(text)) if text else None


def kept(page, prompt):
    with AnswerStore.open(ours("host.info").data_folder() / "library") as store:
        return store.answers(prompt)


def ids(told):
    return [picture["id"] for picture in told["question"]]


def prompt_of(page, address):
    return ours("tab.shown").addresses.row(address).generated.prompt


def test_questions_are_of_one_prompt_answers_are_kept_and_the_next_page_goes_on(page, monkeypatch):
    told = ask(page, "begin", size=3)
    assert len(told["question"]) == 3 and (told["pictures"], told["prompts"], told["answers"]) == (4, 2, 0)
    assert {prompt_of(page, each) for each in ids(told)} == {told["prompt"]} and told["prompt"]
    assert not {"caption", "score", "rank"} & told["question"][0].keys(), "scores would answer"
    best = ids(told)[1]
    after = ask(page, "answer", images=ids(told), winner=best)
    assert after["answers"] == 1 and set(ids(after)) != set(ids(told))
    tied = ask(page, "answer", images=ids(after), winner=None)
    skipped = ask(page, "skip", images=ids(tied))
    assert skipped["answers"] == 2 and set(ids(skipped)) != set(ids(tied))
    content = ours("tab.shown").addresses.row
    assert [(each.winner, each.skipped, each.door) for each in kept(page, told["prompt"])] == [
        (content(best).content, False, "webui"),
        (None, False, "webui"),
        (None, True, "webui"),
    ]
    later = TabPage(page.host, monkeypatch)
    later.score()
    assert ask(later, "begin", size=2)["answers"] == 2


def test_undo_asks_the_same_question_again(page):
    told = ask(page, "begin", size=2)
    ask(page, "answer", images=ids(told), winner=ids(told)[0])
    again = ask(page, "undo")
    assert ids(again) == ids(told) and again["answers"] == 0 and kept(page, told["prompt"]) == []
    ask(page, "undo")
    assert "no answer to take back" in page.problem


def test_other_prompts_are_gone_to_in_a_circle_and_answers_are_about_them_alone(page):
    one = ask(page, "begin", size=2)
    two = ask(page, "turn", by=1)
    assert two["prompt"] != one["prompt"] and (one["at"], two["at"]) == (0, 1)
    ask(page, "answer", images=ids(two), winner=ids(two)[0])
    assert ask(page, "turn", by=1)["prompt"] == one["prompt"]
    assert (len(kept(page, one["prompt"])), len(kept(page, two["prompt"]))) == (0, 1)
    ask(page, "answer", images=ids(two), winner=ids(two)[0])
    assert "not among those shown for this prompt" in page.problem


def test_it_begins_with_the_prompt_of_the_chosen_picture(page):
    prompts = [row.generated.prompt for row in page.session.view.rows if row.content]
    other = next(each for each in prompts if each != ask(page, "begin", size=2)["prompt"])
    shown = page.session.shown
    place = next(at for at, row in enumerate(shown) if page.session.view.rows[row].generated.prompt == other)
    page.wish("show", at=place)
    assert ask(page, "begin", size=2, anew=True)["prompt"] == other


def test_across_prompts_is_only_done_when_asked_for_and_kept_apart(page):
    told = ask(page, "begin", size=4, across=True)
    assert told["across"] and told["prompt"] == "" and told["pictures"] == 8
    ask(page, "answer", images=ids(told), winner=None)
    assert len(kept(page, ACROSS)) == 1
    assert ask(page, "begin", size=2)["answers"] == 0


def test_a_filter_that_leaves_no_two_of_a_prompt_is_told_with_what_can_be_done(page):
    page.filter(top=1, show="Kept")
    told = ask(page, "begin", size=2)
    assert told["question"] == [] and "same prompt" in told["why"]
    ask(page, "answer", images=["x", "y"], winner="x")
    assert "has not begun" in page.problem
    page.filter(top=0, show="Kept and rejected")
    assert ask(page, "begin", size=2)["question"]


def test_stars_given_meanwhile_are_those_of_the_tab(page):
    told = ask(page, "begin", size=2)
    page.wish("rate", id=ids(told)[0], stars=4)
    by_id = {picture["id"]: picture for picture in page.deck["pictures"]}
    assert by_id[ids(told)[0]]["stars"] == 4
    assert 4 in [row["stars"] for row in ask(page, "ranks")["ranks"]]


def test_ranks_come_with_their_uncertainty_on_the_page_and_as_files(page):
    told = ask(page, "begin", size=4)
    best = ids(told)[2]
    for _ in range(6):
        ask(page, "answer", images=ids(told), winner=best)
    ranks = ask(page, "ranks")["ranks"]
    assert ranks[0]["id"] == best and [row["rank"] for row in ranks] == [1, 2, 3, 4]
    assert all(row["rank_low"] <= row["rank"] <= row["rank_high"] and row["error"] > 0 for row in ranks)
    table, whole = ask(page, "file", form="csv")["file"], ask(page, "file", form="json")["file"]
    assert table["name"].endswith(".csv") and whole["name"].endswith(".json")
    rows = list(csv.DictReader(io.StringIO(table["text"].removeprefix("\ufeff"))))
    best_path = str(ours("tab.shown").addresses.row(best).path)
    assert (rows[0]["file"], rows[0]["won"], rows[0]["prompt"]) == (best_path, "6", told["prompt"])
    assert json.loads(whole["text"])["rows"][0]["file"] == best_path
    ask(page, "file", form="exe")
    assert "expected csv or json" in page.problem


@pytest.mark.parametrize(
    ("do", "what"),
    [
        ("begin", {"size": 5}),
        ("begin", {"size": True}),
        ("begin", {}),
        ("answer", {"images": [], "winner": None}),
        ("answer", {"images": "ab", "winner": None}),
        ("answer", {"images": ["nobody", "knows"], "winner": None}),
        ("skip", {"images": [1, 2]}),
        ("turn", {"by": 7}),
        ("turn", {"by": "on"}),
        ("file", {}),
    ],
)
def test_what_the_script_never_wishes_is_refused_in_a_sentence(page, do, what):
    prompt = ask(page, "begin", size=2)["prompt"]
    assert ask(page, do, **what) is None and page.problem.strip()
    assert kept(page, prompt) == []


def test_the_same_picture_twice_or_a_winner_that_was_not_shown_is_no_answer(page):
    told = ask(page, "begin", size=2)
    ask(page, "answer", images=[ids(told)[0]] * 2, winner=None)
    assert page.problem
    other = next(each["id"] for each in page.deck["pictures"] if each["id"] not in ids(told))
    ask(page, "answer", images=ids(told), winner=other)
    assert "not one of those shown" in page.problem and kept(page, told["prompt"]) == []


def test_what_was_answered_about_the_same_pictures_elsewhere_counts_and_can_be_taken_back(page):
    """In `imagereward annotate FOLDER`, which keeps its library in the folder."""
    assert ours("tab.scoring").library_folder().parts[-2:] == TAB_FOLDER.parts, (
        "where others look for the tab's"
    )
    told = ask(page, "begin", size=2)
    contents = [ours("tab.shown").addresses.row(each).content for each in ids(told)]
    place = page.host.samples / STORE_FOLDER
    with AnswerStore.open(place) as elsewhere:
        elsewhere.add(told["prompt"], contents, contents[0], door="page")
        elsewhere.add(
            told["prompt"], ["ab" * 32, "cd" * 32], "ab" * 32, door="page"
        )  # of pictures that are not shown
    again = ask(page, "begin", size=2)
    assert again["answers"] == 1 and set(ids(again)) != set(ids(told))
    assert kept(page, told["prompt"]) == [], "nothing is copied"
    undone = ask(page, "undo")
    assert ids(undone) == ids(told)
    with AnswerStore.open(place) as elsewhere:
        assert [each.images[0] for each in elsewhere.answers(told["prompt"])] == ["ab" * 32]
    (place / "answers.sqlite3").write_bytes(b"no database")
    assert ask(page, "begin", size=2)["answers"] == 0 and not page.problem
