"""Names of saved files: tokens filled in as the host fills its own, unknown ones told, a text beside, nothing written over."""

from __future__ import annotations

import json
import re
import time
import urllib.request

import pytest

from imagereward_core.metadata.prompt_finder import PromptFinder
from tests.support.comfyui.graphs import PROMPTS, Graph, shown


def saving(prefix, prompt=PROMPTS[0], kind="single", **changes):
    """A graph that saves, and the node that does."""
    graph = Graph()
    scores = graph.score([graph.pictures(kind), 0], prompt=prompt)
    return graph, graph.save(scores, [scores, 1], filename_prefix=prefix, **changes)


def names(host, graph, node):
    ran = host.run(graph)
    assert ran.status == "success", ran.error
    return [f"{each['subfolder']}/{each['filename']}" for each in ran.outputs[node]["images"]]


@pytest.fixture
def at_five(fake, monkeypatch):
    """The fourth of February 2031, 05:06:07, by every clock the nodes look at."""
    moment = time.struct_time((2031, 2, 4, 5, 6, 7, 1, 35, 0))
    monkeypatch.setattr(fake.module("nodes.tokens").time, "localtime", lambda: moment)
    return fake.module("nodes.tokens")


def test_times_are_written_as_the_host_writes_them(at_five):
    for text, filled in (
        # What the page of 0.3.64, 0.12.3 and 0.33.0 makes of them at that time, see docs/hosts.md.
        ("%date:yyyy-MM-dd%", "2031-02-04"),
        ("%date:yy-M-d h-m-s%", "31-2-4 5-6-7"),
        ("%date:hhmmss%_x", "050607_x"),
        ("%date:yyy%", "yyy"),
        ("%date:yyyy/MM%/x", "2031/02/x"),
        ("%year%-%month%-%day%_%hour%%minute%%second%", "2031-02-04_050607"),
        ("100%_%year%", "100%_2031"),
        ("50%", "50%"),
    ):
        tokens = at_five.HostTokens({}, {}, at_five.time.localtime())
        assert tokens.fill("x", text) == filled and not tokens.unfilled


def test_tokens_of_times_and_widgets_are_filled_in_for_every_picture(host):
    day = time.strftime("%Y-%m-%d")
    graph, node = saving(
        "names/%date:yyyy-MM-dd%/%ImageRewardCuratorLoadScorer.scorer%_%My pictures.kind%_%batch_num%_%rank%",
        kind="batch",
    )
    pictures = next(each for each in graph.values() if each["class_type"] == "CuratorProbePictures")
    pictures["_meta"] = {"title": "My pictures"}
    found = names(host, graph, node)
    assert len(found) == 4 and all(name.startswith(f"names/{day}/demo_batch_") for name in found)
    assert sorted(name.split("_")[2] for name in found) == ["0", "1", "2", "3"]
    assert [name.split("_")[3] for name in found] == ["001", "002", "003", "004"]


def test_nodes_are_found_as_the_page_finds_them(host):
    """By the name somebody gave a node for tokens, before titles; and what the page keeps to itself is read from the workflow."""
    graph, node = saving("found/%Chosen.kind%_%Seed.value%_%Slash.text%")
    loader = next(key for key, each in graph.items() if each["class_type"] == "CuratorProbePictures")
    host.workflow = {
        "nodes": [
            {
                "id": int(loader),
                "type": "CuratorProbePictures",
                "properties": {"Node name for S&R": "Chosen"},
            },
            {"id": 90, "type": "PrimitiveNode", "title": "Seed", "widgets_values": [12345, "fixed"]},
            {
                "id": 91,
                "type": "Muted",
                "title": "Slash",
                "widgets_values": ["a/b"],
                "inputs": [{"widget": {"name": "text"}}],
            },
            {"id": 92, "type": "Chosen", "title": "Chosen"},
        ]
    }
    try:
        assert names(host, graph, node)[0].startswith("found/single_12345_a_b_0")
    finally:
        host.workflow = None


@pytest.mark.parametrize("prefix", ["x/%model%", "%Date%/x", "%rank%_%prompt%"])
def test_a_token_nobody_knows_is_refused_before_anything_runs(host, prefix):
    graph, _ = saving(prefix)
    before = host.files()
    ran = host.run(graph)
    assert ran.kind == "refused" and "not known" in ran.error and "%date:yyyy-MM-dd%" in ran.error
    assert host.files() == before


@pytest.mark.parametrize("field", ["kept_folder", "rejected_folder"])
def test_so_is_one_in_a_folder_where_there_is_a_selection(host, field):
    before = host.files()
    for chosen in (True, False):
        graph = Graph()
        scores = graph.score([graph.pictures("single"), 0])
        more = {"selection": [graph.filter(scores), 14]} if chosen else {}
        node = graph.save(scores, [scores, 1], **{field: "%model%"}, **more)
        if chosen:
            ran = host.run(graph)
            assert (
                ran.kind == "refused"
                and f"%model% in {field} is not known" in ran.error
                and host.files() == before
            )
        else:  # then nothing is saved there
            assert names(host, graph, node)


@pytest.mark.parametrize("prefix", [".imagereward/%rank%", "a/../.imagereward/x/%rank%"])
def test_nothing_is_saved_among_what_a_library_keeps(host, prefix):
    graph, _ = saving(prefix)
    ran = host.run(graph)
    assert ran.status == "error" and "lies in .imagereward" in ran.error


@pytest.mark.parametrize("token", ["%Nobody.seed%", "%ImageRewardCuratorLoadScorer.seed%"])
def test_a_widget_that_is_not_there_is_told_and_the_picture_is_saved(host, token, caplog):
    graph, node = saving(f"told/{token}")
    (name,) = names(host, graph, node)
    assert name.startswith(f"told/{token}_0")
    log = caplog.text if host.name == "fake" else host.log.read_text(errors="replace")
    assert f"{token} in filename_prefix was not filled in" in " ".join(log.split())


