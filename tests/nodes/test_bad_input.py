"""Whatever goes wrong, the error dialog says what to do, and the queue goes on; in this process and in a real ComfyUI."""

from __future__ import annotations

import math

import pytest

from tests.support.comfyui.graphs import PROMPTS, Graph, shown


def goes_on(host):
    """Whether a sound prompt still runs."""
    graph = Graph()
    graph.show(graph.score([graph.pictures("single"), 0]), 2)
    return host.run(graph).status == "success"


def test_an_empty_batch_is_refused_in_words(host):
    graph = Graph()
    graph.show(graph.score([graph.pictures("empty"), 0]), 2)
    ran = host.run(graph)
    assert ran.status == "error" and "holds no picture" in ran.error and goes_on(host)


def test_a_batch_of_one_is_scored(host):
    graph = Graph()
    scores = graph.score([graph.pictures("single"), 0])
    values, best = graph.show(scores, 2), graph.show(graph.pick(scores, images=[scores, 1]), 0)
    plot = graph.plot(scores)
    sheet = graph.sheet(scores, [scores, 1])
    ran = host.run(graph)
    assert len(shown(ran, values)) == 1 and shown(ran, best)[0]["shape"] == [1, 48, 64, 3]
    assert ran.outputs[plot]["images"] and ran.outputs[sheet]["images"]


def test_one_picture_with_nan_fails_alone_and_comes_last(host):
    graph = Graph()
    scores = graph.score([graph.pictures("one nan"), 0])
    values, table = graph.show(scores, 2), graph.show(scores, 3)
    indexes = graph.show(graph.sort(scores), 5)
    saved = graph.save(scores, [scores, 1])
    sheet, plot = graph.sheet(scores, [scores, 1]), graph.plot(scores)
    ran = host.run(graph)
    found = shown(ran, values)
    assert [math.isnan(value) for value in found] == [False, True, False, False]
    assert shown(ran, indexes)[-1] == 1 and "holds NaN" in shown(ran, table)[0]
    names = [each["filename"] for each in ran.outputs[saved]["images"]]
    assert len(names) == 4 and names[-1].startswith("none_none_")
    assert ran.outputs[sheet]["images"] and ran.outputs[plot]["images"]


def test_a_batch_of_nothing_but_nan_is_an_error(host):
    graph = Graph()
    graph.show(graph.score([graph.pictures("all nan"), 0]), 2)
    ran = host.run(graph)
    assert (
        ran.status == "error" and "none of the 4 pictures could be scored" in ran.error and "NaN" in ran.error
    )


def test_a_prompt_list_of_the_wrong_length_is_refused(host):
    graph = Graph()
    folder = graph.folder()
    graph.show(graph.score([graph.pictures("batch"), 0], prompt=[folder, 1]), 2)
    ran = host.run(graph)
    assert ran.status == "error" and "8 prompts for 4 pictures" in ran.error and goes_on(host)


@pytest.mark.parametrize("prompt", ["", "  ", "<lora:only:0.8>"])
def test_an_empty_prompt_is_refused_where_the_scorer_needs_one(host, prompt):
    graph = Graph()
    graph.show(graph.score([graph.pictures("batch"), 0], prompt=prompt), 2)
    ran = host.run(graph)
    assert ran.status == "error" and "the prompt is empty" in ran.error


@pytest.mark.parametrize("node", ["sort", "filter", "pick", "sheet", "save"])
def test_scores_of_another_batch_are_refused_unless_the_pictures_were_only_changed(host, node):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    others = [graph.pictures("brighter"), 0]
    if node in ("sheet", "save"):
        used = getattr(graph, node)(scores, others)
    else:
        used = getattr(graph, node)(scores, images=others)
        graph.show(used, 0)
    ran = host.run(graph)
    assert ran.status == "error" and "these scores belong to another batch: 4 of 4 pictures" in ran.error
    graph[used]["inputs"]["changed_pictures"] = True
    assert host.run(graph).status == "success"


@pytest.mark.parametrize("slot, name", [(0, "images"), (1, "latents"), (2, "masks"), (3, "items")])
def test_a_wrong_number_of_anything_is_refused_with_its_name(host, slot, name):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    graph.show(graph.sort(scores, **{name: [graph.pictures("mixed"), slot], "changed_pictures": True}), 5)
    ran = host.run(graph)
    named = "pictures" if name == "images" else name
    assert ran.status == "error" and f"3 {named} were given with the scores of 4 pictures" in ran.error


