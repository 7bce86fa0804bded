"""docs/curate.md names options that exist, and shows commands that can be parsed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from imagereward_core.cli.main import build_parser

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "curate.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition("   #")[0].partition("          #")[0].strip()
    for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("imagereward ")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_the_page_is_understood(command):
    args = build_parser().parse_args(shlex.split(command)[1:])
    assert args.command in ("curate", "undo", "watch")


def test_every_option_on_the_page_exists(capsys):
    known = set()
    for command in ("curate", "undo", "watch", "demo"):
        with pytest.raises(SystemExit):
            build_parser().parse_args([command, "--help"])
        known |= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    named = set(re.findall(r"`(--[a-z-]+)", PAGE)) | set(re.findall(r" (--[a-z-]+)", " ".join(COMMANDS)))
    assert named <= known and len(named) > 25
