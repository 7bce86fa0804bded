"""The whole loop at the smallest size, with an untrained generator: every command, the real server, and a record of what came of it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import loop, loop_steps
from benchmarks.table_tuning import loop_part
from imagereward_core.cli.main import main
from imagereward_lab.people import answer
from tests.support.oracles import import_torchvision

import_torchvision()
pytest.importorskip("diffusers")
pytest.importorskip("peft")

from tests.lab.refl.test_short_case import generator_in  # noqa: E402
from tests.support.lab.annotation_pages import served  # noqa: E402


class InOneProcess(loop_steps.Steps):
    """Calls the commands without starting programs: importing their libraries takes longer than all they do here."""

    def _call(self, line):
        printed, run = io.StringIO(), main if line[:3] == loop_steps._COMMAND else answer.main
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(printed):
                code = run(list(line[3:]))
        finally:
            os.chdir(here)
        return subprocess.CompletedProcess(line, code, printed.getvalue())

    @contextlib.contextmanager
    def served(self, project):
        with served(self.folder / project) as link:
            yield link


def test_a_loop_from_pictures_to_a_panel_that_judges_what_was_tuned(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "Steps", InOneProcess)
    (tmp_path / "generator").mkdir()
    model = generator_in(tmp_path / "generator" / "tiny")
    made = loop.Loop(tmp_path / "loop", model, loop.SMALL, None, "cpu")
    found = made.run()
    # All that people were asked, they answered, and each comparison of the panel counts.
    assert found["agreement_with_people"].keys() == {loop.MINE, "demo"}
    judged = loop.SMALL.panel * len(loop.PANEL)
    assert found["panel_prefers_after"]["count"] == judged and 0 <= found["panel_prefers_after"]["value"] <= 1
    assert found["reached"] == (found["panel_prefers_after"]["value"] >= found["aim"])
    assert found["tuning"]["update"] == loop.SMALL.updates
    assert {(row["scorer"], row["generator"]) for row in found["scores_of_new_prompts"]} == {
        (scorer, name) for scorer in (loop.MINE, "demo") for name in ("before", "after")
    }
    assert str(tmp_path) not in str(found)
    with Image.open(tmp_path / "loop" / "before-and-after.png") as sheet:
        assert sheet.width == 2 * 144
    assert any("| the panel prefers the tuned generator" in line for line in loop_part(found, "here"))
    # Once more: nothing is done again, and the record is the same.
    monkeypatch.setattr(InOneProcess, "_call", None)
    assert loop.Loop(tmp_path / "loop", model, loop.SMALL, None, "cpu").run() == found
