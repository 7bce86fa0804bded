"""A check finds everything that would spoil a training, and says where."""

from __future__ import annotations

import json

import pytest

from imagereward_lab.data.check import check_rankings
from imagereward_lab.data.check.findings import KINDS
from imagereward_lab.data.check.report import as_json, as_table
from imagereward_lab.data.readers import open_rankings
from tests.support.lab.datasets import jsonl, png, write


@pytest.fixture
def data(tmp_path):
    for place, name in enumerate("abcdefgh"):
        write(tmp_path / f"{name}.png", png((place, 0, 0)))
    write(tmp_path / "same as a.png", png((0, 0, 0)))
    write(tmp_path / "empty.png", b"")
    write(tmp_path / "text.png", b"no picture")
    write(tmp_path.parent / "elsewhere.png", png())

    def one(prompt, images, ranks, **more):
        return {"prompt": prompt, "images": [f"{name}.png" for name in images], "ranks": ranks, **more}

    return open_rankings(
        jsonl(
            tmp_path / "r.jsonl",
            one("a fox", "abc", [1, 2, 2], split="train", annotator="x", id="1"),
            one("A  Fox", "de", [1, 2], split="test", annotator="x"),
            {"prompt": 3},
            one("one", "f", [1]),
            one("zero", "fg", [0, 1]),
            one("tied", "fg", [1, 1], split="train"),
            one("twice", ["a", "same as a"], [1, 2]),
            one("gone", ["none", "empty", "text", "../elsewhere"], [1, 2, 3, 4]),
            one("again", "gh", [1, 2]),
            one("again", "hg", [2, 1]),
            one("again", "hg", [2, 1], annotator="y"),
        )
    )


def test_everything_that_is_wrong_is_found(data):
    report = check_rankings(data)
    assert {kind: [where for where, _ in each.told] for kind, each in report.found} == {
        "left_out": ["r.jsonl, line 3"],
        "missing": ["none.png"],
        "empty": ["empty.png"],
        "unreadable": ["text.png"],
        "outside": ["../elsewhere.png"],
        "group_under_two": ["ranking 3, 'one'"],
        "nothing_ranked": ["ranking 4, 'zero'"],
        "image_twice": ["ranking 6, 'twice'"],
        "duplicate_ranking": ["ranking 9, 'again'"],
        "prompt_in_splits": ["a fox"],
        "same_image": ["same as a.png"],
        "all_tied": ["ranking 5, 'tied'"],
    }
    assert report.found.wrong == 10
    assert (report.whole.rankings, report.whole.prompts, report.whole.pairs, report.whole.ties) == (
        10,
        7,
        13,
        2,
    )
    assert report.splits["train"].pairs == 2 and report.unranked == 1
    assert report.sizes == {1: 1, 2: 7, 3: 1, 4: 1} and report.annotators == {"": 7, "x": 2, "y": 1}


def test_a_quick_check_finds_what_needs_no_decoding(data):
    kinds = {kind for kind, _ in check_rankings(data, decode=False).found}
    assert kinds == set(KINDS) - {"unreadable", "image_twice", "same_image", "image_in_splits"}


def test_one_picture_in_two_splits_under_two_names_is_found(tmp_path):
    for name, color in (("a", "red"), ("b", "blue"), ("c", "red"), ("d", "lime")):
        write(tmp_path / f"{name}.png", png(color))
    path = jsonl(
        tmp_path / "r.jsonl",
        {"prompt": "p", "images": ["a.png", "b.png"], "ranks": [1, 2], "split": "train"},
        {"prompt": "q", "images": ["c.png", "d.png"], "ranks": [1, 2], "split": "test"},
        {"prompt": "p", "images": ["a.png", "b.png"], "ranks": [2, 1], "split": "set-aside"},
    )
    found = dict(check_rankings(open_rankings(path)).found)
    assert found["image_in_splits"].told == [("a.png", "in test, train")] and "prompt_in_splits" not in found


def test_progress_goes_through_all_pictures_in_order(data):
    seen = []
    check_rankings(data, progress=seen.append)
    assert seen == list(range(1, 14))


def test_the_report_reads_well_and_is_json(data):
    report = check_rankings(data)
    table = as_table(data, report, None, "...", 1)
    assert ["rankings", "of", "fewer", "than", "two", "1", "ranking", "3,"] in [
        line.split()[:8] for line in table.splitlines()
    ]
    assert "Rankings by their number of pictures: 1 of 1, 7 of 2, 1 of 3, 1 of 4" in table
    written = json.loads(as_json(data, report))
    assert written["wrong"] == 10 and written["splits"]["test"]["rankings"] == 1
    assert written["findings"]["missing"]["told"][0]["where"] == "none.png"
    assert written["findings"]["same_image"]["wrong"] is False
