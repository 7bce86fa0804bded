"""Results never take the place of what they are made from, whatever is allowed to be replaced."""

from __future__ import annotations

import pytest

from imagereward_core.cli.main import main


@pytest.mark.parametrize(
    "command",
    [
        ("evaluate", "FILE", "-o", "FILE"),
        ("evaluate", "FILE", "--scores", "FILE"),
        ("analyse", "FILE", "--html", "FILE"),
        ("rankings", "check", "FILE", "-o", "FILE"),
        ("select-prompts", "FILE", "--count", "1", "-o", "FILE"),
        ("select-prompts", "x", "--count", "1", "--vectors", "FILE", "-o", "FILE"),
        ("compare-models", "a", "b", "--table", "FILE", "-o", "FILE"),
        ("compare-models", "a", "b", "--benchmark", "FILE", "--html", "FILE"),
        ("compare-models", "a", "b", "--human", "FILE", "--scores", "FILE"),
        ("compare-models", "a", "b", "--table", "FILE", "--export-task", "task", "--key", "FILE"),
        ("compare-models", "--answers", "FILE", "--key", "key.json", "-o", "FILE"),
        ("compare-models", "--answers", "x.csv", "--key", "FILE", "-o", "FILE"),
    ],
)
@pytest.mark.parametrize("name", ["mine.json", "link.json"])
def test_a_file_that_is_read_is_not_written(tmp_path, monkeypatch, capsys, command, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.json").write_text("mine", encoding="utf-8")
    (tmp_path / "link.json").symlink_to("mine.json")
    for other in ("key.json", "x.csv"):
        (tmp_path / other).touch()
    spelt = iter(("mine.json", name))
    assert main([next(spelt) if word == "FILE" else word for word in command] + ["--overwrite"]) == 2
    assert f"{name}: this file is read here" in capsys.readouterr().err
    assert (tmp_path / "mine.json").read_text(encoding="utf-8") == "mine"
