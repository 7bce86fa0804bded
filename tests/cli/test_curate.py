"""``curate`` and ``undo`` as a person runs them: the preview first, then the deed, then its undoing."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imagereward_core.library.library import Library
from tests.support.library.curation import draw_outputs, files, tree


@pytest.fixture
def outputs(tmp_path):
    where = tmp_path / "out puts, 写真"
    draw_outputs(where)
    return where


def curate(run, outputs, *options):
    return run("curate", outputs, "-s", "demo", "--top", "1", "--per", "prompt", *options)


def at_a_terminal(monkeypatch, answer):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_without_a_yes_it_shows_what_would_happen_and_does_nothing(run, outputs, options):
    before = tree(outputs)
    done = curate(run, outputs, *options)
    assert done.code == 0 and tree(outputs) == before
    lines = done.out.splitlines()
    assert lines[0].split()[:2] == ["Sorted", "as"]
    assert any(line.split()[:3] == ["kept", "2", "2"] for line in lines)
    assert any(line.split()[:3] == ["rejected", "6", "6"] for line in lines)
    assert "8 pictures judged: 2 kept, 6 rejected." in done.out
    assert ("Add --yes" in done.err) == (not options)


def test_yes_does_it_and_undo_takes_it_back_byte_for_byte(run, outputs):
    before = tree(outputs)
    done = curate(run, outputs, "--move", "--write-back", "--xmp", "--yes")
    assert done.code == 0 and len([name for name in files(outputs) if name.endswith(".png")]) == 8
    assert len([name for name in files(outputs / "kept") if name.endswith(".png")]) == 2
    command = done.err.partition("take it back: ")[2].splitlines()[0]
    words = [word.strip('"') for word in shlex.split(command, posix=os.name == "posix")]
    assert words == ["imagereward", "undo", str(outputs)]
    listed = run("undo", outputs, "--list")
    assert listed.code == 0 and "move: the best 1 per prompt" in listed.out
    shown = run("undo", outputs)
    assert shown.code == 0 and "steps to take back" in shown.out and tree(outputs) != before
    undone = run("undo", outputs, "--yes")
    assert undone.code == 0 and tree(outputs) == before
    assert "undone" in run("undo", outputs, "--list").out
    assert run("undo", outputs, "--yes").code == 2


@pytest.mark.parametrize(("answer", "goes"), [("y", True), ("Yes ", True), ("", False), ("n", False)])
def test_a_person_at_a_terminal_is_asked(run, outputs, monkeypatch, answer, goes):
    before = tree(outputs)
    at_a_terminal(monkeypatch, answer)
    assert curate(run, outputs).code == 0
    assert (tree(outputs) != before) == goes


def test_any_run_can_be_taken_back_by_its_number(run, outputs):
    curate(run, outputs, "--yes")
    first = tree(outputs)
    run("curate", outputs, "-s", "demo", "--buckets", "great=50,good=10", "--buckets-by", "share", "--yes")
    assert run("undo", outputs, "--run", "2", "--yes").code == 0
    assert tree(outputs) == first
    assert run("undo", outputs, "--run", "9", "--yes").code == 2


def test_json_names_every_picture_and_stdout_holds_nothing_else(run, outputs):
    done = curate(run, outputs, "--copy", "--yes", "-f", "json")
    document = done.document
    assert (
        document["carried_out"] and document["run"] == 1 and document["counts"] == {"kept": 2, "rejected": 6}
    )
    for each in document["pictures"]:
        assert Path(each["target"]).read_bytes() == Path(each["file"]).read_bytes()
        assert each["fate"] == "go" and each["sorted_as"] in ("kept", "rejected") and each["reason"]
    assert curate(run, outputs, "-f", "json").document["carried_out"] is False


def test_pictures_without_a_score_are_named_and_stay(run, outputs):
    (outputs / "broken.png").write_bytes(b"")
    done = curate(run, outputs, "--move", "--yes")
    assert done.code == 1 and (outputs / "broken.png").exists()
    assert "not scored:" in done.err and "broken.png" in done.err


def test_the_page_shows_pictures_where_they_lie(run, outputs, tmp_path):
    page = tmp_path / "page.html"
    assert curate(run, outputs, "--move", "--yes", "--html", page).code == 0
    assert "/kept/" in page.read_text(encoding="utf-8").replace("%2F", "/")


def test_the_store_may_lie_elsewhere(run, outputs, tmp_path):
    assert curate(run, outputs, "--yes", "--store", tmp_path / "store").code == 0
    assert not (outputs / ".imagereward").exists()
    with Library.open(tmp_path / "store") as library:
        assert library.keys()[0].scorer == "demo"
    assert run("undo", outputs, "--yes").code == 2
    assert run("undo", outputs, "--yes", "--store", tmp_path / "store").code == 0


def test_a_blend_may_decide(run, outputs):
    done = run("curate", outputs, "-s", "demo=1@rank", "--top", "1", "--yes", "-f", "json")
    assert done.code == 0 and done.document["counts"] == {"kept": 1, "rejected": 7}


@pytest.mark.parametrize(
    "options",
    [
        ("--stay",),
        ("--copy", "--move"),
        ("--yes", "--dry-run"),
        ("--kept", "."),
        ("--leave", "great"),
        ("--into", "great"),
        ("--into", "great=x"),
        ("--buckets", "great=5,good=50"),
        ("--buckets", "../x=5"),
        ("--unique", "64"),
        ("--keep-stars", "9"),
        ("--min-percentile", "5", "--whole-picture"),
        ("--html", "no/such/folder/page.html"),
        ("--top", "-1"),
    ],
)
def test_options_that_make_no_sense_are_usage_errors_and_change_nothing(run, outputs, options, monkeypatch):
    monkeypatch.chdir(outputs)
    before = tree(outputs)
    done = run("curate", outputs, "-s", "demo", *options)
    assert done.code == 2 and done.err and tree(outputs) == before


def test_a_folder_without_pictures_and_no_folder_are_usage_errors(run, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("curate", empty, "-s", "demo", "--yes").code == 2
    assert run("curate", tmp_path / "nowhere", "-s", "demo", "--yes").code == 2
    assert run("undo", empty).code == 2 and not (empty / "kept").exists()


def test_watch_begins_only_after_a_yes(run, outputs):
    before = tree(outputs)
    assert run("watch", outputs, "-s", "demo", "--move").code == 2
    shown = run("watch", outputs, "-s", "demo", "--top", "1", "--dry-run")
    assert (
        shown.code == 0 and "8 pictures judged: 1 kept, 7 rejected." in shown.out and tree(outputs) == before
    )
    assert run("watch", outputs, "-s", "demo", "--poll", "0", "--yes").code == 2


@pytest.mark.skipif(not hasattr(signal, "SIGTERM") or sys.platform == "win32", reason="signals as on Unix")
@pytest.mark.parametrize("which", ["SIGTERM", "SIGINT"])
def test_watch_sorts_until_it_is_told_to_stop_and_ends_well(outputs, which, tmp_path):
    """As a service runs it: another process, ended by a signal."""
    pytest.importorskip("watchdog")
    root = Path(__file__).resolve().parents[2]
    command = [
        sys.executable,
        "-m",
        "imagereward_core",
        "watch",
        outputs,
        "-s",
        "demo",
        "--min-score",
        "0",
        "--move",
        "--yes",
    ]
    with (tmp_path / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--settle", "0.3", "--gather", "0.3"], cwd=root, stdout=log, stderr=log
        )
        try:
            until = time.monotonic() + 60
            while len(files(outputs / "kept")) + len(files(outputs / "rejected")) < 8:
                assert time.monotonic() < until and process.poll() is None, (tmp_path / "log.txt").read_text()
                time.sleep(0.1)
            process.send_signal(getattr(signal, which))
            assert process.wait(30) == 0
        finally:
            process.kill()
    said = (tmp_path / "log.txt").read_text()
    assert "(run 1); 8 scored" in said and said.rstrip().endswith("Stopped.")


def test_the_page_tells_how_a_score_stands_among_the_own_ones(run, outputs, tmp_path):
    draw_outputs(outputs / "more", prompts=7, pictures=7, seed=11)
    done = curate(run, outputs, "--html", tmp_path / "page.html", "--dry-run")
    assert done.code == 0
    assert "your own 57 scores" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_reason_does_not_repeat_the_name_of_its_file(run, outputs):
    (outputs / "broken.png").write_bytes(b"no picture")
    done = curate(run, outputs, "--dry-run")
    (said,) = [line for line in done.err.splitlines() if "broken.png" in line]
    assert said.count("broken.png") == 1 and "not a picture" in said
    (row,) = [line for line in done.out.splitlines() if "broken.png" in line]
    assert row.count("broken.png") == 1


def test_scores_stand_in_the_names_of_copies_where_that_is_asked_for(run, outputs):
    assert curate(run, outputs, "--score-in-name", "--yes").code == 0
    kept = files(outputs / "kept")
    assert len(kept) == 2 and all("_score" in name for name in kept)
