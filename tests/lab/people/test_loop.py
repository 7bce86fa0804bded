"""The loop calls commands that there are, does each once, and goes on where it was stopped."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks import loop_steps
from benchmarks.loop import ASKED, PANEL, PEOPLE, SMALL, Loop, some_prompts
from benchmarks.loop_steps import Steps
from imagereward_core.cli.main import build_parser
from imagereward_lab.people.onlooker import read_people

WRITES = "import sys; open(sys.argv[-1], 'a').write('x'); print('told', sys.argv[1])"


@pytest.fixture
def fake(monkeypatch):
    """A program in the place of the command: it appends to the file that is named last."""
    monkeypatch.setattr(loop_steps, "_COMMAND", (sys.executable, "-c", WRITES))


def test_a_step_is_done_once_and_what_it_printed_is_kept(fake, tmp_path):
    steps = Steps(tmp_path / "run", {"seed": 1})
    assert steps.command("one", "first", "file") == "told first\n"
    again = Steps(tmp_path / "run", {"seed": 1})
    assert again.command("one", "first", "file") == "told first\n"
    assert (tmp_path / "run" / "file").read_text() == "x"
    assert again.command("two", "second", "file") == "told second\n"
    assert again.lines() == ["imagereward first file", "imagereward second file"]
    assert list(again.seconds()) == ["one", "two"]
    with pytest.raises(SystemExit, match="one was done by another command"):
        again.command("one", "other", "file")


def test_a_step_that_fails_is_not_taken_for_done_and_what_it_left_is_made_anew(tmp_path, monkeypatch):
    steps = Steps(tmp_path / "run", {})
    made = tmp_path / "run" / "made"
    fails = "import os, sys; os.mkdir('made'); sys.exit(int(sys.argv[1]))"
    monkeypatch.setattr(loop_steps, "_COMMAND", (sys.executable, "-c", fails))
    with pytest.raises(SystemExit, match="project ended with 3"):
        steps.command("project", "3", anew=made)
    assert made.is_dir() and steps.lines() == []
    assert steps.command("project", "0", anew=made) == ""
    assert steps.lines() == ["imagereward 0"]


def test_a_loop_of_other_settings_and_a_folder_of_the_user_are_left_alone(tmp_path):
    Steps(tmp_path / "run", {"seed": 1})
    with pytest.raises(SystemExit, match="was begun with other settings"):
        Steps(tmp_path / "run", {"seed": 2})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(SystemExit, match="holds no loop"):
        Steps(tmp_path / "mine", {})
    assert [each.name for each in (tmp_path / "mine").iterdir()] == ["letter.txt"]


class Parsed(Steps):
    """Reads every command line as the program does, and does nothing."""

    def __init__(self, folder):
        super().__init__(folder, {})
        self.read = {}

    def command(self, name, *words, fine=(0,), anew=None):
        self.read[name] = build_parser().parse_args(words)
        return json.dumps({"figures": []})

    def person(self, project, name):
        self.command(f"token {name}", "annotate", "people", project, "add", name)

    def answered(self, project, people, who, seed):
        self.command("answers", "annotate", project, "--no-browser")
        assert set(who) == set(ASKED)

    def blind(self, name, people, who, task, table, seed):
        assert set(who) == set(PANEL) and table == "answers.csv"


def test_every_step_is_a_command_that_there_is(tmp_path):
    loop = Loop(tmp_path / "run", tmp_path / "generator.safetensors", SMALL, None, "cpu")
    loop.steps = read = Parsed(tmp_path / "other")
    loop.prepare()
    loop.draw("drawn", "asked.txt", SMALL.pictures, 1000)
    loop.ask()
    loop.learn()
    loop.tune()
    loop.compare()
    assert read.read["refl"].scorer == read.read["train"].name
    assert read.read["draw drawn"].number == SMALL.pictures


def test_the_panel_is_new_and_sees_new_prompts(tmp_path):
    path = tmp_path / "people.json"
    path.write_text(json.dumps(PEOPLE))
    scorer, people = read_people(path)
    assert scorer == "demo" and set(people) == {*ASKED, *PANEL} and not set(ASKED) & set(PANEL)
    asked = some_prompts(40, "a", held_out=False)
    tuned = some_prompts(40, "b", held_out=False, but=asked)
    new = some_prompts(40, "a", held_out=True)
    assert len({*asked, *tuned, *new}) == 120
