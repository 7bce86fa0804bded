"""A blind task says nothing about whose picture is whose, and its answers are counted as by hand."""

from __future__ import annotations

import csv
import json
import os
import random
import re

import numpy as np
import pytest
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_lab.data.readers import open_rankings
from tests.support.command import Outcome
from tests.support.lab.generators import draw_generators

NAMES = ("good", "other", "noisy")


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("IMAGEREWARD_MODELS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    def call(*arguments):
        capsys.readouterr()
        code = main(["compare-models", *map(str, arguments), "-s", "demo", "--resamples", "100"])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def folders(tmp_path):
    draw_generators(tmp_path / "g", NAMES, prompts=5)
    return [tmp_path / "g" / name for name in NAMES]


@pytest.fixture
def task(run, folders, tmp_path):
    done = run(*folders, "--export-task", tmp_path / "task", "--scores", tmp_path / "scores.jsonl")
    assert done.code == 0 and "do not give it to them" in done.err
    return tmp_path / "task"


def key_of(task):
    return json.loads((task.parent / "task.key.json").read_text())


def rows_of(task):
    with (task / "answers.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def wins(done):
    return {
        row["group"]: row["value"]
        for row in done.document["figures"]
        if row["section"] == "answers" and row["measure"] == "wins"
    }


def test_rows_of_one_person_given_anew_replace_the_earlier_and_of_nobody_are_told(run, task, tmp_path):
    key, rows = key_of(task), rows_of(task)
    first = [{**row, "rank": 1 + NAMES.index(key["pictures"][row["image"]]["generator"])} for row in rows]
    later = [{**row, "rank": 4 - row["rank"]} for row in first]
    table = tmp_path / "answers.csv"
    arguments = ("--answers", table, "--key", tmp_path / "task.key.json", "-f", "json")
    write_rows(table, [{**row, "annotator": "ann"} for row in [*first, *later]])
    assert wins(run(*arguments)) == {"good": 0, "other": 5, "noisy": 10}
    write_rows(table, [*first, *later])
    done = run(*arguments)
    assert done.code == 2 and "found a picture twice in one answer" in done.err and "annotator" in done.err


def test_one_rank_alone_is_no_answer(run, task, tmp_path):
    rows = rows_of(task)
    rows[0]["rank"] = "1"
    write_rows(tmp_path / "answers.csv", rows)
    done = run("--answers", tmp_path / "answers.csv", "--key", tmp_path / "task.key.json")
    assert done.code == 2 and "5 answers with fewer than two ranks" in done.err


def test_answers_in_the_unicode_text_of_spreadsheets_are_read(run, task, tmp_path):
    rows = [{**row, "rank": 1 + place % 3} for place, row in enumerate(rows_of(task))]
    write_rows(tmp_path / "answers.csv", rows)
    text = (tmp_path / "answers.csv").read_text(encoding="utf-8")
    arguments = ("--answers", tmp_path / "answers.csv", "--key", tmp_path / "task.key.json", "-f", "json")
    expected = wins(run(*arguments))
    (tmp_path / "answers.csv").write_bytes(text.replace(",", "\t").encode("utf-16"))
    assert wins(run(*arguments)) == expected and sum(expected.values()) == 15


def test_a_key_that_names_a_generator_twice_is_refused(run, task, tmp_path):
    key = key_of(task)
    write_rows(tmp_path / "answers.csv", [{**row, "rank": 1} for row in rows_of(task)])
    (tmp_path / "other.json").write_text(json.dumps({**key, "generators": ["good", *NAMES]}))
    done = run("--answers", tmp_path / "answers.csv", "--key", tmp_path / "other.json")
    assert done.code == 2 and "'good' twice" in done.err


def test_a_task_that_cannot_be_written_is_told_before_anything_is_scored(run, folders, tmp_path, monkeypatch):
    def refused(*given):
        raise AssertionError("scored")

    monkeypatch.setattr("imagereward_lab.evaluation.scoring.score_rankings", refused)
    (tmp_path / "file").touch()
    done = run(*folders, "--export-task", tmp_path / "file" / "task", "--key", tmp_path / "key.json")
    assert done.code == 2 and "--export-task" in done.err and "Errno" not in done.err
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "sub" and allowed(path, mode))
    (tmp_path / "sub").mkdir()
    done = run(*folders, "--export-task", tmp_path / "sub" / "task", "--key", tmp_path / "key.json")
    assert done.code == 2 and "nothing may be put into" in done.err


def test_nothing_in_the_task_says_whose_a_picture_is(task):
    key = key_of(task)["pictures"]
    files = sorted(path for path in task.iterdir())
    assert len(files) == 5 * 3 + 2
    stamps = set()
    for path in files:
        data = path.read_bytes()
        assert not re.search(rb"good|other|noisy|000-a|parameters|Steps|Seed", path.name.encode() + data)
        if path.suffix == ".png":
            assert re.fullmatch(r"\d{4}_[0-9a-f]{12}\.png", path.name)
            stamps.add(path.stat().st_mtime_ns)
            assert path.stat().st_nlink == 1 and set(
                re.findall(rb"IHDR|IDAT|IEND|tEXt|iTXt|zTXt|eXIf|tIME|pHYs|iCCP", data)
            ) == {
                b"IHDR",
                b"IDAT",
                b"IEND",
            }
    assert len(stamps) == 1
    lines = [json.loads(line) for line in (task / "tasks.jsonl").read_text().splitlines()]
    assert {tuple(sorted(line)) for line in lines} == {("id", "images", "prompt")}
    orders = {tuple(key[name]["generator"] for name in line["images"]) for line in lines}
    assert all(sorted(order) == sorted(NAMES) for order in orders)


def test_prompts_and_the_pictures_of_each_are_in_random_order(run, folders, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "imagereward_lab.evaluation.generators.people.task.secrets.SystemRandom", lambda: random.Random(1)
    )
    assert run(*folders, "--export-task", tmp_path / "task").code == 0
    key = key_of(tmp_path / "task")["pictures"]
    lines = [json.loads(line) for line in (tmp_path / "task/tasks.jsonl").read_text().splitlines()]
    assert len({tuple(key[name]["generator"] for name in line["images"]) for line in lines}) > 1
    originals = [key[line["images"][0]]["original"].rpartition("/")[2] for line in lines]
    assert sorted(originals) != originals


def test_pictures_of_a_task_are_the_best_of_each_generator_pixel_by_pixel(task):
    scores = {}
    for line in map(json.loads, (task.parent / "scores.jsonl").read_text().splitlines()):
        scores.update(zip(line["images"], line["scores"]["demo"]))
    pictures = key_of(task)["pictures"]
    assert len(pictures) == 15
    for name, each in pictures.items():
        stem = each["original"].rpartition("_")[0]
        assert scores[each["original"]] == max(scores[f"{stem}_{k}.png"] for k in (0, 1))
        assert f"/{each['generator']}/" in each["original"]
        with Image.open(each["original"]) as original, Image.open(task / name) as copy:
            np.testing.assert_array_equal(np.asarray(original.convert("RGB")), np.asarray(copy))


def test_answers_are_counted_as_by_hand(run, task, tmp_path):
    """Two people; the one ranks by name of the generator, the other leaves a task out and ties the rest."""
    pictures, rows = key_of(task)["pictures"], rows_of(task)
    taste = {"good": 1, "other": 2, "noisy": 3}
    answers = []
    for row in rows:
        answers.append({**row, "rank": taste[pictures[row["image"]]["generator"]], "annotator": "ann"})
        skipped = row["image"].startswith("0001_")
        answers.append({**row, "rank": "" if skipped else 1, "annotator": "bob"})
    write_rows(tmp_path / "answers.csv", answers)
    done = run("--answers", tmp_path / "answers.csv", "--key", tmp_path / "task.key.json", "-f", "json")
    assert done.code == 0 and done.document["kind"] == "answers to a blind task"
    found = {
        (row["measure"], row["group"]): row["value"] for row in done.document["figures"] if not row["against"]
    }
    assert [found["wins", name] for name in NAMES] == [10, 5, 0]
    assert [found["ties", name] for name in NAMES] == [8, 8, 8]
    assert found["first", "good"] == pytest.approx(5 + 4 / 3)
    assert found["win rate", "good"] == pytest.approx((10 + 4) / 18)
    assert [found["rank", name] for name in NAMES] == [1, 2, 3]
    text = " ".join(done.document["sentences"]["answers"])
    assert "9 answers by 2 people about 5 prompts" in text and "not counted: 1 task." in text
    assert "cannot be told apart" in text


def test_json_lines_with_ranks_count_as_well_and_the_last_answer_of_a_person_is_the_one(run, task, tmp_path):
    pictures = key_of(task)["pictures"]
    lines = [json.loads(line) for line in (task / "tasks.jsonl").read_text().splitlines()]
    for line in lines:
        line["annotator"] = "ann"
        line["ranks"] = [1 if pictures[name]["generator"] == "noisy" else 2 for name in line["images"]]
    lines[2]["images"] = [f"upload/7/5f3c9a2e-{name}" for name in lines[2]["images"]]
    again = {**lines[0], "id": "anew", "ranks": [3 - rank for rank in lines[0]["ranks"]]}
    strange = {**lines[1], "id": "strange", "images": ["a.png", *lines[1]["images"][1:]]}
    file = tmp_path / "back.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in [*lines, again, strange]))
    assert len(open_rankings(file)) == 7
    done = run("--answers", file, "--key", tmp_path / "task.key.json", "-f", "json")
    found = {row["group"]: row["value"] for row in done.document["figures"] if row["measure"] == "wins"}
    assert found == {"noisy": 8, "good": 1, "other": 1}
    assert "found the picture 'a.png'" in done.err
    assert "given anew" in " ".join(done.document["sentences"]["answers"])


def test_answers_are_the_order_of_people_where_pictures_are_scored_too(run, task, folders, tmp_path):
    pictures, rows = key_of(task)["pictures"], rows_of(task)
    taste = {"good": 1, "other": 1, "noisy": 2}
    write_rows(
        tmp_path / "a.csv", [{**row, "rank": taste[pictures[row["image"]]["generator"]]} for row in rows]
    )
    done = run(*folders, "--answers", tmp_path / "a.csv", "--key", tmp_path / "task.key.json", "-f", "json")
    sections = {row["section"] for row in done.document["figures"]}
    assert {"scores", "answers", "human"} <= sections
    assert "from the answers to the task" in " ".join(done.document["sentences"]["human"])


def test_a_task_never_mixes_with_what_is_there_and_its_key_lies_elsewhere(run, task, folders, tmp_path):
    before = {path.name: path.read_bytes() for path in task.iterdir()}
    again = run(*folders, "--export-task", task, "--key", tmp_path / "k.json")
    assert again.code == 2 and "expected a new or an empty one" in again.err
    assert {path.name: path.read_bytes() for path in task.iterdir()} == before
    key = (tmp_path / "task.key.json").read_bytes()
    other = run(*folders, "--export-task", tmp_path / "new", "--key", tmp_path / "task.key.json")
    assert other.code == 2 and (tmp_path / "task.key.json").read_bytes() == key, (
        "a key is never replaced unasked"
    )
    inside = run(*folders, "--export-task", tmp_path / "new", "--key", tmp_path / "new/k.json")
    assert inside.code == 2 and not (tmp_path / "new").exists()
    (tmp_path / "new").mkdir()
    inside = run(*folders, "--export-task", tmp_path / "new", "--key", tmp_path / "new/k.json")
    assert inside.code == 2 and "could read it" in inside.err and not any((tmp_path / "new").iterdir())


def test_different_sizes_are_told(run, folders, tmp_path):
    for path in folders[2].glob("*.png"):
        with Image.open(path) as image:
            info = {"parameters": image.info["parameters"]}
            large = image.resize((80, 80))
        from PIL.PngImagePlugin import PngInfo

        text = PngInfo()
        text.add_itxt("parameters", info["parameters"])
        large.save(path, pnginfo=text)
    done = run(*folders, "--export-task", tmp_path / "task", "-q")
    assert done.code == 0 and "noisy 80 x 80" in done.err and "tell them apart" in done.err


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{}", "kind: found nothing"),
        ("[1]", "expected the key that --export-task wrote"),
        ('{"kind": "key of a blind task", "schema_version": 1, "generators": ["a"]}', "generators: found 1"),
        (
            '{"kind": "key of a blind task", "schema_version": 1, "generators": ["a", "b"], "scorer": "", '
            '"pictures": {"x.png": {"generator": "c", "original": ""}}}',
            "pictures.x.png.generator: found 'c'",
        ),
    ],
)
def test_a_key_that_is_none_says_what_was_found(run, task, tmp_path, content, text):
    (tmp_path / "bad.json").write_text(content)
    done = run("--answers", task / "answers.csv", "--key", tmp_path / "bad.json")
    assert done.code == 2 and text in done.err


def test_answers_without_ranks_or_key_say_what_to_do(run, task, tmp_path):
    nothing = run("--answers", task / "answers.csv", "--key", tmp_path / "task.key.json")
    assert nothing.code == 2 and "1 for the best" in nothing.err
    assert run("--answers", task / "answers.csv").code == 2
    assert run("--key", tmp_path / "task.key.json").code == 2
    there = ("--answers", task / "answers.csv", "--key", tmp_path / "task.key.json")
    sheet = run(*there, "--sheet", 2, "--html", tmp_path / "p.html")
    assert sheet.code == 2 and "name their folders as well" in sheet.err
