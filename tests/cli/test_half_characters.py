"""Halves of characters in prompts, metadata and file names stop no command and stand in no file it writes."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import sys
from pathlib import Path

import pytest
from PIL import PngImagePlugin

from imagereward_core.demo.scenes import draw, random_scene

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs file names of any bytes")

HALF = "a red \ud800 star"
GRAPH = {
    "1": {"class_type": "CLIPTextEncode", "inputs": {"text": HALF, "clip": ["9", 1]}},
    "2": {
        "class_type": "KSampler\udfff",
        "inputs": {
            "positive": ["1", 0],
            "latent_image": ["9", 0],
            "steps": 3,
            "seed": 7,
            "scheduler": "\ud800",
        },
    },
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
}
SWARM = {"sui_image_params": {"prompt": HALF, "model": "\ud800", "loras": ["l\ud800"], "sampler": "\udc00"}}
ASKED = ("-s", "demo", "--device", "cpu")


@pytest.fixture
def outputs(tmp_path):
    """Three pictures and a file that is none, in a folder and under names that are no text."""
    folder = tmp_path / os.fsdecode(b"out \xff")
    folder.mkdir()
    rng = random.Random(3)
    texts = {
        b"graph.png": {"prompt": json.dumps(GRAPH)},
        b"a\xff\xfe.png": {"parameters": json.dumps(SWARM)},
        b"b\xff.png": {},
    }
    for name, blocks in texts.items():
        info = PngImagePlugin.PngInfo()
        for key, text in blocks.items():
            info.add_text(key, text)
        draw(random_scene(rng), rng, 96).save(folder / os.fsdecode(name), pnginfo=info)
    (folder / os.fsdecode(b"b\xff.txt")).write_text("a green circle")
    (folder / os.fsdecode(b"broken \xff.png")).write_bytes(b"no picture")
    return folder


def test_results_of_every_form_hold_text_alone(run, outputs, tmp_path):
    prompts = {}
    for form in ("table", "csv", "json", "jsonl"):
        for command in ("score", "rank"):
            target = tmp_path / os.fsdecode(b"r\xff") / f"{command}.{form}"
            target.parent.mkdir(exist_ok=True)
            arguments = (command, outputs, *ASKED, "-f", form, "-o", target)
            page = ("--html", target.with_suffix(".html")) if command == "rank" and form == "json" else ()
            assert run(*arguments, *page).code == 1
            text = target.read_text(encoding="utf-8")
            if form == "json":
                prompts[command] = {row["prompt_written"] for row in json.loads(text)["rows"]}
    read = {"a red ? star", "a green circle"}
    assert prompts == {"score": {*read, ""}, "rank": read}
    page = (tmp_path / os.fsdecode(b"r\xff") / "rank.html").read_text(encoding="utf-8")
    assert "a red ? star" in page and "a%FF%FE.png" in page


def test_a_library_of_them_is_curated_reported_and_taken_back(run, outputs, tmp_path):
    before = sorted(path.name for path in outputs.iterdir())
    assert run("curate", outputs, *ASKED, "--top", "2", "--xmp", "--write-back", "--yes", "--move").code == 1
    forms = ["csv", "json", "jsonl", "html"]
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        parquet = None
    forms += ["parquet"] if parquet else []
    files = [argument for form in forms for argument in (f"--{form}", tmp_path / f"report.{form}")]
    done = run("report", outputs, "-s", "demo", *files)
    assert done.code == 0, done.err
    for form in set(forms) - {"parquet"}:
        assert "a red ? star" in (tmp_path / f"report.{form}").read_text(encoding="utf-8")
    if parquet:
        rows = parquet.read_table(tmp_path / "report.parquet").to_pylist()
        assert {tuple(row["loras"]) for row in rows} == {("l?",), ()}
        assert any(row["file"].endswith("a\\udcff\\udcfe.png") for row in rows)
    assert run("stars", outputs, "--set", "4", *outputs.glob("kept/*.png")).code == 0
    assert run("stars", outputs).code == 0
    assert run("undo", outputs, "--yes").code == 0
    assert sorted(path.name for path in outputs.iterdir() if path.is_file()) == before


def test_a_prompt_typed_in_another_encoding_is_scored(run, outputs):
    typed = os.fsdecode("a café".encode("latin-1"))
    for command in ("score", "rank"):
        done = run(command, outputs / "graph.png", *ASKED, "--prompt", typed, "-f", "json")
        assert done.code == 0 and json.loads(done.out)["rows"][0]["prompt"] == "a caf?"


def test_a_name_that_is_no_text_is_shown_alike_and_leads_back_to_its_file(
    run, outputs, tmp_path, monkeypatch
):
    monkeypatch.chdir(outputs)
    shown, broken = "a\\udcff\\udcfe.png", "broken \\udcff.png"
    files = [
        part for form in ("csv", "json", "jsonl", "html") for part in (f"--{form}", tmp_path / f"all.{form}")
    ]
    table = run("score", ".", *ASKED)
    curated = run("curate", ".", *ASKED, "--top", "9", "--yes")
    told = run("report", ".", "-s", "demo")
    assert shown in table.out and shown in curated.out and shown in told.out
    for text in (table.out, curated.err):
        assert text.count(broken) == 1  # and not once more in the reason
    assert run("report", ".", "-s", "demo", *files).code == 0
    page = (tmp_path / "all.html").read_text(encoding="utf-8")
    assert f'alt="{shown}"' in page and f">{shown}</a>" in page and "\ufffd" not in page
    assert page.count(broken) == 1
    lines = (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()
    rows = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["rows"]
    assert [json.loads(line)["file"] for line in lines] == [row["file"] for row in rows]
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        written = [row["file"] for row in csv.DictReader(file)]
    back = [re.sub(r"\\u(dc[89a-f][0-9a-f])", lambda half: chr(int(half[1], 16)), name) for name in written]
    assert back == [row["file"] for row in rows] and all(Path(name).is_file() for name in back)
    assert sum(name.endswith(shown) for name in written) == 1
