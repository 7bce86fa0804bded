"""Pages about libraries: many pictures, filters, drawings by group."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from imagereward_core.files.values import shown_name
from imagereward_core.library.report_entries import report_entries, write_library_report
from imagereward_core.report import contents as report_contents
from imagereward_core.report.contents import AT_ONCE, CARDS_IN_BLOCK, ReportEntry
from imagereward_core.report.write import write_report
from imagereward_core.selection import Rule, select
from tests.support.library.folders import FOLDER, make_result, make_row
from tests.support.library.reports import CARD, Page, make_scores

NAN = math.nan
HOSTILE = "</script><script>alert(1)</script><!--<script>"


def page_of(folder: Path, values, prompts=None, entries=None, rule=None, card=CARD, **options) -> Page:
    scores = make_scores(values, prompts)
    entries = entries or [ReportEntry(f"{number}.png") for number in range(len(values))]
    path = write_report(folder / "page.html", entries, scores, select(scores, rule), card, **options)
    return Page.read(path.read_text(encoding="utf-8"))


def card_texts(page: Page) -> list[str]:
    """The cards that lie in the page as text, in order."""
    blocks = [script for script in page.scripts if "<article" in script]
    return [card for block in blocks for card in block.split("</article>") if card.strip()]


def test_of_thousands_of_pictures_the_first_stand_on_the_page_and_the_others_wait_as_text(tmp_path):
    number = AT_ONCE + 2 * CARDS_IN_BLOCK + 7
    page = page_of(tmp_path, [float(-each) for each in range(number)])
    assert len(page.having("article", "class", "card")) == AT_ONCE
    waiting = card_texts(page)
    assert [int(re.search(r'id="p(\d+)"', card)[1]) for card in waiting] == list(range(AT_ONCE, number))
    assert [picture["id"] for picture in page.data["pictures"]] == list(range(number))
    assert (page.data["at_once"], page.data["in_block"]) == (AT_ONCE, CARDS_IN_BLOCK)
    assert page.having("main", "class", "many") and f"The other {number - AT_ONCE}" in page.words


def test_hostile_text_stays_text_also_where_cards_wait(tmp_path, monkeypatch):
    for module in ("write", "contents", "page"):
        monkeypatch.setattr(f"imagereward_core.report.{module}.AT_ONCE", 1)
    entries = [
        ReportEntry(
            f"{HOSTILE}{number}",
            written=HOSTILE,
            model=HOSTILE,
            loras=(HOSTILE, "b"),
            seed=HOSTILE,
            bucket=HOSTILE,
        )
        for number in range(3)
    ]
    page = page_of(tmp_path, [3.0, 2.0, 1.0], [HOSTILE, "x", "x"], entries)
    assert len(page.having("article")) == 1 and len(card_texts(page)) == 2
    assert len(page.scripts) == 3  # cards, data, script
    assert not [name for tag, attrs in page.tags for name in attrs if name.startswith("on")]
    assert page.data["pictures"][2]["name"] == f"{HOSTILE}2"


@pytest.mark.parametrize("number", [AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, AT_ONCE + CARDS_IN_BLOCK])
def test_no_picture_is_lost_between_page_and_blocks(tmp_path, number):
    page = page_of(tmp_path, [float(each) for each in range(number)])
    assert len(page.having("article", "class", "card")) + len(card_texts(page)) == number


def test_at_most_so_many_pictures_are_shown_and_the_drawings_count_all(tmp_path):
    page = page_of(tmp_path, [float(each) for each in range(50)], most=10)
    assert [picture["rank"] for picture in page.data["pictures"]] == list(range(1, 11))
    assert "The best 10 are shown; the drawings count all" in page.words
    assert "Histogram of 50 scores" in page.having("svg", "class", "histogram")[0]["aria-label"]


def test_only_kept_pictures_can_be_shown(tmp_path):
    page = page_of(tmp_path, [3.0, 1.0, 2.0], rule=Rule(top_k=2), kept_only=True)
    assert [picture["id"] for picture in page.data["pictures"]] == [
        0,
        2,
    ] and "The kept are shown" in page.words


def made(number: int, **how) -> ReportEntry:
    return ReportEntry(f"{number}.png", **how)


def test_a_picture_shows_how_it_was_made_and_what_a_person_gave_it(tmp_path):
    entries = [made(0, model="sdxl", loras=("grain", "detail"), seed="42", stars=3), made(1)]
    page = page_of(tmp_path, [2.0, 1.0], None, entries)
    for words in ("Model sdxl", "LoRA grain, detail", "Seed 42"):
        assert words in " ".join(page.words.split())
    (stars,) = page.having("p", "class", "stars")
    assert stars["aria-label"] == "3 of 5 stars" and page.words.count("★★★") >= 1


def test_filters_offer_what_tells_the_pictures_apart_and_nothing_else(tmp_path):
    entries = [made(0, model="a"), made(1, model="b", loras=("x",)), made(2, model="a", stars=0)]
    page = page_of(tmp_path, [3.0, 2.0, 1.0], ["p", "p", "q"], entries)
    menus = {each["id"] for each in page.having("select")}
    assert menus == {"sort", "prompt", "model", "lora", "stars"}
    assert "a (2)" in page.words and "b (1)" in page.words and "No LoRA (2)" in page.words
    assert page.data["models"] == ["a", "b"] and page.data["loras"] == ["x"]
    first, second, third = page.data["pictures"]
    assert (first["model"], second["model"], second["loras"], third["stars"]) == (0, 1, [0], 0)
    assert "loras" not in first and "stars" not in first
    same = page_of(tmp_path, [3.0, 2.0], None, [made(0, model="a"), made(1, model="a")])
    assert {each["id"] for each in same.having("select")} == {"sort"}


def test_every_filter_can_be_told_by_its_label(tmp_path):
    entries = [made(0, model="a", stars=1), made(1, loras=("x",))]
    path = tmp_path / "page.html"
    page_of(tmp_path, [3.0, 2.0], ["p", "q"], entries)
    text = path.read_text(encoding="utf-8")
    for field in ("text", "percentile", "prompt", "model", "lora", "stars", "sort"):
        assert re.search(rf'<label[^>]*>[A-Z][^<]+<(?:input|select)[^>]* id="{field}"', text) or re.search(
            rf'<label[^>]*>[A-Z][^<]+<(?:input|select) id="{field}"', text
        )


def test_a_menu_of_thousands_of_prompts_stays_short(tmp_path):
    prompts = [f"prompt {number}" for number in range(450)]
    page = page_of(tmp_path, [float(number) for number in range(450)], prompts)
    assert sum(each.get("value", "").isdigit() for each in page.having("option")) == 200


def test_scores_are_drawn_by_model_lora_and_prompt_where_metadata_names_them(tmp_path):
    entries = [
        made(number, model="ab"[number % 2], loras=("x", "y") if number < 6 else ()) for number in range(12)
    ]
    page = page_of(tmp_path, [float(number) for number in range(12)], ["p", "q", "r"] * 4, entries)
    assert [each["data-kind"] for each in page.having("div", "class", "plot-of")] == [
        "model",
        "lora",
        "prompt",
    ]
    assert "No LoRA" in page.words
    bare = page_of(tmp_path, [float(number) for number in range(12)])
    assert not bare.having("div", "class", "plot-of")


def test_a_picture_with_two_loras_counts_for_both(tmp_path):
    contents = report_contents.Contents(
        [made(0, loras=("x", "y", "x")), made(1)],
        make_scores([1.0, 2.0]),
        [],
        make_scores([1.0, 2.0]).values,
    )
    from imagereward_core.report.rows import PictureFacts

    contents = replace(contents, facts=list(PictureFacts(contents.scores, select(contents.scores))))
    assert contents.groups("lora") == {"No LoRA": [2.0], "x": [1.0], "y": [1.0]}
    assert contents.groups("model") == {}


def test_the_page_warns_of_comparing_models_where_prompts_must_not_be_compared(tmp_path):
    entries = [made(number, model="ab"[number % 2]) for number in range(6)]
    values = [float(number) for number in range(6)]
    warned = page_of(tmp_path, values, None, entries, card=replace(CARD, cross_prompt=False))
    assert "compare models and LoRAs that were given the same prompts" in " ".join(warned.words.split())
    assert "given the same prompts" not in page_of(tmp_path, values, None, entries).words


def test_where_a_picture_stands_among_the_own_scores_is_shown_once_there_are_enough(tmp_path):
    page = page_of(tmp_path, [0.5, -5.0, NAN], history=[x / 100 for x in range(100)])
    assert "Own percentile 50" in page.words and "Own percentile 0.0" in page.words
    assert "your own 100 scores" in page.words
    assert "wn percentile" not in page_of(tmp_path, [0.5], history=[0.1] * 9).words


def test_progress_is_told_for_every_picture(tmp_path):
    told = []
    page_of(tmp_path, [1.0, NAN, 2.0], progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_a_thousand_failures_do_not_fill_the_page(tmp_path):
    page = page_of(tmp_path, [NAN] * 1200 + [1.0])
    assert page.words.count("broken") == 1000 and "And 200 more pictures." in page.words


def test_files_of_a_library_become_entries_with_all_that_is_known(tmp_path):
    result = make_result([1.0, 2.0], None, other=[3.0, NAN])
    rows = [make_row(0, "sub/a.png", stars=5, model="m", loras=("l",), seed="7"), make_row(1)]
    first, second = report_entries(rows, result, FOLDER, ["great", "good"])
    assert first.name == str(Path("sub/a.png")) and first.path == FOLDER / "sub/a.png"
    assert (first.stars, first.model, first.loras, first.seed, first.bucket) == (5, "m", ("l",), "7", "great")
    assert (
        first.note == "other 3. Scorers disagree: one says best, other says worst"
        and second.note == "No score by other: broken"
    )
    assert first.origin == "the picture's metadata" and first.written == "a (cat:1.2)"
    selection = select(result.main)
    path = write_library_report(
        tmp_path / "p.html", rows, result, selection, CARD, root=FOLDER, buckets=["great", "good"]
    )
    page = Page.read(path.read_text(encoding="utf-8"))
    assert "great" in page.words and page.data["buckets"] == ["good", "great"]


def test_a_file_elsewhere_keeps_its_whole_path():
    assert shown_name(FOLDER / "a.png", FOLDER / "deep") == str(FOLDER / "a.png")
