"""Curation with the real store, the real journal and the demo scorer: planned, carried out, repeated, taken back."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest
from PIL import Image

from imagereward_core.library.curate.buckets import Buckets
from imagereward_core.library.curate.carry_out import carry_out, take_back
from imagereward_core.library.curate.options import CurateOptions, CurationRule
from imagereward_core.library.curate.plan import plan_moves
from imagereward_core.library.journal import open_journal
from imagereward_core.library.library import Library
from imagereward_core.library.scan.options import ScanOptions
from imagereward_core.metadata.writing.xmp import read_xmp, sidecar_paths
from imagereward_core.selection import Rule
from tests.support.library.curation import SETTINGS, curate, files, plan, save_scene, tree


@pytest.fixture
def library(outputs, tmp_path):
    with Library.open(outputs / ".imagereward", data=tmp_path / "data") as library:
        yield library


BEST = CurateOptions(CurationRule(Rule(top_k=1), "prompt"))


def test_planning_touches_nothing(library, panel, outputs):
    before = tree(outputs)
    curation = plan(library, panel, outputs, replace(BEST, action="move", write_scores=True, xmp="both"))
    assert curation.count("kept") == 2 and curation.count("rejected") == 6 and len(curation.steps) == 8
    assert tree(outputs) == before


@pytest.mark.parametrize("action", ["copy", "hardlink", "symlink", "move"])
def test_pictures_go_where_the_rule_says_and_undo_gives_the_tree_back_byte_for_byte(
    library, panel, outputs, action
):
    before = tree(outputs)
    curation, carried = curate(library, panel, outputs, replace(BEST, action=action))
    assert carried.done == 8 and not carried.failed
    assert len(files(outputs / "kept")) == 2 and len(files(outputs / "rejected")) == 6
    best = {placing.path.parent.name: placing for placing in curation.placings if placing.name == "kept"}
    for day, placing in best.items():
        scores = {row.path: row.value for row in curation.rows if row.path.parent.name == day}
        assert scores[placing.path] == max(scores.values())
        assert placing.end == outputs / "kept" / day / placing.path.name
        name = f"{day}/{placing.path.name}"
        assert placing.end.read_bytes() == before[name]
        assert placing.path.exists() == (action != "move")
        assert placing.end.is_symlink() == (action == "symlink")
    take_back(library)
    assert tree(outputs) == before


def test_undo_gives_the_tree_back_when_scores_and_ratings_were_written_too(library, panel, outputs):
    (outputs / "day 0" / "00 bild ü.txt").write_text("a caption that travels", encoding="utf-8")
    before = tree(outputs)
    for action in ("copy", "move", "hardlink", "stay"):
        options = replace(BEST, action=action, write_scores=True, xmp="both")
        _, carried = curate(library, panel, outputs, options)
        assert carried.done >= 16 and not carried.failed
        assert tree(outputs) != before
        assert not take_back(library).failed
        assert tree(outputs) == before, action


def test_doing_it_again_does_nothing(library, panel, outputs):
    for action in ("copy", "move"):
        options = replace(BEST, action=action, write_scores=True)
        curate(library, panel, outputs, options)
        after = tree(outputs)
        again, carried = curate(library, panel, outputs, options)
        assert again.steps == () and again.count(fate="there") == 8 and carried.run == 0
        with open_journal(outputs / ".imagereward") as journal:
            assert all(info.steps for info in journal.runs()), "runs without steps crowd the list"
        assert tree(outputs) == after
        take_back(library)


def test_a_new_store_recognises_copies_by_their_pixels(library, panel, outputs, tmp_path):
    curate(library, panel, outputs, replace(BEST, write_scores=True))
    with Library.open(tmp_path / "another store") as other:
        again = plan(other, panel, outputs, BEST)
        assert again.steps == () and again.count(fate="there") == 8


def test_nothing_is_scored_twice(library, panel, outputs):
    assert library.scan([outputs], panel).scored == 8
    curate(library, panel, outputs, replace(BEST, action="copy", write_scores=True))
    assert library.scan([outputs], panel).scored == 0


def test_new_pictures_compete_with_those_sorted_before(library, panel, outputs):
    """Nobody gets in who would not have got in at once; who was kept stays unless sorting anew is asked for."""
    hidden = outputs.parent / "later"
    everything = replace(BEST, action="move")
    whole = plan(library, panel, outputs, everything)
    day = outputs / "day 0"
    order = sorted(
        (row for row in whole.rows if row.path.parent == day), key=lambda row: row.value, reverse=True
    )
    hidden.mkdir()
    for row in order[:2]:  # the best and the second best arrive later
        shutil.move(row.path, hidden)
    curate(library, panel, outputs, everything)
    assert (outputs / "kept" / "day 0" / order[2].path.name).exists()
    for row in order[:2]:
        shutil.move(hidden / row.path.name, day)
    curation, _ = curate(library, panel, outputs, everything)
    assert (outputs / "kept" / "day 0" / order[0].path.name).exists()
    assert (outputs / "rejected" / "day 0" / order[1].path.name).exists()
    assert curation.count(fate="earlier") == 1
    assert (outputs / "kept" / "day 0" / order[2].path.name).exists()
    curate(library, panel, outputs, replace(everything, resort=True))
    assert files(outputs / "kept" / "day 0") == [order[0].path.name]


def test_what_somebody_moved_by_hand_stays(library, panel, outputs):
    curate(library, panel, outputs, replace(BEST, action="move"))
    rejected = outputs / "rejected" / "day 0" / files(outputs / "rejected" / "day 0")[0]
    shutil.move(rejected, outputs / "kept" / "day 0")
    curation, _ = curate(library, panel, outputs, replace(BEST, action="move"))
    assert (outputs / "kept" / "day 0" / rejected.name).exists() and curation.count(fate="earlier") == 1


def test_resorting_copies_moves_the_copies_and_leaves_the_originals(library, panel, outputs):
    curate(library, panel, outputs, BEST)
    originals = {name: data for name, data in tree(outputs).items() if name.startswith("day")}
    curate(library, panel, outputs, replace(BEST, rule=CurationRule(Rule(top_k=2), "prompt"), resort=True))
    assert len(files(outputs / "kept")) == 4 and len(files(outputs / "rejected")) == 4
    assert {name: data for name, data in tree(outputs).items() if name.startswith("day")} == originals


def test_a_picture_without_a_score_stays_where_it_is_and_fails_alone(library, panel, outputs):
    bad = outputs / "day 0" / "broken.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    Image.new("RGB", (64, 64)).save(outputs / "day 0" / "no prompt.png")
    curation, carried = curate(library, panel, outputs, replace(BEST, action="move"))
    assert curation.count(fate="unscored") == 2 and carried.done == 8
    assert bad.exists() and (outputs / "day 0" / "no prompt.png").exists()


def test_a_name_that_is_taken_is_left_alone(library, panel, outputs):
    curation = plan(library, panel, outputs, BEST)
    target = next(placing.end for placing in curation.placings if placing.name == "kept")
    target.parent.mkdir(parents=True)
    target.write_text("something of the user's")
    _, carried = curate(library, panel, outputs, BEST)
    assert carried.done == 8 and target.read_text() == "something of the user's"
    assert target.with_name(f"{target.stem} (2).png").exists()
    again, _ = curate(library, panel, outputs, BEST)
    assert again.steps == ()


def test_scores_go_into_copies_and_not_into_originals(library, panel, outputs):
    before = tree(outputs)
    curate(library, panel, outputs, replace(BEST, write_scores=True, xmp="full"))
    after = tree(outputs)
    assert all(after[name] == data for name, data in before.items())
    for name, data in after.items():
        if name.startswith(("kept/", "rejected/")) and name.endswith(".png"):
            assert b"ImageRewardDemo" in data and b"imagereward" in data
            assert f"{name}.xmp" in after


def test_scores_can_be_written_without_moving_anything(library, panel, outputs):
    _, carried = curate(library, panel, outputs, replace(BEST, action="stay", write_scores=True))
    assert carried.done == 8 and not (outputs / "kept").exists()
    assert all(b"ImageRewardDemo" in data for data in tree(outputs).values() if data)
    assert curate(library, panel, outputs, replace(BEST, action="stay", write_scores=True))[1].run == 0


def test_ratings_beside_pictures_are_minus_one_or_stars_and_a_persons_rating_stays(library, panel, outputs):
    mine = sidecar_paths(outputs / "day 0" / "00 bild ü.png")[0]
    mine.write_bytes(
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"/></rdf:RDF></x:xmpmeta>'
    )
    curation, carried = curate(library, panel, outputs, replace(BEST, action="move", xmp="both"))
    assert not carried.failed
    for placing in curation.placings:
        for beside in sidecar_paths(placing.end):
            said = read_xmp(beside.read_bytes())
            if placing.path.name == "00 bild ü.png" and placing.path.parent.name == "day 0":
                if beside.name.endswith(".png.xmp"):
                    assert said.rating == 3 and said.by_person and said.fields
            else:
                assert said.rating in (range(1, 6) if placing.name == "kept" else [-1])


@pytest.mark.parametrize("action", ["stay", "move"])
def test_a_rating_in_a_file_that_is_spelled_differently_gets_no_second_file(library, panel, outputs, action):
    given = outputs / "day 0" / "00 bild ü.XMP"
    given.write_bytes(
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"/></rdf:RDF></x:xmpmeta>'
    )
    curation, carried = curate(library, panel, outputs, replace(BEST, action=action, xmp="both"))
    assert not carried.failed
    (end,) = [placing.end for placing in curation.placings if placing.path == given.with_suffix(".png")]
    found = [path for path in end.parent.iterdir() if path.name.lower() == "00 bild ü.xmp"]
    assert [path.name for path in found] == ["00 bild ü.XMP"]
    said = read_xmp(found[0].read_bytes())
    assert said.rating == 3 and said.by_person and said.fields


def test_pictures_that_share_a_stem_do_not_share_ratings(library, panel, outputs):
    twin = outputs / "day 0" / "00 bild ü.jpg"
    Image.open(outputs / "day 0" / "00 bild ü.png").convert("RGB").save(twin)
    twin.with_suffix(".txt").write_text("a red star on a gray background", encoding="utf-8")
    _, carried = curate(library, panel, outputs, replace(BEST, action="stay", xmp="both"))
    assert not carried.failed and not twin.with_suffix(".xmp").exists()
    assert sidecar_paths(twin)[0].exists()


def test_buckets_are_folders(library, panel, outputs):
    rule = CurationRule(buckets=Buckets.parse("great=25,good=25,poor", "share"))
    curation, _ = curate(library, panel, outputs, CurateOptions(rule, action="move"))
    assert [len(files(outputs / name)) for name in ("great", "good", "poor")] == [2, 2, 4]
    worst = {
        name: min(row.value for row, each in zip(curation.rows, curation.placings) if each.name == name)
        for name in rule.names
    }
    assert worst["great"] > worst["good"] > worst["poor"]


def test_near_duplicates_keep_their_best(library, panel, outputs):
    for path in sorted((outputs / "day 0").glob("*.png")):
        prompt = Image.open(path).info["parameters"].removesuffix(SETTINGS)
        small = Image.open(path).convert("RGB").resize((80, 80), Image.Resampling.LANCZOS)
        save_scene(path.with_name("copy of " + path.name), small, prompt)
    curation = plan(library, panel, outputs, CurateOptions(CurationRule(per="folder", duplicate_bits=6)))
    leaders = curation.verdicts.leaders
    for index, row in enumerate(curation.rows):
        if row.path.name.startswith("copy of"):
            twin = row.path.name.removeprefix("copy of ")
            pair = next(
                at
                for at, other in enumerate(curation.rows)
                if other.path.name == twin and other.path.parent == row.path.parent
            )
            assert (leaders[index] == pair) or (leaders[pair] == index) or leaders[index] == leaders[pair]
    assert sum("looks like" in reason for reason in curation.verdicts.selection.reasons) >= 4


def test_destinations_may_lie_elsewhere_and_what_is_to_be_left_stays(library, panel, outputs, tmp_path):
    options = replace(BEST, action="move", folders={"kept": tmp_path / "best"}, leave=frozenset({"rejected"}))
    before = tree(outputs)
    curation, _ = curate(library, panel, outputs, options)
    assert len(files(tmp_path / "best")) == 2 and curation.count(fate="left") == 6
    again, _ = curate(library, panel, outputs, options)
    assert again.steps == ()
    take_back(library)
    assert tree(outputs) == before and files(tmp_path / "best") == []


def test_destinations_may_lie_in_each_other_elsewhere(library, panel, outputs, tmp_path):
    """Read once with each of the two folders, a picture in the inner one competed with itself."""
    folders = {"kept": tmp_path / "sorted", "rejected": tmp_path / "sorted" / "no"}
    options = replace(BEST, action="move", folders=folders)
    curate(library, panel, outputs, options)
    again = plan(library, panel, outputs, options)
    assert len(again.rows) == 8 and again.count(fate="there") == 8
    assert len({row.file for row in again.rows}) == 8


def test_patterns_limit_what_is_sorted(library, panel, outputs):
    plan(library, panel, outputs, BEST)  # the store knows all of them
    curation = plan(library, panel, outputs, replace(BEST, scan=ScanOptions(exclude=("day 1",))))
    assert {row.path.parent.name for row in curation.rows} == {"day 0"}
    curation = plan(library, panel, outputs, replace(BEST, scan=ScanOptions(include=("00*",))))
    assert len(curation.rows) == 2
    curation = plan(library, panel, outputs, replace(BEST, scan=ScanOptions(recursive=False)))
    assert len(curation.rows) == 0


def test_files_that_somebody_may_still_be_writing_wait(library, panel, outputs):
    newest = outputs / "day 0" / "00 bild ü.png"
    os.utime(newest, ns=(10**18 * 2, 10**18 * 2))
    curation = plan(library, panel, outputs, replace(BEST, action="move", fresh_ns=10**18 * 2 - 1))
    assert [each.path for each in curation.placings if each.fate == "fresh"] == [newest]
    assert len(curation.steps) == 7


def test_callers_may_bring_their_own_rows_and_verdicts(library, panel, outputs):
    curation = plan(library, panel, outputs, BEST)
    flipped = replace(
        curation.verdicts,
        names=tuple("kept" if name == "rejected" else "rejected" for name in curation.verdicts.names),
    )
    mine = plan_moves(outputs, curation.rows, flipped, BEST)
    assert carry_out(library, mine).done == 8 and len(files(outputs / "kept")) == 6


def test_a_file_that_vanishes_fails_alone(library, panel, outputs):
    curation = plan(library, panel, outputs, replace(BEST, action="move"))
    curation.steps[0].source.unlink()
    carried = carry_out(library, curation)
    assert carried.done == 7 and [path for path, _ in carried.failed] == [curation.steps[0].source]


def test_it_can_be_stopped_and_taken_back(library, panel, outputs, monkeypatch):
    monkeypatch.setattr("imagereward_core.library.journal.groups.MOST_STEPS", 2)
    before = tree(outputs)
    seen = []
    curation = plan(library, panel, outputs, replace(BEST, action="move"))
    carried = carry_out(
        library, curation, progress=lambda done, total: seen.append(done), cancelled=lambda: len(seen) >= 3
    )
    assert carried.left == 8 - carried.done > 0
    take_back(library)
    assert tree(outputs) == before


def test_any_run_can_be_taken_back_and_the_library_knows_where_pictures_lie(library, panel, outputs):
    before = tree(outputs)
    _, first = curate(library, panel, outputs, replace(BEST, action="move"))
    (outputs / "new").mkdir()
    shutil.copy(
        outputs / "kept" / "day 0" / files(outputs / "kept" / "day 0")[0], outputs / "new" / "again.png"
    )
    _, second = curate(library, panel, outputs, replace(BEST, action="move"))
    assert second.run != first.run
    taken = take_back(library, first.run)
    assert taken.run == first.run and taken.done == 8
    assert {name: data for name, data in tree(outputs).items() if name.startswith("day")} == {
        name: data for name, data in before.items() if name.startswith("day")
    }
    assert library.scan([outputs], panel).scored == 0