def test_an_output_without_its_input_says_what_to_connect_and_stops_nothing_else(host):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    ordered = graph.sort(scores)
    latents, indexes = graph.show(ordered, 1), graph.show(ordered, 5)
    ran = host.run(graph)
    assert ran.status == "success" and latents not in ran.outputs and len(shown(ran, indexes)) == 4


def test_an_unknown_scorer_is_refused(host):
    graph = Graph()
    graph.show(graph.score([graph.pictures("batch"), 0], scorer=graph.load(scorer="NoSuchScorer")), 2)
    ran = host.run(graph)
    assert ran.status == "error"
    assert "no scorer is called 'NoSuchScorer'" in ran.error or "value_not_in_list" in ran.error
    assert goes_on(host)


def test_missing_weights_are_named_with_where_to_put_them(host):
    graph = Graph()
    graph.show(graph.score([graph.pictures("batch"), 0], scorer=graph.load(scorer="PickScore")), 2)
    ran = host.run(graph)
    assert ran.status == "error" and "downloads are switched off" in ran.error and goes_on(host)
    folder = host.base / "models" / "imagereward" / "PickScore"
    assert all(
        f"named {name}, into {folder}" in ran.error for name in ("PickScore_v1.safetensors", "merges.txt")
    )
    assert "switch on allow_download in Load Scorer" in ran.error


def test_errors_are_shown_under_the_packs_name_and_not_under_its_path(host):
    graph = Graph()
    graph.show(graph.score([graph.pictures("batch"), 0], scorer=graph.load(scorer="PickScore")), 2)
    other = Graph()
    other.show(other.score([other.pictures("batch"), 0], prompt=""), 2)
    blend = Graph()
    blend.show(blend.score([blend.pictures("batch"), 0], scorer=blend.load(blend="demo=x")), 2)
    ran = [host.run(each) for each in (graph, other, blend)]
    names = ("WeightsError", "PromptError", "UnknownBlendError")
    assert [each.shown_type for each in ran] == [f"ImageReward Curator.{name}" for name in names]


def test_a_percentile_without_a_reference_is_refused(host):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0], scorer=graph.load(whole_picture=True))
    graph.show(graph.filter(scores, min_percentile=50.0), 12)
    ran = host.run(graph)
    assert ran.status == "error" and "no reference distribution" in ran.error


@pytest.mark.parametrize("prefix", ["../outside/x", "/tmp/curator-outside/x", "a/../../x"])
def test_files_never_leave_the_output_folder(host, prefix):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    graph.save(scores, [scores, 1], filename_prefix=prefix)
    before = host.files("")
    ran = host.run(graph)
    assert ran.status == "error" and "leads out of" in ran.error
    assert [name for name in host.files("") if name.endswith(".png")] == [
        name for name in before if name.endswith(".png")
    ]


def test_kept_and_rejected_folders_never_leave_the_output_folder(host):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    chosen = graph.filter(scores, top_k=1)
    graph.save(
        scores, [scores, 1], selection=[chosen, 14], filename_prefix="x", rejected_folder="../../outside"
    )
    ran = host.run(graph)
    assert ran.status == "error" and "leads out of" in ran.error


def test_a_selection_of_other_scores_is_refused(host):
    graph = Graph()
    scores = graph.score([graph.pictures("batch"), 0])
    chosen = graph.filter(scores, images=[scores, 1], top_k=2)
    plot = graph.plot(scores, selection=[chosen, 14])
    graph[plot]["inputs"]["scores"] = [chosen, 4]
    ran = host.run(graph)
    assert ran.status == "error" and "this selection was made among other pictures (4)" in ran.error


def test_scores_of_different_pictures_are_not_blended(host):
    graph = Graph()
    one = graph.score([graph.pictures("batch"), 0], prompt=PROMPTS[0])
    other = graph.score([graph.pictures("brighter"), 0], prompt=PROMPTS[0])
    graph.show(graph.blend(one, other), 2)
    ran = host.run(graph)
    assert ran.status == "error" and "belong to other pictures" in ran.error
