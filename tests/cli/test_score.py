from __future__ import annotations

import csv
import io
import json
import math
import signal

import pytest

from imagereward_core.cli import batches
from imagereward_core.cli.output.write import COLUMNS
from tests.support.command import SETTINGS, save_picture

FIELDS = {
    "file",
    "score",
    "percentile",
    "rank",
    "rank_in_prompt",
    "scored_in_prompt",
    "kept",
    "reason",
    "prompt",
    "prompt_cut",
    "prompt_written",
    "prompt_source",
    "notes",
    "disputed",
    "beside",
    "beside_reason",
}


def test_every_picture_has_a_row_in_input_order_and_bad_ones_a_reason(run, folder):
    done = run("score", folder, folder / "nowhere.png", "--scorer", "demo", "--format", "json")
    names = ["2 inside.png", "3 beside.png", "4 bare.png", "5 broken.png", "10 inside.png", "nowhere.png"]
    assert [row["file"] for row in done.rows] == [str(folder / name) for name in names]
    assert [row["score"] is not None for row in done.rows] == [True, True, False, False, True, False]
    assert all((row["score"] is None) == bool(row["reason"]) for row in done.rows)
    assert "no prompt" in done.rows[2]["reason"] and "no such file" in done.rows[5]["reason"]
    assert done.code == 1
    assert done.document["counts"] == {"pictures": 6, "scored": 3, "kept": 3}


def test_prompts_come_from_the_text_file_first_and_then_from_the_picture(run, folder):
    rows = run("score", folder, "-s", "demo", "-f", "json").rows
    found = {
        row["file"].rpartition("/")[2].rpartition("\\")[2]: (row["prompt"], row["prompt_source"])
        for row in rows
    }
    assert found["2 inside.png"] == ("a blue ring", "metadata")
    assert found["3 beside.png"] == ("a green cross", "sidecar")
    assert found["10 inside.png"] == ("a red star", "metadata")


@pytest.mark.parametrize(("source", "prompt"), [("sidecar", "a green cross"), ("metadata", "not this one")])
def test_one_source_of_prompts_can_be_asked_for(run, folder, source, prompt):
    picture = folder / "3 beside.png"
    assert (
        run("score", picture, "-s", "demo", "-f", "json", "--prompt-from", source).rows[0]["prompt"] == prompt
    )


def test_a_typed_prompt_goes_before_all_others_and_needs_no_metadata(run, folder):
    done = run("score", folder, "-s", "demo", "-f", "json", "--prompt", "a (big:1.1) star")
    assert {row["prompt"] for row in done.rows} == {"a big star"}
    assert {row["prompt_written"] for row in done.rows} == {"a (big:1.1) star"}
    assert [row["score"] is not None for row in done.rows] == [True, True, True, False, True]


def test_raw_prompts_reach_the_scorer_as_written(run, folder):
    rows = run("score", folder / "10 inside.png", "-s", "demo", "-f", "json", "--raw-prompt").rows
    assert rows[0]["prompt"] == rows[0]["prompt_written"] == "a (red:1.3) star <lora:x:0.5>"


def test_a_prompt_without_words_is_an_error_when_typed_and_a_reason_when_found(run, tmp_path):
    picture = save_picture(tmp_path / "a.png", (9, 9, 9), "<lora:x:0.5>" + SETTINGS)
    assert run("score", picture, "-s", "demo", "--prompt", " <lora:x:1> ").code == 2
    done = run("score", picture, "-s", "demo", "-f", "json")
    assert done.code == 1 and "no words" in done.rows[0]["reason"]


def test_the_part_of_a_prompt_that_was_cut_is_reported(run, folder):
    prompt = "a red star, " * 30
    done = run("score", folder / "2 inside.png", "-s", "demo", "-f", "json", "--prompt", prompt)
    assert done.rows[0]["prompt_cut"] and prompt.strip().endswith(done.rows[0]["prompt_cut"])
    assert "cut" in done.err
    table = run("score", folder / "2 inside.png", "-s", "demo", "--prompt", prompt)
    assert "Cut" in table.out.splitlines()[0] and "cut" in table.out.splitlines()[1]


def test_json_has_a_version_and_everything_needed_to_read_the_numbers(run, folder):
    document = run("score", folder / "2 inside.png", "-s", "demo", "-f", "json").document
    assert (
        document["schema_version"] == 1 and document["scorer"] == "demo" and len(document["revision"]) == 12
    )
    assert document["on_reference"] is True and document["rule"] is None
    assert {"title", "licence", "token_limit", "typical_range", "notes"} <= set(document["card"])
    assert set(document["rows"][0]) == FIELDS


def test_csv_and_jsonl_say_the_same_as_json(run, folder):
    rows = run("score", folder, "-s", "demo", "-f", "json").rows
    table = list(csv.DictReader(io.StringIO(run("score", folder, "-s", "demo", "-f", "csv").out)))
    lines = [json.loads(line) for line in run("score", folder, "-s", "demo", "-f", "jsonl").out.splitlines()]
    assert tuple(table[0]) == COLUMNS and set(lines[0]) == {*COLUMNS, "beside", "beside_reason"}
    for row, record, line in zip(rows, table, lines):
        assert {name: line[name] for name in FIELDS} == row
        assert record["file"] == row["file"] and record["reason"] == row["reason"]
        assert (float(record["score"]) if record["score"] else None) == row["score"]


