"""What the page of ``imagereward open`` is told, and what it can have done, over HTTP."""

from __future__ import annotations

import json
import os
import shutil
import threading
from urllib.parse import quote

import pytest
from PIL import Image

from imagereward_core.library.library import Library
from tests.support.lab.open_page import OpenPage, opened
from tests.support.library.curation import demo_panel, drawn_folder, files, save_scene, tree


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A scored folder: eight pictures of two prompts."""
    folder = drawn_folder(tmp_path_factory)
    with Library.open(folder / ".imagereward", root=folder) as library:
        library.scan([folder], demo_panel())
    return folder


@pytest.fixture
def folder(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "out puts, 写真")
    with Library.open(
        tmp_path / "out puts, 写真" / ".imagereward", root=tmp_path / "out puts, 写真"
    ) as library:
        library.scan([tmp_path / "out puts, 写真"], demo_panel())
    return tmp_path / "out puts, 写真"


@pytest.fixture
def page(folder):
    with opened(folder) as page:
        yield page


def test_pictures_come_best_first_from_any_place_with_score_percentile_and_reason(page):
    told = page.deck(count=3)
    assert told["total"] == 8 and told["start"] == 0 and len(told["pictures"]) == 3
    assert told["counts"] == {"all": 8, "kept": 8, "rejected": 0, "failed": 0}
    first = told["pictures"][0]
    assert (
        first["caption"].startswith("#1\N{NO-BREAK SPACE}· ")
        and "%" in first["caption"]
        and first["reason"] == "kept: rank 1 of 8"
    )
    every = page.names()
    assert page.names(start=5, count=2) == every[5:7]
    assert page.names(start=7, count=4) == every[4:]  # a whole page, also at the end
    assert page.names(filter={"sort": "worst"}) == every[::-1]
    id_of_sixth = page.deck()["pictures"][5]["id"]
    around = page.deck(chosen=id_of_sixth, around=True, count=2)
    assert around["picked"] == 5 and around["start"] == 4
    assert page.deck(file=every[6], around=True, count=2)["picked"] == 6


def test_filters_and_rules_are_those_of_the_library(page):
    every = page.names()
    assert page.deck(filter={"top": 1, "per": "prompt"})["counts"]["kept"] == 2
    assert page.names(filter={"top": 3, "show": "kept"}) == every[:3]
    assert page.names(filter={"top": 3, "show": "rejected"}) == every[3:]
    assert set(page.names(filter={"folder": "day 1"})) == {
        name for name in every if name.startswith("day 1/")
    }
    assert page.names(filter={"folder": "../.."}) == page.names(filter={"folder": "day"}) == []
    assert page.names(filter={"text": "03 BILD"}) == [name for name in every if "03 bild" in name]
    middle = page.desk.view().result.main.values.tolist()
    limit = sorted(middle)[4]
    assert page.deck(filter={"minimum": limit})["counts"]["kept"] == 4


@pytest.mark.parametrize(
    "told",
    [
        {"filter": {"nothing": 1}},
        {"filter": {"show": "everything"}},
        {"filter": {"show": ["all"]}},
        {"filter": {"minimum": "low"}},
        {"filter": {"top": 1.5}},
        {"filter": {"top": True}},
        {"filter": {"top_percent": 1e400}},
        {"filter": {"top_percent": -1}},
        {"filter": {"text": "x" * 5000}},
        {"filter": {"unique": 1}},
        {"scorer": "nobody"},
        {"scorer": 5},
        {"scorer": "/etc/passwd"},
        {"start": -1},
        {"count": 100_000},
        {"count": "3"},
        {"around": 1},
    ],
)
def test_what_does_not_exist_is_an_error_in_a_sentence(page, told):
    answer = page.post("/open/deck", content=json.dumps(told), headers={"content-type": "application/json"})
    assert answer.status_code == 400 and len(answer.json()["problem"]) > 10
    assert page.deck()["total"] == 8


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"{", b"[" * 2000, b'"\xff"', b'{"filter": NaN}'])
def test_what_is_no_request_is_refused(page, body):
    answer = page.post("/open/deck", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400 or (body.endswith(b"NaN}") and answer.status_code == 200)


def test_what_a_score_means_and_how_a_picture_was_made_is_told(page):
    picture = page.deck()["pictures"][0]
    told = page.do("details", id=picture["id"])
    assert "better than" in told["meaning"] and told["rankInPrompt"] == 1 and told["scoredInPrompt"] == 4
    assert dict(map(tuple, told["texts"]))["seed"] == "1" and told["path"].endswith(".png")
    about = page.do("about")
    assert about["scorer"] == "demo" and about["scorers"] == [{"id": "demo", "count": 8}]
    assert about["folders"] == ["day 0", "day 1"] and about["histogram"].startswith("<svg")
    assert page.do("details", 400, id="nobody")["problem"]


def test_the_difference_of_two_pictures_names_prompts_and_settings(page):
    first, *others = page.deck()["pictures"]
    here = first["file"].partition("/")[0]
    alike = next(each for each in others if each["file"].startswith(here))
    other = next(each for each in others if not each["file"].startswith(here))
    assert page.do("difference", one=first["id"], other=alike["id"])["rows"] == []
    rows = {
        row["name"]: row["pieces"]
        for row in page.do("difference", one=first["id"], other=other["id"])["rows"]
    }
    assert list(rows) == ["prompt"]
    for side in rows["prompt"]:
        assert any(is_own for _, is_own in side) and "".join(piece for piece, _ in side)


def test_stars_and_decisions_are_noted_and_show_at_once(page, folder):
    first, second, third = page.deck(filter={"show": "kept"})["pictures"][:3]
    answer = page.do(
        "said",
        filter={"show": "kept"},
        chosen=third["id"],
        wishes=[
            {"do": "rate", "id": first["id"], "stars": 5},
            {"do": "decide", "id": second["id"], "kept": False},
            {"do": "rate", "id": "nobody", "stars": 1},
            {"do": "rate", "id": first["id"], "stars": 9},
            {"do": "nothing"},
            5,
        ],
    )
    shown = answer["deck"]["pictures"]
    assert answer["problem"].count(";") >= 2
    assert [each["id"] for each in shown[:2]] == [first["id"], third["id"]] and answer["deck"]["picked"] == 1
    assert shown[0]["stars"] == 5 and "5★" in shown[0]["caption"]
    assert page.deck(filter={"least_stars": 4})["total"] == 1
    with Library.look(folder / ".imagereward") as library:
        rows = {
            row.path.relative_to(folder).as_posix(): row
            for row in library.find(map(folder.joinpath, page.names()))
        }
    assert rows[first["file"]].stars == 5 and rows[second["file"]].decision is False
    assert ("changed", {"serial": page.desk.serial}) in page.told


def test_curating_is_a_preview_that_is_carried_out_and_taken_back(page, folder):
    before = tree(folder)
    told = page.do("preview", filter={"top": 1, "per": "prompt"}, how="move")
    assert told["steps"] == 8 and "2 kept, 6 rejected" in told["sentences"][0] and len(told["examples"]) == 8
    assert tree(folder) == before
    page.do("carry-out", number=told["number"])
    assert page.finish().startswith("8 moved.")
    assert len([name for name in files(folder) if name.startswith("kept")]) == 2
    assert page.deck()["total"] == 8 and {name.partition("/")[0] for name in page.names()} == {
        "kept",
        "rejected",
    }
    (run,) = page.do("runs")["runs"]
    assert run["steps"] == 8 and page.told[-1][0] in ("job", "changed")
    page.do("undo", run=run["run"])
    assert "8 taken back" in page.finish() and tree(folder) == before
    assert page.do("runs")["runs"][0]["steps"] == 0


def test_a_preview_holds_only_as_long_as_nothing_has_changed(page, folder):
    before = tree(folder)
    number = page.do("preview", filter={"top": 1}, how="move")["number"]
    page.do("said", wishes=[{"do": "decide", "id": page.deck()["pictures"][7]["id"], "kept": True}])
    assert "preview again" in page.do("carry-out", 400, number=number)["problem"]
    assert "preview again" in page.do("carry-out", 400, number=number + 5)["problem"]
    assert page.do("undo", run=7)["job"] and page.finish()
    for wrong in ({"how": "delete"}, {"which": "some"}, {"resort": "yes"}, {"xmp": "all"}):
        assert page.do("preview", 400, filter={"top": 1}, **wrong)["problem"]
    assert tree(folder) == before


def test_without_a_rule_nothing_is_sorted_unless_somebody_decided(page):
    assert "no rule" in page.do("preview", 400)["problem"]
    last = page.deck()["pictures"][7]
    page.do("said", wishes=[{"do": "decide", "id": last["id"], "kept": False}])
    assert "7 kept, 1 rejected" in page.do("preview", which="rejected", how="move")["sentences"][0]


def test_a_page_for_looking_changes_nothing(folder):
    with opened(folder, read_only=True) as page:
        before = tree(folder)
        picture = page.deck()["pictures"][0]
        said = page.do("said", wishes=[{"do": "rate", "id": picture["id"], "stars": 3}])
        assert "only for looking" in said["problem"] and said["deck"]["pictures"][0]["stars"] is None
        number = page.do("preview", filter={"top": 1})["number"]
        assert "only for looking" in page.do("carry-out", 400, number=number)["problem"]
        assert "only for looking" in page.do("undo", 400)["problem"]
        assert {name: data for name, data in tree(folder).items() if ".imagereward" not in name} == {
            name: data for name, data in before.items() if ".imagereward" not in name
        }


def test_a_picture_is_sent_by_its_id_as_long_as_it_is_what_it_was(page, folder, tmp_path):
    pictures = page.deck()["pictures"]
    for size in ("small", "large"):
        answer = page.get(f"/open/pictures/{size}/{pictures[0]['id']}")
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    path = folder / pictures[1]["file"]
    path.unlink()
    path.symlink_to(tmp_path)
    assert page.get(f"/open/pictures/large/{pictures[1]['id']}").status_code == 404
    other = folder / pictures[2]["file"]
    Image.new("RGB", (8, 8)).save(other)
    assert page.get(f"/open/pictures/large/{pictures[2]['id']}").status_code == 404
    assert page.get(f"/open/pictures/large/{quote(pictures[2]['file'], safe='')}").status_code == 404


def test_a_link_out_of_the_folder_is_listed_and_not_sent(folder, tmp_path):
    secret = save_scene(tmp_path / "elsewhere" / "secret.png", Image.new("RGB", (64, 64), "red"), "a secret")
    (folder / "day 0" / "link.png").symlink_to(secret)
    with opened(folder, demo_panel()) as page:
        found = next(each for each in page.deck()["pictures"] if each["name"] == "link.png")
        for size in ("small", "large"):
            assert page.get(f"/open/pictures/{size}/{found['id']}").status_code == 404


def test_hostile_names_and_damaged_pictures_are_shown_as_what_they_are(folder):
    names = ["<img src=x onerror=alert(1)>.png", "'\"&amp;.png", "a\u202egnp.png", "#?%2f..png", "-rf.png"]
    for name in names:
        save_scene(folder / name, Image.new("RGB", (40, 40), "blue"), "</script><script>alert(1)</script>")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    if os.name == "posix":
        save_scene(folder / os.fsdecode(b"\xff\xfe.png"), Image.new("RGB", (44, 44), "green"), "a cat")
    with opened(folder, demo_panel(), remark="<b>from elsewhere</b> </script>") as page:
        told = page.deck()
        shown = {each["name"] for each in told["pictures"]}
        assert shown >= set(names) and ("\\udcff\\udcfe.png" in shown) == (os.name == "posix")
        for each in told["pictures"]:
            assert page.get(f"/open/pictures/small/{each['id']}").status_code == 200
            page.do("details", id=each["id"])
        (failed,) = page.deck(filter={"show": "failed"})["pictures"]
        assert failed["name"] == "broken.png" and not failed["scored"] and "no score" in failed["reason"]
        assert page.get(f"/open/pictures/small/{failed['id']}").status_code == 404
        text = page.get("/open").text
        assert "</script><script>alert" not in text and "<b>from elsewhere" not in text


def test_a_library_of_a_stranger_is_shown_with_a_remark_and_leads_nowhere(folder, tmp_path):
    """Its rows may name whatever somebody likes."""
    import sqlite3

    secret = save_scene(tmp_path / "secret" / "x.png", Image.new("RGB", (30, 30)), "a secret")
    store = sqlite3.connect(folder / ".imagereward" / "library.sqlite3")
    (one,) = store.execute("SELECT id FROM folders WHERE path LIKE '%day 0'").fetchone()
    store.execute("UPDATE folders SET path = ? WHERE id = ?", (str(secret.parent), one))
    store.execute(
        "UPDATE files SET name = 'x.png' WHERE folder = ? AND id = (SELECT min(id) FROM files WHERE folder = ?)",
        (one, one),
    )
    store.commit()
    store.close()
    data = tmp_path / "data"
    with Library.open(folder / ".imagereward", root=folder, data=data) as library:
        page = OpenPage(library, folder, library.origin.remark())
        assert "made elsewhere" in page.get("/open").text
        answer = page.post("/open/deck", json={})
        for each in answer.json().get("pictures", []):
            if each["name"] == "x.png" or not (folder / each["file"]).exists():
                assert page.get(f"/open/pictures/large/{each['id']}").status_code == 404


def test_a_folder_that_nothing_has_scored_is_shown_all_the_same(tmp_path):
    save_scene(tmp_path / "a.png", Image.new("RGB", (40, 40)), "a cat")
    with opened(tmp_path) as page:
        assert page.deck()["total"] == 0
        page.desk.library.scan([tmp_path], None)
        page.desk.refresh()
        (failed,) = page.deck(filter={"show": "failed"})["pictures"]
        assert failed["name"] == "a.png" and page.do("about")["scorers"] == []
        page.desk.library.scan([tmp_path], demo_panel())
        page.desk.refresh()
        assert page.names() == ["a.png"] and page.told[-1][0] == "changed"


def test_what_is_said_while_the_folder_is_read_anew_is_not_lost(page, monkeypatch):
    from imagereward_lab.server.browse import desk

    picture, real, times = page.deck()["pictures"][0], desk.read_view, []

    def late(*given):
        view = real(*given)
        times.append(1)
        if len(times) == 1:  # a person is quicker than the reading
            page.do("said", wishes=[{"do": "rate", "id": picture["id"], "stars": 4}])
        return view

    monkeypatch.setattr(desk, "read_view", late)
    page.desk.refresh()
    assert len(times) == 2 and page.deck()["pictures"][0]["stars"] == 4


def test_the_best_pictures_are_there_before_the_whole_folder_is_read(page, folder, monkeypatch):
    from imagereward_lab.server.browse import desk

    read, may = desk.read_view, threading.Event()
    page.desk.forget()
    monkeypatch.setattr(desk, "read_view", lambda *given: may.wait(60) and read(*given))
    reading = threading.Thread(target=page.deck, kwargs={"start": 1})
    reading.start()
    first = page.deck(count=5)
    assert reading.is_alive() and first["serial"] == 0 and first["total"] == 8
    may.set()
    reading.join(60)
    whole = page.deck(count=5)
    assert whole["serial"] > 0 and [each["reason"] for each in first["pictures"]] == [""] * 5
    assert [{**each, "reason": ""} for each in whole["pictures"]] == first["pictures"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_in_the_language_that_is_asked_for(page, language):
    text = page.get("/open", headers={"accept-language": f"{language}-XX,en;q=0.5"}).text
    assert f'<html lang="{language}"' in text and ("整理" in text) == (language == "zh") and "[[" not in text
    cookie = page.get(
        "/open", headers={"accept-language": "en", "cookie": f"imagereward-language={language}"}
    ).text
    assert f'<html lang="{language}"' in cookie
