"""Edits of bytes and files put whole: atomic, only where the file is the one the plan was made for, and taken back byte for byte."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.killing import hidden, tree
from imagereward_core.library.journal import execute, undo
from imagereward_core.library.journal.content import put as put_steps
from imagereward_core.metadata.containers.png import PNG_SIGNATURE
from imagereward_core.metadata.writing.plan import plan_edit
from imagereward_core.metadata.writing.splice import Splice, apply
from tests.support.library.acting import act, reasons, to, well


def edit(path, *splices):
    return to("edit", path, path, splices=splices)


def put(path, content):
    return to("put", path, path, content=content)


@st.composite
def plans(draw):
    """A file that begins as a picture, and splices that fit it, do not overlap and leave that beginning."""
    data = PNG_SIGNATURE + draw(st.binary(max_size=300))
    cuts = sorted(
        draw(st.lists(st.integers(8, len(data)), max_size=8).filter(lambda cuts: len(cuts) % 2 == 0))
    )
    splices = [
        Splice(start, data[start:end], draw(st.binary(max_size=20)))
        for start, end in zip(cuts[::2], cuts[1::2])
    ]
    return data, tuple(splices)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans())
def test_any_edit_is_applied_and_undone_byte_for_byte(plan, journal, outputs):
    data, splices = plan
    picture = outputs / "any.png"
    picture.write_bytes(data)
    well(act(journal, edit(picture, *splices)))
    assert picture.read_bytes() in (apply(data, splices), data)
    if any(splice.old for splice in splices):
        assert picture.read_bytes() == apply(data, splices)
    if journal.last_done() is not None:
        well(undo(journal))
    assert picture.read_bytes() == data


def test_an_edit_keeps_permissions_and_times(journal, outputs):
    picture = outputs / "00002.png"
    picture.chmod(0o640)
    os.utime(picture, ns=(10**18, 10**18))
    before = tree(outputs)
    well(act(journal, edit(picture, Splice(8, b"", b"score"))))
    assert picture.stat().st_mtime_ns == 10**18 and picture.stat().st_mode & 0o777 == 0o640
    well(undo(journal))
    assert tree(outputs) == before


def test_an_edit_repeated_inserts_once(journal, outputs):
    picture = outputs / "00002.png"
    step = edit(picture, Splice(8, b"", b"score"))
    well(act(journal, step))
    once = picture.read_bytes()
    assert well(act(journal, step)).skipped == 1 and picture.read_bytes() == once


def test_an_insertion_repeated_after_another_edit_inserts_once(journal, outputs):
    picture = outputs / "00002.png"
    first, second = edit(picture, Splice(8, b"", b"score")), edit(picture, Splice(300, b"", b"more"))
    well(act(journal, first))
    well(act(journal, second))
    once = picture.read_bytes()
    assert well(act(journal, first)).skipped == 1 and picture.read_bytes() == once


def test_two_edits_of_one_file_in_one_run(journal, outputs):
    picture = outputs / "00002.png"
    before = tree(outputs)
    result = well(
        act(journal, edit(picture, Splice(8, b"", b"one")), edit(picture, Splice(8, b"one", b"two")))
    )
    assert result.done == 2 and picture.read_bytes()[8:11] == b"two"
    well(undo(journal))
    assert tree(outputs) == before


def test_an_edit_is_refused_where_the_file_is_not_the_one_planned_for(journal, outputs):
    picture = outputs / "00002.png"
    run = journal.begin("scores", [edit(picture, Splice(8, b"", b"score"))])
    picture.write_bytes(PNG_SIGNATURE + b"made since")
    result = execute(journal, run)
    assert "changed since the edit was planned" in reasons(result)[0]
    assert picture.read_bytes() == PNG_SIGNATURE + b"made since"
    result = act(journal, edit(picture, Splice(8, b"other", b"score")))
    assert "holds other bytes at 8" in reasons(result)[0]
    assert sorted(path.name for path in outputs.iterdir() if path.name.startswith(".")) == []


def test_an_edit_changes_one_of_two_hard_links_only(journal, outputs, kept):
    """A hard link may be a backup; and a kept link is undone also after the original was given scores."""
    picture, link = outputs / "00002.png", kept / "00002.png"
    before = tree(outputs)
    well(act(journal, to("hardlink", picture, link)))
    data = link.read_bytes()
    well(act(journal, edit(picture, Splice(8, b"", b"score"))))
    assert link.read_bytes() == data and picture.read_bytes() != data
    refused = undo(journal, 1)
    assert "run 2 worked with" in reasons(refused)[0] and link.exists()
    well(undo(journal, 2))
    well(undo(journal, 1))
    assert tree(outputs) == before


def test_an_edit_before_a_hard_link_shows_under_both_names(journal, outputs, kept):
    picture, link = outputs / "00002.png", kept / "00002.png"
    before = tree(outputs)
    well(act(journal, edit(picture, Splice(8, b"", b"score")), to("hardlink", picture, link)))
    assert picture.samefile(link) and b"score" in link.read_bytes()
    well(undo(journal))
    assert tree(outputs) == before


def test_an_edit_through_a_symbolic_link_leaves_the_link(journal, outputs):
    link = outputs / "link.png"
    link.symlink_to("00002.png")
    before = tree(outputs)
    well(act(journal, edit(link, Splice(8, b"", b"score"))))
    assert link.is_symlink() and b"score" in (outputs / "00002.png").read_bytes()
    well(undo(journal))
    assert tree(outputs) == before


def test_a_read_only_picture_is_not_written_to(journal, outputs):
    picture = outputs / "00002.png"
    picture.chmod(0o444)
    before = tree(outputs)
    result = act(journal, edit(picture, Splice(8, b"", b"score")))
    assert "is read-only" in reasons(result)[0] and tree(outputs) == before


def test_an_edit_follows_the_name_its_picture_got(journal, outputs, kept):
    kept.mkdir()
    (kept / "00002.png").write_bytes(b"\x89PNG\r\n\x1a\nsomebody else's")
    picture, wanted = outputs / "00002.png", kept / "00002.png"
    result = act(
        journal,
        to("copy", picture, wanted),
        edit(wanted, Splice(8, b"", b"score")),
        put(kept / "00002.png.xmp", b"<one/>"),
        put(kept / "00002.xmp", b"<two/>"),
    )
    assert well(result).done == 4
    assert sorted(path.name for path in kept.iterdir()) == [
        "00002 (2).png",
        "00002 (2).png.xmp",
        "00002 (2).xmp",
        "00002.png",
    ]
    assert wanted.read_bytes() == b"\x89PNG\r\n\x1a\nsomebody else's"


def test_nothing_is_written_where_the_picture_did_not_arrive(journal, outputs, kept):
    kept.mkdir()
    other = kept / "gone.png"
    result = act(
        journal,
        to("move", outputs / "gone.png", other),
        edit(other, Splice(8, b"", b"score")),
        put(kept / "gone.png.xmp", b"<rating/>"),
    )
    assert len(result.failed) == 3 and list(kept.iterdir()) == []


def test_a_file_put_in_the_place_of_another_gives_it_back(journal, outputs):
    xmp = outputs / "00000.png.xmp"
    os.utime(xmp, ns=(10**18, 10**18))
    before = tree(outputs)
    well(act(journal, put(xmp, b"<rated/>"), put(outputs / "deep" / "new.xmp", b"<new/>")))
    assert xmp.read_bytes() == b"<rated/>"
    assert well(act(journal, put(xmp, b"<rated/>"))).skipped == 1
    well(undo(journal, 1))
    assert tree(outputs) == before


def test_an_empty_file_can_be_put_and_replaced(journal, outputs):
    new = outputs / "empty.txt"
    well(act(journal, put(new, b"")))
    well(act(journal, put(new, b"words")))
    well(undo(journal))
    assert new.read_bytes() == b""
    well(undo(journal))
    assert not new.exists()


@pytest.mark.parametrize("kind", ["edit", "put"])
def test_a_folder_is_no_file_to_write(kind, journal, outputs):
    more = {"splices": (Splice(8, b"", b"x"),)} if kind == "edit" else {"content": b"x"}
    folder = outputs / ("a.png" if kind == "edit" else "a.xmp")
    folder.mkdir()
    result = act(journal, to(kind, folder, folder, **more))
    assert "is no file" in reasons(result)[0]


@pytest.mark.parametrize(
    ("name", "mode", "more"),
    [
        ("print.jpg", "CMYK", {}),  # begins with Adobe's segment, without a JFIF header
        ("grey.jpg", "L", {}),
        ("slow.jpg", "RGB", {"progressive": True}),
        ("a.png", "P", {}),
        ("a.webp", "RGB", {"lossless": True}),
    ],
)
def test_scores_go_into_every_picture_that_can_take_them_and_out_again(name, mode, more, journal, outputs):
    picture = outputs / name
    Image.radial_gradient("L").convert("RGB").convert(mode).save(picture, **more)
    before, pixels = picture.read_bytes(), Image.open(picture).convert("RGB").tobytes()
    splices = plan_edit(picture, {"Reward": "0.5000"})
    well(act(journal, edit(picture, *splices)))
    assert picture.read_bytes() == apply(before, splices) != before
    assert Image.open(picture).convert("RGB").tobytes() == pixels
    well(undo(journal))
    assert picture.read_bytes() == before


def test_an_edit_that_would_make_another_kind_of_file_is_refused(journal, outputs):
    picture = outputs / "00002.png"
    before = picture.read_bytes()
    result = act(journal, edit(picture, Splice(0, before[:4], b"#!/bin/sh\n")))
    assert "would change what kind of file it is" in reasons(result)[0]
    assert picture.read_bytes() == before and not hidden(tree(outputs))


def test_an_xmp_file_is_left_as_it_is_where_it_changed_since_its_new_content_was_planned(journal, outputs):
    """Somebody gives stars while a long run is on its way to this picture."""
    xmp = outputs / "00002.png.xmp"
    xmp.write_bytes(b"<x stars='1'/>")
    run = journal.begin("a test", [to("put", xmp, xmp, content=b"<rated/>", made_from=b"<x stars='1'/>")])
    xmp.write_bytes(b"<x stars='5'/>")
    assert "changed since its new content was planned" in reasons(execute(journal, run))[0]
    assert xmp.read_bytes() == b"<x stars='5'/>"


def test_an_xmp_file_that_has_appeared_since_is_not_replaced(journal, outputs):
    xmp = outputs / "00002.png.xmp"
    run = journal.begin("a test", [to("put", xmp, xmp, content=b"<rated/>", made_from=None)])
    xmp.write_bytes(b"<x stars='5'/>")
    assert "changed since" in reasons(execute(journal, run))[0] and xmp.read_bytes() == b"<x stars='5'/>"


@pytest.mark.parametrize("there, goes", [(True, True), (True, False), (False, False)])
@pytest.mark.parametrize("name", ["00002.png.xmp", "00002.xmp"])
def test_no_xmp_file_is_written_where_its_picture_has_gone(there, goes, name, journal, outputs):
    """Two programs on one folder: the other one has moved the picture meanwhile, and perhaps its files too."""
    xmp, before = outputs / name, b"<x/>" if there else None
    if there:
        xmp.write_bytes(b"<x/>")
    run = journal.begin("a test", [to("put", xmp, xmp, content=b"<rated/>", made_from=before)])
    (outputs / "00002.png").rename(outputs.parent / "00002.png")
    if goes:
        xmp.unlink()
    left = xmp.exists()
    assert reasons(execute(journal, run)) and xmp.exists() == left
    assert not left or xmp.read_bytes() == b"<x/>"


def test_an_xmp_file_that_came_along_is_rated_where_it_is_now(journal, outputs, kept):
    xmp, then = outputs / "00002.png.xmp", kept / "00002.png.xmp"
    xmp.write_bytes(b"<x/>")
    before = tree(outputs)
    steps = (
        to("move", outputs / "00002.png", kept / "00002.png"),
        to("put", then, then, content=b"<r/>", made_from=b"<x/>"),
    )
    well(act(journal, *steps))
    assert then.read_bytes() == b"<r/>" and not xmp.exists()
    well(undo(journal))
    assert tree(outputs) == before


def test_a_run_that_is_gone_on_with_still_knows_that_nothing_was_there(journal, outputs):
    xmp = outputs / "00002.png.xmp"
    run = journal.begin("a test", [to("put", xmp, xmp, content=b"<rated/>", made_from=None)])
    (record,) = journal.records("run = ?", (run,))
    works = put_steps(journal, record)
    next(works)  # the row says now that it is being written; the process ends here
    journal.write(record)
    works.close()
    (again,) = journal.records("run = ?", (run,))
    assert again.state == "doing"
    xmp.write_bytes(b"<x stars='5'/>")
    assert "changed since" in reasons(execute(journal, run))[0] and xmp.read_bytes() == b"<x stars='5'/>"


def test_a_picture_whose_suffix_is_spelled_in_another_way_gets_its_xmp_file(journal, outputs):
    (outputs / "00002.png").rename(outputs / "00002.Png")
    xmp = outputs / "00002.xmp"
    well(act(journal, to("put", xmp, xmp, content=b"<rated/>", made_from=None)))
    assert xmp.read_bytes() == b"<rated/>"
