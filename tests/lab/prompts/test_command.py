"""The command from a file of prompts to chosen ones in every form, and its words where something is wrong."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from benchmarks.prompt_selection import clustered
from imagereward_core.cli.main import main
from imagereward_core.report.own_results import written_by_us
from imagereward_lab.data.prompts import prompt_key

TEXTS = [f"prompt {number}" for number in range(80)]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("prompts.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    np.save("v.npy", clustered(80, clusters=6))
    return tmp_path


def run(*more: str, prompts: str = "prompts.txt", vectors: str = "v.npy", count: int = 6) -> int:
    return main(["select-prompts", prompts, "--count", str(count), "--vectors", vectors, "-k", "8", *more])


def test_text_has_a_prompt_on_each_line_and_all_forms_have_the_same(
    files: Path, capfd: pytest.CaptureFixture
) -> None:
    assert run("-f", "text") == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert len(set(lines)) == 6 and set(lines) <= set(TEXTS)
    assert "80 different prompts" in err and "Covered" in err and "Distance" in err
    for name in ("a.txt", "a.csv", "a.json", "a.jsonl", "a.md"):
        assert run("-o", name) == 0
    assert Path("a.txt").read_text(encoding="utf-8") == out
    rows = list(csv.DictReader(io.StringIO(Path("a.csv").read_text(encoding="utf-8"))))
    assert [row["prompt"] for row in rows] == lines and [row["place"] for row in rows] == list("123456")
    data = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert [row["prompt"] for row in data["prompts"]] == lines and data["kind"] == "chosen prompts"
    assert data["facts"]["different prompts"] == 80 and data["facts"]["seed"] == 0
    assert data["coverage"]["chosen"]["mean distance"] < data["coverage"]["random"]["mean distance"]
    assert [TEXTS[row["row"] - 1] for row in data["prompts"]] == lines
    json_lines = [json.loads(line) for line in Path("a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert json_lines == data["prompts"]
    assert all(f"| {line} |" in Path("a.md").read_text(encoding="utf-8") for line in lines)
    capfd.readouterr()
    assert run() == 0
    out, _ = capfd.readouterr()
    assert [line.split("  ")[-1] for line in out.splitlines()[1:7]] == lines and "Covered" in out


def test_prompts_that_mean_something_to_a_form_stay_prompts(files: Path) -> None:
    texts = ["=1+1", "a\nb", "*bold* | <i>", "x\ry", *TEXTS[4:]]
    with Path("p.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["prompt"], *([text] for text in texts)])
    for name in ("a.txt", "a.csv", "a.json", "a.md"):
        assert run("-o", name, prompts="p.csv", count=80) == 0
    lines = Path("a.txt").read_text(encoding="utf-8").split("\n")
    assert len(lines) == 81 and {"=1+1", "a b", "x y"} <= set(lines)
    rows = list(csv.DictReader(io.StringIO(Path("a.csv").read_text(encoding="utf-8"), newline="")))
    assert len(rows) == 80 and {"'=1+1", "a\nb"} <= {row["prompt"] for row in rows}
    assert {"=1+1", "a\nb"} <= {
        row["prompt"] for row in json.loads(Path("a.json").read_text("utf-8"))["prompts"]
    }
    assert r"\*bold\* \| \<i\>" in Path("a.md").read_text(encoding="utf-8")


def test_a_project_of_annotation_takes_what_was_chosen(files: Path) -> None:
    """The prompts are found again by their key, whatever line ends stood in them."""
    pytest.importorskip("sqlalchemy")
    from imagereward_lab.annotation.project.candidates import LeftOut
    from imagereward_lab.annotation.project.new import read_prompts

    texts = ["a fox\nat night", "a\u2028bird", *TEXTS[2:]]
    Path("p.csv").write_text("prompt\n" + "".join(f'"{text}"\n' for text in texts), encoding="utf-8")
    keys = {prompt_key(text) for text in texts}
    for name in ("a.txt", "a.csv"):
        assert run("-o", name, prompts="p.csv", count=80) == 0
        left_out = LeftOut()
        assert read_prompts(Path(name), left_out).keys() == keys and not left_out.counts


def test_results_of_this_program_are_replaced_and_no_others(
    files: Path, capsys: pytest.CaptureFixture
) -> None:
    for name in ("a.csv", "a.json", "a.jsonl", "a.md"):
        assert run("-o", name) == 0 and written_by_us(name) and run("-o", name, count=7) == 0
        with Path(name).open("a", encoding="utf-8") as stream:
            stream.write("mine\n")
        assert not written_by_us(name) and run("-o", name) == 2
        assert "was not written by this program" in capsys.readouterr().err
        assert run("-o", name, "--overwrite") == 0 and "mine" not in Path(name).read_text(encoding="utf-8")
    assert run("-o", "prompts.txt") == 2  # a text of prompts may be anybody's
    assert Path("prompts.txt").read_text(encoding="utf-8").splitlines() == TEXTS


def test_a_map_is_drawn_and_never_replaces_a_picture(files: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("matplotlib")
    assert run("-o", "a.txt", "--map", "map.svg", "--work", "work") == 0
    texts = [each.text or "" for each in ElementTree.parse("map.svg").iter()]
    assert "Drew map.svg; its two directions show" in capsys.readouterr().err
    assert ElementTree.parse("map.svg").getroot().tag.endswith("svg") and texts
    assert run("-o", "b.txt", "--map", "map.png", "--work", "work") == 0
    assert Path("map.png").read_bytes()[:4] == b"\x89PNG"
    for name, said in (
        ("map.png", "is there already, and pictures are never replaced"),
        ("map.gif", "ends in .svg or .png"),
        ("there/map.svg", "there is no folder"),
    ):
        assert run("-o", "c.txt", "--map", name, "--overwrite") == 2
        assert said in capsys.readouterr().err and not Path("c.txt").exists()


def test_work_is_kept_and_used_again(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("-o", "a.txt", "--work", "work") == 0
    kept = {each.name: each.stat().st_mtime_ns for each in Path("work").glob("*.npy")}
    assert {name.partition("-")[0] for name in kept} == {"vectors", "graph"}
    assert run("-o", "b.txt", "--work", "work", count=9) == 0
    assert {each.name: each.stat().st_mtime_ns for each in Path("work").glob("*.npy")} == kept
    few, many = (Path(name).read_text(encoding="utf-8").splitlines() for name in ("a.txt", "b.txt"))
    assert many[:6] == few
    assert run("-o", "c.txt", "--work", "work", "--half") == 0
    sizes = sorted(each.stat().st_size for each in Path("work").glob("vectors-*.npy"))
    assert len(sizes) == 2 and sizes[0] - 128 == (sizes[1] - 128) / 2
    prompts = Path("prompts.txt").read_text(encoding="utf-8").replace("prompt 7\n", "prompt seven\n")
    Path("other.txt").write_text(prompts, encoding="utf-8")
    np.save("w.npy", clustered(80, clusters=6, seed=1))
    assert run("-o", "d.txt", "--work", "work", vectors="w.npy") == 0
    assert len(list(Path("work").glob("graph-*.npy"))) == 3


def test_without_a_folder_nothing_stays_behind(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(files / "tmp"))
    (files / "tmp").mkdir()
    assert run("-o", "a.txt") == 0
    assert not list((files / "tmp").iterdir())


def test_left_out_rows_are_told_by_the_exit_code(files: Path, capsys: pytest.CaptureFixture) -> None:
    Path("prompts.txt").write_text("\n".join([*TEXTS[:-1], "x" * 100_010, TEXTS[-1]]), encoding="utf-8")
    assert run("-o", "a.txt") == 1
    assert "left out: prompts.txt, line 80" in capsys.readouterr().err
    assert len(Path("a.txt").read_text(encoding="utf-8").splitlines()) == 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--count", "81"], "--count 81: found 80 different prompts"),
        (["--count", "0"], "0 is not 1 or more"),
        (["--groups", "7"], "--groups 7: with 6 prompts"),
        (["--vectors", "missing.npy"], "no such file"),
        (["--work", "full"], "is no folder of such work"),
        (["-o", "missing/a.txt"], "there is no folder"),
        (["-o", "a.png"], "a picture's name"),
        (["-o", "a.xls"], "no results in the form .xls"),
        (["--model", "full"], "not allowed with"),
        (["--column", "x"], "no columns"),
        (["--encoding", "x"], "no such encoding"),
        (["-k", "0"], "0 is not 1 or more"),
    ],
)
def test_what_is_wrong_is_told_at_once(
    arguments: list[str], said: str, files: Path, capsys: pytest.CaptureFixture
) -> None:
    Path("full").mkdir()
    Path("full", "mine").write_text("mine")
    assert run(*arguments) == 2
    assert said in capsys.readouterr().err
    assert sorted(each.name for each in Path().iterdir()) == ["full", "prompts.txt", "v.npy"]


def test_nan_is_told_and_nothing_is_written(files: Path, capsys: pytest.CaptureFixture) -> None:
    vectors = np.load("v.npy")
    vectors[41, 3] = np.nan
    np.save("v.npy", vectors)
    assert run("-o", "a.txt") == 2
    assert "v.npy, row 42: found NaN or infinity" in capsys.readouterr().err and not Path("a.txt").exists()


def test_a_network_in_no_folder_is_told(files: Path, capsys: pytest.CaptureFixture) -> None:
    Path("full").mkdir()
    assert main(["select-prompts", "prompts.txt", "--count", "3", "--model", "full"]) == 2
    assert (
        "found no config.json; expected the folder of a sentence-transformers model"
        in capsys.readouterr().err
    )
