"""Curate Folder in a graph: previews first, then does it, then takes it back, and never leaves the host's folders."""

from __future__ import annotations

import re
import shutil
import time

import pytest

from benchmarks.hostile.tricks import bring
from tests.support.comfyui.curation import curate, tree
from tests.support.comfyui.graphs import Graph, shown


def test_a_preview_says_what_would_happen_and_does_nothing(host, scenes):
    before = tree(scenes)
    _, (kept, rejected, kept_count, rejected_count, report) = curate(host)
    assert tree(scenes) == before
    assert kept_count == [2] and rejected_count == [6] and len(kept) == 2 and len(rejected) == 6
    assert (
        all("kept" in path for path in kept)
        and "To copy: 2 to" in report[0]
        and "This is a preview" in report[0]
    )


@pytest.mark.parametrize("action", ["copy", "hard link", "move"])
def test_it_is_carried_out_and_taken_back_byte_for_byte(host, scenes, action):
    before = tree(scenes)
    _, (kept, *_, report) = curate(host, mode="carry out", action=action, write_scores=True)
    assert (
        len(list((scenes / "kept").glob("*.png"))) == 2
        and len(list((scenes / "rejected").glob("*.png"))) == 6
    )
    assert all(
        b"ImageRewardDemo" in (scenes / "kept" / path.rpartition("/")[2]).read_bytes() for path in kept
    )
    assert "Run 1:" in report[0]
    _, (*_, report) = curate(host, mode="take back the last run")
    assert "taken back" in report[0] and tree(scenes) == before


def test_the_last_run_is_that_of_the_folder_that_is_shown(host, scenes):
    """A later one of another folder stays; the folder around both takes that one back."""
    other = shutil.copytree(scenes, scenes.parent / "other")
    before = tree(scenes), tree(other)
    curate(host, mode="carry out", action="move")
    curate(host, mode="carry out", action="move", folder="other")
    after = tree(other)
    _, (*_, report) = curate(host, mode="take back the last run")
    assert "Run 1 " in report[0] and tree(scenes) == before[0] and tree(other) == after
    ran, _ = curate(host, mode="take back the last run")
    assert ran.status == "error" and "nothing to undo" in ran.error and "Run 2 was done in" in ran.error
    _, (*_, report) = curate(host, mode="take back the last run", folder="")
    assert "Run 2 " in report[0] and tree(other) == before[1]


def test_running_it_again_scores_and_moves_nothing_twice(host, scenes):
    curate(host, mode="carry out", action="move")
    after = tree(scenes)
    ran, (_, _, kept, _, report) = curate(host, mode="carry out", action="move")
    assert ran.status == "success" and tree(scenes) == after and kept == [2]
    assert "8 are in place already" in report[0]


def test_the_number_is_that_of_score_images(host, scenes):
    graph = Graph()
    _, scores = graph.scored_folder()
    values = graph.show(scores, 2)
    best = max(shown(host.run(graph), values))
    _, (*_, report) = curate(host, per="all pictures")
    assert f"{best:.4f}" in report[0]


def test_rejected_pictures_can_be_left_in_place(host, scenes):
    curate(host, mode="carry out", action="move", rejected="leave in place")
    assert len(list((scenes / "kept").glob("*.png"))) == 2 and len(list(scenes.glob("*.png"))) == 6
    assert not (scenes / "rejected").exists()


def test_the_input_folder_works_too_and_a_bad_file_fails_alone(host):
    folder = host.base / "input" / "bad scenes"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(host.base / "input" / "scenes", folder)
    (folder / "bad.png").write_bytes(b"no picture")
    _, (_, _, kept, rejected, report) = curate(host, where="input", folder="bad scenes")
    assert kept == [2] and rejected == [6] and "1 has no score" in report[0]


def test_what_cannot_be_is_refused_in_words_and_touches_nothing(host, scenes):
    before = tree(host.base / "output")
    for changes, words in (
        ({"folder": "../../etc"}, "leads out of"),
        ({"folder": "/etc"}, "leads out of"),
        ({"kept_folder": "../elsewhere"}, "leads out of"),
        ({"kept_folder": "."}, "holds the folder"),
        ({"kept_folder": "rejected"}, "to one folder"),
        ({"folder": "nowhere"}, "there is no folder"),
        ({"mode": "delete"}, "mode is"),
        ({"where": "models"}, "where is"),
        ({"action": "symlink"}, "action is"),
        ({"per": "day"}, "per is"),
        ({"buckets_by": "luck", "buckets": "great=1"}, "buckets_by is"),
        ({"buckets": "great=1,good=5"}, "expected the best bucket first"),
        ({"buckets": "../out=1"}, "cannot be the name of a bucket"),
        ({"kept_folder": "%score%"}, "%score% in kept_folder was not filled in: it means nothing here"),
        ({"folder": "%dat:yyyy%"}, "it is not known"),
        ({"mode": "take back the last run"}, "nothing to undo"),
    ):
        ran, _ = curate(host, **changes)
        assert ran.status == "error" and tree(host.base / "output") == before, changes
        # Newer hosts know choices themselves.
        assert words in ran.error or "value_not_in_list" in ran.error, (changes, ran.error)