def test_csv_keeps_quotes_line_ends_and_any_language(run, tmp_path):
    prompt = 'say "hi", 雪\nsecond line'
    picture = save_picture(tmp_path / "a,b 雪.png", (9, 9, 9), prompt + SETTINGS)
    out = run("score", picture, "-s", "demo", "-f", "csv", "--raw-prompt").out
    record = next(csv.DictReader(io.StringIO(out, newline="")))
    assert record["prompt"] == prompt and record["file"] == str(picture)
    assert not out.startswith("\ufeff")


def test_results_go_to_a_file_in_the_form_of_its_ending(run, folder, tmp_path):
    target = tmp_path / "out.jsonl"
    done = run("score", folder / "2 inside.png", "-s", "demo", "--output", target)
    assert done.out == "" and json.loads(target.read_text(encoding="utf-8"))["scorer"] == "demo"
    assert [path.name for path in tmp_path.iterdir() if "tmp" in path.name] == []


@pytest.mark.parametrize("option", ["--output", "--html"])
def test_a_file_that_cannot_be_written_is_found_before_the_work(run, folder, tmp_path, option, monkeypatch):
    monkeypatch.setattr(
        "imagereward_core.cli.score_run.score_inputs", lambda *_: pytest.fail("scored all the same")
    )
    assert run("score", folder, "-s", "demo", option, tmp_path / "no" / "a.csv").code == 2
    assert run("score", folder, "-s", "demo", option, tmp_path).code == 2


def test_quiet_says_nothing_but_results(run, folder):
    done = run("score", folder / "2 inside.png", "-s", "demo", "--quiet")
    assert done.err == "" and done.out and done.code == 0


def test_messages_never_mix_with_results(run, folder):
    done = run("score", folder / "2 inside.png", "-s", "demo", "-f", "json")
    json.loads(done.out)
    assert "weights" in done.err


def test_whole_pictures_are_marked_as_off_reference_and_have_no_percentiles(run, folder):
    done = run("score", folder / "2 inside.png", "-s", "demo", "-f", "json", "--whole-picture")
    assert done.document["on_reference"] is False and done.rows[0]["percentile"] is None
    assert "off-reference" in done.err


def test_pieces_do_not_change_any_number(run, tmp_path, monkeypatch):
    for number in range(7):
        save_picture(
            tmp_path / "in" / f"{number}.png",
            (30 * number, 90, 200 - 20 * number),
            f"a ring {number % 2}" + SETTINGS,
        )
    (tmp_path / "in" / "3.png").write_bytes(b"broken")
    whole = run("score", tmp_path / "in", "-s", "demo", "-f", "json").document
    monkeypatch.setattr(batches, "_FIRST", 2)
    monkeypatch.setattr(batches, "_LEAST", 1)
    monkeypatch.setattr(batches, "_MOST", 2)
    pieces = run("score", tmp_path / "in", "-s", "demo", "-f", "json").document
    for one, other in zip(whole.pop("rows"), pieces.pop("rows")):
        assert math.isclose(one.pop("score") or 0, other.pop("score") or 0, abs_tol=1e-6)
        assert math.isclose(one.pop("percentile") or 0, other.pop("percentile") or 0, abs_tol=0.1)
        assert one == other
    assert whole == pieces


def test_ctrl_c_prints_what_is_done_and_says_so(run, tmp_path, monkeypatch):
    for number in range(5):
        save_picture(tmp_path / "in" / f"{number}.png", (30 * number, 90, 200), "a ring" + SETTINGS)
    monkeypatch.setattr(batches, "_FIRST", 2)
    monkeypatch.setattr(batches, "_MOST", 2)
    monkeypatch.setattr(batches, "_LEAST", 2)
    before = signal.getsignal(signal.SIGINT)
    find = batches.PromptFinder.__call__

    def press(self, picture):
        if picture.name == "3.png":
            signal.raise_signal(signal.SIGINT)
        return find(self, picture)

    monkeypatch.setattr("imagereward_core.cli.prompts.PromptFinder.__call__", press)
    done = run("score", tmp_path / "in", "-s", "demo", "-f", "json")
    assert done.code == 130
    assert [row["file"][-5:] for row in done.rows] == ["0.png", "1.png"]
    assert "stopped" in done.err.lower()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_stops_at_once(run, folder, monkeypatch):
    def press(self, picture):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("imagereward_core.cli.prompts.PromptFinder.__call__", press)
    done = run("score", folder, "-s", "demo")
    assert done.code == 130 and done.out == ""


def test_a_page_is_written_beside_the_results(run, folder, tmp_path):
    page = tmp_path / "pictures, 写真" / "page.html"
    done = run("score", folder, "-s", "demo", "--html", page)
    text = page.read_text(encoding="utf-8")
    assert done.out and "page.html" in done.err
    assert "a blue ring" in text and 'href="./2%20inside.png"' in text
