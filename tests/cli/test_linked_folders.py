"""``curate`` in folders that are links or have links in them, which may have come along with the folder."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.support.library.curation import draw_outputs, tree

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a right there")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    draw_outputs(folder, prompts=1)
    return folder


@pytest.fixture
def outputs(drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "outputs")


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


def curate(run, outputs, *options):
    return run(
        "curate", outputs, "-s", "demo", "--top", "1", "--leave", "rejected", "--move", "--yes", *options
    )


def test_a_folder_for_kept_pictures_that_is_a_link_is_named_or_allowed(run, outputs, elsewhere):
    (outputs / "kept").symlink_to(elsewhere, target_is_directory=True)
    before = tree(outputs)
    refused = curate(run, outputs)
    assert refused.code == 2 and f"leads out of {outputs}" in refused.err
    assert str(elsewhere) in refused.err and "--follow-links" in refused.err
    assert tree(outputs) == before and not any(elsewhere.iterdir())
    for options in (["--kept", elsewhere], ["--follow-links"]):
        assert curate(run, outputs, *options).code == 0
        assert len(list(elsewhere.rglob("*.png"))) == 1
        assert run("undo", outputs, "--yes").code == 0
        assert tree(outputs) == before and not any(elsewhere.iterdir())


def test_a_folder_of_pictures_that_is_a_link_is_curated_and_undone(run, outputs, tmp_path):
    before = tree(outputs)
    link = tmp_path / "link"
    link.symlink_to(outputs, target_is_directory=True)
    assert curate(run, link, "--write-back").code == 0
    assert len(list((outputs / "kept").rglob("*.png"))) == 1
    assert run("undo", link, "--yes").code == 0
    assert tree(outputs) == before


def test_scores_are_written_behind_links_when_asked_for(run, outputs, elsewhere):
    picture = next(outputs.rglob("*.png"))
    real = picture.rename(elsewhere / "real.png")
    picture.symlink_to(real)
    before = real.read_bytes()
    told = run("curate", outputs, "-s", "demo", "--stay", "--write-back", "--yes")
    assert told.code == 1 and "a link leads out" in told.err and real.read_bytes() == before
    assert run("curate", outputs, "-s", "demo", "--stay", "--write-back", "--yes", "--follow-links").code == 0
    assert real.read_bytes() != before
    assert run("undo", outputs, "--yes").code == 0
    assert real.read_bytes() == before
