"""Where results go to nobody, to a full disk or nowhere: commands end with the right code and without noise."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import pytest

from imagereward_core.cli.main import main
from tests.support.command import save_picture


@pytest.fixture
def closed_pipe():
    """A stream to a pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    stream = open(writing, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    yield stream
    with contextlib.suppress(OSError):
        stream.close()


PRINTING = (
    "--help",
    "rank --help",
    "",
    "--version",
    "doctor --offline",
    "models",
    "score {folder} -s demo",
    "rank {folder} -s demo -f json",
    "curate {folder} -s demo --top 1 --dry-run",
    "curate {folder} -s demo --top 1 --dry-run -f json",
    "watch {folder} -s demo --top 1 --dry-run",
    "report {kept}",
    "stars {kept}",
    "undo {kept} --list",
    "undo {kept} --dry-run",
    "blends list --models-dir {folder}",
    "demo -o {folder}/demo --prompts 1 --pictures-per-prompt 2 --size 64",
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with stars and a run."""
    where = tmp_path_factory.mktemp("kept")
    for number in range(2):
        save_picture(where / f"{number}.png", (90 * number, 40, 40), "a star")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        assert main(["curate", str(where), "-s", "demo", "--top", "1", "--yes"]) == 0
        assert main(["stars", str(where), "--set", "3", str(where / "1.png")]) == 0
    return where


@pytest.mark.parametrize("command", PRINTING)
def test_a_reader_who_has_seen_enough_ends_any_command_quietly(
    command, run, folder, kept, closed_pipe, monkeypatch, capsys
):
    if command.startswith("blends"):
        assert run("blends", "save", "mine", "demo=1", "--models-dir", folder).code == 0
    arguments = [word.format(folder=folder, kept=kept) for word in command.split()]
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdout", closed_pipe)
    assert main(arguments) == 141
    monkeypatch.undo()
    closed_pipe.close()  # as Python does in the end: nothing is left that could not be written
    told = capsys.readouterr().err
    assert "Errno" not in told and "Broken" not in told and "Traceback" not in told


def test_results_are_printed_though_nobody_reads_the_messages(run, folder, closed_pipe, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", closed_pipe)
    assert main(["score", str(folder), "-s", "demo", "-f", "csv"]) == 1
    assert capsys.readouterr().out.startswith("file,score")
    assert main(["rank", "--within", "x"]) == 2
    assert main(["undo", str(folder)]) == 2


def test_a_program_without_a_console_is_scored_in_too(run, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["score", str(folder), "-s", "demo", "-o", str(tmp_path / "all.csv")]) == 1
    assert main(["rank", str(folder), "-s", "demo"]) == 1
    assert (tmp_path / "all.csv").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", ["--help", "models", "rank {folder} -s demo"])
def test_a_full_disk_behind_standard_output_is_told(command, run, folder, monkeypatch, capsys):
    with contextlib.suppress(OSError), open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", full)
        assert main([word.format(folder=folder) for word in command.split()]) == 4
        monkeypatch.undo()
    assert capsys.readouterr().err.count("the disk is full") == 1