def test_folders_of_kept_and_rejected_take_tokens_too(host):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    chosen = graph.filter(scores, top_k=1)
    node = graph.save(
        scores,
        [scores, 1],
        selection=[chosen, 14],
        filename_prefix="apart/x",
        kept_folder="%verdict%_%date:yyyy%",
        rejected_folder="%scorer%/%width%",
    )
    year = time.strftime("%Y")
    found = {name.rpartition("/")[0] for name in names(host, graph, node)}
    assert found == {f"apart/kept_{year}", "apart/demo/64"}


@pytest.mark.parametrize("prefix", [".hidden/x", ".x", "./x", ".../x"])
def test_a_prefix_that_begins_with_a_dot_works_and_can_be_seen(host, prefix):
    graph, node = saving(f"{prefix}%rank%")
    (shown_file,) = host.run(graph).outputs[node]["images"]
    path = host.base / "output" / shown_file["subfolder"] / shown_file["filename"]
    assert path.is_file() and path.name.startswith(prefix.rpartition("/")[2])
    if host.name == "real":
        query = f"filename={shown_file['filename']}&subfolder={shown_file['subfolder']}&type=output"
        with urllib.request.urlopen(f"http://127.0.0.1:{host.port}/view?{query}") as answer:
            assert answer.read() == path.read_bytes()


def test_a_value_that_is_no_name_gets_one(host):
    graph, node = saving("no name/%Empty.name%")
    graph["70"] = {
        "class_type": "CuratorProbeThing",
        "inputs": {"kind": "pair", "name": ".."},
        "_meta": {"title": "Empty"},
    }
    assert re.fullmatch(r"no name/picture_\d{5}_\.png", names(host, graph, node)[0])


def test_a_text_beside_holds_prompt_and_scores_and_is_read_as_the_prompt_alone(host):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0], prompt=PROMPTS[1])
    chosen = graph.filter(scores, top_k=1)
    blended = graph.blend(scores, method="weighted")
    node = graph.save(
        blended,
        [scores, 1],
        selection=[chosen, 14],
        filename_prefix="texts/%rank%",
        text_file="prompt and score",
    )
    values = graph.show(graph.sort(scores), 6)
    folder = host.base / "output" / "texts" / "kept"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "001_00001_.txt").write_text("somebody's own")
    ran = host.run(graph)
    first, *others = ran.outputs[node]["images"]
    path = host.base / "output" / first["subfolder"] / first["filename"]
    lines = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    best = shown(ran, values)[0]
    assert lines[0] == PROMPTS[1] and f"demo: {best:.4f}" in lines
    assert any(line.startswith("blend:two: ") and "rank 1 of 4" in line for line in lines)
    assert lines[-1].startswith("kept:") and len(others) == 3
    assert PromptFinder(None, "sidecar")(path).written == PROMPTS[1]
    assert (folder / "001_00001_.txt").read_text() == "somebody's own" and path.name != "001_00001_.png"


def test_no_text_is_written_unless_asked_for(host):
    graph, node = saving("silent/%rank%")
    (name,) = names(host, graph, node)
    assert not (host.base / "output" / name).with_suffix(".txt").exists()


def test_a_workflow_of_any_shape_breaks_nothing(fake):
    tokens = fake.module("nodes.tokens")
    for workflow in (
        {"nodes": 5, "definitions": []},
        {"nodes": [None, {"id": None, "inputs": [3, {"widget": "x"}], "widgets_values": [1], "title": "T"}]},
        {
            "nodes": [{"type": "a", "id": 1}],
            "definitions": {"subgraphs": [{"id": "a", "nodes": [{"type": "a"}]}]},
        },
    ):
        host = tokens.HostTokens({"1": {"_meta": 4, "class_type": "T", "inputs": []}, "2": 7}, workflow)
        assert host.fill("x", "%T.w%") == "%T.w%" and len(host.unfilled) == 1


def test_a_node_inside_a_subgraph_is_found(fake):
    tokens = fake.module("nodes.tokens")
    inner = {"id": "sub", "nodes": [{"id": 3, "type": "KSampler", "title": "Inner"}]}
    workflow = {"nodes": [{"id": 8, "type": "sub"}], "definitions": {"subgraphs": [inner]}}
    prompt = {
        "8:3": {
            "class_type": "KSampler",
            "inputs": {"seed": 5, "cfg": 7.0, "denoise": 0.5, "steps": ["9", 0]},
        }
    }
    prompt["9"] = {"class_type": "PrimitiveInt", "inputs": {"value": 20}}
    host = tokens.HostTokens(json.loads(json.dumps(prompt)), workflow)
    text = "%Inner.seed%_%KSampler.cfg%_%KSampler.denoise%_%KSampler.steps%"
    assert host.fill("x", text) == "5_7_0.5_20" and not host.unfilled


def test_a_text_that_somebody_makes_at_that_instant_is_told_and_the_picture_saved_once(fake, monkeypatch):
    files = fake.module("nodes.files")
    made = files._save_new

    def late(content, path):
        if path.suffix == ".txt":
            raise FileExistsError(17, "File exists")
        made(content, path)

    monkeypatch.setattr(files, "_save_new", late)
    graph, _ = saving("late/%rank%", text_file="prompt and score")
    ran = fake.run(graph)
    assert ran.status == "error" and "001_00001_.txt cannot be written (File exists)" in ran.error
    assert "1 picture of this batch was saved before it" in ran.error
    assert [path.name for path in (fake.base / "output" / "late").iterdir()] == ["001_00001_.png"]