def test_an_empty_folder_is_an_error_that_says_so(host, scenes):
    (host.base / "output" / "empty").mkdir()
    ran, _ = curate(host, folder="empty")
    assert ran.status == "error" and "there is no picture" in ran.error


def test_the_hosts_stop_button_stops_it_and_the_scores_so_far_are_kept(fake):
    scenes = fake.base / "input" / "scenes"
    fake.host.management.interrupted = True
    ran, _ = curate(fake, mode="carry out", action="move", where="input")
    assert ran.status == "error" and ran.kind == "InterruptProcessingException"
    assert len(list(scenes.glob("*.png"))) == 8


@pytest.mark.parametrize("mode", ["preview", "carry out", "take back the last run"])
def test_no_mode_does_what_a_stranger_wrote_into_the_journal(mode, host, scenes, tmp_path):
    """The output folder brings a journal that names a person's document as a hidden file of ours, and a module to be written."""
    output, letter, module = scenes.parent, tmp_path / "letter.txt", tmp_path / "custom_node.py"
    letter.write_bytes(b"dear all")
    picture = next(scenes.glob("*.png"))
    bring(
        output,
        {"state": "doing", "made": str(output / "b.png"), "temporary": str(letter)},
        {"target": str(picture), "made": str(picture), "source": str(picture)},
        {
            "kind": "put",
            "state": "planned",
            "parent": 2,
            "source": str(module),
            "target": str(module),
            "content": b"x",
        },
    )
    journal = output / ".imagereward" / "journal.sqlite3"
    before = journal.read_bytes()
    ran, texts = curate(host, mode=mode)
    assert letter.read_bytes() == b"dear all" and not module.exists() and picture.exists()
    if mode == "preview":
        assert journal.read_bytes() == before
    else:
        assert ran.status == "success" and "letter.txt" in texts[4][0]


def test_a_run_of_the_version_before_that_leads_out_is_left_with_the_command_that_asks(
    host, scenes, tmp_path
):
    picture = next(scenes.glob("*.png"))
    made = picture.rename(tmp_path / picture.name)
    bring(scenes.parent, {"kind": "move", "source": str(picture), "target": str(made), "made": str(made)})
    _, texts = curate(host, mode="take back the last run")
    assert "0 steps taken back" in texts[4][0] and f"imagereward undo {scenes.parent}" in texts[4][0]
    assert made.exists() and not picture.exists()


def test_buckets_sort_kept_pictures_further_as_the_command_does(host, scenes):
    before = tree(scenes)
    changes = {"top_k": 0, "per": "all pictures", "buckets": "great=25,good=50", "buckets_by": "share"}
    _, (kept, _, kept_count, rejected_count, report) = curate(host, **changes, mode="carry out")
    counts = {name: len(list((scenes / name).glob("*.png"))) for name in ("great", "good", "rejected")}
    assert counts == {"great": 2, "good": 4, "rejected": 2} and not (scenes / "kept").exists()
    assert kept_count == [6] and rejected_count == [2] and "2 great, 4 good, 2 rejected" in report[0]
    assert [path.split("/")[-2] for path in kept] == ["great"] * 2 + ["good"] * 4
    curate(host, mode="take back the last run")
    assert tree(scenes) == before
    curate(host, **{**changes, "buckets": "great=25,poor"}, mode="carry out", rejected="leave in place")
    assert not (scenes / "poor").exists() and len(list((scenes / "great").glob("*.png"))) == 2


def test_the_score_stands_in_the_name_by_choice_and_a_second_run_knows_its_copies(host, scenes):
    before = tree(scenes)
    _, (kept, *_) = curate(host, mode="carry out", score_in_name=True)
    names = [path.rpartition("/")[2] for path in kept]
    assert all(re.fullmatch(r"\d_\d_score-?\d+\.\d{4}\.png", name) for name in names) and len(names) == 2
    assert {name[:3] + ".txt" for name in names} == {
        re.sub("_score.*", ".txt", path.name) for path in (scenes / "kept").glob("*.txt")
    }
    after = tree(scenes)
    for again in (True, False):
        _, (_, _, count, _, report) = curate(host, mode="carry out", score_in_name=again)
        assert tree(scenes) == after and count == [2] and "8 are in place already" in report[0]
    curate(host, mode="take back the last run")
    assert tree(scenes) == before


def test_folders_take_the_hosts_tokens(host, scenes):
    today = time.strftime("%Y-%m")
    scenes.rename(scenes.with_name(today))
    kept = "%ImageRewardCuratorLoadScorer.scorer%/%year%"
    _, (found, *_) = curate(host, mode="carry out", folder="%date:yyyy-MM%", kept_folder=kept)
    assert {"/".join(path.split("/")[-4:-1]) for path in found} == {f"{today}/demo/{time.strftime('%Y')}"}


def test_buckets_by_percentile_are_refused_before_anything_is_scored_where_there_are_none(host, scenes):
    graph = Graph()
    graph.curate(scorer=graph.load(whole_picture=True), buckets="great=90", mode="carry out")
    ran = host.run(graph)
    assert ran.status == "error" and "Set buckets_by to score or share" in ran.error
    assert not (scenes.parent / ".imagereward").exists()
