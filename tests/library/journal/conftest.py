"""A small folder of pictures with their text files, and a journal beside it."""

from __future__ import annotations

import pytest

from imagereward_core.library.journal import open_journal


@pytest.fixture
def outputs(tmp_path):
    """Four pictures; the first has a caption and an XMP file, the second a workflow."""
    folder = tmp_path / "outputs with spaces äöü"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number:05}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]) * (1000 + number))
    (folder / "00000.txt").write_text("a red star", encoding="utf-8")
    (folder / "00000.png.xmp").write_text("<x/>", encoding="utf-8")
    (folder / "00001.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def kept(outputs):
    return outputs / "kept"


@pytest.fixture
def journal(tmp_path):
    with open_journal(tmp_path / ".imagereward") as journal:
        yield journal
