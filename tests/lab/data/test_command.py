"""``imagereward rankings``: from what people have to a data set that is checked and parted, in one or two commands."""

from __future__ import annotations

import json

import pytest

from imagereward_core.cli.main import main
from imagereward_lab.data.jsonl import read_rankings
from tests.support.lab.datasets import jsonl, parquet, pick, png, write


@pytest.fixture
def table(tmp_path):
    text = "prompt,image,rank\n"
    for prompt in range(12):
        for place in range(2):
            write(tmp_path / "pics" / f"{prompt}-{place}.png", png((prompt, place, 0)))
            text += f"prompt {prompt},{prompt}-{place}.png,{place + 1}\n"
    return write(tmp_path / "mine.csv", text)


def run(*words):
    return main(["rankings", *map(str, words)])


def test_split_then_check_needs_nothing_but_the_new_file(table, tmp_path, capsys):
    output = tmp_path / "r.jsonl"
    assert run("split", table, "--images", tmp_path / "pics", "-o", output, "--test", 30) == 0
    said = capsys.readouterr().err
    assert "Read as csv" in said and "train: " in said and "test: " in said and "Wrote 12 rankings" in said
    assert next(read_rankings(output)).images == ("pics/0-0.png", "pics/0-1.png")
    assert run("check", output, "--format", "json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["rankings"], report["images"], report["wrong"]) == (12, 24, 0)


def test_a_split_that_nothing_fell_to_is_told(tmp_path, capsys):
    path = jsonl(tmp_path / "in.jsonl", {"prompt": "p", "images": ["a", "b"], "ranks": [1, 2]})
    assert run("split", path, "-o", tmp_path / "out.jsonl", "--test", 1, "--validation", 0) == 0
    said = capsys.readouterr().err
    assert "no prompt fell to test; with few prompts give a larger --test" in said
    assert "fell to validation" not in said


def test_elsewhere_the_folder_of_pictures_must_be_named_and_is(table, tmp_path, capsys):
    output = tmp_path / "other" / "r.jsonl"
    output.parent.mkdir()
    assert run("convert", table, "--images", tmp_path / "pics", "-o", output) == 0
    assert f"give --images {tmp_path / 'pics'}" in capsys.readouterr().err
    assert run("check", output) == 1
    assert run("check", output, "--images", tmp_path / "pics", "--quick") == 0


def test_whole_paths_of_pictures_in_the_folder_become_names(tmp_path):
    write(tmp_path / "pics" / "a.png", png())
    write(tmp_path / "b.png", png("blue"))
    here, outside = tmp_path / "pics" / "a.png", tmp_path / "b.png"
    path = jsonl(
        tmp_path / "whole.jsonl", {"prompt": "p", "images": [str(here), str(outside)], "ranks": [1, 2]}
    )
    assert run("check", path, "--images", tmp_path / "pics") == 1  # the second lies outside
    assert run("check", path, "--images", tmp_path) == 0
    assert run("convert", path, "--images", tmp_path / "pics", "-o", tmp_path / "r.jsonl") == 0
    assert next(read_rankings(tmp_path / "r.jsonl")).images == ("pics/a.png", str(outside))


def test_pictures_in_a_parquet_file_stay_there(tmp_path, capsys):
    pytest.importorskip("pyarrow")
    rows = [pick(f"p{number}", (1.0, 0.0), ("red", "blue")) for number in range(3)]
    rows.append(pick("bad", (2.0, 0.0), ("red", "blue")))
    parquet(tmp_path / "pick" / "data" / "train-0.parquet", rows)
    assert run("convert", tmp_path / "pick", "-o", tmp_path / "r.jsonl") == 1
    assert "left out: train-0.parquet, row 3: label_0 and label_1: found 2 and 0" in capsys.readouterr().err
    assert run("check", tmp_path / "r.jsonl") == 0
    assert next(read_rankings(tmp_path / "r.jsonl")).images[0] == "pick/data/train-0.parquet#0/jpg_0"


def test_a_test_by_agreement(tmp_path, capsys):
    every = [
        {"prompt": f"p{prompt}", "images": ["a", "b", "c"], "ranks": [1, 2, 3], "annotator": who}
        for prompt in range(10)
        for who in (("res", "ann") if prompt < 4 else ("ann",))
    ]
    path = jsonl(tmp_path / "in.jsonl", *every)
    words = ("split", path, "-o", tmp_path / "out.jsonl", "--test", 20, "--least-pairs", 5)
    assert run(*words, "--test-by-agreement", "--researchers", "res") == 0
    assert (
        "ann agrees with the researchers on 100.0 % of 12 pairs; their prompts are in the test"
        in capsys.readouterr().err
    )
    test = [each for each in read_rankings(tmp_path / "out.jsonl") if each.split == "test"]
    assert len(test) == 2 and all(int(each.prompt[1:]) >= 4 for each in test)
    assert run(*words, "--test-by-agreement", "--overwrite") == 2
    assert run(*words, "--researchers", "res", "--overwrite") == 2
    assert run(*words, "--test-by-agreement", "--researchers", "nobody", "--overwrite") == 2
    assert "annotators here are ann, res" in capsys.readouterr().err


def test_splits_that_are_there_stay_unless_anew(tmp_path, capsys):
    path = jsonl(
        tmp_path / "in.jsonl",
        *({"prompt": f"p{number}", "images": ["a"], "split": "mine"} for number in range(9)),
    )
    assert run("split", path, "-o", tmp_path / "out.jsonl") == 0
    assert "9 rankings had a split already" in capsys.readouterr().err
    assert {each.split for each in read_rankings(tmp_path / "out.jsonl")} == {"mine"}
    assert run("split", path, "-o", tmp_path / "anew.jsonl", "--anew") == 0
    assert "mine" not in {each.split for each in read_rankings(tmp_path / "anew.jsonl")}


def test_nothing_is_replaced_unasked_and_errors_say_what_to_do(table, tmp_path, capsys):
    mine = write(tmp_path / "mine.jsonl", "notes of mine")
    assert run("convert", table, "-o", mine) == 2
    assert run("convert", table, "-o", mine, "--overwrite") == 0
    capsys.readouterr()
    for command in ("convert", "split"):
        assert run(command, table, "-o", mine) == 2
        said = capsys.readouterr().err
        assert "mine.jsonl is there already; give --output another name" in said, command
        assert "not written by this program" not in said and ".csv" not in said
    assert run("check", tmp_path / "none") == 2
    assert run("check", table, "--from", "nothing") == 2
    assert run("check", table, "--split", "test") == 2
    assert "name no split" in capsys.readouterr().err
    assert run() == 2
    assert "imagerewarddb" in capsys.readouterr().out


def test_a_folder_that_can_be_read_in_two_ways_says_so(tmp_path, capsys):
    from imagereward_core.library.library import Library

    for place, name in enumerate(("kept/a", "rejected/b")):
        write(tmp_path / f"{name}.png", png((place, 0, 0)))
        write(tmp_path / f"{name}.txt", "fox")
    with Library.open(tmp_path / ".imagereward", root=tmp_path) as library:
        library.scan([tmp_path], None)
        library.set_stars(tmp_path / "kept" / "a.png", 1)
        library.set_stars(tmp_path / "rejected" / "b.png", 5)
    assert run("check", tmp_path) == 0
    assert "Read as stars" in (said := capsys.readouterr().err) and "--from curated" in said
