"""Looking through a folder in the tab: what the script wishes is done to the picture that was seen, and nothing to any other."""

from __future__ import annotations

import pytest
from api_client import ApiHost
from drawn import save_scenes
from fake_webui import ours
from tab_page import TabPage, tree


@pytest.fixture
def page(monkeypatch, tmp_path):
    """A page about six drawn scenes for two prompts, and a file that is no picture."""
    page = TabPage(ApiHost(monkeypatch, tmp_path), monkeypatch)
    save_scenes(page.host.samples)
    (page.host.samples / "broken.png").write_bytes(b"no picture")
    yield page
    ours("tab").close()


def test_any_place_among_all_can_be_looked_at_and_its_page_comes_along(page):
    page.host.option("imagereward_tab_page", 4)
    page.score()
    first = page.deck["serial"]
    assert page.wish("show", at=3) == 3 and page.deck["serial"] == first
    assert page.wish("show", at=4) == 4 and (page.deck["start"], page.deck["picked"]) == (4, 4)
    assert page.wish("show", at=99) == 5 and page.wish("show", at=-99) == 0 and page.deck["start"] == 0


def test_after_a_filter_the_chosen_picture_is_the_one_that_is_rated_and_sent_or_none_is(page):
    page.score()
    page.look_at(1)
    chosen = page.session.view.rows[page.session.picked].path
    page.filter(sort="Worst first")
    assert page.deck["picked"] == len(page.shown) - 2
    assert page.shown[page.deck["picked"]] == chosen.name and page.send(page.deck["picked"])[0] == str(chosen)
    page.filter(sort="Best first", top=1, show="Rejected")
    assert page.shown[page.deck["picked"]] == chosen.name
    page.filter(show="Kept")
    assert page.session.picked is None and page.deck["picked"] == -1
    assert page.values["details"] == ""


def test_a_choice_made_before_a_filter_came_through_is_of_the_picture_that_was_seen(page):
    page.score()
    seen = page.deck["pictures"][1]
    page.filter(sort="Worst first")
    assert page.wish("show", at=1, id=seen["id"]) == len(page.shown) - 2
    assert page.session.view.rows[page.session.picked].path.name == seen["name"]


def test_stars_stay_with_the_picture_and_can_outweigh_its_score(page):
    page.score()
    last = len(page.shown) - 1
    page.look_at(last)
    worst = page.shown[last]
    page.wish("rate", id=page.deck["pictures"][last]["id"], stars=5)
    assert page.deck["pictures"][last]["stars"] == 5 and page.deck["picked"] == last
    page.filter(top=1, keep_stars=5, show="Kept")
    assert worst in page.shown and len(page.shown) == 2
    page.score()
    assert {row.path.name: row.stars for row in page.session.view.rows}[worst] == 5


def test_a_decision_by_hand_outweighs_the_filter_stays_and_is_carried_out(page):
    page.score()
    page.filter(top=2)
    names, pictures = page.shown, page.deck["pictures"]
    page.wish("decide", id=pictures[0]["id"], kept=False)
    page.wish("decide", id=pictures[5]["id"], kept=True)
    by_name = {picture["name"]: picture for picture in page.deck["pictures"]}
    assert [by_name[name]["kept"] for name in names] == [False, True, True, False, False, True]
    assert by_name[names[0]]["reason"] == "rejected: by hand" and by_name[names[0]]["decision"] is False
    page.look_at(5)
    assert "kept: by hand" in page.values["details"]
    page.score()
    page.preview()
    page.do("carry_out")
    assert "3 copied" in page.finish()
    assert {name for name in tree(page.host.samples) if name.startswith("kept/")} == {
        f"kept/{names[place]}" for place in (1, 2, 5)
    }
    page.do("undo")
    page.finish()
    by_name = {picture["name"]: picture for picture in page.deck["pictures"]}
    page.wish("decide", id=by_name[names[0]]["id"], kept=None)
    assert page.deck["pictures"][0]["kept"] and page.deck["pictures"][0]["decision"] is None


def test_pictures_around_a_page_come_along_and_what_takes_one_away_is_told(page):
    page.host.option("imagereward_tab_page", 2)
    page.score()
    everything = [page.session.view.rows[place].path.name for place in page.session.shown]
    page.wish("show", at=2)
    told = page.deck
    assert [
        picture["name"] for part in ("before", "pictures", "after") for picture in told[part]
    ] == everything
    assert [len(told[part]) for part in ("before", "pictures", "after")] == [2, 2, 2]
    assert told["leaving"] == {"kept": None, "stars": None}
    page.filter(show="Kept", keep_stars=4)
    assert page.deck["leaving"] == {"kept": False, "stars": None}
    page.filter(show="Rejected")
    assert page.deck["leaving"] == {"kept": True, "stars": 4}


def test_what_is_seen_after_a_decision_is_what_is_chosen(page):
    """The page went on by itself; the program follows it, and what was rejected in a hurry is what was seen."""
    page.score()
    page.filter(show="Kept")
    names, pictures = page.shown, page.deck["pictures"]
    page.look_at(0)
    for place in (0, 1):
        page.wish("decide", id=pictures[place]["id"], kept=False, next=pictures[place + 2]["id"])
        assert page.shown[page.deck["picked"]] == names[place + 2]
    assert page.shown == names[2:]
    page.wish("rate", id=pictures[2]["id"], stars=4, next="guessed")
    assert page.shown[page.deck["picked"]] == names[3]


