"""``imagereward report``: from a scored folder to pages and tables."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from imagereward_core.demo.batches import draw_batches
from imagereward_core.library.library import Library
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.panel import Panel


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> Path:
    """Drawn pictures for three prompts, two of them in a subfolder, and a broken file; scored by the demo scorer."""
    from PIL.PngImagePlugin import PngInfo

    where = tmp_path_factory.mktemp("my outputs, 写真")
    (where / "sub").mkdir()
    for number, batch in enumerate(draw_batches(3, 3, 0, 64)):
        for place, picture in enumerate(batch.pictures):
            text = PngInfo()
            lora = "<lora:flat:1>" if place else ""
            settings = f"Steps: 20, Sampler: Euler, Seed: {place}, Size: 64x64, Model: model {number % 2}"
            text.add_itxt("parameters", f"{batch.prompt} {lora}\n{settings}")
            picture.image.save(where / ("sub" if number == 2 else "") / f"{number}-{place}.png", pnginfo=text)
    (where / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    with Library.open(where / ".imagereward") as library:
        library.scan([where], Panel(Maker(LocalRuntime("cpu", "fp32")).make("demo")))
        library.set_stars(where / "0-0.png", 4)
    return where


def test_without_a_file_the_best_pictures_are_printed(run, outputs):
    done = run("report", outputs)
    assert done.code == 0 and len(done.out.splitlines()) == 11
    assert "9 of 10 pictures scored by demo" in done.err and str(outputs) not in done.out


def test_a_table_within_prompts_keeps_the_pictures_of_a_prompt_together(run, outputs):
    blocks = run("report", outputs, "--within", "prompt").out.split("\n\n")
    blocks = [block for block in blocks if "broken.png" not in block]
    assert len(blocks) == 3
    for block in blocks:
        lines = [line for line in block.splitlines() if ".png" in line]
        assert len(lines) == 3 and [line.split("of 3")[0].split()[-1] for line in lines] == ["1", "2", "3"]


def test_every_form_is_written_and_holds_the_same_numbers(run, outputs, tmp_path):
    files = {form: tmp_path / f"all.{form}" for form in ("csv", "json", "jsonl")}
    done = run("report", outputs, *(part for form, file in files.items() for part in (f"--{form}", file)))
    assert done.code == 0 and done.out == ""
    rows = json.loads(files["json"].read_text(encoding="utf-8"))["rows"]
    lines = [json.loads(line) for line in files["jsonl"].read_text(encoding="utf-8").splitlines()]
    table = list(csv.DictReader(io.StringIO(files["csv"].read_text(encoding="utf-8"), newline="")))
    scores = [row["score"] for row in rows]
    assert scores[:-1] == sorted(scores[:-1], reverse=True) and scores[-1] is None
    assert [line["score"] for line in lines] == scores
    assert [float(record["score"]) if record["score"] else None for record in table] == scores
    starred = next(row for row in rows if row["file"].endswith("0-0.png"))
    assert (starred["stars"], starred["model"], starred["loras"], starred["seed"]) == (4, "model 0", [], "0")
    assert rows[0]["file"] == str(outputs / Path(rows[0]["file"]).relative_to(outputs))
    assert "broken.png" in rows[-1]["file"] and rows[-1]["reason"]


def test_the_page_has_pictures_filters_and_drawings(run, outputs, tmp_path):
    page = tmp_path / "page.html"
    done = run("report", outputs, "--html", page, "--top-percent", "50", "--buckets", "great=80,good=20")
    text = page.read_text(encoding="utf-8")
    assert done.code == 0 and text.count("<article") == 9 and text.count("data:image/") == 9
    assert "Scores by model" in text and "Scores by prompt" in text and "4 of 5 stars" in text
    assert 'id="model"' in text and 'id="failures"' in text and str(Path("sub") / "2-0.png") in text
    assert "kept" in done.err


def test_a_folder_below_is_reported_alone(run, outputs, tmp_path):
    run("report", outputs, "--folder", "sub", "--jsonl", tmp_path / "a.jsonl")
    files = [
        json.loads(line)["file"] for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len(files) == 3 and all(Path(file).parent == outputs / "sub" for file in files)


def test_only_kept_pictures_are_written_where_that_is_asked_for(run, outputs, tmp_path):
    run(
        "report", outputs, "--top", "1", "--within", "prompt", "--show", "kept", "--json", tmp_path / "a.json"
    )
    document = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [row["rank_in_prompt"] for row in document["rows"]] == [1, 1, 1]
    assert document["rule"]["top_k"] == 1 and document["counts"] == {"pictures": 10, "scored": 9, "kept": 3}


def test_a_byte_order_mark_for_spreadsheets(run, outputs, tmp_path):
    run("report", outputs, "--csv", tmp_path / "a.csv", "--bom", "-q")
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbffile,")


def test_nothing_is_scored_or_changed(run, outputs, tmp_path, monkeypatch):
    monkeypatch.setattr(Maker, "make", lambda *_: pytest.fail("a scorer was loaded"))
    before = {path: path.read_bytes() for path in outputs.rglob("*.png")}
    assert run("report", outputs, "--html", tmp_path / "a.html").code == 0
    assert {path: path.read_bytes() for path in outputs.rglob("*.png")} == before


def test_a_folder_nobody_scored_gets_no_library(run, tmp_path):
    done = run("report", tmp_path)
    assert done.code == 2 and "holds no store" in done.err and "imagereward curate" in done.err
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (["--scorer", "PickScore"], 4, "it holds some by demo"),
        (["--scorer", "nobody"], 2, "nobody"),
        (["--csv", "no/such/folder/a.csv"], 2, "no folder"),
        (["--preprocessing", "whole-picture"], 4, "no scores by demo"),
        (["--buckets", "great"], 4, "no bucket has a limit"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(run, outputs, tmp_path, options, code, word):
    done = run("report", outputs, *options, "--html", tmp_path / "a.html")
    assert done.code == code and word in done.err
    assert not (tmp_path / "a.html").exists()


def test_parquet_without_its_package_is_refused_before_the_work(run, outputs, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(Library, "scored", lambda *_: pytest.fail("worked all the same"))
    done = run("report", outputs, "--parquet", tmp_path / "a.parquet")
    assert done.code == 4 and "pip install pyarrow" in done.err


def test_blends_are_judged_from_what_is_stored(run, outputs):
    done = run("report", outputs, "--scorer", "demo=1@rank")
    assert done.code == 0 and "demo" in done.out.splitlines()[0] and "Placed among the pictures" in done.err


def test_copies_of_a_picture_count_once_unless_they_are_asked_for(run, outputs, tmp_path):
    import shutil

    copied = tmp_path / "outputs"
    shutil.copytree(outputs, copied, ignore=shutil.ignore_patterns(".imagereward"))
    (copied / "kept" / "sub").mkdir(parents=True)
    shutil.copy(copied / "0-0.png", copied / "kept" / "0-0.png")
    shutil.copy(copied / "sub" / "2-0.png", copied / "kept" / "sub" / "2-0.png")
    with Library.open(copied / ".imagereward") as library:
        library.scan([copied], Panel(Maker(LocalRuntime("cpu", "fp32")).make("demo")))

    def files(*options):
        done = run("report", copied, "--jsonl", tmp_path / "a.jsonl", *options)
        lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
        return done, {str(Path(json.loads(line)["file"]).relative_to(copied)) for line in lines}

    done, found = files()
    assert len(found) == 10 and "0-0.png" in found and not [name for name in found if name.startswith("kept")]
    assert "2 copies of pictures are left out" in done.err
    assert len(files("--copies")[1]) == 12


def test_copies_in_folders_of_any_name_change_no_rank_and_nobody_who_is_kept(run, outputs, tmp_path):
    import shutil

    copied = shutil.copytree(outputs, tmp_path / "outputs", ignore=shutil.ignore_patterns(".imagereward"))
    curate = ("curate", copied, "--scorer", "demo", "--buckets", "great=50,good=5", "--buckets-by", "share")

    def rows(*options):
        run("report", copied, "--jsonl", tmp_path / "a.jsonl", *options)
        lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
        told = map(json.loads, lines)
        return {
            str(Path(row["file"]).relative_to(copied)): (row["rank"], row["kept"], row["reason"])
            for row in told
        }

    run(*curate, "--yes")
    run("stars", copied, "--set", "5", "0-0.png")
    assert run("stars", copied).out.splitlines() == ["5  0-0.png"]
    for rule in ((), ("--top", "3"), ("--buckets", "great=50,good=5")):
        plain, shown = rows(*rule), rows(*rule, "--copies")
        assert len(plain) == 10 and len(shown) == 19 and plain.items() <= shown.items()
        for name, told in shown.items():
            if name not in plain:
                assert told == plain[str(Path(*Path(name).parts[1:]))]
    assert run("report", copied, "--html", tmp_path / "a.html", "--copies").code == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.count("<article") == 9 and page.count("Also as ") == 9


def test_how_scorers_see_a_picture_is_said_by_every_command_alike(run, tmp_path):
    """Grey of 16 bits is clipped, as the published programs clip it: when it is scored, and whenever its score is shown."""
    from PIL import Image

    where = tmp_path / "grey"
    where.mkdir()
    Image.new("I;16", (64, 64), 40_000).save(where / "a.png")
    (where / "a.txt").write_bytes("ein grüner Stern".encode("cp1252"))
    Image.new("L", (64, 64), 40).save(where / "b.png")
    (where / "b.txt").write_text("a green star")
    scored = run("score", where, "-s", "demo", "--format", "json")
    note = next(row["notes"] for row in scored.rows if row["file"].endswith("a.png"))
    _, _, seen = note.rpartition("; ")
    said = f"1 picture: {seen}."
    assert seen.startswith("grey of 16 bits") and said in scored.err
    curated = run("curate", where, "-s", "demo", "--top", "1", "--yes", "--html", tmp_path / "curated.html")
    assert said in curated.out
    told = run("report", where, "--json", tmp_path / "all.json", "--html", tmp_path / "all.html")
    assert said in told.err
    rows = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["rows"]
    assert [row["notes"] for row in rows if row["file"].endswith("a.png")] == [note]
    run("rank", where, "-s", "demo", "--show", "all", "--html", tmp_path / "ranked.html")
    for page in ("curated", "all", "ranked"):
        text = (tmp_path / f"{page}.html").read_text(encoding="utf-8")
        assert said in text and text.count(seen) == 2  # once for all, once at the picture
    # A prompt for all leaves of the notes what is about the picture.
    run("curate", where, "-s", "demo", "--top", "1", "-p", "a star", "--yes")
    run("report", where, "--json", tmp_path / "all.json", "--overwrite")
    rows = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["rows"]
    assert [row["notes"] for row in rows if row["file"].endswith("a.png")] == [seen]
