"""Names and texts that strangers chose, in the tab: shown as what they are, and sent to the page whatever their bytes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from api_client import ApiHost
from drawn import SETTINGS, png, save_scenes, scenes
from fake_webui import ours
from tab_page import TabPage


@pytest.fixture
def page(monkeypatch, tmp_path):
    page = TabPage(ApiHost(monkeypatch, tmp_path), monkeypatch)
    save_scenes(page.host.samples, prompts=1, pictures=2)
    yield page
    ours("tab").close()


def test_names_and_prompts_cannot_become_page_content(page):
    nasty = '<img src=x onerror="alert(1)">'
    (page.host.samples / "nasty.png").write_bytes(png(scenes()[0][1], nasty + SETTINGS))
    page.score()
    page.filter(text="onerror")
    page.look_at(0)
    assert (
        page.shown == ["nasty.png"]
        and "<img" not in page.values["details"]
        and "&lt;img" in page.values["details"]
    )


def sound(value):
    """Whether every text in what a widget is given can be sent to a page."""
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, dict):
        return all(sound(each) for each in value.values())
    return all(map(sound, value)) if isinstance(value, (list, tuple)) else True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs file names of any bytes")
def test_undecodable_names_are_shown_and_sent_as_text(page):
    (prompt, image), *_ = scenes()
    below = page.host.samples / os.fsdecode(b"below \xff")
    below.mkdir()
    for name in (b"a\xff.png", b"b\xfe.png"):
        (below / os.fsdecode(name)).write_bytes(png(image, prompt + SETTINGS))
    (below / os.fsdecode(b"no picture \xff.png")).write_bytes(b"x")
    page.score(folder=str(below))
    page.values["folder"] = ""
    assert sound(page.values)
    for show, number in (("Kept and rejected", 2), ("Not scored", 1)):
        page.filter(show=show)
        assert len(page.shown) == number and sound(page.values)
        page.look_at(0)
        assert sound(page.values) and "\\udcf" in page.values["details"]
        assert "\\udcf" in page.deck["pictures"][0]["name"]
        assert Path(page.send(0)[0]).is_file() and sound(page.values) and sound(page.problem)
        assert ("not a picture" in page.problem) == (show == "Not scored")
    page.filter(show="Kept and rejected")
    page.preview()
    assert sound(page.values) and "\\udcff" in page.values["plan"]
    page.do("export", "CSV")
    page.finish()
    assert sound(page.values) and Path(page.values["file"]).is_file()
