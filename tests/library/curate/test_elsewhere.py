"""Destination folders elsewhere, which no scan looks into: what was put there and is not known is recognised all the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from benchmarks.hostile.tricks import bring
from imagereward_core.library.curate import carry_out as curating
from imagereward_core.library.curate.carry_out import carry_out, take_back
from imagereward_core.library.curate.destinations import CurateError
from imagereward_core.library.curate.options import CurateOptions, CurationRule
from imagereward_core.library.curate.plan import plan_curation
from imagereward_core.library.curate.summary import sentences
from imagereward_core.library.library import Library
from imagereward_core.selection import Rule
from tests.support.library.curation import draw_outputs, files, tree


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    draw_outputs(folder, prompts=1)
    return folder


@pytest.fixture
def outputs(drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "outputs")


def options(away, action="copy", **more):
    folders = {name: away / name for name in ("kept", "rejected")}
    return CurateOptions(CurationRule(Rule(top_k=1)), action, folders, **more)


def plan(library, panel, outputs, wanted):
    library.scan([outputs], panel)
    return plan_curation(library, panel, outputs, wanted)


def opened(outputs, tmp_path, store=".imagereward"):
    return Library.open(outputs / store, root=outputs, data=tmp_path / "data")


@pytest.mark.parametrize("action", ["copy", "hardlink", "symlink"])
@pytest.mark.parametrize("more", [{}, {"write_scores": True}, {"name_scores": True}])
def test_what_a_run_cut_off_had_put_elsewhere_is_not_put_there_twice(
    action, more, panel, outputs, tmp_path, monkeypatch
):
    """It was cut off before the library was told."""
    wanted = options(tmp_path / "away", action, **more)
    with opened(outputs, tmp_path) as library, monkeypatch.context() as patch:
        patch.setattr(curating, "tell", lambda *told: None)
        carry_out(library, plan(library, panel, outputs, wanted))
    before = tree(tmp_path / "away")
    assert len(files(tmp_path / "away")) == 4
    with opened(outputs, tmp_path) as library:
        again = plan(library, panel, outputs, wanted)
        assert again.count(fate="there") == 4 and not again.steps
        assert carry_out(library, again).done == 0
    assert tree(tmp_path / "away") == before


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True)])
def test_a_score_in_the_name_makes_it_no_other_picture(first, then, panel, outputs, tmp_path):
    """Whether this run or the earlier one, of a store that is not known, puts it there."""
    for store, named in (("one", first), ("two", then)):
        with opened(outputs, tmp_path, store) as library:
            carry_out(library, plan(library, panel, outputs, options(tmp_path / "away", name_scores=named)))
    names = files(tmp_path / "away")
    assert len(names) == 4 and all(("_score" in name) is first for name in names)


@pytest.mark.parametrize("scanned", [False, True])
def test_what_a_run_cut_off_had_moved_elsewhere_still_competes(
    scanned, panel, outputs, tmp_path, monkeypatch
):
    """Else one more picture would be the best of the rest."""
    wanted = options(tmp_path / "away", "move", write_scores=True)
    with opened(outputs, tmp_path) as library:
        curation = plan(library, panel, outputs, wanted)
        with monkeypatch.context() as patch:
            patch.setattr(curating, "tell", lambda *told: None)
            carry_out(library, curation)
        if scanned:
            library.scan([outputs], panel)
        again = plan(library, panel, outputs, wanted)
        assert [placing.fate for placing in again.placings] == ["there"] * 4 and not again.steps
        assert again.verdicts.names.count("kept") == 1
        shutil.rmtree(tmp_path / "away" / "kept")
        assert plan_curation(library, panel, outputs, wanted).count() == 3


def test_what_a_stranger_says_was_moved_elsewhere_is_not_believed(panel, outputs, tmp_path):
    picture, away = next(outputs.rglob("*.png")), tmp_path / "away"
    theirs = away / "kept" / picture.relative_to(outputs)
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"somebody's")
    with opened(outputs, tmp_path) as library:
        library.scan([outputs], panel)
        picture.unlink()
        bring(outputs, {"kind": "move", "source": str(picture), "target": str(theirs), "made": str(theirs)})
        assert plan(library, panel, outputs, options(away)).count() == 3


def test_another_store_puts_nothing_there_twice_either(panel, outputs, tmp_path):
    wanted = options(tmp_path / "away")
    for store in ("one", "two"):
        with opened(outputs, tmp_path, store) as library:
            carry_out(library, plan(library, panel, outputs, wanted))
    assert len(files(tmp_path / "away")) == 4
    with opened(outputs, tmp_path, "one") as library:
        take_back(library)
    assert not (tmp_path / "away" / "kept").exists()


def test_what_lies_under_another_verdict_stays_there_or_is_moved_from_there(panel, outputs, tmp_path):
    away = tmp_path / "away"
    first, other = options(away), CurationRule(Rule(top_k=4))
    with opened(outputs, tmp_path, "one") as library:
        carry_out(library, plan(library, panel, outputs, first))
    with opened(outputs, tmp_path, "two") as library:
        curation = plan(library, panel, outputs, CurateOptions(other, "copy", first.folders))
        assert curation.count(fate="earlier") == 3 and curation.count(fate="there") == 1
        curation = plan(library, panel, outputs, CurateOptions(other, "copy", first.folders, resort=True))
        carry_out(library, curation)
    assert len(files(away / "kept")) == 4 and not files(away / "rejected")


def test_another_picture_of_the_name_is_left_and_the_next_name_taken(panel, outputs, tmp_path):
    wanted = options(tmp_path / "away")
    with opened(outputs, tmp_path) as library:
        curation = plan(library, panel, outputs, wanted)
        target = curation.steps[0].target
        target.parent.mkdir(parents=True)
        shutil.copy2(curation.steps[1].source, target)
        mine = target.read_bytes()
        carry_out(library, plan(library, panel, outputs, wanted))
    assert target.read_bytes() == mine and target.with_name(f"{target.stem} (2).png").is_file()


@pytest.mark.parametrize("where", [".imagereward/k", ".hidden", "a/.b/c", "link"])
def test_no_destination_is_a_folder_that_scans_pass_over(tmp_path, where):
    root = tmp_path / ".work" / "out"
    (root / ".imagereward" / "k").mkdir(parents=True)
    if os.name != "nt":
        (root / "link").symlink_to(root / ".imagereward" / "k", target_is_directory=True)
    elif where == "link":
        pytest.skip("links need a right there")
    with pytest.raises(CurateError, match="never be found again"):
        CurateOptions(folders={"kept": root / where}).destinations(root)
    with pytest.raises(CurateError, match="never be found again"):
        CurateOptions(folders={"kept": tmp_path / ".imagereward" / "k"}).destinations(root)


def test_dots_above_the_folder_do_not_count(tmp_path):
    for root in (tmp_path / ".work" / "out", tmp_path / "out"):
        CurateOptions(folders={"kept": tmp_path / ".work" / "kept"}).destinations(root)


@pytest.mark.skipif(os.name == "nt", reason="links to files need a right there")
@pytest.mark.parametrize("name", ["000.png", "zzz.png"])
@pytest.mark.parametrize("inside", [True, False], ids=["inside", "elsewhere"])
def test_no_link_is_left_leading_nowhere_by_a_move(panel, outputs, tmp_path, name, inside):
    """Whichever comes first, the link or the picture; a link to a picture elsewhere goes, and leads there as before."""
    real = sorted(outputs.rglob("*.png"))[1]
    if not inside:
        real = Path(shutil.copy(real, tmp_path / "real.png"))
    link = outputs / name
    link.symlink_to(os.path.relpath(real, outputs))
    before = tree(outputs)
    with opened(outputs, tmp_path) as library:
        curation = plan(library, panel, outputs, CurateOptions(CurationRule(Rule(top_k=2)), "move"))
        assert curation.count(fate="linked") == 2 * inside
        assert ("2 stay in place" in " ".join(sentences(curation))) == inside
        assert not carry_out(library, curation).failed
        links = [path for path in outputs.rglob("*.png") if path.is_symlink()]
        assert len(links) == 1 and links[0].samefile(real)
        take_back(library)
    assert tree(outputs) == before and link.samefile(real)
