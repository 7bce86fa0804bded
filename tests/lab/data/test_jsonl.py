"""The documented form: read line by line, with errors that name file, line, field, what was found and what was expected."""

from __future__ import annotations

import json

import pytest

from imagereward_lab.data.jsonl import read_rankings, write_rankings
from imagereward_lab.data.notes import Notes
from imagereward_lab.data.ranking import Ranking, RankingError
from imagereward_lab.data.readers import open_rankings

GOOD = {"prompt": "a fox", "images": ["a.png", "b.png"], "ranks": [2, 1]}
FULL = Ranking(
    prompt="ein Fuchs 🦊",
    images=("a.png", "b/c.png", "d.png"),
    ranks=(1, 2, 2),
    id="7",
    annotator="ann",
    ratings=({"overall": 6.0}, {}, {"fidelity": 1.5}),
    problems=((), ("blurry", "extra fingers"), ()),
    category="animals",
    split="train",
    best=0,
    worst=2,
    partial=True,
    sources=("sd", "", "flux"),
    extra={"mine": {"deep": [1, None]}},
)


def lines_file(tmp_path, *lines):
    path = tmp_path / "rankings.jsonl"
    path.write_bytes(
        b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    )
    return path


def test_what_is_written_is_read_again_with_fields_nobody_knows(tmp_path):
    path = tmp_path / "r.jsonl"
    assert write_rankings(path, [FULL, Ranking("p", ("x",))]) == 2
    first, second = read_rankings(path)
    assert first == FULL and first.extra == FULL.extra
    assert second == Ranking("p", ("x",))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({**GOOD, "ranks": [1]}, "ranks: found 1; expected 2, one for each of images"),
        ({**GOOD, "ranks": [1, -1]}, "ranks[1]: found -1; expected a whole number, 0 to 1,000,000"),
        ({**GOOD, "ranks": [1, 1.5]}, "ranks[1]: found 1.5"),
        ({**GOOD, "ranks": [1, True]}, "ranks[1]: found true"),
        ({**GOOD, "images": []}, "images: found 0; expected 1 to 1,000"),
        ({**GOOD, "images": ["a", 3]}, "images[1]: found 3; expected a text"),
        ({"images": ["a"]}, "prompt: found nothing; expected a text"),
        ({**GOOD, "prompt": "\ud800"}, "prompt: found half of a character"),
        ({**GOOD, "best": 2}, "best: found 2; expected the place of a picture in images, 0 to 1"),
        ({**GOOD, "best": 1, "worst": 1}, "worst: found the picture that is best too (1)"),
        ({**GOOD, "ratings": [{"overall": "7"}, {}]}, "ratings[0].overall: found '7'; expected a number"),
        ({**GOOD, "partial": 1}, "partial: found 1; expected true or false"),
        ([1], "the ranking: found a list; expected an object"),
        (b'{"prompt": "a", "images": ["a"], "ranks": [NaN]}', "found NaN; expected a finite number"),
        (b'{"prompt": "a", "images": ["a"], "ratings": [{"x": 1e999}]}', "expected a finite number"),
        (b'{"prompt": "a"', "found no JSON"),
        (b"\xff\xfe", "found text that is not UTF-8"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"prompt": "a", "images": ["a"], "ranks": [' + b"9" * 5000 + b"]}", "found"),
    ],
)
def test_a_bad_line_has_its_reason_and_the_rest_goes_on(tmp_path, bad, said):
    path = lines_file(tmp_path, GOOD, bad, GOOD)
    notes = Notes()
    assert len(list(read_rankings(path, notes))) == 2
    (note,) = notes
    assert note.where == "rankings.jsonl, line 2" and said in note.reason
    with pytest.raises(RankingError, match=r"rankings\.jsonl, line 2: "):
        list(read_rankings(path))


def test_a_line_without_end_costs_no_memory_and_no_other_line(tmp_path, monkeypatch):
    monkeypatch.setattr("imagereward_lab.data.jsonl.MOST_LINE", 100)
    path = lines_file(tmp_path, GOOD, b"x" * 1000, GOOD, b"y" * 250)
    notes = Notes()
    assert len(list(read_rankings(path, notes))) == 2
    assert [note.where for note in notes] == ["rankings.jsonl, line 2", "rankings.jsonl, line 4"]


def test_a_set_knows_what_was_left_out_and_its_hash_does_not_depend_on_order(tmp_path):
    other = {**GOOD, "prompt": "b"}
    one = open_rankings(lines_file(tmp_path, GOOD, {"prompt": 3}, other))
    assert (one.format, len(one), one.left_out) == ("jsonl", 2, 1)
    before = one.sha256()
    assert open_rankings(lines_file(tmp_path, other, GOOD)).sha256() == before
    assert open_rankings(lines_file(tmp_path, other, {**GOOD, "ranks": [1, 2]})).sha256() != before
    (tmp_path / "a.png").write_bytes(b"12")
    assert open_rankings(lines_file(tmp_path, other, GOOD)).sha256() != before


def test_a_split_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path):
    path = lines_file(tmp_path, {**GOOD, "split": "train"}, {**GOOD, "split": "test"})
    assert len(open_rankings(path, split="test")) == 1
    with pytest.raises(RankingError, match="split 'validation'; it has test, train"):
        open_rankings(path, split="validation")
