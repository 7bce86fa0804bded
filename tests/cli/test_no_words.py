"""What counts as a prompt, in every command alike, and what a picture without one is told as."""

from __future__ import annotations

import pytest

from imagereward_core.errors import UnknownScorerError
from imagereward_core.metadata.prompt_finder import PromptFinder
from imagereward_core.model import load
from tests.support.command import SETTINGS, save_picture

CURATE = ("curate", "-s", "demo", "--top", "1", "-n", "-f", "json")


@pytest.fixture
def batch(tmp_path):
    for number in range(2):
        save_picture(tmp_path / "batch" / f"{number}.png", (90 * number, 120, 200), ", ," + SETTINGS)
        (tmp_path / "batch" / f"{number}.txt").write_text("\u200b\u2060", encoding="utf-8")
    return tmp_path / "batch"


@pytest.mark.parametrize("prompt", ["", " ", "\u200b", ", ,", "<lora:x:1>"])
def test_a_prompt_without_words_is_wrong_usage_in_every_command(run, batch, prompt):
    for command in (("score", "-s", "demo"), CURATE):
        done = run(*command, batch, "--prompt", prompt)
        assert done.code == 2 and "holds no words" in done.err


@pytest.mark.parametrize("raw", [False, True])
def test_what_cannot_be_read_is_no_prompt(batch, raw):
    for text in ("\u200b", ", ,", "\u0301", "(( ))"):
        assert PromptFinder(text, raw=raw)(batch / "0.png").problem
    for text in ("1girl", "\N{FOX FACE}", "赤い狐"):
        assert PromptFinder(text, raw=raw)(batch / "0.png").given == text


def test_a_picture_without_a_score_is_neither_kept_nor_rejected(run, batch):
    """Also in the report, which tells why where nothing has a score."""
    done = run(*CURATE, batch)
    assert done.code == 1 and all(each["sorted_as"] is None for each in done.document["pictures"])
    assert all(each["reason"].startswith("no score: ") for each in done.document["pictures"])
    report = run("report", batch)
    assert report.code == 0 and "0 of 2 pictures scored" in report.err
    assert report.out.count("no prompt") + report.out.count("no words") == 2


def test_a_report_has_the_rules_of_curate(run, tmp_path):
    for number in range(4):
        save_picture(tmp_path / "batch" / f"{number}.png", (60 * number, 120, 200), "a red star" + SETTINGS)
    batch = tmp_path / "batch"
    run("stars", batch, "--set", "5", batch / "0.png")
    rule = ("--buckets", "great=25,good=25", "--buckets-by", "share", "--keep-stars", "4")
    plan = run("curate", "-s", "demo", "-n", "-f", "json", batch, *rule).document["pictures"]
    table = tmp_path / "rows.json"
    assert run("report", batch, *rule, "--json", table).code == 0
    import json

    rows = json.loads(table.read_text())["rows"]
    assert {row["file"]: row["bucket"] for row in rows} == {each["file"]: each["sorted_as"] for each in plan}
    assert len({row["bucket"] for row in rows}) == 3


@pytest.mark.parametrize("name", ["x" * 5000, "z" * 5000 + ".safetensors", "a\0b.pt"])
def test_a_name_that_no_file_can_have_is_no_scorer(name):
    with pytest.raises(UnknownScorerError) as caught:
        load(name)
    assert len(str(caught.value)) < 1000