def test_wishes_that_come_together_are_done_one_after_the_other_whatever_becomes_of_one(page):
    page.score()
    page.preview()
    names, pictures = page.shown, page.deck["pictures"]
    page.look_at(0)
    picked = page.wish(
        "each",
        wishes=[
            {"do": "decide", "id": pictures[0]["id"], "kept": False, "next": pictures[0]["id"]},
            {"do": "rate", "id": "guessed", "stars": 3},
            "no wish",
            {"do": "each", "wishes": []},
            {"do": "show", "at": 2, "id": pictures[2]["id"]},
            {"do": "rate", "id": pictures[2]["id"], "stars": 4, "next": pictures[3]["id"]},
        ],
    )
    rows = {row.path.name: (row.decision, row.stars) for row in page.session.view.rows}
    assert rows[names[0]] == (False, None) and rows[names[2]] == (None, 4) and picked == 3
    assert "no longer in the folder" in page.problem and page.problem.count("does not know") == 1
    assert page.values["plan"] == "" and names[3] in page.values["details"]
    assert page.deck["pictures"][2]["stars"] == 4 and page.deck["picked"] == 3


@pytest.mark.parametrize("show", ["Kept", "Rejected"])
def test_what_is_told_to_take_a_picture_away_does_so_under_every_filter(page, show):
    for rules in ({"high": 0.0}, {"low": 0.9}, {"top": 2}, {"percent": 40}, {"unique": True}):
        page.score()
        page.filter(
            show=show,
            keep_stars=4,
            **{"low": -9, "high": 9, "top": 0, "percent": 100, "unique": False, **rules},
        )
        for judged in ("decide", "rate"):
            told = page.deck
            how = (
                {"kept": told["leaving"]["kept"]}
                if judged == "decide"
                else {"stars": told["leaving"]["stars"]}
            )
            if not told["pictures"] or how.get("stars", 0) is None:
                continue
            first = told["pictures"][0]
            page.wish(judged, id=first["id"], **how)
            assert page.problem == "" and first["name"] not in page.shown, (rules, judged)
            page.wish(judged, id=first["id"], **dict.fromkeys(how))


def test_a_plan_goes_when_a_decision_makes_it_another_one(page):
    page.score()
    page.preview()
    assert page.values["plan"] and page.properties["carry_out"]["interactive"]
    page.wish("decide", id=page.deck["pictures"][0]["id"], kept=False)
    assert page.values["plan"] == "" and not page.properties["carry_out"]["interactive"]


def test_where_the_judged_picture_leaves_the_page_the_next_one_takes_its_place(page):
    page.score()
    page.filter(show="Kept")
    names = page.shown
    page.look_at(2)
    page.wish("decide", id=page.deck["pictures"][2]["id"], kept=False)
    assert page.shown == [*names[:2], *names[3:]] and page.deck["picked"] == 2
    assert names[3] in page.values["details"]
    for _ in range(3):
        page.wish("decide", id=page.deck["pictures"][-1]["id"], kept=False)
    assert page.deck["picked"] == 1 and names[1] in page.values["details"]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"do": "rate", "stars": 6}, "from 0 to 5"),
        ({"do": "rate", "stars": True}, "from 0 to 5"),
        ({"do": "rate", "stars": 3, "id": "guessed"}, "no longer in the folder"),
        ({"do": "rate", "stars": 3, "id": ""}, "no longer in the folder"),
        ({"do": "decide", "kept": 1}, "true, false or nothing"),
        ({"do": "show", "at": "far", "id": ""}, "a whole number"),
        ({"do": "remove"}, "load the page again"),
        ({"do": "each", "wishes": "all"}, "load the page again"),
        ({"do": "send", "id": "guessed"}, "no longer in the folder"),
    ],
)
def test_a_wish_that_makes_no_sense_is_answered_and_changes_nothing(page, wish, words):
    page.score()
    before = page.session
    page.wish(**{"id": page.deck["pictures"][0]["id"], **wish})
    assert words in page.problem and page.session is before


def test_wishes_about_what_cannot_be_read_or_is_of_another_folder_are_refused(page):
    page.score()
    elsewhere = page.deck["pictures"][0]["id"]
    page.filter(show="Not scored")
    broken = page.deck["pictures"][0]["id"]
    page.wish("rate", id=broken, stars=3)
    assert "could not be read" in page.problem
    page.wish("decide", id=broken, kept=False)
    assert "could not be read" in page.problem
    other = page.host.samples / "other"
    save_scenes(other, prompts=1, pictures=1)
    page.score(folder=str(other))
    page.wish("rate", id=elsewhere, stars=3)
    assert "no longer in the folder" in page.problem


def test_a_filter_that_makes_no_sense_is_told_and_the_pictures_come_all_the_same(page):
    """The page's script waits for them before it applies the next one."""
    page.score()
    serial, shown = page.deck["serial"], page.shown
    page.filter(percent=-5)
    assert page.values["message"] and page.deck["serial"] > serial and page.shown == shown


def test_text_that_is_no_wish_is_answered(page):
    for text in ("", "null", "[]", "{", "[" * 100_000, '{"number": "1", "do": "show"}'):
        session, values = ours("tab.culling").command(page.session, text)
        assert session is page.session and "load the page again" in values["answer"]
