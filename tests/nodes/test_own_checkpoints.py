"""A checkpoint of the user's own in a graph: its name, what is not known of it, and heads that tell nothing apart, in every node."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from tests.support.comfyui.graphs import Graph, shown
from tests.support.tiny import install_own

NOTICE = "mine is a checkpoint of your own, not the published ImageReward-v1.0."
FLAT = "flat gives every picture the same score"
OTHER = {"typical_range": [-50, 50], "distribution": {"source": "my pictures", "mean": 0, "std": 10}}


@pytest.fixture
def own(fake, monkeypatch):
    """``mine.safetensors`` in the host's models folder."""
    folder = fake.base / "models" / "imagereward"
    return install_own(folder, monkeypatch, lambda name: fake.module(f"imagereward_core.{name}"))


def scored(graph, name):
    folder = graph.folder()
    scorer = graph.load(scorer=name)
    return scorer, graph.score([folder, 0], scorer=scorer)


@pytest.mark.parametrize(("name", "expected"), [("mine.safetensors", NOTICE), ("flat.safetensors", FLAT)])
def test_every_node_that_tells_of_numbers_says_what_must_be_known_of_the_scorer(fake, own, name, expected):
    graph = Graph()
    scorer, scores = scored(graph, name)
    other = graph.score([graph.folder(), 0])
    told = [
        graph.show(scorer, 1),
        graph.show(scores, 3),
        graph.show(graph.filter(scores, top_k=1), 15),
        graph.show(graph.blend(scores, other), 2),
        graph.show(graph.curate(scorer, where="input", per="all pictures"), 4),
    ]
    best = graph.add("ScoreToText", scores=[scores, 0], which="best", number=1, decimals=3)
    told.append(graph.show(best, 2))
    text = graph.show(best, 4)
    ran = fake.run(graph)
    for node in told:
        assert expected in shown(ran, node)[0]
    document = json.loads(shown(ran, text)[0])
    assert document["scorer"] == name.partition(".")[0] and expected in " ".join(document["remarks"])
    assert all(each["percentile"] is None for each in document["pictures"])


def test_what_training_made_is_chosen_by_its_id(fake):
    folder = fake.base / "models" / "imagereward"
    folder.mkdir(parents=True, exist_ok=True)
    demo = fake.module("imagereward_core.weights.bundled").MODEL_FOLDER / "demo.safetensors"
    (folder / "run-3.safetensors").write_bytes(demo.read_bytes())
    card = {"id": "mine", "like": "demo", "family": "imagereward", "scale": {"mean": 0.0, "std": 1.0}}
    (folder / "run-3.card.json").write_text(json.dumps(card))
    assert fake.module("nodes.host.scorer_cache").choices()[-1] == "mine"
    graph = Graph()
    tables = [graph.show(scored(graph, name)[1], 3) for name in ("mine", "run-3.safetensors")]
    ran = fake.run(graph)
    by_id, by_file = (shown(ran, table)[0] for table in tables)
    assert by_id == by_file and by_id.startswith("mine, 8 pictures")


def test_it_is_blended_and_saved_under_its_own_name(fake, own):
    graph = Graph()
    scores = graph.score([graph.folder(), 0], scorer=graph.load(blend="demo=1,mine.safetensors=1@rank"))
    table = graph.show(scores, 3)
    _, single = scored(graph, "mine.safetensors")
    saved = graph.save(single, [single, 1], filename_prefix="%scorer%/%rank%")
    ran = fake.run(graph)
    assert NOTICE in shown(ran, table)[0] and "blend:" in shown(ran, table)[0]
    files = [
        fake.base / "output" / each["subfolder"] / each["filename"] for each in ran.outputs[saved]["images"]
    ]
    assert {each["subfolder"] for each in ran.outputs[saved]["images"]} == {"mine"} and len(files) == 8
    with Image.open(files[0]) as picture:
        assert "Reward_mine" in picture.info and "ImageReward" not in picture.info


@pytest.mark.parametrize("node", ["filter", "curate"])
def test_percentiles_without_a_distribution_are_refused_and_a_folder_is_not_scored_first(
    fake, own, monkeypatch, node
):
    graph = Graph()
    _, scores = scored(graph, "mine.safetensors")
    if node == "filter":
        graph.show(graph.filter(scores, min_percentile=5.0), 15)
    else:
        graph = Graph()
        graph.curate(graph.load(scorer="mine.safetensors"), where="input", min_percentile=5.0)
        engine = fake.module("imagereward_core.scorers.engine")
        monkeypatch.setattr(engine, "_run", lambda *_: pytest.fail("something was scored"))
    ran = fake.run(graph)
    assert (
        ran.kind == "GraphError" and "mine scores made this way have no reference distribution" in ran.error
    )


def test_a_card_that_is_put_beside_it_counts_from_the_next_run_on(fake, own):
    graph = Graph()
    scorer, scores = scored(graph, "mine.safetensors")
    about, table = graph.show(scorer, 1), graph.show(scores, 3)
    before = fake.run(graph)
    assert "which numbers are typical is not known" in shown(before, about)[0]
    assert "percentile " not in shown(before, table)[0]
    own.with_name("mine.card.json").write_text(json.dumps(OTHER), encoding="utf-8")
    after = fake.run(graph)
    assert "most pictures lie between -50 and 50" in shown(after, about)[0]
    assert "percentiles against my pictures" in shown(after, about)[0]
    assert "percentile " in shown(after, table)[0]
