"""Two equal prompts with a change between them: what looks at files looks again, and what acts acts again, however results are kept."""

from __future__ import annotations

import json
import shutil

import pytest

from imagereward_core.scorers.blend import Blend, BlendMember
from imagereward_core.scorers.blend_file import BlendFile
from tests.support.comfyui.curation import tree
from tests.support.comfyui.fake_host import FakeHost
from tests.support.comfyui.graphs import Graph, draw_scenes, shown

CACHES = {"real": (), "real, lru": ("--cache-lru", "50"), "real, none": ("--cache-none",)}


@pytest.fixture(scope="module")
def keeping_hosts(tmp_path_factory):
    """Starts a real host for a way to keep results, once; one at a time."""
    from tests.support.comfyui.real_host import from_environment

    running = {}

    def close():
        for host in running.values():
            if host is not None:
                host.close()
        running.clear()

    def get(name):
        if name not in running:
            close()
            running[name] = from_environment(tmp_path_factory.mktemp("comfyui"), CACHES[name])
        return running[name]

    yield get
    close()


@pytest.fixture(params=["recent", "old", *CACHES], scope="module")
def way(request):
    return request.param


@pytest.fixture
def place(way, keeping_hosts, request, tmp_path):
    """A host, with drawn scenes of this test's own in its input and output folders."""
    if way in CACHES:
        host = keeping_hosts(way)
        if host is None:
            pytest.skip(
                "COMFYUI_PATH is not set; set it to a ComfyUI folder to run this against the real host"
            )
        for root in ("input", "output"):
            shutil.rmtree(host.base / root, ignore_errors=True)
    else:
        host = FakeHost(request.getfixturevalue("monkeypatch"), tmp_path, recent=way == "recent")
    draw_scenes(host.base / "input" / "scenes")
    shutil.copytree(host.base / "input" / "scenes", host.base / "output" / "scenes")
    yield host
    if way not in CACHES:
        host.close()


def curate(host, **changes):
    graph = Graph()
    node = graph.curate(**changes)
    report = graph.show(node, 4)
    return shown(host.run(graph), report)[0]


def test_a_preview_shows_the_folder_as_it_is_now(place):
    assert "8 pictures judged" in curate(place)
    (place.base / "output" / "scenes" / "0_0.png").unlink()
    assert "7 pictures judged" in curate(place)


def test_take_back_twice_takes_two_runs_back(place):
    scenes = place.base / "output" / "scenes"
    before = tree(scenes)
    curate(place, mode="carry out", action="move", top_k=2)
    curate(place, mode="carry out", action="copy", folder="scenes/kept", kept_folder="best", top_k=1)
    assert "taken back" in curate(place, mode="take back the last run")
    assert "taken back" in curate(place, mode="take back the last run")
    assert tree(scenes) == before


def test_carry_out_after_a_take_back_is_carried_out_again(place):
    scenes = place.base / "output" / "scenes"
    curate(place, mode="carry out", action="move")
    after = tree(scenes)
    curate(place, mode="take back the last run")
    assert len(list(scenes.glob("*.png"))) == 8
    curate(place, mode="carry out", action="move")
    assert tree(scenes) == after


def test_saving_is_repeated_where_the_hosts_own_node_repeats_it(place, way):
    """With a queue that starts again by itself, a node that always runs would fill the disk with copies."""
    if way not in CACHES:
        pytest.skip("SaveImage is the real host's")
    graph = Graph()
    folder, scores = graph.scored_folder()
    graph.save(scores, [folder, 0], filename_prefix="again/ours")
    graph.add("SaveImage", images=[folder, 0], filename_prefix="again/theirs")
    for _ in range(2):
        assert place.run(graph).status == "success"
    names = [path.name for path in (place.base / "output" / "again").rglob("*.png")]
    assert sum("ours" in name for name in names) == sum("theirs" in name for name in names) >= 8


def test_what_the_host_notes_about_always_running_is_not_saved(place):
    from PIL import Image

    graph = Graph()
    folder, scores = graph.scored_folder()
    graph.save(scores, [folder, 0], filename_prefix="noted/%rank%")
    assert place.run(graph).status == "success"
    for path in (place.base / "output" / "noted").iterdir():
        with Image.open(path) as picture:
            assert "NaN" not in picture.info["prompt"] and json.loads(picture.info["prompt"])


@pytest.mark.parametrize("name", ["0_0.txt", "0_0.png.txt"])
def test_an_edited_prompt_file_is_read_again(place, name):
    graph = Graph()
    prompts = graph.show(graph.folder(), 1)
    first = shown(place.run(graph), prompts)
    (place.base / "input" / "scenes" / name).write_text("a green circle", encoding="utf-8")
    second = shown(place.run(graph), prompts)
    assert second[0] == "a green circle" != first[0] and second[1:] == first[1:]


def test_an_unchanged_folder_is_not_read_again(place, way):
    if way == "real, none":
        pytest.skip("this host keeps nothing")
    graph = Graph()
    folder = graph.folder()
    graph.show(folder, 1)
    place.run(graph)
    assert folder in place.run(graph).cached


def test_a_changed_blend_is_loaded_again(place):
    models = place.base / "models" / "imagereward"
    models.mkdir(parents=True, exist_ok=True)
    blends = BlendFile(models)
    graph = Graph()
    folder = graph.folder()
    loader = graph.load(scorer="blend:mine")
    values = graph.show(graph.score([folder, 0], prompt=[folder, 1], scorer=loader), 2)
    found = []
    for weight in (1.0, 2.0):
        blends.save(Blend("mine", (BlendMember("demo", weight),), "weighted"), replace=True)
        found.append(shown(place.run(graph), values))
    assert found[1] == pytest.approx([2 * value for value in found[0]])
    (models / "blends.json").unlink()
