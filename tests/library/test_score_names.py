"""Scores in the names of sorted files: by choice, exact, known again by every later run, and gone when the run is taken back."""

from __future__ import annotations

import doctest
import re
import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagereward_core.library.curate import destinations
from imagereward_core.library.curate.carry_out import carry_out, take_back
from imagereward_core.library.curate.destinations import with_score, without_score
from imagereward_core.library.curate.options import CurateOptions, CurationRule
from imagereward_core.library.curate.plan import plan_curation
from imagereward_core.library.library import Library
from imagereward_core.metadata import sidecar
from imagereward_core.selection import Rule
from tests.support.library.curation import draw_outputs, files, tree

NAMED = CurateOptions(CurationRule(Rule(top_k=1), "prompt"), name_scores=True)


@pytest.fixture
def outputs(tmp_path):
    draw_outputs(tmp_path / "outputs")
    return tmp_path / "outputs"


@pytest.fixture
def library(outputs, tmp_path):
    with Library.open(outputs / ".imagereward", data=tmp_path / "data") as library:
        yield library


def curate(library, panel, outputs, options):
    library.scan([outputs], panel, options=options.scan)
    curation = plan_curation(library, panel, outputs, options)
    return curation, carry_out(library, curation)


@pytest.mark.parametrize("module", [destinations, sidecar])
def test_the_examples_hold(module):
    assert doctest.testmod(module).attempted and not doctest.testmod(module).failed


@given(st.text("ab_. ()0123456789-", max_size=12), st.floats(-99, 99), st.floats(-99, 99))
def test_a_score_in_a_name_can_be_taken_out_and_replaced(stem, score, other):
    name = f"a{stem}z.png"
    assert without_score(with_score(name, score)) == without_score(name)
    assert with_score(with_score(name, score), other) == with_score(name, other)


@pytest.mark.parametrize("action", ["copy", "hardlink", "move"])
def test_names_tell_the_exact_score_and_undo_takes_them_back(library, panel, outputs, action):
    before = tree(outputs)
    curation, _ = curate(library, panel, outputs, replace(NAMED, action=action))
    scores = {placing.end: row.value for row, placing in zip(curation.rows, curation.placings)}
    assert len(scores) == 8
    for end, score in scores.items():
        assert end.is_file() and float(re.search(r"_score(-?\d+\.\d{4})\.png$", end.name)[1]) == round(
            score, 4
        )
    take_back(library)
    assert tree(outputs) == before


@pytest.mark.parametrize("named", [True, False])
def test_a_later_run_knows_what_it_named(library, panel, outputs, named):
    curate(library, panel, outputs, NAMED)
    after = files(outputs)
    curation, carried = curate(library, panel, outputs, replace(NAMED, name_scores=named))
    assert curation.count(fate="there") == len(curation.rows) == 8 and carried.run == 0
    assert files(outputs) == after


def test_sorting_anew_does_not_give_a_second_score(library, panel, outputs):
    curate(library, panel, outputs, replace(NAMED, action="move"))
    everything = replace(NAMED, rule=CurationRule(Rule(top_k=4), "prompt"), action="move", resort=True)
    curate(library, panel, outputs, everything)
    names = [path for path in files(outputs) if path.endswith(".png")]
    assert len(names) == 8 and all(name.count("_score") == 1 and "kept" in name for name in names)


def test_two_pictures_with_one_name_are_both_kept(library, panel, outputs):
    """A flat folder with the name that a named copy would get: nothing is written over."""
    first = sorted(outputs.rglob("*.png"))[0]
    curation, _ = curate(library, panel, outputs, replace(NAMED, action="stay", xmp="full"))
    taken = outputs / "kept" / first.parent.name / "x"
    taken.parent.mkdir(parents=True)
    for row in curation.rows:
        shutil.copy(first, taken.with_name(with_score(row.path.name, row.value)))
    before = files(outputs / "kept")
    curate(library, panel, outputs, NAMED)
    assert set(before) <= set(files(outputs / "kept"))
