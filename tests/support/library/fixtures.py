"""A library, drawn outputs and the demo scorer, for the folders of tests whose conftest takes them from here."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def library(tmp_path):
    """An empty library in a place of its own."""
    from imagereward_core.library.library import Library

    with Library.open(tmp_path / "place") as opened:
        yield opened


@pytest.fixture(scope="module")
def panel():
    """The demo scorer alone."""
    from tests.support.library.curation import demo_panel

    return demo_panel()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Two folders with four pictures each, to be copied."""
    from tests.support.library.curation import drawn_folder

    return drawn_folder(tmp_path_factory)


@pytest.fixture
def outputs(drawn, tmp_path):
    """Two folders with four pictures each."""
    return shutil.copytree(drawn, tmp_path / "out puts, 写真")
