"""Reports judge stored numbers without loading a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imagereward_core.demo.batches import draw_batches
from imagereward_core.library.library import Library
from imagereward_core.library.scan.keys import key_of
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.library.store.records import ScorerKey
from imagereward_core.library.stored_panel import NoNumbersError, StoredScorer, stored_panel
from imagereward_core.runtime import LocalRuntime
from imagereward_core.scorers.factory import Maker
from imagereward_core.scorers.panel import Panel

PROMPT = "a red star"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Six drawn pictures, scored by the demo scorer, whole ones too."""
    where = tmp_path_factory.mktemp("outputs")
    for number, batch in enumerate(draw_batches(2, 3, 0, 64)):
        for place, picture in enumerate(batch.pictures):
            picture.image.save(where / f"{number}-{place}.png")
    with Library.open(where / ".imagereward") as library:
        library.scan([where], Panel(demo()), options=ScanOptions(prompt=PROMPT))
        one = ScanOptions(prompt=PROMPT, include=("0-0.png",))
        library.scan([where], Panel(demo(whole_picture=True)), options=one)
    return where


def demo(**options):
    return Maker(LocalRuntime("cpu", "fp32"), **options).make("demo")


@pytest.fixture
def library(folder):
    with Library.open(folder / ".imagereward") as opened:
        yield opened


def test_stored_numbers_are_judged_as_the_scorer_itself_would_judge_them(library):
    by_scorer = library.scored(Panel(demo())).result.main
    stored = library.scored(stored_panel(library, "demo", preprocessing="reference")).result.main
    assert np.array_equal(by_scorer.values, stored.values) and len(stored) == 6
    assert (by_scorer.scorer, by_scorer.revision) == (stored.scorer, stored.revision)
    assert stored.distribution == by_scorer.distribution and stored.on_reference


def test_no_network_is_loaded(library, monkeypatch):
    monkeypatch.setattr(Maker, "make", lambda *_: pytest.fail("a network was loaded"))
    monkeypatch.setattr(
        "imagereward_core.scorers.registry.find", lambda *_: pytest.fail("weights were looked for")
    )
    panel = stored_panel(library)
    assert len(library.scored(panel).rows) == 6
    with pytest.raises(NoNumbersError, match="cannot score pictures"):
        panel.main.rewards(None, [])


def test_the_key_of_a_stored_scorer_is_the_key_it_was_made_from(library):
    for key in library.keys():  # noqa: SIM118
        assert key_of(StoredScorer(key)) == key
    for precision in ("", "/bf16", "/fp16"):
        for way in ("reference", "whole-picture"):
            key = ScorerKey("PickScore", "abc", way + precision)
            assert key_of(StoredScorer(key)) == key


def test_by_default_the_numbers_of_the_most_pictures_count(library):
    assert {key.preprocessing for key in library.keys()} == {"reference", "whole-picture"}  # noqa: SIM118
    assert key_of(stored_panel(library).main).preprocessing == "reference"
    whole = stored_panel(library, "demo", preprocessing="whole-picture")
    assert library.scored(whole).result.main.on_reference is False


def test_a_blend_is_judged_from_its_members(library):
    panel = stored_panel(library, "demo=1@rank")
    result = library.scored(panel).result
    assert result.main.scorer.startswith("blend:") and [each.scorer for each in result.beside] == ["demo"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"name": "PickScore"}, "holds no scores by PickScore; it holds some by demo"),
        ({"name": "demo", "revision": "ffff"}, "demo ffff"),
        ({"name": "a/b.safetensors"}, "by their ids"),
    ],
)
def test_what_is_missing_is_said_with_what_is_there(library, arguments, word):
    with pytest.raises(NoNumbersError, match=word):
        stored_panel(library, **arguments)


def test_a_library_without_scores_says_so(tmp_path):
    with Library.open(tmp_path) as empty, pytest.raises(NoNumbersError, match="score them first"):
        stored_panel(empty)


def test_numbers_made_in_an_unknown_way_are_refused_by_name():
    with pytest.raises(NoNumbersError, match="tiles"):
        StoredScorer(ScorerKey("demo", "1", "tiles"))


TORCHLESS = """
import importlib.abc, sys
class Refusing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "huggingface_hub"):
            raise ImportError(name + " is refused here")
sys.meta_path.insert(0, Refusing())
from imagereward_core.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("--min-percentile", "10", "--show", "kept", "--buckets", "great=90,good=50"),
        ("--scorer", "demo=1@rank", "--also", "demo"),
        ("--html", "page.html", "--csv", "rows.csv", "--json", "rows.json"),
    ],
)
def test_a_report_of_stored_numbers_needs_no_torch(folder, tmp_path, more):
    command = [sys.executable, "-c", TORCHLESS, "report", str(folder), *more]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "6 of 6 pictures scored" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == sorted(
        name for name in more if name.startswith(("page", "rows"))
    )
