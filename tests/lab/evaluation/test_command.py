"""The command, from rankings and pictures to figures in every form, with the demo model."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from imagereward_core.cli.main import main
from imagereward_core.report.own_results import written_by_us
from imagereward_lab.figures import drawings
from imagereward_lab.figures.write import FORMS
from tests.support.command import Outcome
from tests.support.lab.scored_rankings import drawn_folder


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Runs the command in this process, away from this machine's weights."""
    monkeypatch.delenv("IMAGEREWARD_MODELS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    def call(*arguments):
        capsys.readouterr()
        code = main(["evaluate", *(str(argument) for argument in arguments), "--resamples", "100"])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def file(tmp_path):
    return drawn_folder(tmp_path / "data", annotators=("ann", "bob"))


def test_rankings_that_a_scorer_may_have_learnt_from_are_told(run, file):
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for number, line in enumerate(lines):
        line["split"] = "train" if number else "test"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert (
        f"{len(lines) - 1} rankings of {len(lines)} are of the split 'train'" in run(file, "-s", "demo").err
    )
    assert "of the split" not in run(file, "-s", "demo", "--split", "test").err


def test_figures_are_those_of_the_scores_that_score_prints(run, file, capsys):
    """The same pictures with the same prompts have the same numbers as with ``imagereward score``."""
    done = run(file, "-s", "demo", "-f", "json", "--scores", file.parent / "scores.jsonl")
    assert done.code == 0
    lines = [json.loads(line) for line in (file.parent / "scores.jsonl").read_text().splitlines()]
    first = lines[0]
    main(
        [
            "score",
            *(str(file.parent / name) for name in first["images"]),
            "-s",
            "demo",
            "-p",
            first["prompt"],
            "--raw-prompt",
            "-f",
            "json",
        ]
    )
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert first["scores"]["demo"] == pytest.approx([row["score"] for row in rows], abs=1e-5)
    right = total = 0
    for line in lines:
        numbers, ranks = line["scores"]["demo"], line["ranks"]
        for i in range(len(ranks)):
            for j in range(len(ranks)):
                if ranks[i] < ranks[j]:
                    total, right = total + 1, right + (numbers[i] > numbers[j])
    (found,) = [
        row for row in done.document["figures"] if row["section"] == "accuracy" and row["measure"] == "pairs"
    ]
    assert found["value"] == pytest.approx(right / total) and found["count"] == total > 20


def test_a_picture_is_scored_once_however_many_people_ranked_it(run, file, monkeypatch):
    from imagereward_core.scorers.panel import Panel

    shown = []
    before = Panel.score
    monkeypatch.setattr(
        Panel, "score", lambda self, images, *rest: (shown.extend(images), before(self, images, *rest))[1]
    )
    assert run(file, "-s", "demo", "-q").code == 0
    assert len(shown) == 20 == len({str(each) for each in shown})


def test_a_missing_and_a_broken_picture_are_rows_with_a_reason_and_the_rest_goes_on(run, file):
    (file.parent / "0_0.png").unlink()
    (file.parent / "1_1.png").write_bytes(b"")
    text = file.read_text().replace('"2_2.png"', '"../2_2.png"')
    file.write_text(text)
    done = run(file, "-s", "demo", "-f", "json")
    reasons = {row["image"]: row["reason"] for row in done.document["not_scored"]}
    assert done.code == 1 and {"0_0.png", "1_1.png"} <= set(reasons)
    assert "no such file" in reasons["0_0.png"]
    assert "What people said about them is in no figure" in done.err
    assert all(row["value"] is None or 0 <= row["value"] <= 100 for row in done.document["figures"])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_known_as_ours_until_somebody_adds_to_it(run, file, tmp_path, form):
    target = tmp_path / f"out.{'txt' if form == 'table' else 'md' if form == 'markdown' else form}"
    assert run(file, "-s", "demo", "-o", target).code == 0
    assert written_by_us(target)
    assert run(file, "-s", "demo", "-o", target, "-q").code == 0, "ours may be replaced"
    own = target.read_bytes()
    target.write_bytes(own + b"my notes\n")
    assert not written_by_us(target)
    refused = run(file, "-s", "demo", "-o", target)
    assert refused.code == 2 and "was not written by this program" in refused.err
    assert target.read_bytes() == own + b"my notes\n"


def test_somebody_s_change_in_a_text_for_people_makes_it_theirs(run, file, tmp_path):
    target = tmp_path / "out.md"
    run(file, "-s", "demo", "-o", target)
    target.write_text(target.read_text(encoding="utf-8").replace("demo", "mine", 1), encoding="utf-8")
    assert not written_by_us(target)
    scores = tmp_path / "scores.jsonl"
    run(file, "-s", "demo", "--scores", scores)
    assert written_by_us(scores)
    scores.write_text(scores.read_text().replace('"annotator"', '"by"', 1))
    assert not written_by_us(scores)


def test_all_forms_say_the_same(run, file):
    document = run(file, "-s", "demo", "-f", "json").document
    lines = [json.loads(line) for line in run(file, "-s", "demo", "-f", "jsonl").out.splitlines()]
    table = list(csv.DictReader(io.StringIO(run(file, "-s", "demo", "-f", "csv").out)))
    assert document["schema_version"] == 1 and document["kind"] == "evaluation"
    assert lines == document["figures"] and len(table) == len(lines)
    for row, line in zip(table, lines):
        assert (float(row["value"]) if row["value"] else None) == line["value"]
        assert row["measure"] == line["measure"]


def test_the_page_is_one_file_with_figures_drawings_and_pictures(run, file, tmp_path):
    pytest.importorskip("matplotlib")
    page = tmp_path / "page.html"
    assert run(file, "-s", "demo", "--html", page, "--sheet", 2).code == 0
    text = page.read_text(encoding="utf-8")
    assert written_by_us(page)
    assert "data:image/svg+xml;base64," in text
    assert text.count('class="figures sheet"') == 2 and text.count("<figcaption>") == 6
    assert not re.search(r'(?:src|href)="(?!data:|#)', text), "nothing is loaded from elsewhere"
    assert "script-src 'none'" in text and " style=" not in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert data["kind"] == "evaluation" and data["figures"]


def test_without_matplotlib_the_page_has_tables_and_says_why(run, file, tmp_path, monkeypatch):
    monkeypatch.setattr("imagereward_lab.figures.page.can_draw", lambda: False)
    page = tmp_path / "page.html"
    assert run(file, "-s", "demo", "--html", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert "svg+xml" not in text and "pip install" in text and "<table>" in text


def test_drawings_are_equal_for_equal_figures_and_take_any_text():
    pytest.importorskip("matplotlib")
    from imagereward_lab.figures.document import Drawing

    drawing = Drawing(
        "bars",
        "$x_1$ <b> & 写真 \x1b[31m",
        "a$",
        "b",
        ["$a", "</svg>"],
        {"one": [1.0, float("nan")], "two": [2.0, 3.0]},
        1.5,
    )
    text = drawings.svg(drawing)
    assert text == drawings.svg(drawing)
    assert "\x1b" not in text and "<b>" not in text and text.count("</svg>") == 1


def test_a_title_is_broken_into_lines_that_fit():
    title = "Places of the picture that people like least, of 5 (10 rankings)"
    text = drawings.svg(drawings.Drawing("bars", title, "place", "%", ("1", "2"), {"demo": (1.0, 2.0)}))
    assert title not in text.replace("<!-- " + title, "") and "of 5 (10 rankings)" in text


def test_names_of_others_are_escaped_on_the_page_and_harmless_in_tables(run, file, tmp_path):
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        line["category"] = '=cmd|"<script>alert(1)</script>'
        line["annotator"] = f"{line['annotator']}<i>|`"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = tmp_path / "page.html"
    done = run(file, "-s", "demo", "--html", page, "-f", "csv")
    assert "<script>alert" not in page.read_text(encoding="utf-8")
    groups = {row["group"] for row in csv.DictReader(io.StringIO(done.out))}
    assert not [group for group in groups if group.startswith("=")]
    markdown = run(file, "-s", "demo", "-f", "markdown").out
    assert "<script>" not in markdown and "\\|" in markdown


def test_blends_are_evaluated_and_named_members_stand_beside(run, file):
    done = run(file, "-s", "demo=1@standard", "-f", "json")
    scorers = {row["scorer"] for row in done.document["figures"] if row["section"] == "accuracy"}
    assert len(scorers) == 2 and "demo" in scorers and any(name.startswith("blend:") for name in scorers)


def test_splits_choose_what_is_reported_and_where_weights_are_found(run, file):
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        line["split"] = "test" if line["id"].startswith(("0", "1")) else "validation"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    only = run(file, "-s", "demo", "-f", "json", "--split", "test").document
    assert only["facts"]["prompts"] == 2
    apart = run(file, "-s", "demo", "-f", "json", "--tune-on", "validation").document
    assert apart["facts"]["prompts"] == 2
    same = run(file, "-s", "demo", "--split", "test", "--tune-on", "test")
    assert same.code == 2 and "expected two splits" in same.err
    none = run(file, "-s", "demo", "--split", "nothing")
    assert none.code == 2 and "test, validation" in none.err


def test_a_prompt_in_both_splits_is_refused(run, file):
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for number, line in enumerate(lines):
        line["split"] = "test" if number % 2 else "validation"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run(file, "-s", "demo", "--split", "test", "--tune-on", "validation")
    assert done.code == 2 and "expected splits by prompt" in done.err


def test_what_cannot_be_measured_is_said_before_anything_is_scored(run, file, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "imagereward_lab.evaluation.scoring.score_rankings", lambda *_: pytest.fail("scored all the same")
    )
    level = tmp_path / "data" / "level.jsonl"
    level.write_text(json.dumps({"prompt": "p", "images": ["0_0.png", "0_1.png"], "ranks": [1, 1]}) + "\n")
    done = run(level, "-s", "demo")
    assert done.code == 2 and "nothing to agree with" in done.err
    assert run(tmp_path / "nowhere.jsonl", "-s", "demo").code == 2
    assert run(file, "-s", "demo", "--sheet", 3).code == 2
    assert run(file, "-s", "demo", "-o", tmp_path / "no" / "a.csv").code == 2
    assert run(file, "-s", "demo", "-o", file).code == 2, "the rankings themselves are not replaced"
    assert run(file, "-s", "demo", "--confidence", "20").code == 2


def test_ctrl_c_prints_what_was_scored_and_says_so(run, file, monkeypatch):
    import signal

    from imagereward_core.cli import batches
    from imagereward_core.scorers.panel import Panel

    monkeypatch.setattr(batches, "_FIRST", 5)
    monkeypatch.setattr(batches, "_LEAST", 5)
    monkeypatch.setattr(batches, "_MOST", 5)
    before, calls = Panel.score, []

    def score(self, *rest):
        calls.append(1)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return before(self, *rest)

    monkeypatch.setattr(Panel, "score", score)
    done = run(file, "-s", "demo", "-f", "json")
    assert done.code == 130
    assert any("stopped before all pictures" in text for text in done.document["warnings"])
    assert {row["reason"] for row in done.document["not_scored"]} == {"stopped before its turn"}
    assert any(row["value"] is not None for row in done.document["figures"])
