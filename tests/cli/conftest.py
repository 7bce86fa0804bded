"""A folder of pictures with prompts in all the places a prompt can be in, and a way to run the command in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from imagereward_core.cli.main import main
from tests.support.command import SETTINGS, Outcome, save_picture
from tests.support.demo import load_demo_once


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Runs the command in this process, away from this machine's weights."""
    monkeypatch.delenv("IMAGEREWARD_MODELS", raising=False)
    load_demo_once(monkeypatch)

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own."""
    where = tmp_path / "home"
    where.mkdir()
    monkeypatch.setenv("HOME", str(where))
    monkeypatch.setenv("USERPROFILE", str(where))
    return where


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pictures: two with prompts inside, one with a text file, one without any prompt, one that is broken."""
    where = tmp_path / "pictures, 写真"
    save_picture(where / "10 inside.png", (200, 30, 30), "a (red:1.3) star <lora:x:0.5>" + SETTINGS)
    save_picture(where / "2 inside.png", (30, 30, 200), "a blue ring" + SETTINGS)
    save_picture(where / "3 beside.png", (30, 200, 30), "not this one" + SETTINGS)
    (where / "3 beside.txt").write_text("a green cross", encoding="utf-8")
    save_picture(where / "4 bare.png", (90, 90, 90))
    (where / "5 broken.png").write_bytes(b"\x89PNG\r\n\x1a\nthis is no picture")
    return where
