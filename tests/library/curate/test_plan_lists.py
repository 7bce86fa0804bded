"""Plans of a curation: destinations that cannot be, what the summary says, names and numbers as they will stand in the files."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import pytest
from PIL import Image

from imagereward_core.library.curate.destinations import CurateError
from imagereward_core.library.curate.options import CurateOptions, CurationRule
from imagereward_core.library.curate.plan import plan_moves
from imagereward_core.library.curate.summary import examples, sentences, summarise
from imagereward_core.library.library import Library
from imagereward_core.metadata.containers.blocks import read_blocks
from imagereward_core.selection import Rule
from tests.support.library.curation import curate, files, plan, save_scene


@pytest.fixture
def library(outputs, tmp_path):
    with Library.open(outputs / ".imagereward", data=tmp_path / "data") as library:
        yield library


BEST = CurateOptions(CurationRule(Rule(top_k=1), "prompt"))


@pytest.mark.parametrize("folder", [".", "..", "/"])
def test_a_destination_that_holds_the_folder_is_refused(library, panel, outputs, folder):
    with pytest.raises(CurateError, match="holds the folder"):
        plan_moves(
            outputs,
            [],
            plan(library, panel, outputs, BEST).verdicts,
            replace(BEST, folders={"kept": outputs / folder}),
        )


def test_two_names_with_one_folder_and_unknown_names_are_refused(outputs):
    with pytest.raises(CurateError, match="to one folder"):
        replace(BEST, folders={"kept": outputs / "rejected"}).destinations(outputs)
    with pytest.raises(CurateError, match="nothing is sorted under"):
        CurateOptions(leave=frozenset({"great"}))
    with pytest.raises(ValueError, match="action is 'delete'"):
        CurateOptions(action="delete")


def test_the_summary_counts_what_the_plan_holds(library, panel, outputs):
    (outputs / "broken.png").write_bytes(b"")
    curation = plan(library, panel, outputs, BEST)
    kept, rejected, unscored = summarise(curation)
    assert (kept.name, kept.pictures, kept.fates["go"], kept.folder) == ("kept", 2, 2, outputs / "kept")
    assert (rejected.pictures, rejected.fates["go"]) == (6, 6) and (unscored.name, unscored.pictures) == (
        "",
        1,
    )
    said = " ".join(sentences(curation))
    assert "9 pictures judged: 2 kept, 6 rejected." in said and "1 has no score" in said
    assert [each.name for each in examples(curation, 2)] == ["kept", "kept", "rejected", "rejected", ""]
    first = next(examples(curation, 1))
    assert first.target.replace(os.sep, "/") == "kept/" + first.file.replace(os.sep, "/")


@pytest.mark.parametrize(("twins", "said"), [(1, "1 picture looks like"), (2, "2 pictures look like")])
def test_look_alikes_are_told_by_their_number(twins, said, library, panel, outputs):
    first = next(outputs.rglob("*.png"))
    for number in range(twins):
        shutil.copy(first, outputs / f"twin {number}.png")
    rule = CurationRule(Rule(top_k=9), duplicate_bits=0)
    assert f"{said} a better one." in sentences(plan(library, panel, outputs, replace(BEST, rule=rule)))


def test_ranks_that_are_written_count_pictures_with_a_score_as_their_reason_does(library, panel, outputs):
    (outputs / "day 0" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    curate(library, panel, outputs, replace(BEST, rule=CurationRule(Rule(top_k=8)), write_scores=True))
    told = [
        json.loads(read_blocks(outputs / "kept" / name)["imagereward"]) for name in files(outputs / "kept")
    ]
    assert len(told) == 8 and all(
        (each["of"], each["reason"]) == (8, f"kept: rank {each['rank']} of 8") for each in told
    )


def test_a_plan_names_the_files_that_come_of_it_also_where_text_files_lie_beside_them(
    library, panel, outputs
):
    day = outputs / "day 0"
    shutil.copy(day / "01 bild ü.png", outputs / "same.webp")
    everything = replace(BEST, rule=CurationRule(Rule(top_k=99)), action="move", xmp="both")
    curate(library, panel, outputs, everything)
    (outputs / "kept" / "lost.txt").write_text("of a picture that is gone")
    for name in ("same.png", "lost.png"):
        save_scene(outputs / name, Image.effect_noise((32, 32), 50), "a star")
    (outputs / "same.txt").write_text("a blue star")
    curation, carried = curate(library, panel, outputs, everything)
    assert not carried.failed
    assert {step.target.name for step in curation.steps} == {"same (2).png", "lost (2).png"}
    assert all(placing.end.is_file() for placing in curation.placings)
    assert (outputs / "kept" / "same (2).txt").is_file()
