"""The folder of the tests' own helpers is importable; a library of its own for every test that asks for one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture
def library(tmp_path):
    """An empty library in a place of its own."""
    from imagereward_core.library.library import Library

    with Library.open(tmp_path / "place") as opened:
        yield opened
