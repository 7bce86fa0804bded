"""Copies that runs have made are no new pictures, whatever the folders of the next rule are called."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from PIL import Image

from imagereward_core.library.curate.buckets import Buckets
from imagereward_core.library.curate.carry_out import carry_out, take_back
from imagereward_core.library.curate.options import CurateOptions, CurationRule
from imagereward_core.library.curate.plan import plan_curation
from imagereward_core.library.journal import Step, execute
from imagereward_core.library.library import Library
from imagereward_core.selection import Rule
from tests.support.library.curation import files, tree

BUCKETS = CurateOptions(CurationRule(buckets=Buckets.parse("great=50,good=5", "share")))
TOP = CurateOptions(CurationRule(Rule(top_k=3)))


@pytest.fixture
def library(outputs):
    with Library.open(outputs / ".imagereward", data=outputs.parent / "data") as library:
        yield library


def curate(library, panel, outputs, options, only=None):
    library.scan([outputs], panel)
    curation = plan_curation(library, panel, outputs, options, only)
    return curation, carry_out(library, curation)


@pytest.mark.parametrize("action", ["copy", "hardlink", "symlink"])
def test_a_rule_with_other_folders_judges_the_pictures_and_not_their_copies(library, panel, outputs, action):
    curate(library, panel, outputs, replace(BUCKETS, action=action))
    assert len(files(outputs / "great")) == 4
    curation, carried = curate(library, panel, outputs, replace(TOP, action=action))
    assert len(curation.rows) == 8
    assert {row.path.parent.name for row in curation.rows} == {"day 0", "day 1"}
    kept = files(outputs / "kept")
    assert len(kept) == 3 and all(name.startswith("day") for name in kept) and not carried.failed
    assert curate(library, panel, outputs, TOP)[1].run == 0


def test_a_copy_counts_again_once_it_is_another_picture_or_its_original_is_gone(library, panel, outputs):
    curate(library, panel, outputs, BUCKETS)
    (changed, *_) = files(outputs / "great")
    other = outputs / "day 1" / "01 bild ü.png"
    repainted = outputs / "great" / changed
    with Image.open(other) as picture:
        picture.rotate(90).save(repainted)
    gone = next(name for name in files(outputs / "good"))
    (outputs / gone).unlink()
    curation, _ = curate(library, panel, outputs, TOP)
    found = {row.path for row in curation.rows}
    assert len(found) == 9 and {repainted, outputs / "good" / gone} <= found


def test_what_was_taken_back_or_copied_by_hand_is_a_picture_like_any_other(library, panel, outputs):
    before = tree(outputs)
    curate(library, panel, outputs, BUCKETS)
    take_back(library)
    assert tree(outputs) == before
    (outputs / "great").mkdir()
    shutil.copy(outputs / "day 0" / "00 bild ü.png", outputs / "great" / "mine.png")
    curation, _ = curate(library, panel, outputs, TOP)
    assert len(curation.rows) == 9


def test_copies_that_a_later_run_moved_and_copies_of_copies_are_known(library, panel, outputs):
    curate(library, panel, outputs, TOP)
    moved = replace(TOP, rule=CurationRule(Rule(top_k=1)), resort=True)
    assert curate(library, panel, outputs, moved)[1].done == 2
    away = replace(TOP, folders={"kept": outputs / "best", "rejected": outputs / "worst"})
    curation, _ = curate(library, panel, outputs, away)
    assert len(curation.rows) == 8 and len(files(outputs / "best")) == 3
    with library.journal() as journal:  # what a version before has done
        source = next((outputs / "best").rglob("*.png"))
        execute(
            journal, journal.begin("old", [Step("copy", source, outputs / "kept" / "best" / source.name)])
        )
    curation, _ = curate(library, panel, outputs, replace(BUCKETS, action="copy"))
    assert len(curation.rows) == 8


def test_a_watch_that_deals_with_a_few_files_sees_it_alike(library, panel, outputs):
    curate(library, panel, outputs, BUCKETS)
    rule = replace(TOP, rule=CurationRule(Rule(min_score=0.0)))
    library.scan([outputs], panel)
    copies = [outputs / "great" / name for name in files(outputs / "great")]
    assert not plan_curation(library, panel, outputs, rule, copies).steps
