"""A folder that the version before has sorted: its scores are used, its stars are there, and its runs are taken back."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from imagereward_core.library.library import Library
from tests.support.library.before import REVISION, SCORES, STARRED, as_it_was, made_by_the_version_before
from tests.support.library.scans import MeanScorer, panel_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the folder was made on Linux")


@pytest.fixture
def outputs(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return made_by_the_version_before(tmp_path / "pictures")


def files_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix in (".png", ".xmp")}


def test_its_scores_are_used_and_none_is_made_again(outputs):
    demo = MeanScorer("demo", revision=REVISION)
    with Library.open(outputs / ".imagereward") as library:
        found = library.scan([outputs], panel_of(demo))
        assert (found.found, found.known, found.scored, found.failed, found.gone) == (5, 5, 0, 0, 0)
        scored = library.scored(panel_of(demo), outputs)
    assert demo.seen == []
    stored = {row.path.relative_to(outputs).as_posix(): round(row.value, 4) for row in scored.rows}
    assert stored == SCORES


def test_it_is_reported_with_scores_prompts_and_stars(run, outputs, tmp_path):
    done = run("report", outputs, "--csv", tmp_path / "all.csv")
    assert done.code == 0 and "--trust-scores" in done.err
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["file"]: (round(float(row["score"]), 4), row["stars"]) for row in rows} == {
        str(outputs / path): (score, "4" if path == STARRED else "") for path, score in SCORES.items()
    }
    assert {row["prompt"] for row in rows} == {"a red star", "a green cross", "a yellow ring, bright"}
    listed = run("stars", outputs)
    assert listed.code == 0 and Path(STARRED).name in listed.out


def test_both_runs_are_taken_back_and_what_leads_out_is_asked_about(run, outputs):
    album = outputs.parent / "album"
    before = files_of(outputs.parent)
    listed = run("undo", outputs, "--list")
    assert "great=60, good=30 by share" in listed.out and "the best 1" in listed.out
    refused = run("undo", outputs, "-y")
    assert refused.code != 0 and "--confirm-outside" in refused.out + refused.err
    assert files_of(outputs.parent) == before
    assert run("undo", outputs, "-y", "--confirm-outside").code == 0
    assert not files_of(album) and not as_it_was(outputs)
    assert run("undo", outputs, "-y").code == 0
    assert as_it_was(outputs)


def test_it_is_sorted_on(run, outputs):
    """New runs go on from the old ones; all three are taken back, the last one first."""
    before = files_of(outputs.parent)
    done = run("curate", outputs, "-s", "demo", "--move", "--top", "2", "--resort", "-y", "--trust-scores")
    assert done.code == 0 and len(files_of(outputs / "kept")) == 4
    assert run("undo", outputs, "-y").code == 0 and files_of(outputs.parent) == before
    for number in (2, 1):
        assert run("undo", outputs, "--run", number, "-y", "--confirm-outside").code == 0
    assert as_it_was(outputs)
