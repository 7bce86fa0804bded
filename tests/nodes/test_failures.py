"""Whatever fails in a node of ours, no generated picture is lost: it waits in the host, and the next run saves it as it is."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest
from full_disk import fill, small_disk
from graphs import PREFIX, Graph, draw_scenes
from PIL import Image
from test_curate_folder import curate, scenes, tree  # noqa: F401

from imagereward_core.library.actions import Journal, Step, execute, files

OURS = (
    "ScoreImages SortByScore PickBest FilterByScore BlendScores ScoreToText ScorePlot ContactSheet SaveScored"
)


@pytest.fixture(autouse=True)
def no_trouble_is_left(host):
    yield
    host.trouble()


def everything(host, prompt, prefix):
    """A graph with all nodes that handle generated pictures, and the host's own saver where there is one."""
    graph = Graph()
    pictures = graph.pictures()
    scores = graph.score([pictures, 0], prompt=prompt)
    if host.name == "real":
        graph.add("SaveImage", images=[pictures, 0], filename_prefix=f"{prefix}/host")
    ordered = graph.sort(scores, images=[scores, 1])
    best = graph.pick(scores, images=[scores, 1])
    chosen = graph.filter(scores, images=[scores, 1], top_k=2)
    blend = graph.blend(scores)
    text = graph.add("ScoreToText", scores=[scores, 0], which="best", number=1, decimals=4)
    for node in (ordered, best, chosen, blend, text):
        graph.show(node, 0)
    graph.plot(scores)
    graph.sheet(scores, [scores, 1])
    graph.save(scores, [scores, 1], filename_prefix=f"{prefix}/ours")
    return graph, pictures


def saved(host, folder):
    """The files below a folder of the output; every one of them is a whole picture."""
    names = [name for name in host.files() if name.startswith(f"{folder}/")]
    for name in names:
        with Image.open(host.base / "output" / name) as picture:
            picture.load()
    return names


def test_a_failure_of_any_node_leaves_the_pictures_for_the_next_run(host):
    for number, name in enumerate(OURS.split()):
        graph, pictures = everything(host, f"a red star, {number}", f"failing{number}")
        host.trouble(node=PREFIX + name)
        ran = host.run(graph)
        assert (ran.status, ran.error) == ("error", f"{PREFIX}{name} failed")
        saved(host, f"failing{number}")
        host.trouble()
        again = host.run(graph)
        assert again.status == "success" and (number == 0 or pictures in again.cached), name
        names = saved(host, f"failing{number}")
        assert sum("/ours" in each for each in names) >= 4
        assert host.name != "real" or sum("/host" in each for each in names) in (4, 8)


def test_a_scorer_that_fails_is_told_and_works_again_in_the_next_run(host):
    graph, pictures = everything(host, "a blue star", "scorer")
    assert host.run(graph).status == "success"
    graph, _ = everything(host, "a green star", "scorer")
    host.trouble(scorer="the device is gone")
    ran = host.run(graph)
    assert (ran.status, ran.error) == ("error", "the device is gone")
    host.trouble()
    again = host.run(graph)
    assert again.status == "success" and pictures in again.cached


def test_saving_that_is_interrupted_leaves_whole_files_and_goes_on_from_the_pictures(host):
    graph = Graph()
    pictures = graph.pictures()
    scores = graph.score([pictures, 0])
    graph.save(scores, [scores, 1], filename_prefix="stopped/%rank%")
    host.trouble(interrupt=[2, 4])
    assert host.run(graph).kind == "InterruptProcessingException"
    assert len(saved(host, "stopped")) == 2
    again = host.run(graph)
    assert again.status == "success" and pictures in again.cached
    assert len({name.split("_")[0] for name in saved(host, "stopped")}) == 4


def test_saving_to_a_full_disk_is_told_and_goes_on_when_there_is_room(host):
    graph = Graph()
    pictures = graph.pictures()
    scores = graph.score([pictures, 0])
    graph.save(scores, [scores, 1], filename_prefix="full/%rank%")
    with small_disk(host.base / "output" / "full", 64 * 1024) as disk:
        fill(disk, left=20 * 1024).rename(disk / "filler.txt")
        ran = host.run(graph)
        assert ran.status == "error" and "cannot be written" in ran.error and "saved before it" in ran.error
        (disk / "filler.txt").unlink()
        assert 0 < len(saved(host, "full")) < 4
        again = host.run(graph)
        assert again.status == "success" and pictures in again.cached
        assert len({name.split("_")[0] for name in saved(host, "full")}) == 4


