"""The command, from folders of pictures to figures, with the demo model: a generator that spoils its pictures loses."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from PIL import Image

from imagereward_core.cli.main import main
from imagereward_core.report.own_results import written_by_us
from tests.support.command import Outcome
from tests.support.lab.generators import draw_generators


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Runs the command in this process, away from this machine's weights."""
    monkeypatch.delenv("IMAGEREWARD_MODELS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    def call(*arguments, scorer=True):
        capsys.readouterr()
        options = ["-s", "demo", "--resamples", "100"] if scorer else ["--resamples", "100"]
        code = main(["compare-models", *(str(argument) for argument in arguments), *options])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def folder(tmp_path):
    draw_generators(tmp_path / "g", prompts=8)
    return tmp_path / "g"


@pytest.mark.parametrize("option", ["--table", "--benchmark", "--human"])
def test_text_that_is_not_utf_8_is_told_and_utf_16_of_spreadsheets_is_read(run, folder, tmp_path, option):
    names = sorted(each.name for each in (folder / "good").iterdir() if each.suffix == ".png")
    texts = {
        "--table": "path,prompt\n" + "".join(f"{name},ein gr\xfcner Stern\n" for name in names),
        "--benchmark": json.dumps([{"id": "x", "prompt": "ein gr\xfcner Stern"}], ensure_ascii=False),
        "--human": "good\nnoisy\xfc\n",
    }
    given = tmp_path / "given"
    given.write_bytes(texts[option].encode("latin-1"))
    done = run(folder / "good", folder / "noisy", option, given)
    assert done.code == 2 and ("not UTF-8" in done.err or "none of the generators" in done.err)
    if option == "--table":
        given.write_bytes(texts[option].encode("utf-16"))
        scores = tmp_path / "scores.jsonl"
        assert run(folder / "good", folder / "noisy", option, given, "--scores", scores).code == 0
        assert json.loads(scores.read_text(encoding="utf-8"))["prompt"] == "ein gr\xfcner Stern"


@pytest.mark.parametrize("second", ["a.png,p,B", "./a.png,p,B", "a.png,q,A"])
def test_a_table_that_gives_one_picture_to_two_is_refused(run, tmp_path, second):
    table = tmp_path / "t.csv"
    table.write_text(f"path,prompt,generator\na.png,p,A\n{second}\nb.png,p,B\n", encoding="utf-8")
    done = run("--table", table)
    assert done.code == 2 and "expected every picture once" in done.err


def test_a_picture_without_a_prompt_is_told_once_with_what_helps_here(run, folder):
    (folder / "good" / "empty.png").touch()
    Image.new("RGB", (8, 8)).save(folder / "good" / "plain.png")
    done = run(folder / "good", folder / "noisy")
    told = [line for line in done.err.splitlines() if line.startswith("left out: ")]
    assert len(told) == 2 and all(line.count(".png") == 1 for line in told)
    assert "Give one in a --table" in done.err and "--prompt" not in done.err


def figures(document, section, measure):
    return {
        (row["scorer"], row["group"], row["against"]): row
        for row in document["figures"]
        if row["section"] == section and row["measure"] == measure
    }


def test_a_generator_that_spoils_its_pictures_loses_and_figures_are_those_of_score(run, folder, capsys):
    scores = folder / "scores.jsonl"
    done = run(folder / "good", folder / "noisy", "-f", "json", "--scores", scores)
    assert done.code == 0 and done.document["kind"] == "comparison of generators"
    means = figures(done.document, "scores", "mean")
    ranks = figures(done.document, "scores", "rank")
    assert ranks["demo", "good", ""]["value"] == 1 and ranks["demo", "noisy", ""]["value"] == 2
    assert any("good is better than noisy" in text for text in done.document["sentences"]["comparisons"])
    main(["score", str(folder / "good"), "-s", "demo", "-f", "json"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert means["demo", "good", ""]["value"] == pytest.approx(
        sum(row["score"] for row in rows) / 16, abs=1e-5
    )
    lines = [json.loads(line) for line in scores.read_text().splitlines()]
    wins = sum(max(line["scores"]["demo"][:2]) > max(line["scores"]["demo"][2:]) for line in lines)
    assert figures(done.document, "scores", "wins")["demo", "good", ""]["value"] == wins == 8
    assert written_by_us(scores)


def test_equal_generators_cannot_be_told_apart_and_the_number_of_prompts_is_named(run, tmp_path):
    draw_generators(tmp_path / "g", ("good", "other"), prompts=8, pictures=1)
    done = run(tmp_path / "g/good", tmp_path / "g/other", "-f", "json")
    (sentence,) = done.document["sentences"]["comparisons"]
    assert (
        "cannot be told apart with this many pictures" in sentence and "prompts would be needed" in sentence
    )
    needed = figures(done.document, "comparisons", "prompts needed")["demo", "good", "other"]
    assert needed["value"] > 8 and needed["count"] == 8


def test_file_names_of_the_benchmark_and_a_table_give_what_metadata_give(run, tmp_path):
    prompts = draw_generators(tmp_path / "g", prompts=3)
    draw_generators(tmp_path / "plain", prompts=3, metadata=False)
    folders = [tmp_path / "plain/good", tmp_path / "plain/noisy"]
    expected = run(tmp_path / "g/good", tmp_path / "g/noisy", "-f", "csv").out
    assert expected.count("\n") > 20
    refused = run(*folders)
    assert refused.code == 2 and "no prompt has pictures of all 2 generators" in refused.err
    assert "--table or --benchmark" in refused.err
    assert run(*folders, "-f", "csv", "--benchmark", tmp_path / "plain/prompts.json").out == expected
    inside = tmp_path / "inside.csv"
    with inside.open("w", newline="") as file:
        rows = [(f"{at}_{k}.png", prompt) for at, prompt in prompts.items() for k in range(2)]
        csv.writer(file).writerows([("path", "prompt"), *rows])
    assert run(*folders, "-f", "csv", "--table", inside).out == expected
    whole = tmp_path / "plain/whole.csv"
    with whole.open("w", newline="") as file:
        named = [(f"{g}/{path}", prompt, g) for g in ("good", "noisy") for path, prompt in rows]
        csv.writer(file).writerows([("path", "prompt", "generator"), *named])
    assert run("-f", "csv", "--table", whole).out == expected
    both = run(*folders, "--table", whole)
    assert both.code == 2 and "leave out the folders" in both.err


def test_what_does_not_match_is_told_with_its_reason_and_counted(run, folder):
    (folder / "good/000-a_0.png").unlink()
    (folder / "good/000-a_1.png").unlink()
    (folder / "noisy/stranger.png").write_bytes((folder / "noisy/001-a_0.png").read_bytes())
    (folder / "noisy/001-a_1.png").write_bytes(b"")
    done = run(folder / "good", folder / "noisy", "-f", "json", "--benchmark", folder / "prompts.json")
    assert done.code == 1
    reasons = {row["image"].rpartition("/")[2]: row["reason"] for row in done.document["not_scored"]}
    assert reasons.keys() == {"stranger.png", "001-a_1.png"}
    assert "has no id of prompts.json" in reasons["stranger.png"] and "stranger.png" in done.err
    facts = done.document["facts"]
    assert facts["prompts"] == 7 and facts["prompts that only some have"] == 1
    assert any("good lacks 1" in text and "2 pictures" in text for text in done.document["warnings"])
    assert any("equally many of each" in text for text in done.document["sentences"]["scores"])


def test_the_order_of_people_is_compared(run, tmp_path):
    draw_generators(tmp_path / "g", ("good", "noisy", "blurred"), prompts=3, pictures=1)
    folders = [tmp_path / "g" / name for name in ("good", "noisy", "blurred")]
    order, table = tmp_path / "order.txt", tmp_path / "wins.csv"
    document = run(*folders, "-f", "json").document
    ranks = {row["group"]: row["value"] for row in document["figures"] if row["measure"] == "rank"}
    names = sorted(ranks, key=ranks.__getitem__)
    order.write_text("\n".join(names).upper() + "\n")
    table.write_text(f"generator;wins\n{names[0]};1\n{names[1]};2\n{names[2]};30\n")
    for file, value, chance in ((order, 1.0, 1 / 6), (table, -1.0, 1.0)):
        found = run(*folders, "-f", "json", "--human", file).document
        assert figures(found, "human", "spearman")["demo", "", ""]["value"] == pytest.approx(value)
        assert figures(found, "human", "p")["demo", "", ""]["value"] == pytest.approx(chance)
    order.write_text("good\nnobody\n")
    wrong = run(*folders, "--human", order)
    assert wrong.code == 2 and "'nobody' is none of the generators" in wrong.err


def test_the_page_has_boxes_and_pictures_side_by_side(run, folder):
    pytest.importorskip("matplotlib")
    page = folder / "page.html"
    assert run(folder / "good", folder / "noisy", "--html", page, "--sheet", 2).code == 0
    text = page.read_text(encoding="utf-8")
    assert written_by_us(page) and "imagereward compare-models" in text
    assert text.count('class="figures sheet"') == 2 and text.count("<figcaption>good: ") == 2
    assert "data:image/svg+xml;base64," in text
    assert not re.search(r'(?:src|href)="(?!data:|#)', text), "nothing is loaded from elsewhere"


def test_every_form_says_the_same_and_is_known_as_ours(run, folder, tmp_path):
    document = run(folder / "good", folder / "noisy", "-f", "json").document
    table = list(csv.DictReader(io.StringIO(run(folder / "good", folder / "noisy", "-f", "csv").out)))
    assert [row["measure"] for row in table] == [row["measure"] for row in document["figures"]]
    for ending in ("json", "csv", "md", "txt", "jsonl"):
        target = tmp_path / f"out.{ending}"
        assert run(folder / "good", folder / "noisy", "-o", target, "-q").code == 0
        assert written_by_us(target)


def test_names_of_folders_tell_generators_apart(run, tmp_path):
    draw_generators(tmp_path / "a/out", ("good", "noisy"), prompts=2, pictures=1)
    (tmp_path / "b").mkdir()
    (tmp_path / "a/out/noisy").rename(tmp_path / "b/good")
    first, second = tmp_path / "a/out/good", tmp_path / "b/good"
    facts = run(first, second, "-f", "json").document["facts"]
    assert facts["generators"] == ["out/good", "b/good"]
    assert run(f"new={first}", f"old={second}", "-f", "json").document["facts"]["generators"] == [
        "new",
        "old",
    ]
    for arguments, text in (
        ((first,), "found one folder"),
        ((first, first), "given twice"),
        ((f"x={first}", f"x={second}"), "called 'x'"),
        ((first, tmp_path / "nowhere"), "no such folder"),
        ((tmp_path / "a", first, "-r"), "lie within one another"),
        ((first, second, "--sheet", 2), "--html"),
        ((first, second, "--images", first), "--images goes with a table"),
        ((first, tmp_path), "no picture was found"),
    ):
        done = run(*arguments)
        assert done.code == 2 and text in done.err, (arguments, done.err)


@pytest.mark.parametrize(
    ("name", "content", "option", "text"),
    [
        ("p.json", "{}", "--benchmark", "expected a list such as"),
        ("p.json", '[{"id": 1}]', "--benchmark", "item 0: prompt: found nothing"),
        ("p.json", "[", "--benchmark", "found no JSON"),
        ("t.csv", "file,words\na,b\n", "--table", "expected path, prompt"),
        ("t.csv", "path,prompt\na.png,\n", "--table", "line 2: prompt: found no words"),
        ("t.csv", "path,prompt\na.png,x\na.png,y\n", "--table", "two different prompts"),
        ("h.txt", "good\n", "--human", "found 1 generator"),
        ("h.txt", "good,many\nnoisy,2\n", "--human", "found 'many' as the wins of good"),
    ],
)
def test_lists_of_strangers_that_are_wrong_say_where(run, tmp_path, name, content, option, text):
    draw_generators(tmp_path / "g", prompts=1, pictures=1)
    (tmp_path / name).write_text(content)
    done = run(tmp_path / "g/good", tmp_path / "g/noisy", option, tmp_path / name)
    assert done.code == 2 and text in done.err and name in done.err


def test_a_table_leads_out_of_its_folder_nowhere(run, tmp_path):
    draw_generators(tmp_path / "g", prompts=1, pictures=1)
    table = tmp_path / "g/noisy/t.csv"
    table.write_text("path,prompt,generator\n../good/000-a_0.png,x,a\n000-a_0.png,x,b\n")
    done = run("--table", table)
    assert done.code == 2 and "leads out of the folder" in done.err
    assert run("--table", table, "--images", tmp_path / "g").code == 2


def test_a_stopped_run_tells_what_was_scored_and_writes_no_task(run, folder, tmp_path, monkeypatch):
    import signal

    from imagereward_core.cli import batches
    from imagereward_core.scorers.panel import Panel

    for name in ("_FIRST", "_LEAST", "_MOST"):
        monkeypatch.setattr(batches, name, 10)
    before, calls = Panel.score, []

    def score(self, *rest):
        calls.append(1)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return before(self, *rest)

    monkeypatch.setattr(Panel, "score", score)
    done = run(folder / "good", folder / "noisy", "-f", "json", "--export-task", tmp_path / "task")
    assert done.code == 130 and "No task was written" in done.err
    assert not (tmp_path / "task").exists() and not (tmp_path / "task.key.json").exists()
    assert 0 < done.document["facts"]["prompts"] < 8
    assert {row["reason"] for row in done.document["not_scored"]} == {"stopped before its turn"}


def test_scorers_compare_generators_on_the_pictures_that_all_have_scored(run, folder):
    """A blend and its member stand side by side, each with its own comparisons."""
    done = run(folder / "good", folder / "noisy", "-f", "json", "--also", "demo=1@standard")
    scorers = {row["scorer"] for row in done.document["figures"] if row["section"] == "comparisons"}
    assert len(scorers) == 2 and len(done.document["sentences"]["comparisons"]) == 2
