from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagereward_core.report.contents import ReportEntry
from imagereward_core.report.html_text import json_for_page
from imagereward_core.report.write import write_report
from imagereward_core.selection import Rule, select
from tests.support.library.reports import CARD, Page, make_scores

NAN = math.nan
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="\' onclick=\'alert(2)',
    "--><!-- </style> ]]> <!--<script>",
    "line\u2028separator\u2029 and \u202egnp.exe",
    "&lt;script&gt; &amp; {{7*7}} ${7*7} \\u003cscript\\u003e",
]


def page_of(folder: Path, scores, entries=None, rule=None, **options) -> tuple[Page, str]:
    entries = entries or [
        ReportEntry(f"{number}.png", Image.new("RGB", (40, 30), (9 * number, 0, 0)), folder / f"{number}.png")
        for number in range(len(scores))
    ]
    path = write_report(folder / "page.html", entries, scores, select(scores, rule), CARD, **options)
    text = path.read_text(encoding="utf-8")
    return Page.read(text), text


def test_pictures_stand_in_rank_order_with_everything_known_about_them(tmp_path):
    scores = make_scores([0.5, 1.25, -1.0, NAN], ["a cat", "a cat", "a dog", "a dog"])
    page, _ = page_of(tmp_path, scores, rule=Rule(top_k=2))
    assert [card["id"] for card in page.having("article", "class", "card")] == ["p1", "p0", "p2"]
    assert len(page.having("article", "class", "kept")) == 2
    for expected in (
        "1.2500",
        "0.5000",
        "-1.0000",
        "2 of 3",
        "1 of 2",
        "beyond the best 2",
        "0123456789ab",
        "Fake scorer",
    ):
        assert expected in page.words
    assert "Percentile 89" in page.words  # of 1.25 in a normal distribution
    assert "It knows & says <nothing>." in page.words
    assert page.words.count("broken") == 1 and page.having("section", "id", "failures")


