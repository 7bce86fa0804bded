"""Steps that are taken together: each is what it would be alone, and they wait for the disk once."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from benchmarks.killing import contents, hidden, killed_at_line, lines_of, tree
from imagereward_core.errors import CuratorError
from imagereward_core.library.journal import content, execute, files, groups, open_journal, undo
from imagereward_core.library.journal.records import Record
from imagereward_core.metadata.writing.splice import Splice
from tests.support.library.acting import act, reasons, states, to, well
from tests.support.library.faults import another_file_system, refusal, refusing

SCORE = (Splice(8, b"", b"score"),)


def edit(path):
    return to("edit", path, path, splices=SCORE)


@pytest.fixture
def many(outputs):
    """Forty pictures more."""
    pictures = [outputs / f"more {number:02}.png" for number in range(40)]
    for number, picture in enumerate(pictures):
        picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]) * 2000)
    return pictures


def chosen(steps, **more):
    """Which steps are taken together, as lists of their places."""
    records = [
        Record(1, step.kind, step.source, step.target, step.splices, step.content, id=number, **more)
        for number, step in enumerate(steps)
    ]
    return [[record.id for record in group] for group in groups.Groups(iter(records))]


def test_steps_with_files_of_their_own_are_taken_together(outputs, kept, many):
    steps = [
        step for each in many[:3] for step in (to("move", each, kept / each.name), edit(kept / each.name))
    ]
    assert chosen(steps) == [[0, 2, 4], [1, 3, 5]]


def test_what_needs_the_files_of_an_earlier_step_waits_for_it(outputs, kept):
    a, b = outputs / "a.png", outputs / "b.png"
    for steps in (
        [edit(a), to("hardlink", a, kept / "a.png")],
        [to("move", a, kept / "x.png"), to("move", b, kept / "x.png")],
        [to("copy", a, kept / "x.png"), to("copy", b, kept / "x (2).png")],
        [to("copy", a, kept / "x.png"), to("put", kept / "x.xmp", kept / "x.xmp", content=b"x")],
        [to("copy", a, kept / "x.png"), to("put", kept / "x.png.xmp", kept / "x.png.xmp", content=b"x")],
        [to("move", a, kept / "1.png"), to("move", outputs / "a.jpg", kept / "2.jpg")],  # may share a.txt
        [to("move", a, kept / "1.png"), to("move", outputs / "A.PNG", kept / "2.png")],
        [to("copy", a, kept / ("n" * 240 + ".png")), to("copy", b, kept / ("n" * 230 + ".png"))],
    ):
        assert chosen(steps) == [[0], [1]], steps
    # What waits lets nothing pass that needs it.
    assert chosen([edit(a), to("move", a, b), to("move", b, kept / "b.png"), edit(outputs / "c.png")]) == [
        [0, 3],
        [1],
        [2],
    ]


def test_one_file_is_known_by_every_path_to_it(outputs, kept, tmp_path):
    (outputs / "link.png").symlink_to("00002.png")
    (tmp_path / "door").symlink_to(outputs)
    assert chosen([edit(outputs / "link.png"), edit(outputs / "00002.png")]) == [[0], [1]]
    assert chosen([edit(tmp_path / "door" / "00002.png"), edit(outputs / "00002.png")]) == [[0], [1]]


def test_hidden_files_of_a_group_take_little_room(outputs, kept, monkeypatch, many):
    copies = [to("copy", each, kept / each.name) for each in many[:5]]
    monkeypatch.setattr(groups, "MOST_BYTES", 4500)  # each picture has 2,008 bytes
    assert chosen(copies) == [[0, 1], [2, 3], [4]]
    assert chosen([to("move", each, kept / each.name) for each in many[:5]]) == [[0, 1, 2, 3, 4]]
    monkeypatch.setattr(groups, "MOST_BYTES", 10)
    assert chosen(copies[:2]) == [[0], [1]]


def test_a_new_name_is_on_the_disk_before_the_old_one_goes(journal, outputs, kept, monkeypatch):
    picture, goal, seen = outputs / "00003.png", kept / "00003.png", []
    monkeypatch.setattr(
        files, "sync_folder", lambda folder: seen.append((folder, picture.exists(), goal.exists()))
    )
    well(act(journal, to("move", picture, goal)))
    assert seen == [(kept, True, True), (outputs, False, True)]


@pytest.mark.parametrize("kind", ["copy", "move", "edit"])
def test_a_group_waits_for_the_disk_together(kind, journal, outputs, kept, many, monkeypatch):
    """Twenty steps need as many commits and looks at folders as one."""
    counted = []
    write, sync = journal.write, files.sync_folder
    monkeypatch.setattr(
        journal, "write", lambda *records, **more: (counted.append("w"), write(*records, **more))
    )
    monkeypatch.setattr(files, "sync_folder", lambda folder: (counted.append("f"), sync(folder)))

    def steps(pictures):
        return [edit(each) if kind == "edit" else to(kind, each, kept / each.name) for each in pictures]

    kept.mkdir()
    well(act(journal, *steps(many[:1])))
    for_one = len(counted)
    counted.clear()
    well(act(journal, *steps(many[1:21])))
    assert len(counted) == for_one
    counted.clear()
    well(undo(journal, 1))
    for_one = len(counted)
    counted.clear()
    well(undo(journal, 2))
    assert len(counted) == for_one


@pytest.mark.parametrize("kind", ["copy", "move", "edit", "put"])
def test_what_fails_in_a_group_fails_alone(kind, journal, outputs, kept, many):
    before = tree(outputs)
    bad = {str(many[3]), str(many[7])}
    steps = {
        "edit": [edit(each) for each in many],
        "put": [
            to("put", each.with_suffix(".xmp"), each.with_suffix(".xmp"), content=b"<x/>") for each in many
        ],
    }.get(kind) or [to(kind, each, kept / each.name) for each in many]
    for number in (3, 7):
        many[number].unlink()
        if kind == "put":
            many[number].with_suffix(".xmp").mkdir()
    result = act(journal, *steps)
    assert (result.done, len(result.failed)) == (38, 2)
    assert {str(step.source.with_suffix(".png")) for step, _ in result.failed} == bad
    assert states(journal, result.run).count("done") == 38 and not hidden(tree(outputs))
    well(undo(journal))
    assert all(
        tree(outputs)[name] == entry for name, entry in before.items() if str(outputs / name) not in bad
    )


def test_a_disk_without_room_for_all_hidden_files_of_a_group_has_room_for_one_after_another(
    journal, outputs, many, monkeypatch
):
    """As before steps were taken together: an edited file takes the room of the one it replaces."""
    copied = content.copy_applied

    def limited(source, target, *rest):
        if len(list(outputs.glob(".imagereward-*.tmp"))) > 3:
            raise refusal(errno.ENOSPC)
        return copied(source, target, *rest)

    monkeypatch.setattr(content, "copy_applied", limited)
    assert well(act(journal, *map(edit, many))).done == 40
    assert not hidden(tree(outputs))
    assert all(b"score" in each.read_bytes() for each in many)


def test_a_disk_that_stays_full_is_a_reason_for_each(journal, outputs, many):
    before = tree(outputs)
    with refusing("fsync", errno.ENOSPC):
        result = act(journal, *map(edit, many))
    assert len(result.failed) == 40 and all("is full" in reason for reason in reasons(result))
    assert tree(outputs) == before


def test_names_taken_by_an_earlier_step_of_the_group_are_counted_on(journal, outputs, kept, many):
    before = tree(outputs)
    kept.mkdir()
    (kept / "x.png").write_bytes(b"somebody else's")
    well(
        act(
            journal,
            *(to("move", each, kept / "x.png") for each in many[:5]),
            to("move", many[5], kept / "y.png"),
        )
    )
    assert {path.name for path in kept.iterdir()} == {
        "x.png",
        "y.png",
        *(f"x ({n}).png" for n in range(2, 7)),
    }
    assert (kept / "x (2).png").read_bytes() == before["more 00.png"].content
    (kept / "x.png").unlink()
    well(undo(journal))
    kept.rmdir()
    assert tree(outputs) == before


def test_a_group_across_file_systems(journal, outputs, kept, many):
    before = tree(outputs)
    with another_file_system(kept):
        well(act(journal, *(to("move", each, kept / each.name) for each in many)))
        assert len(list(kept.iterdir())) == 40 and not hidden(tree(outputs))
        well(undo(journal))
    assert tree(outputs) == before


def test_a_journal_that_cannot_be_written_stops_a_group_and_leaves_no_hidden_file(outputs, many, tmp_path):
    before = tree(outputs)
    with open_journal(tmp_path / ".imagereward") as journal:
        run = journal.begin("a test", map(edit, many))
        write = journal.write

        def second_fails(*records, **more):
            if records and records[0].state == "ready":
                raise CuratorError("the disk of the journal is full")
            write(*records, **more)

        journal.write = second_fails
        with pytest.raises(CuratorError, match="is full"):
            execute(journal, run)
        assert tree(outputs) == before
        journal.write = write
        assert well(execute(journal, run)).done == 40


def test_a_copy_that_is_written_to_while_its_group_is_undone_stays(journal, outputs, kept, many, monkeypatch):
    """Between the look at a file and its removal stand the looks at all others of the group."""
    well(act(journal, *(to("copy", each, kept / each.name) for each in many[:3])))
    write = journal.write

    def writing(*records, **more):
        write(*records, **more)
        if records and records[0].state == "restoring":
            (kept / many[1].name).write_bytes(b"retouched by hand")

    monkeypatch.setattr(journal, "write", writing)
    result = undo(journal)
    assert (result.done, len(result.failed)) == (2, 1)
    assert [path.read_bytes() for path in kept.iterdir()] == [b"retouched by hand"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to make processes cheaply")
@pytest.mark.parametrize("share", [0.35, 0.5, 0.65, 0.8, 0.95])
def test_a_whole_group_is_settled_after_a_kill(share, outputs, kept, many, tmp_path):
    place = tmp_path / ".imagereward"
    steps = [
        step for each in many[:8] for step in (to("move", each, kept / each.name), edit(kept / each.name))
    ]
    before = tree(outputs)

    def work(where=place):
        with open_journal(where) as journal:
            execute(journal, journal.begin("a test", steps))

    lines = _lines(work, place, outputs)
    assert tree(outputs) == before
    assert killed_at_line(int(lines * share), work)
    with open_journal(place) as journal:
        assert not hidden(tree(outputs)) and not any(found.problems for found in journal.recovered)
        pictures = [data for name, data in contents(tree(outputs)).items() if "more" in name]
        assert len(pictures) == 40
        well(execute(journal, 1))
        assert sum(b"score" in path.read_bytes() for path in kept.iterdir()) == 8
        well(undo(journal))
    assert tree(outputs) == before


def _lines(work, place, outputs):
    """Lines of a run, which is undone again; its journal goes."""
    lines = lines_of(work)
    with open_journal(place) as journal:
        well(undo(journal))
    shutil.rmtree(place)
    return lines
