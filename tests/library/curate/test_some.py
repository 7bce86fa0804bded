"""Some files of a folder planned alone, as a watch does it, and what stays as it is when other pictures come."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from imagereward_core.library.curate.carry_out import carry_out
from imagereward_core.library.curate.marks import all_steps
from imagereward_core.library.curate.options import CurateOptions, CurationRule
from imagereward_core.library.curate.plan import plan_curation
from imagereward_core.library.library import Library
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.metadata.containers.blocks import read_blocks
from imagereward_core.selection import Rule
from tests.support.library.curation import curate, draw_outputs, plan, tree
from tests.support.library.scans import MeanScorer, panel_of

BEST = CurateOptions(CurationRule(Rule(top_k=1), "prompt"))
ALONE = CurateOptions(CurationRule(Rule(min_score=0.0)), action="move")


@pytest.fixture
def outputs(tmp_path):
    """Two folders with four pictures each."""
    folder = tmp_path / "out puts, 写真"
    draw_outputs(folder)
    return folder


@pytest.fixture
def library(outputs):
    with Library.open(outputs / ".imagereward") as library:
        yield library


@pytest.mark.parametrize("action", ["copy", "move"])
@pytest.mark.parametrize(
    "options",
    [ALONE, BEST, replace(ALONE, write_scores=True), replace(ALONE, xmp="full")],
    ids=["alone", "best", "marks", "xmp"],
)
def test_some_files_are_planned_as_they_would_be_with_all(library, panel, outputs, action, options):
    options = replace(options, action=action)
    curate(library, panel, outputs, replace(options, scan=ScanOptions(include=("0[01]*",))))
    shutil.copy(outputs / "day 1" / "02 bild ü.png", outputs / "day 1" / "twin.png")
    everyone = plan(library, panel, outputs, options)
    asked = [outputs / "day 0" / "03 bild ü.png", outputs / "day 1" / "twin.png"]
    some = plan_curation(library, panel, outputs, options, asked)
    assert {step.source for step in some.steps} == set(asked)
    assert set(some.steps) <= set(everyone.steps)
    # What is written about them too: ranks and ratings go by all pictures.
    written = set(all_steps(some, []))
    assert written <= set(all_steps(everyone, []))
    if options.write_scores or options.xmp:
        assert len(written) == 2 * len(asked)
    for placing in some.placings:
        assert placing.path in asked or placing.fate == "aside"
    before = tree(outputs)
    carry_out(library, some)
    after = tree(outputs)
    touched = {name for name in before if after.get(name) != before[name]}
    assert touched == (
        set() if action == "copy" else {path.relative_to(outputs).as_posix() for path in asked}
    )


@pytest.mark.parametrize("options", [replace(ALONE, xmp="full"), replace(ALONE, write_scores=True)])
def test_ratings_written_about_some_files_go_by_all_where_no_distribution_is_known(library, outputs, options):
    """The rule compares nothing, but the stars of such a scorer are shares of all pictures."""
    panel = panel_of(MeanScorer())
    options = replace(options, rule=CurationRule(Rule(min_score=-100.0)))
    everyone = plan(library, panel, outputs, options)
    worst = sorted(everyone.rows, key=lambda row: row.value)[:2]
    written = list(
        all_steps(plan_curation(library, panel, outputs, options, [row.path for row in worst]), [])
    )
    assert len(written) == 4 and set(written) <= set(all_steps(everyone, []))


def test_the_plan_for_some_files_of_a_rule_that_compares_nothing_reads_only_them(
    library, panel, outputs, monkeypatch
):
    plan(library, panel, outputs, ALONE)
    monkeypatch.setattr(Library, "rows", lambda *_: pytest.fail("all rows were read"))
    asked = [outputs / "day 0" / "00 bild ü.png"]
    assert [row.path for row in plan_curation(library, panel, outputs, ALONE, asked).rows] == asked


def test_a_copy_made_earlier_is_found_when_only_its_original_is_asked_about(library, panel, outputs):
    options = replace(ALONE, action="copy")
    curate(library, panel, outputs, options)
    library.scan([outputs], panel)
    asked = [outputs / "day 0" / "00 bild ü.png"]
    some = plan_curation(library, panel, outputs, options, asked)
    assert [placing.fate for placing in some.placings] == ["there"] and some.steps == ()


def test_a_picture_that_comes_does_not_change_the_files_of_the_others(library, panel, outputs):
    """The rank that is written with the scores changed with every picture, and so did all files."""
    options = replace(BEST, action="stay", write_scores=True)
    new = outputs / "day 0" / "00 bild ü.png"
    new.rename(outputs.parent / "later.png")
    curate(library, panel, outputs, options)
    before = tree(outputs)
    (outputs.parent / "later.png").rename(new)
    curation, carried = curate(library, panel, outputs, options)
    after = tree(outputs)
    changed = {name for name, data in before.items() if after[name] != data}
    turned = {
        row.path.relative_to(outputs).as_posix()
        for row, name in zip(curation.rows, curation.verdicts.names)
        if json.loads(read_blocks(row.path)["imagereward"])["kept"] != (name == "kept")
    }
    assert turned == set() and carried.done == 1 + len(changed) and len(changed) <= 1