def test_the_page_holds_everything_itself(tmp_path):
    page, _ = page_of(tmp_path, make_scores([0.1, 0.2, NAN]))
    addresses = [
        value
        for _, attrs in page.tags
        for name, value in attrs.items()
        if name in ("src", "href", "srcset", "action", "data")
    ]
    assert addresses and all(
        re.match(r"data:image/(png|jpeg);base64,|#|\./|\.\./", address) for address in addresses
    )
    assert not page.having("link") and not page.having("iframe") and not page.having("base")
    style, script = page.styles[0], page.scripts[1]
    assert "@import" not in style and "url(" not in style
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|import\(|innerHTML|eval\(", style + script)


def test_the_policy_of_the_page_allows_its_own_style_and_script_and_nothing_else(tmp_path):
    page, _ = page_of(tmp_path, make_scores([0.1]))
    policy = page.having("meta", "http-equiv", "Content-Security-Policy")[0]["content"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for content in (page.styles[0], page.scripts[1]):
        assert base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() in policy
    assert not any(name == "style" or name.startswith("on") for _, attrs in page.tags for name in attrs)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_wherever_it_stands(tmp_path, text):
    scores = make_scores([0.4, NAN], [f"seen {text} cut {text}"] * 2, [f"cut {text}"] * 2)
    scores = replace(scores, failures={1: f"reason {text}"}, revision=text)
    entries = [
        ReportEntry(
            f"name {text}", None, tmp_path / "a.png", f"written {text}", f"origin {text}", f"note {text}"
        )
        for _ in range(2)
    ]
    page, _ = page_of(tmp_path, scores, entries, title=f"title {text}", notice=f"notice {text}")
    harmless, _ = page_of(
        tmp_path,
        make_scores([0.4, NAN], ["seen cut"] * 2, ["cut"] * 2),
        [ReportEntry("name", None, tmp_path / "a.png", "written", "origin", "note") for _ in range(2)],
        title="title",
        notice="notice",
    )
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert [sorted(attrs) for _, attrs in page.tags] == [sorted(attrs) for _, attrs in harmless.tags]
    assert page.data["pictures"][0]["name"] == f"name {text}"
    shown = text.replace("\u202e", "\\u202e")
    for word in ("name", "written", "note", "title", "notice", "reason", "cut"):
        assert f"{word} {shown}" in page.words
    assert "\u202e" not in page.words


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=200) | st.sampled_from(HOSTILE))
def test_json_in_the_page_cannot_leave_its_element_and_comes_back_whole(text):
    encoded = json_for_page({"text": text})
    assert not set(encoded) & set("<>&\u2028\u2029")
    assert json.loads(encoded) == {"text": text}


def test_the_cut_part_of_a_prompt_can_be_read_on_the_page(tmp_path):
    page, _ = page_of(tmp_path, make_scores([0.3], ["a cat, and very much more"], ["very much more"]))
    assert page.having("p", "class", "cut") and "very much more" in page.words
    assert "a cat, and" in page.words and "a cat, and very" not in page.words


def test_the_prompt_as_written_is_shown_where_the_scorer_saw_another(tmp_path):
    scores = make_scores([0.3, 0.2], ["a cat", "a cat"])
    entries = [
        ReportEntry("0.png", written="a (cat:1.2) <lora:x:1>", origin="the text file"),
        ReportEntry("1.png", written="a  cat "),
    ]
    page, _ = page_of(tmp_path, scores, entries)
    assert len(page.having("p", "class", "written")) == 1
    assert "As written in the text file: a (cat:1.2) <lora:x:1>" in page.words


def test_off_reference_scores_are_marked_and_have_no_percentiles(tmp_path):
    page, _ = page_of(tmp_path, make_scores([0.3, 0.1], on_reference=False))
    assert page.having("span", "class", "off") and "Off reference" in page.words
    assert not page.having("p", "class", "percentile")
    page, _ = page_of(tmp_path, make_scores([0.3, 0.1]))
    assert not page.having("span", "class", "off") and "Off reference" not in page.words


def test_the_page_begins_by_prompt_where_pictures_compete_within_prompts(tmp_path):
    def first_choice(prompts):
        page, _ = page_of(tmp_path, make_scores([0.1, 0.2, 0.3, 0.4], prompts))
        return [field["value"] for field in page.having("input", "name", "group") if "checked" in field]

    assert first_choice(["a", "a", "b", "b"]) == ["prompt"]
    assert first_choice(["a", "b", "c", "d"]) == ["all"]
    assert first_choice(["a", "a", "a", "a"]) == []


def test_a_notice_stands_on_the_page(tmp_path):
    page, _ = page_of(tmp_path, make_scores([0.3]), notice="Random weights: these numbers mean nothing.")
    assert "Random weights" in page.words and page.having("p", "class", "notice")


@pytest.mark.parametrize("values", [[], [NAN], [0.5], [0.5, 0.5, 0.5], [1e300, -1e300, 0.0]])
def test_a_page_is_written_for_any_scores(tmp_path, values):
    page, _ = page_of(tmp_path, make_scores(values))
    scored = [value for value in values if value == value]
    assert len(page.having("article", "class", "card")) == len(page.data["pictures"]) == len(scored)


def test_thumbnails_are_small_copies_of_the_pictures(tmp_path):
    noise = Image.effect_noise((900, 600), 80).convert("RGB")
    noise.save(tmp_path / "big.png")
    entries = [ReportEntry("big.png", tmp_path / "big.png"), ReportEntry("gone.png", tmp_path / "gone.png")]
    page, _ = page_of(tmp_path, make_scores([1.0, 0.0]), entries)
    (image,) = page.having("img")
    with Image.open(io.BytesIO(base64.b64decode(image["src"].partition("base64,")[2]))) as thumbnail:
        assert thumbnail.size == (384, 256) == (int(image["width"]), int(image["height"]))
    assert "no preview" in page.words


def test_links_are_relative_and_survive_odd_names(tmp_path):
    names = ["a b#c?.png", "javascript:alert(1).png", "sub/100%.png", "雪.png"]
    entries = [ReportEntry(name, None, tmp_path / name) for name in names]
    page, _ = page_of(tmp_path, make_scores([4.0, 3.0, 2.0, 1.0]), entries)
    assert [link["href"] for link in page.having("a", "class", "frame")] == [
        "./a%20b%23c%3F.png",
        "./javascript%3Aalert%281%29.png",
        "./sub/100%25.png",
        "./%E9%9B%AA.png",
    ]
    (tmp_path / "deep").mkdir()
    path = write_report(
        tmp_path / "deep" / "p.html", entries[:1], make_scores([1.0]), select(make_scores([1.0])), CARD
    )
    assert 'href="../a%20b%23c%3F.png"' in path.read_text(encoding="utf-8")


def test_data_of_the_page_and_its_pictures_agree(tmp_path):
    scores = make_scores([0.5, NAN, 0.7], ["b", "a", "b"])
    page, _ = page_of(tmp_path, scores, rule=Rule(top_k=1))
    pictures = {picture["id"]: picture for picture in page.data["pictures"]}
    assert {number: (p["score"], p["kept"], p["rank"]) for number, p in pictures.items()} == {
        0: (0.5, False, 2),
        2: (0.7, True, 1),
    }
    assert page.data["prompts"][pictures[0]["prompt"]]["seen"] == "b"


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    page = tmp_path / "page.html"
    page_of(tmp_path, make_scores([0.5]))
    before = page.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("imagereward_core.report.write.page_end", fail)
    with pytest.raises(OSError, match="disk full"):
        page_of(tmp_path, make_scores([0.1]))
    assert page.read_bytes() == before and [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_lengths_that_do_not_fit_are_refused(tmp_path):
    scores = make_scores([0.5, 0.4])
    with pytest.raises(ValueError, match="1 entries, 2 scores"):
        write_report(tmp_path / "p.html", [ReportEntry("a")], scores, select(scores), CARD)


def test_style_and_script_are_part_of_the_installed_package():
    settings_text = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"\[tool\.setuptools\.package-data\]\s*imagereward_core = (\[[^\]]*\])", settings_text)
    assert listed is not None and "report/assets/*" in json.loads(listed.group(1))
