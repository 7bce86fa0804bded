"""A file or folder to read that is not there is wrong usage in every command, said before anything is loaded."""

from __future__ import annotations

import pytest

from imagereward_core.cli.main import main

OPTIONS = {
    "compare-models": ("--table", "--benchmark", "--human", "--images"),
    "compare-models --answers {there}": ("--key",),
    "compare-models --key {there}": ("--answers",),
    "compare-models --fid-reference {there}": ("--fid-weights",),
    "draw --prompts {there} -o {out}": ("--model",),
    "draw --prompts {there} -o {out} --model {there}": ("--lora", "--merges"),
    "refl --prompts {there} -o {out}": ("--model",),
    "refl --prompts {there} -o {out} --model {there}": ("--pictures", "--merges"),
}


@pytest.mark.parametrize(
    ("command", "option"), [(command, option) for command, options in OPTIONS.items() for option in options]
)
def test_an_option_that_names_nothing_is_wrong_usage(tmp_path, capsys, command, option):
    places = {"there": tmp_path / "there.txt", "out": tmp_path / "out"}
    places["there"].write_text("a cat\na dog\n", encoding="utf-8")
    words = [word.format(**places) for word in command.split()]
    missing = tmp_path / "nothing" / "x"
    assert main([*words, option, str(missing)]) == 2
    assert f"{option} {missing}: there is no such file or folder" in capsys.readouterr().err
    assert not places["out"].exists() and not missing.parent.exists()
