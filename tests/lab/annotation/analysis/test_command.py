"""``imagereward analyse`` from a file to results in every form."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from imagereward_core.cli.main import main
from imagereward_core.report.own_results import written_by_us
from imagereward_lab.data.ranking import Ranking
from tests.support.command import Outcome
from tests.support.lab.annotations import annotations, written

HOSTILE = '=cmd|"<script>alert(1)</script>\x1b[31m`'


@pytest.fixture
def run(capsys):
    def call(*arguments):
        capsys.readouterr()
        code = main(["analyse", *(str(argument) for argument in arguments), "--resamples", "100"])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def file(tmp_path):
    return written(tmp_path / "rankings.jsonl", annotations(12, ("ann", "bob"), pictures=4))


def test_all_forms_say_the_same_and_are_known_as_ours(run, file, tmp_path):
    document = run(file, "-f", "json").document
    assert document["kind"] == "analysis" and document["facts"]["answers"] == 24
    lines = [json.loads(line) for line in run(file, "-f", "jsonl").out.splitlines()]
    table = list(csv.DictReader(io.StringIO(run(file, "-f", "csv").out)))
    assert lines == document["figures"] and len(table) == len(lines) > 100
    for row, line in zip(table, lines):
        assert (float(row["value"]) if row["value"] else None) == line["value"]
    sections = {row["section"] for row in lines}
    assert sections == {
        "prompts",
        "ratings_by_category",
        "problems_by_category",
        "function_share",
        "ratings_by_function_share",
        "problems_by_function_share",
        "agreement",
        "alpha",
        "people",
    }
    assert "# What the annotations say" in run(file, "-f", "markdown").out
    for name in ("out.txt", "out.csv", "out.json", "out.jsonl", "out.md", "out.html"):
        target = tmp_path / name
        done = run(file, *(["--html", target] if name.endswith("html") else ["-o", target]))
        assert done.code == 0 and written_by_us(target), name


def test_the_page_is_whole_with_drawings_and_harmless(run, tmp_path):
    pytest.importorskip("matplotlib")
    some = annotations(8, (HOSTILE, "bob"), categories=(HOSTILE, "people"), pictures=3)
    some.append(Ranking(f"{HOSTILE}, 8k", ("a",), problems=((HOSTILE,),), ratings=({HOSTILE: 3.0},)))
    page = tmp_path / "page.html"
    done = run(written(tmp_path / "r.jsonl", some), "--html", page)
    assert done.code == 0 and "\x1b" not in done.out
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text and "\x1b" not in text and "script-src 'none'" in text
    assert not re.search(r'(?:src|href)="(?!data:|#)', text) and text.count("data:image/svg+xml") > 10


def test_without_matplotlib_there_are_tables_and_one_line_that_says_so(run, file, tmp_path, monkeypatch):
    monkeypatch.setattr("imagereward_lab.figures.page.can_draw", lambda: False)
    page = tmp_path / "page.html"
    assert run(file, "--html", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert "svg+xml" not in text and text.count("There are no drawings") == 1 and "<table>" in text


def test_a_bad_row_is_told_and_the_rest_goes_on(run, file):
    good = file.read_text(encoding="utf-8")
    bad = {"prompt": "a fox", "images": ["a"], "phrases": [{"start": 2, "end": 90, "kind": "style"}]}
    file.write_text(f"{good}{json.dumps(bad)}\n[]\n", encoding="utf-8")
    done = run(file, "-f", "json")
    assert done.code == 1 and done.document["facts"]["left out by the reader"] == 2
    assert "line 25: phrases[0]: found characters 2 to 90; expected a start before its end" in done.err
    assert done.document["facts"]["answers"] == 24


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found no ranking"),
        ("[]\n", "found no ranking; expected .* The first thing that was left out: .*line 1"),
    ],
)
def test_no_rows_are_an_error_of_the_command_line(run, tmp_path, text, words):
    file = tmp_path / "r.jsonl"
    file.write_text(text, encoding="utf-8")
    done = run(file)
    assert done.code == 2 and re.search(words, done.err)


def test_a_folder_that_is_not_there_is_an_error_of_the_command_line(run, file, tmp_path, capsys):
    missing = tmp_path / "none"
    done = run(file, "--phrases", missing)
    assert done.code == 2 and re.search("--phrases .*none: there is no such folder; expected", done.err)
    code = main(["train-phrases", str(file), "-o", str(tmp_path / "out"), "--start", str(missing)])
    assert code == 2 and re.search(
        "--start .*none: there is no such folder; expected", capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()


def test_a_folder_that_train_phrases_did_not_write_is_an_error_of_the_command_line(
    run, file, tmp_path, capsys
):
    (tmp_path / "empty").mkdir()
    for wrong, words in {
        file: "this is no folder; expected",
        tmp_path
        / "empty": "found no phrases.json in this folder; expected one that imagereward train-phrases wrote",
    }.items():
        done = run(file, "--phrases", wrong)
        assert done.code == 2 and f"--phrases {wrong}: {words}" in done.err and "Errno" not in done.err
    start = ("--start", str(tmp_path / "empty"))
    assert main(["train-phrases", str(file), "-o", str(tmp_path / "out"), *start]) == 2
    assert "found no config.json in this folder; expected that of a BERT" in capsys.readouterr().err


def test_a_split_that_is_not_there_is_told_with_those_that_are(run, tmp_path):
    file = written(
        tmp_path / "r.jsonl", [Ranking("p", ("a",), split="train"), Ranking("q", ("a",), split="test")]
    )
    assert run(file, "--split", "test", "-f", "json").document["facts"]["prompts"] == 1
    done = run(file, "--split", "validation")
    assert done.code == 2 and "found no ranking of the split 'validation'; it has test, train" in done.err
    assert run(tmp_path / "nothing").code == 2


def test_no_picture_is_opened(run, file, monkeypatch):
    monkeypatch.setattr("PIL.Image.open", lambda *_: pytest.fail("a picture was opened"))
    assert run(file).code == 0


def test_a_file_of_somebody_else_stays(run, file, tmp_path):
    target = tmp_path / "notes.md"
    target.write_text("mine", encoding="utf-8")
    done = run(file, "-o", target)
    assert done.code == 2 and target.read_text(encoding="utf-8") == "mine"


def test_imagerewarddb_is_read_with_its_categories_and_ratings(run, tmp_path):
    shard = tmp_path / "db" / "images" / "train" / "train_1"
    shard.mkdir(parents=True)
    record = {
        "prompt_id": "1",
        "prompt": "a fox, 8k",
        "classification": "Outdoor Scenes",
        "image_amount_in_total": 2,
    }
    ratings = {"overall_rating": 5, "image_text_alignment_rating": 4, "fidelity_rating": 6}
    (shard / "train_1.json").write_text(
        json.dumps(
            [{**record, **ratings, "image_path": f"images/train/train_1/{n}.webp", "rank": n} for n in (1, 2)]
        ),
        encoding="utf-8",
    )
    rows = run(tmp_path / "db", "-f", "json").document["figures"]
    (row,) = [each for each in rows if each["measure"] == "fidelity" and each["group"] == "Outdoor Scenes"]
    assert (row["value"], row["count"]) == (6.0, 2)


def test_a_project_is_read_as_what_its_export_says(run, tmp_path):
    """Two people and a researcher answer by the protocol; phrases and all come through."""
    pytest.importorskip("sqlalchemy")
    import random

    from tests.support.lab.annotation import Clock, add, answer_to, make_project, new_tasks, open_service

    folder = make_project(tmp_path / "asked", new_tasks(3, 4, people=3), people=3)
    service = open_service(folder, Clock())
    nobody = run(folder)
    assert nobody.code == 2 and "found no answer yet" in nobody.err
    rng = random.Random(1)
    for name, role in (("ann", "annotator"), ("bob", "annotator"), ("rita", "researcher")):
        person, _ = add(service, name, role)
        while (task := service.next(person).task) is not None:
            answer = answer_to(task, rng)
            answer["prompt"]["phrases"] = [{"start": 2, "end": 5, "kind": "function"}]
            assert service.submit(person, task.id, answer, 12.5) == []
    service.close()
    done = run(folder, "-f", "json")
    assert done.code == 0 and done.document["facts"]["answers"] == 9, done.err
    rows = {
        (row["measure"], row["scorer"]): row for row in done.document["figures"] if row["section"] == "people"
    }
    assert rows["median seconds", "rita"]["value"] == 12.5
    assert any(
        "3 prompts people marked them" in text for text in done.document["sentences"]["function_share"]
    )
    assert any("1 researcher" in text for text in done.document["sentences"]["agreement"])
    assert run(folder, "--split", "test").code == 2
    assert run(tmp_path / "asked" / "pictures").code == 2