def test_curating_that_is_interrupted_loses_no_picture_and_can_be_taken_back(host, scenes):  # noqa: F811
    for number in range(60):  # more than are dealt with at once
        for suffix in ("png", "txt"):
            shutil.copy(scenes / f"0_0.{suffix}", scenes / f"again_{number}.{suffix}")
    before = tree(scenes)
    host.trouble(gone=[str(path) for path in scenes.glob("*.png")])
    ran, _ = curate(host, mode="carry out", action="move")
    assert ran.kind == "InterruptProcessingException"
    host.trouble()
    pixels = [content for name, content in tree(scenes).items() if name.endswith(".png")]
    assert Counter(pixels) == Counter(content for name, content in before.items() if name.endswith(".png"))
    assert tree(scenes) != before
    curate(host, mode="take back the last run")
    assert {name: content for name, content in tree(scenes).items() if content is not None} == {
        name: content for name, content in before.items() if content is not None
    }


def pixels(folder):
    """How often which picture is there, wherever it lies."""
    return Counter(content for name, content in tree(folder).items() if name.endswith(".png"))


@pytest.mark.parametrize("action", ["copy", "move"])
def test_curating_into_a_full_folder_is_told_file_by_file_and_goes_on_when_there_is_room(
    host,
    scenes,  # noqa: F811
    action,
):
    before = tree(scenes)
    with small_disk(scenes / "kept", 512 * 1024) as disk:
        fill(disk, left=8 * 1024).rename(disk / "filler.bin")
        writing = action == "copy"  # so that a picture that was moved has the bytes it had
        _, (*_, report) = curate(host, mode="carry out", action=action, write_scores=writing)
        assert "is full; free some room and do it again" in report[0]
        left = pixels(scenes)
        assert all(left[content] for name, content in before.items() if name.endswith(".png"))
        (disk / "filler.bin").unlink()
        _, (kept, *_, report) = curate(host, mode="carry out", action=action, write_scores=writing)
        assert "Not done" not in report[0] and len(kept) == 2
        assert sorted(path.name for path in disk.glob("*.png")) == sorted(
            each.rsplit("/")[-1] for each in kept
        )
        for _ in range(2):
            curate(host, mode="take back the last run")
        assert {**tree(scenes), "kept": None} == {**before, "kept": None}


@pytest.mark.parametrize("left", [0, 16, 256, 440, 480, 520])
def test_a_disk_without_room_for_scores_or_journal_loses_nothing_and_the_next_run_works(host, left):
    """The whole output folder, what is known about it too, on a disk with so many KiB left."""
    with small_disk(host.base / "output", 4 * 1024 * 1024) as output:
        draw_scenes(output / "scenes")
        before = tree(output)
        fill(output, left=left * 1024)
        ran, _ = curate(host, mode="carry out", action="move", write_scores=True)
        if ran.status == "error":
            assert "room" in ran.error and "--" not in ran.error
        else:
            assert left > 400
        names = Counter(path.name for path in output.rglob("*.png"))
        assert names == Counter(name.rpartition("/")[2] for name in before if name.endswith(".png"))
        (output / "filler").unlink()
        _, (_, _, kept, rejected, report) = curate(host, mode="carry out", action="move", write_scores=True)
        assert (kept, rejected) == ([2], [6]) and "Not done" not in report[0]
        while curate(host, mode="take back the last run")[0].status == "success":
            pass
        assert tree(output) == before


class Killed(BaseException):
    """Stands for the end of the process."""


def cut_off(scenes, monkeypatch):  # noqa: F811
    """A move of all pictures that is cut off before their text files follow."""

    def drop(source, target):
        raise Killed

    store = scenes.parent / ".imagereward"
    steps = [Step("move", path, scenes / "elsewhere" / path.name) for path in sorted(scenes.glob("*.png"))]
    with monkeypatch.context() as patch, Journal.open(store, root=scenes.parent) as journal:
        patch.setattr(files, "drop_old", drop)
        with pytest.raises(Killed):
            execute(journal, journal.begin("a test", steps, scenes))


def test_what_was_cut_off_is_settled_before_pictures_are_looked_at(host, scenes, monkeypatch):  # noqa: F811
    """Else pictures have two names, or have lost their prompts, and are sorted so."""
    before = tree(scenes)
    cut_off(scenes, monkeypatch)
    assert tree(scenes) != before
    after = tree(scenes)
    _, (*_, report) = curate(host, mode="preview", top_k=8)
    assert "was cut off" in report[0] and tree(scenes) == after
    _, (_, _, kept, _, report) = curate(host, mode="carry out", top_k=8)
    assert "Run 1 had been cut off" in report[0]
    assert kept == [8] and len(list((scenes / "kept").rglob("*.txt"))) == 8
