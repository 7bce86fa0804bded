"""What others have written (names, prompts, errors) never commands the terminal; data for programs stays what it is."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.cli import console as consoles
from imagereward_core.cli.console import Console
from imagereward_core.library.scan.progress import ScanProgress
from imagereward_core.plain import plain
from tests.support.command import SETTINGS, save_picture

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")

HOSTILE = "a\x1b[2J\x9b31m\u202egnp\x7f\nimagereward: all is well\r"
"""Clears the screen, colours it, turns the direction, and brings a line of its own."""
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def outputs(tmp_path):
    where = tmp_path / f"out{HOSTILE}"
    for number in range(2):
        save_picture(where / f"{number}{HOSTILE}.png", (90 * number, 40, 40), f"a {HOSTILE} star" + SETTINGS)
    (where / f"broken{HOSTILE}.png").write_bytes(b"no picture")
    return where


@pytest.mark.parametrize(
    "command",
    [
        ("score", "FOLDER", "-s", "demo"),
        ("rank", "FOLDER", "-s", "demo", "--top", "1"),
        ("curate", "FOLDER", "-s", "demo", "--top", "1"),
        ("curate", "FOLDER", "-s", "demo", "--top", "1", "--yes"),
        ("report", "FOLDER"),
        ("score", HOSTILE, "-s", "demo"),
        ("score", "FOLDER", "-s", HOSTILE),
        ("score", "FOLDER", "-s", f"demo=1@{HOSTILE}"),
        ("score", "FOLDER", "-s", "demo", "--debug", "-o", f"FOLDER/no{HOSTILE}/x"),
        ("rank", "FOLDER", "--top", HOSTILE),
        (HOSTILE,),
        ("models", "verify", f"{HOSTILE}.pt"),
        ("undo", "FOLDER"),
    ],
)
def test_no_command_commands_the_terminal(run, outputs, command):
    done = run(*(word.replace("FOLDER", str(outputs)) for word in command))
    assert done.out + done.err
    assert not COMMANDS.findall(done.out + done.err)
    assert "\nimagereward: all is well" not in done.out + done.err  # no line of somebody else's


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_data_for_programs_keeps_names_and_prompts(run, outputs, form):
    text = run("score", outputs, "-s", "demo", "-f", form).out
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    else:
        rows = (
            json.loads(text)["rows"] if form == "json" else [json.loads(line) for line in text.splitlines()]
        )
    assert {row["file"] for row in rows} == {str(path) for path in outputs.glob("*.png")}


@given(st.text())
def test_plain_text_shows_everything_and_obeys_nothing(text):
    shown = plain(text)
    assert not COMMANDS.findall(shown) and "\n" not in shown
    assert not [mark for mark in shown if unicodedata.category(mark) in ("Cc", "Cs", "Zl", "Zp")]
    if not any(unicodedata.category(mark) in ("Cc", "Cs", "Zl", "Zp", "Cf") for mark in text):
        assert shown == text


def test_a_log_line_of_a_package_is_one_line(capsys):
    with consoles.plain_streams():
        Console().complain(f"cannot read {HOSTILE}")
    assert capsys.readouterr().err.count("\n") == 1


class TestWithoutATerminal:
    """Lines about progress, one a minute, where nobody sees a bar."""

    @pytest.fixture
    def time(self, monkeypatch):
        now = [0.0]
        monkeypatch.setattr(consoles, "clock", lambda: now[0])
        return now

    def test_a_minute_says_one_line_with_the_rest(self, time, capsys):
        with Console().count(2000, "pictures") as report:
            for second in range(0, 600, 10):
                time[0] = second
                report(2 * second)
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 9 and lines[0] == "120 of 2,000 pictures (6%), about 16 min left"

    def test_a_short_run_says_nothing(self, time, capsys):
        with Console().count(20, "pictures") as report:
            for second in range(20):
                time[0] = second
                report(second)
        assert not capsys.readouterr().err

    def test_a_scan_says_what_it_looks_for_and_what_failed(self, time, capsys):
        with Console().scan() as report:
            time[0] = 61.0
            report(ScanProgress(found=1234))
            time[0] = 130.0
            report(ScanProgress(found=5000, total=5000, done=2500, failed=2))
        first, second = capsys.readouterr().err.splitlines()
        assert first == "1,234 files found"
        assert second.startswith("2,500 of 5,000 files (50%), 2 failed")

    def test_a_download_names_its_file(self, time, capsys):
        with Console().bytes() as report:
            time[0] = 61.0
            report("x\x1b[2J.pt", 5 * 10**8, 10**9)
        assert capsys.readouterr().err.startswith("500 of 1,000 MB of x\\u001b[2J.pt (50%)")

    def test_quiet_is_quiet(self, time, capsys):
        with Console(quiet=True).count(20, "pictures") as report:
            time[0] = 100.0
            report(10)
        assert not capsys.readouterr().err
